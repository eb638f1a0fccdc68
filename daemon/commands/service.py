"""Commands about the running parts: daemon, built-in synth, demo, doctor and configuration."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from daemon.commands.grammar import (
    AS_JSON,
    EXISTING_FILE,
    FOLDER,
    NEW_FILE,
    SECONDS,
    examples,
    say,
)


@click.command(
    short_help="Watch a folder; what is dropped is matched and sent.",
    epilog=examples(
        "antithesis start",
        "antithesis start --dry-run           match, but send to nobody",
        "antithesis start --host reaper --folder ~/Samples",
    ),
)
@click.option("--folder", type=FOLDER, help="Watch this folder instead of the configured one.")
@click.option("--host", help="Send to this host instead of the configured one.")
@click.option("--dry-run", is_flag=True, help="Match and write files, but send to nobody.")
def start(folder: Path | None, host: str | None, dry_run: bool) -> None:
    """Start the daemon: watch a folder, match what is dropped, send the preset to your synth.

    What it watches and whom it sends to stands in the configuration (`antithesis config`). With no
    other host configured, the built-in synth plays. Ctrl-C ends it.
    """
    from daemon import config
    from daemon.companion import run_companion

    settings = config.load()
    if folder and not str(folder).startswith("~"):  # which the configuration understands
        folder = folder.absolute()
    changes: dict[str, dict[str, object]] = {
        "watch": {"folder": str(folder)} if folder else {},
        "host": {"route": "memory" if dry_run else host} if host or dry_run else {},
    }
    run_companion(config.changed(settings, changes))


@click.command(epilog=examples("antithesis undo", "antithesis undo --json"))
@AS_JSON
def undo(as_json: bool) -> None:
    """Put back what your synth held before the last sound was matched; again, and before that.

    A running daemon does it, and ends the search it may be in; without one it is done from here.
    The exit status is 1 if it did not arrive.
    """
    from daemon import config
    from daemon.orders import order
    from daemon.presses import Action
    from daemon.routing import open_router
    from daemon.senders import Grade

    settings = config.load()
    answer = order(settings.orders.port, Action.UNDO)
    if answer is not None:
        say(answer, as_json)
    with open_router(settings) as router:
        delivery = router.undo()
    said = {"grade": delivery.grade, "route": delivery.route, "reason": delivery.reason}
    click.echo(json.dumps(said) if as_json else ": ".join(filter(None, said.values())))
    sys.exit(1 if delivery.grade is Grade.FAILED else 0)


@click.command(
    epilog=examples(
        "antithesis synth",
        "antithesis synth --wav take.wav --seconds 30",
    )
)
@click.option("--port", type=click.IntRange(1, 65535), help="UDP port for OSC.")
@click.option("--wav", type=NEW_FILE, help="Play into this WAV file instead of a device.")
@click.option("--device", help="Audio device, or a part of its name.")
@click.option("--seconds", type=SECONDS, help="End by itself after this long.")
@click.option("--with-parent", is_flag=True, hidden=True)  # for the daemon that starts it
def synth(
    port: int | None,
    wav: Path | None,
    device: str | None,
    seconds: float | None,
    with_parent: bool,
) -> None:
    """Run the built-in Mika Micro: OSC on UDP and MIDI in, sound out.

    It plays through the audio device, or into a WAV file where there is none. Ctrl-C ends it.
    """
    from daemon import config
    from daemon.synthserver import run_synth

    given = {"port": port, "wav": str(wav.absolute()) if wav else None, "device": device}
    changes = {"synth": {key: value for key, value in given.items() if value is not None}}
    settings = config.changed(config.load(), changes)
    run_synth(
        osc_port=settings.synth.port,
        midi_port=settings.synth.midi_port or None,
        midi_backend=settings.midi.backend,
        wav=settings.synth.wav,
        device=settings.synth.device or None,
        sample_rate=settings.synth.sample_rate,
        seconds=seconds,
        with_parent=with_parent,
    )


@click.command(
    short_help="Hear the whole path on three sounds, then end.",
    epilog=examples(
        "antithesis demo",
        "antithesis demo --seed 7 my-sound.wav",
    ),
)
@click.argument("files", nargs=-1, type=EXISTING_FILE)
@click.option("--seed", type=int, help="Draw the same presets again.  [default: a fresh one]")
@click.option(
    "--budget",
    type=SECONDS,
    default=8.0,
    show_default=True,
    metavar="SECONDS",
    help="Search this long for each sound.",
)
@click.option("--listen", is_flag=True, help="Play each sound and its match on the audio device.")
@AS_JSON
def demo(
    files: tuple[Path, ...], seed: int | None, budget: float, listen: bool, as_json: bool
) -> None:
    """Show the whole path: three sounds and FILES, matched, sent, played, and compared.

    Ends by itself. The exit status is 0 only if the built-in synth confirmed every preset and what
    it played is nearer to the sound than an average preset is.
    """
    from daemon.demo import run_demo

    well = run_demo(files, seed=seed, budget_s=budget, as_json=as_json, listen=listen)
    sys.exit(0 if well else 1)


@click.command(epilog=examples("antithesis status", "antithesis status --json"))
@click.option("--last", type=click.IntRange(0), default=10, show_default=True, help="So many jobs.")
@AS_JSON
def status(last: int, as_json: bool) -> None:
    """Print what the daemon does: what it watches, what waits, its host's word, the last matches.

    The exit status is 1 where no daemon runs.
    """
    from daemon import config
    from daemon.status import look_at

    seen = look_at(config.load(), last)
    for line in [json.dumps(seen.as_dict())] if as_json else seen.as_lines():
        click.echo(line)
    sys.exit(1 if seen.process is None else 0)


@click.command(
    name="service",
    short_help="Have the system start the daemon at login.",
    epilog=examples(
        "antithesis service install           start it now, at each login, and when it falls",
        "antithesis service status",
        "antithesis service remove",
    ),
)
@click.argument("what", type=click.Choice(["install", "remove", "status"]))
def manage_service(what: str) -> None:
    """Put the daemon into the hands of the system, or take it out: WHAT is one of three words.

    A systemd user unit on Linux, a launch agent on macOS, a scheduled task on Windows; all of them
    run as you. With `status` the exit status is 1 where it does not run.
    """
    from daemon.services import service

    ours = service()
    if what == "install":
        ours.install()
        click.echo(f"{ours.system} runs Antithesis now and from each login on: {ours.path}")
    elif what == "remove":
        there = ours.remove()
        click.echo("removed" if there else f"there was none: no {ours.path}")
    else:
        runs = ours.runs()
        state = "runs" if runs else "is installed, but does not run"
        click.echo(state if ours.path.exists() else "is not installed: antithesis service install")
        sys.exit(0 if runs else 1)


@click.command(
    short_help="What this machine has, and what to do about the rest.",
    epilog=examples("antithesis doctor", "antithesis doctor --json"),
)
@AS_JSON
def doctor(as_json: bool) -> None:
    """Print what this machine has, what is missing, and what to do about it.

    The exit status is 1 if anything failed; a warning is something Antithesis can do without.
    """
    from daemon.doctor import Verdict, examine

    failed = False
    for row in examine():
        failed |= row.verdict is Verdict.FAIL
        click.echo(json.dumps(row.as_dict()) if as_json else row.as_text())
    sys.exit(1 if failed else 0)


@click.command(
    name="config",
    short_help="Print what is configured, with every default.",
    epilog=examples(
        "antithesis config                    what is in effect, with every default",
        "antithesis config --write            make the file, to be edited",
    ),
)
@click.option("--path", "only_path", is_flag=True, help="Print where the file is, or would be.")
@click.option("--write", is_flag=True, help="Make the file with every default.")
def show_config(only_path: bool, write: bool) -> None:
    """Print the effective configuration as the file it could be.

    The environment variable ANTITHESIS_CONFIG names another file.
    """
    from daemon import config

    if only_path:
        click.echo(config.config_path())
    elif write:
        click.echo(config.create())
    else:
        click.echo(config.as_toml(config.load()), nl=False)
