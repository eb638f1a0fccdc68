"""Hosts that a preset can be sent to: a DAW is a row of this table, never a branch.

Addresses and habits are those of the hosts' own sources: REAPER's `csurf_osc.cpp` and
`Default.ReaperOSC`, AbletonOSC's `device.py` and `osc_server.py`, Ardour's `osc.cc`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from antithesis.errors import ConfigError
from antithesis.grid import Grid
from antithesis.parameters import N_PARAMETERS
from daemon import sysex
from daemon.controllers import HIGHEST, Messages
from daemon.mouse.screens import Box
from daemon.mouse.turning import Method, reachable
from daemon.osc import Argument, OscMessage

Floats = npt.NDArray[np.float64]


class Scale(StrEnum):
    """What a host's numbers mean."""

    NORMALIZED = "normalized"
    PLAIN = "plain"


@dataclass(frozen=True)
class OscLink:
    """How a host is spoken to in OSC: over UDP from one socket for both directions, or by TCP.

    Messages are patterns of `daemon.senders.patterns`. Their holes: `{id}` is a parameter's id,
    `{key}` how its name begins, `{number}` its number in the host, `{value}` its value and
    `{values...}` those of all 38; the others are `track`, `places`, or what the finder found.
    """

    route: ClassVar[str] = "daemon.senders.osc:OscRoute"

    port: int
    set_one: OscMessage
    tcp: bool = False  # and it answers by a connection of its own, to `reply_port`
    address: str = "127.0.0.1"
    reply_port: int = 0  # where the host sends to; 0: to whoever asks it
    finder: str = ""  # in `daemon.senders.finders`; none: the plug-in is where `places` says
    track: int = 0  # where to look, counted as the host shows it; 0: everywhere
    mute_place: str = ""  # what `track` is to a host that does not answer; none: nothing at all
    first_number: int = 0  # of the parameters, where there is no finder
    places: Mapping[str, Argument] = field(default_factory=dict)
    scale: Scale = Scale.NORMALIZED  # where there is no finder to tell
    greeting: tuple[OscMessage, ...] = ()  # sent when the plug-in is looked for
    ask: tuple[OscMessage, ...] = ()  # makes the host tell its values; none: it cannot
    told: tuple[OscMessage, ...] = ()  # how it tells them
    farewell: tuple[OscMessage, ...] = ()  # sent when it is left
    note_on: OscMessage | None = None  # with `{note}` and `{velocity}`; none: it plays no notes
    note_off: OscMessage | None = None
    ask_again_s: float = 0.05
    patience_s: float = 0.4  # for all answers together
    packet_bytes: int = 1024
    pace_s: float = 0.0  # between packets

    def grid(self) -> Grid | None:
        """None: a float32 is all that a plug-in keeps."""
        return None

    def rounded(self, normalized: Floats) -> Floats:
        """The nearest float32, which is what OSC and plug-ins carry."""
        return normalized.astype(np.float32).astype(np.float64)


@dataclass(frozen=True)
class MidiLink:
    """How a host is reached over MIDI: in the numbers of `controllers`, or by `sysex`."""

    route: ClassVar[str] = "daemon.senders.midi:MidiRoute"

    port: str = ""  # an existing port; none: our own virtual one
    backend: str = ""  # "jack", or one of mido's; none: mido's default
    messages: Messages = Messages.CC
    bits: int = 14  # 14: MSB then LSB; 7: MSB alone
    pace_s: float = 0.001  # between parameters
    settle_s: float = 0.1  # after opening, where ports are joined later
    patience_s: float = 2.0  # for a port that has gone to come back

    def grid(self) -> Grid | None:
        """128 or 16384 levels; None for system exclusive messages, which are as good as all."""
        return None if self.messages is Messages.SYSEX else _steps_of(HIGHEST[self.bits])

    def rounded(self, normalized: Floats) -> Floats:
        """The nearest of these levels."""
        grid = self.grid()
        return grid.nearest(normalized) if grid else sysex.rounded(normalized)


