"""Where sounds begin in a stream that has no beginning: the last of them is the one just heard.

What may be a beginning is looked for generously: where the level leaves the quiet, where energy
appears in bands that had none, where tones leave their course. Each is then placed exactly, and
kept if what speaks for it outweighs the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.breaks import break_near
from antithesis.evidence import Evidence, departures_db, evidence, highest
from antithesis.hops import NEXT, SILENT_DBFS, Hops, highest_of_late, hop_of, runs

FloatArray = npt.NDArray[np.float64]
Samples = npt.NDArray[np.floating]

LOOK_S: Final = 0.15
"""So long after a beginning there is all of it that speaks for it,"""

SURE_S: Final = 0.27
"""and so long after it there is all that could outweigh it."""

FEWEST: Final = 13
"""Fewer hops are no stream in which anything can begin."""

_NEW_DB: Final = 0.5  # mean rise over the bands that sound: what may be an onset,
_DEPARTS_DB: Final = 4.0  # as may be what leaves its course by so much more than before
_PEAK: Final = 3  # hops
_NEAR: Final = 6  # hops around a frame in which what is seen there begins
_BELOW_DB: Final = 20.0  # softer than the loudest of late, it is not what was meant
_ONE_S: Final = 0.12  # within which it is one sound
_LEAST_S: Final = 0.05  # of a sound; what began later will be known later


@dataclass(frozen=True)
class Heard:
    """A sound in a stream, from sample `start` up to, not including, `stop`.

    It stops where it has sunk into quiet, where the next one begins, or where the stream ends; in
    that case it is not `over`. `background_db` is the loudest of what sounded just before, against
    the loudest of the sound itself; -inf for silence.
    """

    start: int
    stop: int
    over: bool
    background_db: float


def sounds(samples: Samples, sample_rate: int) -> list[Heard]:
    """The sounds of a stream (n,) in their order; one that is on at its beginning is none of them.

    In silence an onset is exact to the sample; amid other sound it is where that no longer explains
    what is heard.
    """
    hops = Hops.of(samples, sample_rate)
    return cut(hops, likeliest(_beginnings(samples, sample_rate, hops), sample_rate), sample_rate)


@dataclass(frozen=True)
class Beginning:
    """Where a sound may begin, and what speaks for it."""

    start: int
    evidence: Evidence

    @property
    def weight(self) -> float:
        """Whether it does, above 0."""
        return self.evidence.weight


def beginnings(samples: Samples, sample_rate: int) -> list[Beginning]:
    """Where sounds may begin in a stream (n,), in order."""
    return _beginnings(samples, sample_rate, Hops.of(samples, sample_rate))


def _beginnings(samples: Samples, sample_rate: int, hops: Hops) -> list[Beginning]:
    if len(hops) < FEWEST:
        return []
    departs = departures_db(hops.departures)
    found = (look(samples, at, sample_rate, departs) for at in worth_a_look(hops, departs))
    newest = len(samples) - round(_LEAST_S * sample_rate)
    return [begun for begun in found if begun.start <= newest]


def worth_a_look(hops: Hops, departs: FloatArray) -> list[int]:
    """Hops in which sounds may begin; those out of quiet come first where both see one."""
    found = [start for start, _ in runs(hops.loud()) if start]
    new = hops.novelty_db()
    seen = ((new > _NEW_DB) & _peaks(new)) | ((departs > _DEPARTS_DB) & _peaks(departs))
    lately = highest(hops.levels, range(-4 * _NEAR, 1))
    near_loudest = lately > highest_of_late(hops.levels) - _BELOW_DB
    for hop in np.flatnonzero(seen & (hops.levels > SILENT_DBFS) & near_loudest).tolist():
        if hop > _NEAR and all(abs(hop - other) > _NEAR for other in found):
            found.append(hop)
    return sorted(found)


def _peaks(values: FloatArray) -> npt.NDArray[np.bool_]:
    return np.asarray(values >= highest(values, range(-_PEAK, _PEAK + 1)))


def look(samples: Samples, at: int, sample_rate: int, departs: FloatArray) -> Beginning:
    """Where a sound begins that may begin in hop `at`, and what speaks for it."""
    hop = hop_of(sample_rate)
    start = break_near(samples, at * hop, sample_rate)
    near = departs[max(0, start // hop - _PEAK) : start // hop + 2 * _PEAK]
    return Beginning(start, evidence(samples, start, sample_rate, float(near.max(initial=0.0))))


def likeliest(found: Iterable[Beginning], sample_rate: int) -> list[Beginning]:
    """Of those that are near one another, the one for which most speaks."""
    kept: list[Beginning] = []
    for begun in found:
        if not kept or begun.start - kept[-1].start > _ONE_S * sample_rate:
            kept.append(begun)
        elif begun.start > kept[-1].start and begun.weight > kept[-1].weight:
            kept[-1] = begun
    return kept


def cut(hops: Hops, found: Iterable[Beginning], sample_rate: int) -> list[Heard]:
    """What begins, each as far as it goes."""
    starts = [begun.start for begun in found if begun.weight > 0.0]
    if not starts:
        return []
    loud, hop, heard = hops.loud(), hop_of(sample_rate), []
    for start, following in pairwise([*starts, len(hops) * hop]):
        first, after = start // hop, following // hop
        quiet = np.flatnonzero(~loud[first + 2 : after])
        stop = first + 2 + int(quiet[0]) if len(quiet) else after
        background = _background_db(hops.levels, first, max(stop, first + 1))
        heard.append(Heard(start, max(stop * hop, start + 1), stop < len(hops), background))
    return heard


def _background_db(levels: FloatArray, first: int, stop: int) -> float:
    before = levels[max(0, first - NEXT) : max(1, first - 2)].max()
    return float(before - levels[first:stop].max()) if before > SILENT_DBFS else -np.inf
