"""What a route cannot say, in a producer's words: known before anything is sent.

Told are gaps in times and frequencies that an ear would miss, centres that lie between two levels,
and parameters that no controller was learned for. A level is read as the picture of the panel has
it, so that "attack between 2.4 ms and 21 ms" is how long it takes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from antithesis.parameters import PARAMETERS, Parameter
from antithesis.preset import Preset
from antithesis.report.readings import reading
from antithesis.rules import audible
from daemon.hosts import HostRow

Floats = npt.NDArray[np.float64]

_WIDE: Final = 1.25  # of two neighbours of a time or a frequency
_WRONG: Final = 1.1  # of what was wanted and what went
_OFF_CENTRE: Final = 1e-3  # of the range
_LISTED: Final = 4  # values between two ends
_RATES: Final = "reversed rate"
_AT_DEFAULT: Final = Preset.init()

Number = TypeVar("Number", float, Floats)


def limits(row: HostRow) -> tuple[str, ...]:
    """What the route of a row cannot say, a line for each finding; none if it says everything."""
    grid = row.link.grid()
    unmapped = ", ".join(_name(p) for p in PARAMETERS if p.index in row.unmapped)
    said = [f"no controller was learned for {unmapped}"] if unmapped else []
    if grid is None:
        return tuple(said)
    continuous = [p for p in PARAMETERS if not p.steps and p.index not in row.unmapped]
    gaps: dict[str, list[str]] = {}
    for p in continuous:
        for gap in _gaps(p, grid.levels[p.index]):
            gaps.setdefault(gap, []).append(_name(p))
    said += [f"{', '.join(names)} {gap}" for gap, names in gaps.items()]
    centres = ", ".join(filter(None, (_centre(p, grid.levels[p.index]) for p in continuous)))
    return (*said, *([f"exactly 0 cannot be sent: nearest are {centres}"] if centres else []))


def rounded(preset: Preset, row: HostRow) -> Iterator[str]:
    """What of a preset will be heard to be rounded on the route of a row."""
    grid = row.link.grid()
    if grid is None:
        return
    wanted = preset.normalized
    near = Preset.from_normalized(grid.nearest(wanted))
    heard = audible(preset.plain) | audible(near.plain)
    for p in PARAMETERS:
        ours = not p.steps and p.index not in row.unmapped
        if ours and heard[p.index] and _differs(p, preset[p.id], near[p.id]):
            yield f"{_name(p)} {reading(preset, p.id)} goes as {reading(near, p.id)}"


def _gaps(p: Parameter, levels: Floats) -> Iterator[str]:
    """Where a time or a frequency leaps from level to level."""
    if not _is_ratio(p):
        return
    plain = p.min + levels**p.shape * (p.max - p.min)
    heard = np.log(_heard(p, plain))
    wide = np.flatnonzero(np.abs(np.diff(heard)) > math.log(_WIDE))
    for run in np.split(wide, np.flatnonzero(np.diff(wide) > 1) + 1):
        if len(run):
            yield _gap([_read(p, float(value)) for value in plain[run[0] : run[-1] + 2]])


def _gap(readings: Sequence[str]) -> str:
    low, *between, high = readings
    if not between:
        return f"between {low} and {high} cannot be sent"
    if len(between) > _LISTED:
        return f"between {low} and {high} can be sent as {len(between)} values only"
    return f"between {low} and {high} can be sent as {', '.join(between)} only"


def _centre(p: Parameter, levels: Floats) -> str:
    """What comes nearest to a centre that is none of the levels."""
    if p.min >= 0:
        return ""
    level = levels[np.abs(levels - p.to_normalized(0.0)).argmin()]
    plain = abs(p.to_plain(level))
    if plain < _OFF_CENTRE * (p.max - p.min):
        return ""
    return f"{_name(p)} \N{PLUS-MINUS SIGN}{_read(p, plain).lstrip('+')}"


def _differs(p: Parameter, wanted: float, near: float) -> bool:
    if _is_ratio(p):
        ratio = _heard(p, near) / _heard(p, wanted)
        return max(ratio, 1.0 / ratio) > _WRONG
    return p.min < 0 and wanted == 0 and abs(near) > _OFF_CENTRE * (p.max - p.min)


def _is_ratio(p: Parameter) -> bool:
    """Whether the ear compares two of its values by their ratio."""
    return p.unit == _RATES or (p.unit == "Hz" and p.min > 0)


def _heard(p: Parameter, plain: Number) -> Number:
    return p.min + p.max - plain if p.unit == _RATES else plain


def _read(p: Parameter, plain: float) -> str:
    return reading(_AT_DEFAULT.replace(**{p.id: plain}), p.id)


def _name(p: Parameter) -> str:
    return p.name[0].lower() + p.name[1:] if p.name[:2] != "FM" else p.name