@dataclass(frozen=True)
class ScriptLink:
    """How a script of ours inside a host is reached: by `sysex`, which it answers."""

    route: ClassVar[str] = "daemon.senders.script:ScriptRoute"

    port: str = ""  # that it hears; none: our own virtual one
    answers: str = ""  # that it answers on; none: our own virtual one
    backend: str = ""  # as of a `MidiLink`
    settle_s: float = 0.1  # after opening, where ports are joined later
    ask_again_s: float = 0.2
    patience_s: float = 1.0  # for an answer

    def grid(self) -> Grid | None:
        """None: 21 bits are as good as all."""
        return None

    def rounded(self, normalized: Floats) -> Floats:
        """The nearest of 2^21 levels."""
        return sysex.rounded(normalized)


@dataclass(frozen=True)
class MouseLink:
    """How a host is reached that takes nothing: by mouse, on the plug-in's own panel."""

    route: ClassVar[str] = "daemon.senders.mouse:MouseRoute"

    title: str = "mika"  # of its window, or a part of it
    panel: Box | None = None  # where it is in that window, as a user showed it; none: look
    method: Method = Method.WHEEL
    countdown_s: float = 3.0  # in which a user may keep the mouse
    settle_s: float = 0.2  # for a menu to listen to keys

    def grid(self) -> Grid | None:
        """Notches of the wheel, or points of a drag; None for a text, which carries all of it."""
        return reachable(self.method)

    def rounded(self, normalized: Floats) -> Floats:
        """The nearest of these."""
        grid = self.grid()
        return grid.nearest(normalized) if grid else normalized


@dataclass(frozen=True)
class MemoryLink:
    """A host in this process's memory, for tests and dry runs."""

    route: ClassVar[str] = "daemon.senders.memory:MemoryRoute"

    def grid(self) -> Grid | None:
        """None: memory holds everything."""
        return None

    def rounded(self, normalized: Floats) -> Floats:
        """All of it: memory rounds nothing."""
        return normalized


@cache
def _steps_of(highest: int) -> Grid:
    return Grid.even([highest] * N_PARAMETERS)


Link = OscLink | MidiLink | ScriptLink | MouseLink | MemoryLink


@dataclass(frozen=True)
class HostRow:
    """A host: the way to it, and how far its answers can be trusted.

    `tolerance` is normalized and holds for continuous parameters; switches have half a step.
    """

    name: str
    title: str
    link: Link
    remedy: str  # what to do when nothing comes back
    answers: bool  # whether silence means failure
    found: bool = False  # whether the route `auto` looks for it
    lasting: bool = True  # whether what it holds outlives us, and can be put back
    pointer: bool = False  # takes the user's mouse: said once, by the last match, never to look
    tolerance: float = 1e-4
    copies: int = 1  # of all that is said, where nobody tells what was lost on the way
    wait_s: float = 0.0  # between the last write and the first question
    unmapped: frozenset[int] = frozenset()  # parameters that no way leads to


# A line for each parameter: number from 1, name, flags, type, range, print format, scale points,
# and at the end what it holds.
ARDOUR_DESCRIPTOR: Final = OscMessage(
    "/strip/plugin/descriptor",
    (
        *("{strip}", "{plugin}", "{number}", "{name}", "{flags}", "{type}", "{low}", "{high}"),
        *("...", "{value}"),
    ),
)

CARLA_REGISTER: Final = OscMessage("/register", ("{home}",))
CARLA_UNREGISTER: Final = OscMessage("/unregister", ("{home}",))

REAPER_REFRESH: Final = OscMessage("/action", (41743,))

# Renoise tells nothing back, but runs what it is sent: Lua that looks for the plug-in and for the
# parameter by their names, in the instrument `track` or, where that is 0, in all.
RENOISE_SET: Final = (
    "for n, i in ipairs(renoise.song().instruments) do"
    " local d = i.plugin_properties.plugin_device"
    ' if d and ({track} == 0 or {track} == n) and d.name:lower():find("mika") then'
    " for _, p in ipairs(d.parameters) do"
    ' if p.name:lower():gsub("%W", ""):find("^{key}") then p.value = {value:.9f} end'
    " end end end"
)

# What our own scripts in hosts speak, by OSC: see `daemon.senders.finders.script`.
SCRIPT_VERSION: Final = 1
SCRIPT_NAME: Final = OscMessage("/antithesis/name", ("{number}", "{name}"))
SCRIPT_DEVICE: Final = OscMessage("/antithesis/device", ("{version}", "{device}"))

