"""Stress sets: sounds of one family each, and the plug-in's own presets, on any note.

A family is what of the musical prior belongs to it, drawn from a seed that no training had; nothing
was tuned on it. Of the factory presets the network has heard near neighbours in training, on all
notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt

from antithesis import distances, sampling
from antithesis.parameters import BY_ID
from antithesis.preset import Preset
from antithesis.sampling import Sample
from evaluation import targets
from evaluation.scoring import QUIETEST_DB, Answer, level_db, score, sounds
from evaluation.targets import SETS, Target, rendered

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_SEED = 20_190_001
_COUNT = 20  # targets of each family
_FACTORY_COUNT = 42  # three notes of each preset
_DRAWN_AT_ONCE = 4096


def _of(drawn: Sample, id: str) -> Floats:
    return drawn.plain[:, BY_ID[id].index]


def _seconds(drawn: Sample, id: str) -> Floats:
    return sampling.seconds(id, _of(drawn, id))


def _fm(drawn: Sample) -> Bools:
    """Deep enough to be heard for what it is: an octave or more on the knob, or by an envelope."""
    depth = np.maximum(np.abs(_of(drawn, "kFmCoarse")), np.abs(_of(drawn, "kModEnvFm")))
    return np.asarray((_of(drawn, "kFmMode") > 0) & (depth >= 12))


def _cutoff_envelope(drawn: Sample) -> Bools:
    """A sweep of more than 1 kHz within a second."""
    swept = np.abs(_of(drawn, "kModEnvCutoff")) > 1000.0
    return np.asarray(swept & (_seconds(drawn, "kModEnvD") < 1.0))


def _vibrato(drawn: Sample) -> Bools:
    """Of 0.5 % and more, from 2 Hz up, where two seconds tell its pace; not much delayed."""
    deep = np.abs(_of(drawn, "kLfoAmount")) >= 0.005
    return np.asarray(
        deep & (_of(drawn, "kLfoFrequency") >= 2.0) & (_seconds(drawn, "kLfoDelay") < 0.5)
    )


def _octaves_apart(drawn: Sample) -> Bools:
    """Both oscillators, one, two or more octaves from each other."""
    apart = np.abs(_of(drawn, "kOsc1Coarse") - _of(drawn, "kOsc2Coarse"))
    both = (_of(drawn, "kOscMix") > 0.0) & (_of(drawn, "kOscMix") < 1.0)
    return np.asarray(both & (apart > 0) & (apart % 12 == 0))


def _plucks(drawn: Sample) -> Bools:
    """At once, and gone in a quarter of a second."""
    return np.asarray(
        (_seconds(drawn, "kVolEnvA") <= 0.002)
        & (_seconds(drawn, "kVolEnvD") < 0.25)
        & (_of(drawn, "kVolEnvS") == 0.0)
    )


def _pads(drawn: Sample) -> Bools:
    """Slow to come, and held for a second or more."""
    held = (_of(drawn, "kVolEnvS") >= 0.5) & (drawn.gate_s >= 1.0)
    return np.asarray(held & (_seconds(drawn, "kVolEnvA") >= 0.15))


_BELONGS: dict[str, Callable[[Sample], Bools]] = {
    "FM": _fm,
    "cutoff envelope": _cutoff_envelope,
    "vibrato": _vibrato,
    "octaves apart": _octaves_apart,
    "plucks": _plucks,
    "pads": _pads,
}
FACTORY = "factory"
FAMILIES = (*_BELONGS, FACTORY)
ORDER = (*SETS, *FAMILIES)
"""Every set there is, in the order of the tables."""


def draw(name: str, rng: np.random.Generator, count: int) -> Sample:
    """Of so many draws from any set's distribution those that belong to the set."""
    if name in SETS:
        return sampling.DISTRIBUTIONS[name](rng, count)
    if name == FACTORY:
        return sampling.factory(rng, count)
    drawn = sampling.musical(rng, count)
    return drawn.of(_BELONGS[name](drawn))


def choose(sets: Iterable[str], limit: int | None = None) -> list[Target]:
    """The targets of those sets that are `FAMILIES`, at most ``limit`` of each."""
    return [target for name in sets if name in FAMILIES for target in family(name)[:limit]]


@cache
def find(set: str, id: int) -> Target:
    """A target of any set by its id."""
    of_set = family(set) if set in FAMILIES else targets.choose([set])
    return next(target for target in of_set if target.id == id)


@cache
def family(name: str) -> tuple[Target, ...]:
    """All targets of one of `FAMILIES`; none is under -45 dBFS."""
    count = _FACTORY_COUNT if name == FACTORY else _COUNT
    drawn = _targets(name, np.random.default_rng((_SEED, FAMILIES.index(name))))
    loud = (target for target in drawn if level_db(rendered([target])[0]) > QUIETEST_DB)
    ids = range(1, 2 * count, 2)  # odd, as of all that is held out
    return tuple(_numbered(target, id) for id, target in zip(ids, loud, strict=False))


def _targets(name: str, rng: np.random.Generator) -> Iterator[Target]:
    """Without end, and without floors yet."""
    while True:
        for plain, note, velocity, gate_s, warmup_s in zip(
            *draw(name, rng, _DRAWN_AT_ONCE).columns, strict=True
        ):
            yield Target(
                set=name,
                id=0,
                preset=Preset.from_plain(plain),
                note=int(note),
                velocity=int(velocity),
                gate_s=float(gate_s),
                warmup_s=float(warmup_s),
                floor_db=0.0,
            )


def _numbered(target: Target, id: int) -> Target:
    """With its floor, too: what the preset itself scores."""
    truth = Answer(target.preset, target.note, target.velocity, target.gate_s)
    judge = distances.Target(rendered([target])[0])
    return replace(target, id=id, floor_db=score(sounds(truth), judge, ("mss_db",))["mss_db"])
