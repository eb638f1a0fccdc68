"""Hosts that a preset can be sent to: a DAW is a row of this table, never a branch.

Addresses and habits of REAPER are those of its own OSC source (`csurf_osc.cpp` of the reaper-sdk)
and of its `Default.ReaperOSC`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Final

from antithesis.errors import ConfigError
from daemon.osc import OscMessage


class Scale(StrEnum):
    """What a host's numbers mean."""

    NORMALIZED = "normalized"
    PLAIN = "plain"


@dataclass(frozen=True)
class OscLink:
    """How a host is spoken to in OSC over UDP, from one socket for both directions.

    In addresses `{id}` stands for a parameter's id, `{number}` for its index counted from
    `first_number`, and any other name for a number of `places`; so it does as an argument.
    """

    route: ClassVar[str] = "daemon.senders.osc:OscRoute"

    port: int
    set_one: str
    address: str = "127.0.0.1"
    reply_port: int = 0  # where the host sends to; 0: to whoever asks it
    first_number: int = 0
    places: Mapping[str, int] = field(default_factory=dict)
    scale: Scale = Scale.NORMALIZED
    greeting: tuple[OscMessage, ...] = ()  # sent once, when the route opens
    ask: tuple[OscMessage, ...] = ()  # makes the host tell its values; none: it cannot
    read_one: str = ""  # where one value comes back
    read_all: str = ""  # where all 38 come back, in order
    ask_again_s: float = 0.05
    patience_s: float = 0.4  # for all answers together
    packet_bytes: int = 1024
    pace_s: float = 0.0  # between packets


@dataclass(frozen=True)
class MidiLink:
    """How a host is reached over MIDI: by control changes, in the numbers of `controllers`."""

    route: ClassVar[str] = "daemon.senders.midi:MidiRoute"

    port: str = ""  # an existing port; none: our own virtual one
    backend: str = ""  # for mido, such as "mido.backends.rtmidi/UNIX_JACK"; none: its default
    bits: int = 14  # 14: MSB then LSB; 7: MSB alone
    pace_s: float = 0.001  # between parameters
    settle_s: float = 0.1  # after opening; JACK, for one, joins ports in a later cycle


@dataclass(frozen=True)
class MemoryLink:
    """A host in this process's memory, for tests and dry runs."""

    route: ClassVar[str] = "daemon.senders.memory:MemoryRoute"


Link = OscLink | MidiLink | MemoryLink


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
    tolerance: float = 1e-4
    wait_s: float = 0.0  # between the last write and the first question


# What the built-in synth listens to, and what it answers.
BUILTIN: Final = OscLink(
    port=9124,
    set_one="/mika/parameter/{id}",
    read_all="/mika/parameters",
    ask=(OscMessage("/mika/get"),),
)

_ROWS = (
    HostRow(
        name="builtin",
        title="the built-in synth",
        link=BUILTIN,
        remedy="start it with: antithesis synth",
        answers=True,
        tolerance=2e-7,  # it holds the float32 that it was sent
    ),
    HostRow(
        name="reaper",
        title="REAPER",
        link=OscLink(
            port=8000,
            reply_port=9000,
            set_one="/track/{track}/fxinstparam/{number}/value",
            read_one="/track/{track}/fxinstparam/{number}/value",
            first_number=1,
            places={"track": 1},
            # Feedback stops after 16 parameters and at the selected track unless told otherwise.
            greeting=(
                OscMessage("/device/fxinstparam/count", (40,)),
                OscMessage("/device/track/select", ("{track}",)),
            ),
            # "Control surface: refresh all surfaces". REAPER echoes nothing that came to it on the
            # address it would answer on.
            ask=(OscMessage("/action", (41743,)),),
            ask_again_s=0.15,
            patience_s=0.45,
            pace_s=0.01,
        ),
        remedy=(
            "in REAPER's preferences add a control surface OSC that listens on the port and sends"
            " to the reply port, and put Mika Micro on the track"
        ),
        answers=False,  # not before its feedback is switched on
        wait_s=0.15,  # feedback sooner than 100 ms after a set can carry the old value
    ),
    HostRow(
        name="midi",
        title="MIDI control changes",
        link=MidiLink(),
        remedy="map the controllers in your DAW",
        answers=False,
        wait_s=0.05,
    ),
    HostRow(
        name="memory",
        title="nowhere (dry run)",
        link=MemoryLink(),
        remedy="nothing can be wrong here",
        answers=True,
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
