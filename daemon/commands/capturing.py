"""Commands about what the computer plays: capture, hotkeys, and what can be listened to."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from daemon.commands.grammar import AS_JSON, SECONDS, Refusal, examples, say
from daemon.presses import HOTKEYS, Action

if TYPE_CHECKING:
    from daemon.presses import Answer

# By their values: of an enumeration, click would offer the names.
_STEPS = [
    action.value for action in (Action.NEXT, Action.PREVIOUS, Action.UNDO, Action.STOP, Action.ARM)
]


@click.command(
    short_help="Match the sound that the computer just played.",
    epilog=examples(
        "antithesis capture                   what was just heard; again: the one before it",
        "antithesis capture --back 2          two sounds before that",
        "antithesis capture --hold 3          record for three seconds from now",
    ),
)
@click.option("--back", type=click.IntRange(0, 1000), default=0, help="So many sounds before it.")
@click.option("--hold", type=SECONDS, metavar="SECONDS", help="Record from now on, for so long.")
@AS_JSON
def capture(back: int, hold: float | None, as_json: bool) -> None:
    """Have the running daemon match the sound that the computer just played.

    Asked again with nothing new since, it is the sound before that. It answers when the first
    preset is at your synth; better ones follow as for a dropped file.
    """
    if hold is None:
        say(_ordered(Action.CAPTURE, back), as_json)
    _ordered(Action.HOLD, 1)
    time.sleep(hold)
    say(_ordered(Action.HOLD, 0), as_json)


@click.command(
    short_help="What a hotkey would: next, previous, undo, stop, arm.",
    epilog=examples("antithesis press next", "antithesis press stop"),
)
@click.argument("action", type=click.Choice(_STEPS))
@AS_JSON
def press(action: str, as_json: bool) -> None:
    """Have the running daemon do what the hotkey of that name does.

    next and previous step through the matches of the last sound; undo puts back what was there
    before it; stop ends its search; arm captures each sound by itself, or no longer.
    """
    say(_ordered(Action(action)), as_json)


def _ordered(action: Action, *arguments: int) -> Answer:
    from daemon import config
    from daemon.orders import order

    port = config.load().orders.port
    answer = order(port, action, *arguments)
    if answer is None:
        raise Refusal(f"no daemon answers on UDP port {port}: start it with: antithesis start")
    return answer


@click.command(
    short_help="What can be listened to; * hears what the computer plays.",
    epilog=examples("antithesis devices", "antithesis devices --json"),
)
@AS_JSON
def devices(as_json: bool) -> None:
    """List what `capture.device` can name; a * marks what hears the computer's own sound."""
    from dataclasses import asdict

    from daemon import config
    from daemon.capture import sources
    from daemon.capture.contract import choose

    settings = config.load().capture
    found, troubles = sources(settings.backend)
    chosen = choose(settings.device, found)
    for device in found:
        if as_json:
            click.echo(json.dumps(asdict(device) | {"chosen": device == chosen}))
            continue
        marks = ("*" if device.loopback else " ") + (">" if device == chosen else " ")
        kind = f"{device.backend}, {device.sample_rate} Hz, {device.channels} channels"
        click.echo(f"{marks} {device.name}  ({kind})")
    for trouble in troubles:
        click.echo(f"   {trouble}", err=True)


@click.group()
def learn() -> None:
    """Learn by being shown."""


@learn.command(
    short_help="Bind a key, pad or pedal to an action by pressing it.",
    epilog=examples("antithesis learn hotkey", "antithesis learn hotkey hold"),
)
@click.argument(
    "action", type=click.Choice([hotkey.value for hotkey in HOTKEYS]), default=Action.CAPTURE.value
)
@click.option("--seconds", type=SECONDS, default=30.0, show_default=True, help="To wait for it.")
def hotkey(action: str, seconds: float) -> None:
    """Bind ACTION (capture, if none is given) to the key, pad or pedal that is pressed next.

    It is written into the configuration, and a daemon that runs obeys it at once.
    """
    from daemon import config
    from daemon.learning import learn as learned
    from daemon.orders import order

    settings = config.load()
    click.echo(f"press the key, pad or pedal for: {action}")
    binding = learned(settings.midi.backend, seconds)
    path = config.keep("hotkeys", action, str(binding))
    click.echo(f"{action}: {binding}, written into {path}")
    told = order(settings.orders.port, Action.LEARN)
    if told is not None and not told.well:
        raise Refusal(f"the daemon did not take it: {told.said}; start it anew")
    click.echo(f"the daemon obeys {told.said}" if told else "a daemon obeys it once it is started")


@learn.command(
    short_help="Show where Mika Micro's panel is, for the mouse route.",
    epilog=examples("antithesis learn window"),
)
def window() -> None:
    """Remember where the panel is in its window, by pointing at two of its corners.

    It is written into the configuration, as the title of the window and the panel's place in it.
    """
    from dataclasses import astuple

    from daemon import config
    from daemon.mouse.showing import shown

    title, panel = shown(lambda what: click.pause(f"{what}, and press a key here ..."))
    config.keep("mouse", "window", title)
    path = config.keep("mouse", "panel", astuple(panel))
    click.echo(f"a panel of {panel.width} x {panel.height} in {title!r}, written into {path}")


@learn.command(
    name="midi",
    short_help="Walk through the 38 controls for your DAW's MIDI learn.",
    epilog=examples("antithesis learn midi", "antithesis learn midi --again"),
)
@click.option("--again", is_flag=True, help="Begin anew instead of going on where it ended.")
def midi_controllers(again: bool) -> None:
    """Have your DAW learn the controllers of the midi route, one control after the other.

    Each controller wiggles until you go on: put the DAW into MIDI learn, click the control that is
    named, and press Space here or the note C on any MIDI keyboard. What was learned is kept in the
    configuration at once; what was skipped is not sent.
    """
    from antithesis.parameters import BY_ID, PARAMETERS
    from daemon import config, walking
    from daemon.alone import runs
    from daemon.hosts import MidiLink
    from daemon.keyboard import Keyboard

    settings = config.load()
    if runs(settings.state.folder) is not None:
        raise Refusal("the daemon has the MIDI port: stop it first (Ctrl-C), and start it after")
    link = config.host_row(settings, "midi").link
    assert isinstance(link, MidiLink)

    def keep(learned: frozenset[int]) -> None:
        config.keep("midi", "learned", [PARAMETERS[index].id for index in sorted(learned)])

    known = () if again else (BY_ID[id].index for id in settings.midi.learned)
    walk = walking.Walk.resumed(known)
    click.echo(walking.HOW)
    walk = walking.walk_through(link, walk, Keyboard(), click.echo, keep)
    click.echo(f"{len(walk.learned)} of {len(PARAMETERS)} are learned: {config.config_path()}")
    if settings.host.route != "midi":
        click.echo('to send by them: [host] route = "midi", or fallback = ["midi"]')
