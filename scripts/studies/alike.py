"""How often a preset sounds the same with one of its knobs elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis import distances
from antithesis.parameters import PARAMETERS
from antithesis.sampling import Sample
from evaluation.scoring import WARMUPS_S, matched, score
from studies import turning

Floats = npt.NDArray[np.float64]

SETS: Final = ("musical", "uniform")
_METRIC: Final = "mss_db"


@dataclass(frozen=True)
class Turned:
    """One knob of one preset turned, and whether that is within the synth's own chance."""

    set: str
    preset: int
    id: str
    step: float  # of turning.STEPS, or REDRAWN
    same: bool


def turn(seed: int, phases: int, task: tuple[str, int]) -> list[Turned]:
    """Every knob that preset ``index`` of a set lets hear, turned by itself as far as is asked.

    Judged at so many of the three vibrato phases.
    """
    set, index = task
    rng = np.random.default_rng((seed, SETS.index(set), index))
    sample, sound = turning.drawn(set, rng)
    others = turning.donors(set, rng)
    apart_db = partial(_apart_db, distances.Target(sound), sample, WARMUPS_S[:phases])
    floor_db = apart_db(sample.normalized)[0]
    found = []
    for knob in turning.knobs(sample):
        turns = dict(turning.turns(sample, others, knob, rng))
        same = matched(apart_db(np.stack(list(turns.values()))), floor_db)
        id = PARAMETERS[knob].id
        found += [Turned(set, index, id, *row) for row in zip(turns, map(bool, same), strict=True)]
    return found


def _apart_db(
    target: distances.Target, sample: Sample, warmups_s: Sequence[float], normalized: Floats
) -> Floats:
    """Mean distances (n,) of knobs (n, 38), at all these vibrato phases, from the first sound."""
    sounds = (
        turning.rendered(sample, np.tile(one, (len(warmups_s), 1)), warmups_s) for one in normalized
    )
    return np.array([score(each, target, (_METRIC,))[_METRIC] for each in sounds])
