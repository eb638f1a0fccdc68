"""Stretches of what a computer might play, with where each sound in them begins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antithesis import sampling
from antithesis.audio import FloatArray
from antithesis.synth import render_notes
from daemon.demosounds import pluck

RATE = 44100


def drawn(rng: np.random.Generator, gate_s: float = 0.6, seconds: float = 1.5) -> FloatArray:
    """A note (n,) of a preset drawn from the musical prior, struck at once and not too soft."""
    while True:
        preset = sampling.musical(rng, 1)
        (sound,) = render_notes(
            preset.normalized, preset.note, 100, gate_s, duration_s=seconds, threads=1
        )
        if np.abs(sound[: RATE // 100]).max() > 0.05:
            return np.asarray(0.3 * sound / np.abs(sound).max())


def in_a_row(sounds: list[FloatArray], starts_s: list[float], seconds: float) -> FloatArray:
    """Sounds put where they begin, in `seconds` of silence."""
    stretch = np.zeros(round(seconds * RATE))
    for sound, start_s in zip(sounds, starts_s, strict=True):
        start = round(start_s * RATE)
        kept = sound[: len(stretch) - start]
        stretch[start : start + len(kept)] += kept
    return stretch


def music(rng: np.random.Generator, seconds: float, rms_dbfs: float) -> FloatArray:
    """Plucked chords without end, every quarter of a second, a little off the beat of the rest."""
    stretch = np.zeros(round(seconds * RATE))
    for start in range(round(0.1 * RATE), len(stretch), RATE // 4):
        for key in rng.integers(0, 24, 3):
            sound = pluck(float(110 * 2 ** (key / 12)), rng)[: len(stretch) - start]
            stretch[start : start + len(sound)] += sound
    return np.asarray(stretch * 10 ** (rms_dbfs / 20) / np.sqrt(np.mean(stretch**2)))


def hiss(rng: np.random.Generator, seconds: float, rms_dbfs: float) -> npt.NDArray[np.float64]:
    """White noise."""
    return rng.normal(0.0, 10 ** (rms_dbfs / 20), round(seconds * RATE))
