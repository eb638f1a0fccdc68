"""Commands between a sound and a preset: match and render."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.commands.grammar import (
    AS_JSON,
    EXISTING_FILE,
    FOLDER,
    NEW_FILE,
    SECONDS,
    examples,
    to_budget,
    to_locks,
    to_note,
)

if TYPE_CHECKING:
    from antithesis.grid import Grid
    from antithesis.matching import Match


@click.command(
    epilog=examples(
        "antithesis match lead.wav",
        "antithesis match 'Bass A#1.flac' --budget 60",
        "antithesis match pad.aiff --note C3 --json | tail -n 1",
        "antithesis match lead.wav --lock kFilterEnabled=true --lock kFilterCutoff=2000",
        "antithesis match lead.wav --grid midi",
    )
)
@click.argument("file", type=EXISTING_FILE)
@click.option(
    "--budget",
    callback=to_budget,
    default="20",
    show_default=True,
    metavar="SECONDS|instant",
    help="Search this long for better than the prediction; instant is the prediction alone.",
)
@click.option("--note", callback=to_note, help="The note it plays (60, C4), if you know better.")
@click.option(
    "--lock",
    "locks",
    callback=to_locks,
    multiple=True,
    metavar="PARAMETER=VALUE",
    help="Match around this knob, as the panel shows it; any number of times.",
)
@click.option(
    "--grid", metavar="ROUTE", help="End with the best preset among those that this route can say."
)
@click.option("--out", type=FOLDER, help="Folder for the results.  [default: FILE's.antithesis]")
@AS_JSON
def match(
    file: Path,
    budget: float,
    note: int | None,
    locks: dict[str, float],
    grid: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Find the preset that sounds like FILE.

    The network's prediction comes first, within a second; then every better match as it is found.
    Ctrl-C ends the search early and keeps the best. The best preset is written as text, JSON and
    .fxp, with its sound and a picture beside it.

    With --json each match is one object a line: preset (plain values by id), note, velocity,
    gate_s, distance (dB, smaller is nearer), elapsed_s and files. The last line is the best, and
    the only one with files.
    """
    from antithesis.judgement import remarks
    from antithesis.matching import match as find_matches
    from antithesis.network import load_network
    from antithesis.pitch import note_from_chunks, note_from_name
    from antithesis.report import write_match
    from antithesis.segments import first_sound_of

    sound = first_sound_of(file)
    named = note_from_name(file.name) or note_from_chunks(file)
    say = _say_json if as_json else _say_match
    matches = find_matches(
        sound.samples,
        load_network(),
        budget_s=budget,
        note=note,
        named=named,
        locked=locks,
        grid=_grid_of(grid) if grid else None,
    )
    best = _best_of(matches, say)
    say(best, write_match(best, sound, out or file.with_name(f"{file.name}.antithesis")))
    if not as_json:
        for remark in remarks(sound.samples, best):
            click.echo(f"could not be matched: {remark}")


def _grid_of(route: str) -> Grid | None:
    from daemon import config

    return config.host_row(config.load(), route).link.grid()


def _best_of(matches: Iterable[Match], say: Callable[[Match], None]) -> Match:
    """Tell every match and return the last, which is the best; Ctrl-C is a way to stop."""
    best: Match | None = None
    try:
        for best in matches:
            say(best)
    except KeyboardInterrupt:
        if best is None:
            raise
    assert best is not None  # the prediction always comes
    return best


def _say_json(match: Match, files: Iterable[Path] = ()) -> None:
    row = {
        "preset": match.preset.by_id(),
        "note": match.note,
        "velocity": match.velocity,
        "gate_s": match.gate_s,
        "distance": match.distance,
        "elapsed_s": match.elapsed_s,
        "files": [str(path) for path in files],
    }
    click.echo(json.dumps(row))


def _say_match(match: Match, files: Iterable[Path] = ()) -> None:
    from antithesis.report import key_name, likeness

    near = f"{match.distance:.2f} dB away ({likeness(match.distance)})"
    if not files:
        click.echo(f"{match.elapsed_s:7.2f} s   {near}")
        return
    click.echo(
        f"the best is {near}: note {match.note} ({key_name(match.note)}), "
        f"velocity {match.velocity}, held {match.gate_s:.2f} s"
    )
    for path in files:
        click.echo(f"    {path}")


@click.command(
    short_help="Play one note of PRESET into a WAV file.",
    epilog=examples(
        "antithesis render preset.txt",
        "antithesis render lead.fxp --note A2 --gate 0.5 --duration 3 -o lead.wav",
    ),
)
@click.argument("preset", type=EXISTING_FILE)
@click.option("--note", callback=to_note, default="60", show_default=True, help="Number or name.")
@click.option("--velocity", type=click.IntRange(1, 127), default=100, show_default=True)
@click.option("--gate", type=SECONDS, default=1.0, show_default=True, help="Seconds held.")
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True, max=3600),
    default=2.0,
    show_default=True,
    help="Seconds in all.",
)
@click.option("--sample-rate", type=click.IntRange(22050, 192000), default=44100, show_default=True)
@click.option("-o", "--out", type=NEW_FILE, help="WAV file.  [default: PRESET's name .wav]")
@AS_JSON
def render(
    preset: Path,
    note: int,
    velocity: int,
    gate: float,
    duration: float,
    sample_rate: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Play one note of PRESET into a WAV file, exactly as Mika Micro would."""
    from antithesis.audio import write_wav
    from antithesis.presetfiles import read_preset
    from antithesis.synth import Event, EventKind
    from antithesis.synth import render as play

    events = [
        Event(0.0, EventKind.NOTE_ON, note, velocity),
        Event(gate, EventKind.NOTE_OFF, note, 0),
    ]
    samples = play(read_preset(preset), events, duration, sample_rate=sample_rate)
    path = out or preset.with_suffix(".wav")
    write_wav(path, samples, sample_rate)
    peak = float(abs(samples).max())
    if as_json:
        row = {"file": str(path), "samples": len(samples), "rate": sample_rate, "peak": peak}
        click.echo(json.dumps(row))
    else:
        click.echo(f"{path}: {duration:g} s of note {note}, peak {peak:.3f}")
