"""Which view tells a turned knob from what the synth itself leaves to chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis import spectra
from antithesis.canonical import canonical
from antithesis.parameters import BY_ID, PARAMETERS
from antithesis.sampling import Sample
from evaluation.scoring import WARMUPS_S
from studies import turning
from studies.views import EARS, SHIPS, look

Floats = npt.NDArray[np.float64]

SETS: Final[dict[str, tuple[str, ...]]] = {
    "musical": tuple(BY_ID),
    "split": ("kOsc1Split",),
    "nine": ("kVolEnvA", "kVolEnvD"),
}
_ELSEWHERE_S: Final = 2.5  # the turned preset's warm-up: it shares its vibrato phase with none
_VIEWS: Final = [ear for ear in EARS if not (ear.mels and ear.fine)]
_SIZES: Final = frozenset(ear.mels for ear in _VIEWS if ear.mels)


@dataclass(frozen=True)
class Told:
    """One knob of one preset turned: how often each view has the true preset nearer, 0 to 1."""

    set: str
    preset: int
    id: str
    step: float  # of turning.STEPS
    of_views: dict[str, float]


def tell(seed: int, step: float, task: tuple[str, int]) -> list[Told]:
    """Every knob asked about that preset ``index`` of a set lets hear, turned by ``step`` alone.

    A choice is redrawn.

    A sound, its preset at three other vibrato phases, and the turned preset at one more: a view
    that is deaf to the knob has the true preset nearer half of the time.
    """
    set, index = task
    rng = np.random.default_rng((seed, list(SETS).index(set), index))
    sample, sound = turning.drawn(set, rng)
    others = turning.donors(set, rng)
    asked = [k for k in turning.knobs(sample) if PARAMETERS[k].id in SETS[set]]
    turns = [dict(turning.turns(sample, others, knob, rng)) for knob in asked]
    found = {k: t.get(step, t.get(turning.REDRAWN)) for k, t in zip(asked, turns, strict=True)}
    moved = {knob: there for knob, there in found.items() if there is not None}
    true, turned = len(WARMUPS_S), len(moved)
    knobs = np.concatenate([sample.normalized.repeat(true, 0), *(m[None] for m in moved.values())])
    sounds = turning.rendered(sample, knobs, [*WARMUPS_S, *[_ELSEWHERE_S] * turned])
    apart = _apart(sample, np.concatenate([sound[None], sounds]))
    return [
        Told(set, index, PARAMETERS[knob].id, step, {
            name: float(np.mean(far[:true] < far[true + place])) for name, far in apart.items()
        })
        for place, knob in enumerate(moved)
    ]  # fmt: skip


def _apart(sample: Sample, sounds: Floats) -> dict[str, Floats]:
    """How far every sound is from the first one, (n - 1,), to each view: mean differences."""
    played = (sample.note, sample.velocity)
    notes = canonical(sample.plain, *played, gate_s=sample.gate_s).note.repeat(len(sounds))
    mels, fine = look(spectra.normalize(sounds, SHIPS.n_samples), notes, _SIZES)
    seen = {ear.name: mels[ear.mels] if ear.mels else fine for ear in _VIEWS}
    return {
        name: np.abs(view[1:].astype(np.float64) - view[0]).mean((1, 2))
        for name, view in seen.items()
    }
