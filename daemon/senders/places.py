"""Where in a host the plug-in is, told by the names of its parameters.

Indices move: Live puts "Device On" before a plug-in's own parameters, REAPER and VST3 add others,
and a track is easily moved. Names stay, but for their ends: hosts cut them at 32 characters, and
IPlug lets the unit of a long one run into it (`Parameter.host_name`). So a parameter is the one
whose name begins alike, upper case and spaces aside.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from antithesis.parameters import N_PARAMETERS, PARAMETERS, Parameter
from daemon.hosts import Scale
from daemon.osc import Argument

KEY_LENGTH: Final = 24
"""So much of a squashed name tells it from all others."""

_CUT: Final = 32
_SHORTEST: Final = 6  # less of a name than this is no name


@dataclass(frozen=True)
class HostParameter:
    """A parameter as a host lists it."""

    number: int
    name: str
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Candidate:
    """A plug-in that may be Mika Micro: how it is addressed, what to call it, what it has."""

    where: Mapping[str, Argument]
    title: str
    parameters: tuple[HostParameter, ...]


@dataclass(frozen=True)
class Place:
    """A Mika Micro in a host: its numbers, names and scales there, by our index."""

    where: Mapping[str, Argument]
    title: str
    numbers: tuple[int, ...]
    names: tuple[str, ...]
    scales: tuple[Scale, ...]

    def to_host(self, index: int, normalized: float) -> float:
        """A value as the host counts."""
        plain = self.scales[index] is Scale.PLAIN
        return PARAMETERS[index].to_plain(normalized) if plain else float(normalized)

    def from_host(self, index: int, value: float) -> float:
        """A host's value, normalized."""
        plain = self.scales[index] is Scale.PLAIN
        return PARAMETERS[index].to_normalized(value) if plain else value


def is_ours(candidate: Candidate) -> bool:
    """Whether it is a Mika Micro, though some of its names may not have arrived."""
    return len(identify(candidate.parameters)) > N_PARAMETERS // 2


def place_of(candidate: Candidate) -> Place | None:
    """The candidate as a Mika Micro, if it has all 38 parameters."""
    found = identify(candidate.parameters)
    if len(found) < N_PARAMETERS:
        return None
    in_order = [found[index] for index in range(N_PARAMETERS)]
    return Place(
        candidate.where,
        candidate.title,
        numbers=tuple(parameter.number for parameter, _ in in_order),
        names=tuple(parameter.name for parameter, _ in in_order),
        scales=tuple(scale for _, scale in in_order),
    )


def identify(listed: Iterable[HostParameter]) -> dict[int, tuple[HostParameter, Scale]]:
    """Which of ours the listed ones are, by our index, and how they count there."""
    found: dict[int, tuple[HostParameter, Scale]] = {}
    for parameter in listed:
        alike = [ours for ours in PARAMETERS if _same_name(ours, parameter.name)]
        if len(alike) == 1 and (scale := _scale(alike[0], parameter)):
            found.setdefault(alike[0].index, (parameter, scale))
    return found


def squashed(name: str) -> str:
    """A name without what hosts change in it."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _same_name(ours: Parameter, name: str) -> bool:
    heard, known = squashed(name), squashed(ours.name[:_CUT])
    return heard.startswith(known) or (len(heard) >= _SHORTEST and known.startswith(heard))


def _scale(ours: Parameter, listed: HostParameter) -> Scale | None:
    if (listed.low, listed.high) == (0.0, 1.0):
        return Scale.NORMALIZED
    alike = math.isclose(listed.low, ours.min, rel_tol=1e-5) and math.isclose(
        listed.high, ours.max, rel_tol=1e-5
    )
    return Scale.PLAIN if alike else None