# What the built-in synth listens to, and what it answers.
BUILTIN: Final = OscLink(
    port=9124,
    set_one=OscMessage("/mika/parameter/{id}", ("{value}",)),
    ask=(OscMessage("/mika/get"),),
    told=(OscMessage("/mika/parameters", ("{values...}",)),),
    note_on=OscMessage("/mika/note", ("{note}", "{velocity}")),
    note_off=OscMessage("/mika/note_off", ("{note}",)),
)

_ROWS = (
    HostRow(
        name="ardour",
        title="Ardour",
        link=OscLink(
            port=3819,
            finder="ardour",
            # No banks; tracks, busses and VCAs; 16384: answers to who asks, under OSC 1.0 names.
            greeting=(OscMessage("/set_surface", (0, 159, 16384, 0, 0, 0, 0)),),
            set_one=OscMessage(
                "/strip/plugin/parameter", ("{strip}", "{plugin}", "{number}", "{value}")
            ),
            ask=(OscMessage("/strip/plugin/descriptor", ("{strip}", "{plugin}")),),
            told=(ARDOUR_DESCRIPTOR,),
            ask_again_s=0.1,
            patience_s=1.0,
        ),
        remedy="in Ardour's preferences, Control Surfaces, enable Open Sound Control (OSC)",
        answers=True,
        found=True,
        tolerance=2e-4,  # a float32 of the vibrato's delay, whose curve is the steepest
        wait_s=0.02,
    ),
    HostRow(
        name="reaper",
        title="REAPER",
        link=OscLink(
            port=8000,
            reply_port=9000,
            finder="reaper",
            mute_place="track",
            set_one=OscMessage("/track/{track}/fxinstparam/{number}/value", ("{value}",)),
            # Numbers are counted from the banks it stands at, and it tells of no more than a bank.
            greeting=(
                OscMessage("/device/track/count", (32,)),
                OscMessage("/device/track/bank/select", (1,)),
                OscMessage("/device/fxinstparam/count", (40,)),
                OscMessage("/device/fxinstparam/bank/select", (1,)),
            ),
            # It tells of the selected track's instrument, and leaves out what it has told before,
            # but for the action "Control surface: refresh all surfaces".
            ask=(OscMessage("/device/track/select", ("{track}",)), REAPER_REFRESH),
            told=(OscMessage("/fxinstparam/{number}/value", ("{value}",)),),
            first_number=1,
            note_on=OscMessage("/vkb_midi/0/note/{note}", ("{velocity}",)),
            note_off=OscMessage("/vkb_midi/0/note/{note}", (0,)),
            ask_again_s=0.25,
            patience_s=1.0,
            pace_s=0.01,
        ),
        remedy=(
            "run `antithesis install reaper`, or see its page in the README, and put Mika Micro on"
            " a track as its first instrument"
        ),
        answers=False,  # not before its feedback is switched on
        found=True,
        wait_s=0.15,  # feedback sooner than 100 ms after a set can carry the old value
    ),
    HostRow(
        name="ableton",
        title="Ableton Live",
        link=OscLink(
            port=11000,
            reply_port=11001,
            finder="ableton",
            set_one=OscMessage(
                "/live/device/set/parameter/value", ("{track}", "{device}", "{number}", "{value}")
            ),
            ask=(OscMessage("/live/device/get/parameters/value", ("{track}", "{device}")),),
            told=(
                OscMessage(
                    "/live/device/get/parameters/value", ("{track}", "{device}", "{values...}")
                ),
            ),
            packet_bytes=4096,  # all 38 in one bundle: it takes what has come every 100 ms
            ask_again_s=0.35,
            patience_s=1.5,
        ),
        remedy=(
            "run `antithesis install ableton`, or see its page in the README; where Live shows"
            " fewer than 38 parameters, press Configure on the device and touch each control"
        ),
        answers=True,
        found=True,
    ),
    HostRow(
        name="bitwig",
        title="Bitwig Studio",
        link=OscLink(
            port=9126,
            reply_port=9127,
            finder="script",
            set_one=OscMessage("/antithesis/set", ("{number}", "{value}")),
            ask=(OscMessage("/antithesis/get"),),
            told=(OscMessage("/antithesis/value", ("{number}", "{value}")),),
            note_on=OscMessage("/antithesis/note", ("{note}", "{velocity}")),
            note_off=OscMessage("/antithesis/note_off", ("{note}",)),
            ask_again_s=0.15,
            patience_s=0.8,
        ),
        remedy=(
            "run `antithesis install bitwig`, or see its page in the README, and put Mika Micro on"
            " a track"
        ),
        answers=True,
        found=True,
        wait_s=0.05,  # its observers tell of a set a little later
    ),
    HostRow(
        name="cubase",
        title="Cubase",
        link=ScriptLink(),
        remedy=(
            "run `antithesis install cubase`, or see its page in the README, and select a track"
            " with Mika Micro as its instrument"
        ),
        answers=True,
        tolerance=1e-5,
        wait_s=0.02,
    ),
    HostRow(
        name="carla",
        title="Carla",
        link=OscLink(
            port=22752,
            reply_port=9128,
            tcp=True,
            finder="carla",
            set_one=OscMessage("/Carla/{plugin}/set_parameter_value", ("{number}", "{value}")),
            # It tells whom it is registered with, one at a time, and all of it when that begins.
            ask=(CARLA_UNREGISTER, CARLA_REGISTER),
            told=(OscMessage("/antithesis/paramData", ("{plugin}", "{number}", "...", "{value}")),),
            farewell=(CARLA_UNREGISTER,),
            patience_s=1.0,
            note_on=OscMessage("/Carla/{plugin}/note_on", (0, "{note}", "{velocity}")),
            note_off=OscMessage("/Carla/{plugin}/note_off", (0, "{note}")),
        ),
        remedy=(
            "in Carla's settings, OSC, enable its TCP port, 22752, and put Mika Micro in the rack"
        ),
        answers=True,
        found=True,
        tolerance=2e-4,  # as Ardour's
        wait_s=0.05,
    ),
    HostRow(
        name="renoise",
        title="Renoise",
        link=OscLink(
            port=8000,
            set_one=OscMessage("/renoise/evaluate", (RENOISE_SET,)),
            note_on=OscMessage("/renoise/trigger/note_on", (-1, -1, "{note}", "{velocity}")),
            note_off=OscMessage("/renoise/trigger/note_off", (-1, -1, "{note}")),
        ),
        remedy="in Renoise's preferences, OSC, enable the server for UDP on port 8000",
        answers=False,
        copies=4,
        wait_s=0.05,
    ),
    HostRow(
        name="fl-studio",
        title="FL Studio",
        link=ScriptLink(),
        remedy="run `antithesis install fl-studio`, or see its page in the README",
        answers=True,
        wait_s=0.04,  # two of its idle rounds
    ),
    HostRow(
        name="builtin",
        title="the built-in synth",
        link=BUILTIN,
        remedy="start it with: antithesis synth",
        answers=True,
        found=True,
        tolerance=2e-7,  # it holds the float32 that it was sent
    ),
    HostRow(
        name="custom",
        title="the host of [custom]",
        link=OscLink(port=0, set_one=OscMessage("/", ("{value}",))),
        remedy="see that it runs, and that [custom] in the configuration says how it is spoken to",
        answers=False,
    ),
    HostRow(
        name="midi",
        title="MIDI",
        link=MidiLink(),
        remedy="map the controllers in your DAW",
        answers=False,
        wait_s=0.05,
    ),
    HostRow(
        name="mouse",
        title="Mika Micro's window",
        link=MouseLink(),
        remedy="open Mika Micro's window, uncovered, and see its page in the README",
        answers=False,
        pointer=True,
        tolerance=1e-3,
    ),
    HostRow(
        name="memory",
        title="nowhere (dry run)",
        link=MemoryLink(),
        remedy="nothing can be wrong here",
        answers=True,
        lasting=False,
    ),
)

HOSTS: Mapping[str, HostRow] = MappingProxyType({row.name: row for row in _ROWS})


def find_host(name: str, **settings: object) -> HostRow:
    """The row called `name`, with settings of its link replaced (`port=8001`, `bits=7`).

    Raises:
        ConfigError: no such host, or it has no such setting.
    """
    if name not in HOSTS:
        raise ConfigError(f"host {name!r} is unknown{_did_you_mean(name, HOSTS)}")
    row = HOSTS[name]
    known = [f.name for f in fields(row.link)]
    for setting in settings:
        if setting not in known:
            raise ConfigError(
                f"host {name!r} has no setting {setting!r}{_did_you_mean(setting, known)}"
            )
    return replace(row, link=replace(row.link, **settings))  # type: ignore[arg-type]


def _did_you_mean(word: str, known: Mapping[str, object] | list[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; choose one of {', '.join(known)}"
