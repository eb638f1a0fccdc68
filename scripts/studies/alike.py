"""How often a preset sounds the same with one of its knobs elsewhere."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from antithesis import distances
from antithesis.parameters import BY_ID, PARAMETERS, Kind, to_normalized
from antithesis.rules import audible
from antithesis.sampling import DISTRIBUTIONS, Sample
from antithesis.synth import render_notes
from antithesis.training.stream import QUIETEST_DBFS
from evaluation.scoring import WARMUPS_S, level_db, matched, score
from evaluation.targets import DURATION_S

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SETS: Final = ("musical", "uniform")
REDRAWN: Final = 0.0  # how far it went is for the prior to say
STEPS: Final = (0.02, 0.05, 0.10, 0.25)  # of a knob's whole way
_LOUDEST_DB: Final = 10.0  # a triangle that runs away
_DONORS: Final = 300
_PITCHES: Final = [BY_ID[id].index for id in ("kOsc1Coarse", "kOsc2Coarse")]
# MSS hears no level, and one note no mode.
_FIXED: Final = ("kVoiceMode", "kGlideSpeed", "kMasterVolume")
_METRIC: Final = "mss_db"


@dataclass(frozen=True)
class Turned:
    """One knob of one preset turned, and whether that is within the synth's own chance."""

    set: str
    preset: int
    id: str
    step: float  # of STEPS, or REDRAWN
    same: bool


def hears(drawn: Sample) -> Bools:
    """Which knobs the notes of presets let hear, (n, 38)."""
    gates = np.minimum(drawn.gate_s, DURATION_S)
    off = gates < DURATION_S
    return audible(drawn.plain, velocity=drawn.velocity, gate_s=gates, note_off=off)


@dataclass(frozen=True)
class Plan:
    """How many presets of each set, and how many of the three vibrato phases to judge them at."""

    presets: int
    phases: int
    seed: int


def run_all(plan: Plan, jobs: int) -> list[Turned]:
    """Every preset, with progress on stderr; Ctrl-C keeps what is done."""
    tasks = [(set, index) for index in range(plan.presets) for set in SETS]
    found: list[Turned] = []
    bar = tqdm(total=len(tasks), unit=" presets", smoothing=0.05)
    with closing(bar), multiprocessing.get_context("spawn").Pool(jobs) as pool:
        try:
            for turned in pool.imap_unordered(partial(turn, plan), tasks):
                found += turned
                bar.update()
        except KeyboardInterrupt:
            bar.write(f"stopped after {bar.n} of {len(tasks)} presets", file=sys.stderr)
    return found


def turn(plan: Plan, task: tuple[str, int]) -> list[Turned]:
    """Every knob that one preset lets hear, turned by itself as far as is asked."""
    set, index = task
    rng = np.random.default_rng((plan.seed, SETS.index(set), index))
    drawn, sound = _drawn(set, rng)
    target = distances.Target(sound)
    donors = DISTRIBUTIONS[set](rng, _DONORS)
    apart_db = partial(_apart_db, target, drawn, WARMUPS_S[: plan.phases])
    floor_db = apart_db(drawn.normalized)[0]
    found = []
    for knob in np.flatnonzero(hears(drawn)[0]):
        if PARAMETERS[knob].id in _FIXED:
            continue
        turns = dict(_turns(drawn, donors, int(knob), rng))
        same = matched(apart_db(np.stack(list(turns.values()))), floor_db)
        id = PARAMETERS[knob].id
        found += [Turned(set, index, id, *row) for row in zip(turns, map(bool, same), strict=True)]
    return found


def _drawn(set: str, rng: np.random.Generator) -> tuple[Sample, Floats]:
    """A preset of some pitch that is loud enough, and its sound at a vibrato phase of its own."""
    for _ in count():
        drawn = DISTRIBUTIONS[set](rng, 1)
        sound = _rendered(drawn, drawn.normalized, drawn.warmup_s)[0]
        if hears(drawn)[0, _PITCHES].any() and QUIETEST_DBFS < level_db(sound) < _LOUDEST_DB:
            break
    return drawn, sound


def _turns(
    drawn: Sample, donors: Sample, knob: int, rng: np.random.Generator
) -> Iterator[tuple[float, Floats]]:
    """Presets (38,) in normalized units, in which the knob stands elsewhere."""
    values = donors.plain[hears(donors)[:, knob], knob]
    others = values[values != drawn.plain[0, knob]]
    if others.size:
        yield REDRAWN, to_normalized(_with(drawn.plain[0], knob, others[0]))
    if PARAMETERS[knob].kind is not Kind.DOUBLE:
        return
    start = drawn.normalized[0]
    for step in STEPS:
        way = step * rng.choice((-1.0, 1.0))
        inside = 0.0 <= start[knob] + way <= 1.0
        yield step, _with(start, knob, start[knob] + (way if inside else -way))


def _with(preset: Floats, knob: int, value: float) -> Floats:
    turned = preset.copy()
    turned[knob] = value
    return turned


def _apart_db(
    target: distances.Target, drawn: Sample, warmups_s: Sequence[float], normalized: Floats
) -> Floats:
    """Mean distances (n,) of presets (n, 38), at all these vibrato phases, from the first sound."""
    sounds = (_rendered(drawn, np.tile(one, (len(warmups_s), 1)), warmups_s) for one in normalized)
    return np.array([score(each, target, (_METRIC,))[_METRIC] for each in sounds])


def _rendered(drawn: Sample, normalized: Floats, warmups_s: npt.ArrayLike) -> Floats:
    return render_notes(
        normalized,
        drawn.note[0],
        drawn.velocity[0],
        drawn.gate_s[0],
        warmup_s=warmups_s,
        duration_s=DURATION_S,
        threads=1,
    )
