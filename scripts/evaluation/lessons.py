"""The fixed set of random sounds that the learned rivals are trained on, as in 2019."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from antithesis import sampling
from antithesis.synth import render_notes
from evaluation import features
from evaluation.scoring import QUIETEST_DB, level_db
from evaluation.systems import PRIOR

Floats = npt.NDArray[np.float32]

SEED = 2019
_CHUNK = 50
_LOUDEST_DB = 10.0  # a triangle that runs away is no sound to learn from


@dataclass(frozen=True)
class Lessons:
    """``n`` sounds as the rivals hear them, how they were played, and their presets."""

    statistics: Floats  # (n, 130)
    spectrograms: npt.NDArray[np.float16]  # (n, frames, mels, 1)
    played: Floats  # (n, 3): note, velocity, gate
    labels: Floats  # (n, 38), normalized

    @classmethod
    def load(cls, path: Path) -> Lessons:
        """Those kept earlier."""
        with np.load(path) as kept:
            return cls(**kept)

    def save(self, path: Path) -> None:
        """Keep them as one file."""
        np.savez(path, **vars(self))


def played(note: npt.ArrayLike, velocity: npt.ArrayLike, gate_s: npt.ArrayLike) -> Floats:
    """How sounds were played, (n, 3), about -1 to 1."""
    scaled = (np.subtract(note, 60) / 24, np.subtract(velocity, 84) / 44, np.subtract(gate_s, 1))
    return np.stack(np.atleast_1d(*scaled), axis=1).astype(np.float32)


def make(count: int, jobs: int) -> Lessons:
    """So many, rendered and heard on so many cores; sound i depends on its place alone."""
    chunks: list[Lessons] = []
    bar = tqdm(total=count, desc="sounds to learn from", unit=" sounds", file=sys.stderr)
    with bar, multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for sounds, statistics, how, labels in pool.imap(chunk, range(-(-count // _CHUNK))):
            seen = features.spectrograms(sounds).astype(np.float16)
            chunks.append(Lessons(statistics, seen, how, labels))
            bar.update(min(_CHUNK, count - bar.n))
    return _joined(chunks, count)


def _joined(chunks: Iterable[Lessons], count: int) -> Lessons:
    columns = zip(*(vars(one).values() for one in chunks), strict=True)
    return Lessons(*(np.concatenate(column)[:count] for column in columns))


def chunk(index: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Chunk ``index``: sounds, their statistics, how they were played, their labels."""
    rng = np.random.default_rng((SEED, index))
    kept: list[tuple[Floats, Floats, Floats]] = []
    while sum(map(len, (sounds for sounds, *_ in kept))) < _CHUNK:
        drawn = sampling.mixture(rng, _CHUNK, PRIOR)
        note, velocity, gate_s = drawn.note, drawn.velocity, drawn.gate_s
        sounds = render_notes(
            drawn.normalized, note, velocity, gate_s, warmup_s=drawn.warmup_s, threads=1
        )
        fit = np.array([QUIETEST_DB < level_db(sound) < _LOUDEST_DB for sound in sounds])
        how = played(note, velocity, gate_s)
        labels = drawn.normalized.astype(np.float32)
        kept.append((features.heard(sounds[fit]), how[fit], labels[fit]))
    sounds, how, labels = (np.concatenate(column)[:_CHUNK] for column in zip(*kept, strict=True))
    return sounds, np.stack([features.statistics(sound) for sound in sounds]), how, labels
