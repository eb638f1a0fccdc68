"""Sounds to show the companion with: two that its synth can make, and one that it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from antithesis import sampling
from antithesis.audio import FloatArray, write_wav
from antithesis.fourier import SAMPLE_RATE
from antithesis.report import key_name
from antithesis.synth import render_notes
from antithesis.synth.live import note_frequency

DURATION_S: Final = 2.0

_DRAWN: Final = 2
_QUIET_DBFS: Final = -45.0
_STRING_NOTES: Final = (40, 64)
_STRING_FADES: Final = 0.996  # each period, on top of what the averaging takes


@dataclass(frozen=True)
class DemoSound:
    """A sound file, and what it is."""

    path: Path
    about: str


def make_sounds(folder: Path, rng: np.random.Generator) -> Iterator[DemoSound]:
    """Write two sounds of presets drawn from the musical prior, and a plucked string."""
    for number in range(1, _DRAWN + 1):
        samples, note = draw_sound(rng)
        path = folder / f"{number}-preset.wav"
        write_wav(path, samples, SAMPLE_RATE)
        yield DemoSound(path, f"a preset drawn by chance, {key_name(note)}")
    note = int(rng.integers(*_STRING_NOTES))
    path = folder / f"{_DRAWN + 1}-pluck.wav"
    write_wav(path, pluck(note_frequency(note), rng), SAMPLE_RATE)
    yield DemoSound(path, f"a plucked string, which no Mika Micro made, {key_name(note)}")


def draw_sound(rng: np.random.Generator) -> tuple[FloatArray, int]:
    """One loud enough note (n,) of a preset drawn from the musical prior, and which note it is."""
    while True:
        drawn = sampling.musical(rng, 1)
        (samples,) = render_notes(
            drawn.normalized,
            drawn.note,
            drawn.velocity,
            drawn.gate_s,
            duration_s=DURATION_S,
            warmup_s=drawn.warmup_s,
            threads=1,
        )
        if 10.0 * np.log10(np.mean(samples**2) + 1e-20) > _QUIET_DBFS:
            return samples, int(drawn.note[0])


def pluck(f0_hz: float, rng: np.random.Generator) -> FloatArray:
    """A string (n,) after Karplus and Strong: a burst of noise that circles and wears off."""
    period = round(SAMPLE_RATE / f0_hz)
    wave = rng.uniform(-0.8, 0.8, period)
    turns = []
    for _ in range(int(DURATION_S * SAMPLE_RATE) // period + 1):
        turns.append(wave)
        wave = _STRING_FADES * 0.5 * (wave + np.roll(wave, 1))
    return np.concatenate(turns)[: int(DURATION_S * SAMPLE_RATE)]
