"""Training sounds without end: each is rendered once, heard once and never stored.

Sounds come in batches; batch i depends on (seed, i) alone, so that a training can be stopped,
taken up again and repeated. Presets are drawn from a stated mixture, rendered on the exact model,
rejected where too quiet, brought to canonical form, and moved to a key that a tracker might name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis import sampling, spectra
from antithesis.canonical import Notes, canonical, moved
from antithesis.encoding import encode
from antithesis.fourier import SAMPLE_RATE
from antithesis.network import key_input
from antithesis.spectra import FrontEnd
from antithesis.synth import render_notes
from antithesis.synth.live import note_frequency
from antithesis.training.degrade import degraded

Floats = npt.NDArray[np.float32]

QUIETEST_DBFS: Final = -45.0
_QUIETEST_POWER: Final = 10 ** (QUIETEST_DBFS / 10)
_LOUDEST_POWER: Final = 10.0  # a triangle that runs away; it would drown its whole batch in NaN
HANDFUL: Final = 16
"""Sounds rendered at once: few enough for their memory to be used again, not asked for anew."""

LATEST_ONSET_S: Final = 0.01
# A tracker may name another partial than the one the preset is tuned to.
_MISHEARD: Final = (-24, -19, -12, -7, -5, 5, 7, 12, 19, 24)


@dataclass(frozen=True)
class Recipe:
    """What a training hears; written into the model card."""

    seed: int = 0
    batch: int = 64
    degraded: float = 0.2  # share of sounds that get what recordings go through
    misheard: float = 0.3  # share of sounds that are moved to a key a tracker might name
    mixture: dict[str, float] = field(
        default_factory=lambda: {
            "musical": 0.45,
            "uniform": 0.3,
            "neighbours": 0.1,
            "nine": 0.1,
            "split": 0.05,
        }
    )

    def as_dict(self) -> dict[str, object]:
        """For the model card."""
        return asdict(self)


@dataclass(frozen=True)
class Batch:
    """Inputs and labels of ``n`` sounds."""

    mel: Floats  # (n, mel frames, mels)
    fine: Floats  # (n, fine frames, bands)
    key: Floats  # (n, 1)
    places: Floats  # (n, heads): position among classes or bins
    weights: Floats  # (n, heads): 1 where the parameter can be heard

    @property
    def columns(self) -> tuple[Floats, ...]:
        """All arrays, in the order of the fields."""
        return (self.mel, self.fine, self.key, self.places, self.weights)


@dataclass(frozen=True)
class Sounds:
    """Rendered sounds with the canonical presets that made them."""

    audio: npt.NDArray[np.float64]  # (n, samples)
    notes: Notes
    gate_s: npt.NDArray[np.float64]  # (n,)


def sounds(recipe: Recipe, rng: np.random.Generator, count: int = HANDFUL) -> Sounds:
    """Those of ``count`` sounds that are loud enough to learn from, rendered on one core."""
    drawn = sampling.mixture(rng, count, recipe.mixture)
    audio = render_notes(
        drawn.normalized,
        drawn.note,
        drawn.velocity,
        drawn.gate_s,
        warmup_s=drawn.warmup_s,
        threads=1,
    )
    power = np.einsum("ij,ij->i", audio, audio) / audio.shape[1]
    loud = (power > _QUIETEST_POWER) & (power < _LOUDEST_POWER)
    notes = canonical(drawn.plain, drawn.note, drawn.velocity, gate_s=drawn.gate_s)
    misheard = np.where(rng.random(count) < recipe.misheard, rng.choice(_MISHEARD, count), 0)
    notes = moved(notes, misheard)
    heard = _late(audio[loud], rng)
    for row in np.flatnonzero(rng.random(len(heard)) < recipe.degraded):
        heard[row] = degraded(heard[row].astype(np.float32), rng)
    return Sounds(heard, Notes(notes.plain[loud], notes.note[loud]), drawn.gate_s[loud])


def handfuls(recipe: Recipe, index: int) -> Iterator[Sounds]:
    """The sounds of batch ``index``, a few at a time; in all as many as asked for, or one more."""
    rng = np.random.default_rng((recipe.seed, index))
    missing = recipe.batch
    while missing > 0:
        heard = sounds(recipe, rng, min(HANDFUL, missing + 1))
        missing -= len(heard.audio)
        if len(heard.audio):
            yield heard


def batch(recipe: Recipe, front_end: FrontEnd, index: int) -> Batch:
    """Batch ``index`` of a training, ready for the network."""
    parts = [_seen(heard, front_end) for heard in handfuls(recipe, index)]
    columns = zip(*(part.columns for part in parts), strict=True)
    return Batch(*(np.concatenate(column)[: recipe.batch] for column in columns))


def _seen(heard: Sounds, front_end: FrontEnd) -> Batch:
    audio = spectra.normalize(heard.audio, front_end.n_samples)
    keys = heard.notes.note
    seen = spectra.views(front_end, audio, [note_frequency(float(key)) for key in keys])
    places, counts = encode(heard.notes, heard.gate_s)
    labels = (places.astype(np.float32), counts.astype(np.float32))
    return Batch(seen.mel, seen.fine, key_input(keys), *labels)


def _late(audio: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Let each sound begin a few milliseconds late, as a cut by an onset detector does."""
    out = np.zeros_like(audio)
    for row, sound in zip(out, audio, strict=True):
        delay = int(rng.uniform(0.0, LATEST_ONSET_S) * SAMPLE_RATE)
        row[delay:] = sound[: len(sound) - delay]
    return out
