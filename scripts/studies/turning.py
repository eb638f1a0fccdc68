"""Fresh presets, and the same with one knob elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.parameters import BY_ID, PARAMETERS, Kind, to_normalized
from antithesis.rules import audible
from antithesis.sampling import DISTRIBUTIONS, Sample
from antithesis.synth import render_notes
from antithesis.training.stream import QUIETEST_DBFS
from evaluation.scoring import level_db
from evaluation.targets import DURATION_S

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

REDRAWN: Final = 0.0  # how far it went is for the prior to say
STEPS: Final = (0.02, 0.05, 0.10, 0.25)  # of a knob's whole way
_LOUDEST_DB: Final = 10.0  # a triangle that runs away
_DONORS: Final = 300
_PITCHES: Final = [BY_ID[id].index for id in ("kOsc1Coarse", "kOsc2Coarse")]
# No distance hears a level, and one note no mode.
_FIXED: Final = [BY_ID[id].index for id in ("kVoiceMode", "kGlideSpeed", "kMasterVolume")]


def hears(drawn: Sample) -> Bools:
    """Which knobs the notes of presets let hear, (n, 38)."""
    gates = np.minimum(drawn.gate_s, DURATION_S)
    off = gates < DURATION_S
    return audible(drawn.plain, velocity=drawn.velocity, gate_s=gates, note_off=off)


def drawn(set: str, rng: np.random.Generator) -> tuple[Sample, Floats]:
    """A preset of some pitch that is loud enough, and its sound at a vibrato phase of its own."""
    for _ in count():
        sample = DISTRIBUTIONS[set](rng, 1)
        sound = rendered(sample, sample.normalized, sample.warmup_s)[0]
        if hears(sample)[0, _PITCHES].any() and QUIETEST_DBFS < level_db(sound) < _LOUDEST_DB:
            break
    return sample, sound


def knobs(sample: Sample) -> list[int]:
    """Which knobs of a preset are worth turning: those that it lets hear, but level and mode."""
    return [int(knob) for knob in np.flatnonzero(hears(sample)[0]) if knob not in _FIXED]


def donors(set: str, rng: np.random.Generator) -> Sample:
    """Presets that knobs are redrawn from."""
    return DISTRIBUTIONS[set](rng, _DONORS)


def turns(
    sample: Sample, others: Sample, knob: int, rng: np.random.Generator
) -> Iterator[tuple[float, Floats]]:
    """Presets (38,) in normalized units, in which the knob stands elsewhere."""
    values = others.plain[hears(others)[:, knob], knob]
    fresh = values[values != sample.plain[0, knob]]
    if fresh.size:
        yield REDRAWN, to_normalized(_with(sample.plain[0], knob, fresh[0]))
    if PARAMETERS[knob].kind is not Kind.DOUBLE:
        return
    start = sample.normalized[0]
    for step in STEPS:
        way = step * rng.choice((-1.0, 1.0))
        inside = 0.0 <= start[knob] + way <= 1.0
        yield step, _with(start, knob, start[knob] + (way if inside else -way))


def _with(preset: Floats, knob: int, value: float) -> Floats:
    turned = preset.copy()
    turned[knob] = value
    return turned


def rendered(sample: Sample, normalized: Floats, warmups_s: npt.ArrayLike) -> Floats:
    """Its note with knobs (n, 38) in normalized units, each at its warm-up: (n, samples)."""
    return render_notes(
        normalized,
        sample.note[0],
        sample.velocity[0],
        sample.gate_s[0],
        warmup_s=warmups_s,
        duration_s=DURATION_S,
        threads=1,
    )
