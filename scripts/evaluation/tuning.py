"""Is it in tune? Two rules, since neither is right about every sound.

*By preset*: the pitch that a preset sounds at by the synth's own law,
:func:`antithesis.pitch.tonal_pitch`. Targets that have one count; an answer that has none failed.

*By ear*: the tracker's pitch of the target and of the answer's first render. Targets count of whose
pitch the tracker is sure, which it finds again within 5 cents when the true preset is rendered at
that phase, and in which one can hear a pitch at all: what repeats less than 32 times a second,
as deep FM makes it, carries no melody (Pressnitzer, Patterson and Krumbholz, 2001). An answer in
which it hears nothing failed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antithesis import pitch
from antithesis.fourier import SAMPLE_RATE
from antithesis.preset import Preset
from evaluation.statistics import Interval, interval, share

Floats = npt.NDArray[np.float64]

IN_TUNE_CENTS = 5.0
_NEAR_AN_OCTAVE_CENTS = 50.0
_LOWEST_HZ = 32.0
_SURE = 0.5  # confidence from which the tracker is believed about a target


def by_preset(preset: Preset, note: int) -> float | None:
    """Pitch in Hz by the law, or None."""
    return pitch.tonal_pitch(preset.plain, note)


def by_ear(sound: Floats) -> float | None:
    """Pitch in Hz by the tracker, or None."""
    return pitch.track(sound, SAMPLE_RATE).f0_hz or None


def steady(sound: Floats, again: Floats) -> float | None:
    """Pitch in Hz of a target that one can hear, if it is found ``again`` at another phase."""
    heard = pitch.track(sound, SAMPLE_RATE)
    if heard.confidence < _SURE or heard.f0_hz < _LOWEST_HZ:
        return None
    stays = abs(cents(by_ear(again), heard.f0_hz)) <= IN_TUNE_CENTS
    return heard.f0_hz if stays else None


def cents(answer_hz: float | None, target_hz: float) -> float:
    """How much too high the answer is; infinite where it has no pitch."""
    return pitch.cents(answer_hz, target_hz) if answer_hz else np.inf


@dataclass(frozen=True)
class Tuning:
    """Pitch errors over a set's tonal targets."""

    count: int
    median_cents: Interval
    in_tune: Interval
    octaves: float
    failed: float


def tuning(errors_cents: npt.ArrayLike) -> Tuning:
    """Sum up errors (n,); the infinite ones are failures."""
    errors = np.abs(np.asarray(errors_cents, np.float64))
    finite = np.isfinite(errors)
    octave = np.round(np.where(finite, errors, 0.0) / 1200)
    near = np.abs(np.where(finite, errors, 0.0) - 1200 * octave) < _NEAR_AN_OCTAVE_CENTS
    return Tuning(
        count=len(errors),
        median_cents=interval(errors),
        in_tune=share(errors <= IN_TUNE_CENTS),
        octaves=float(np.mean((octave > 0) & near)) if len(errors) else np.nan,
        failed=float(np.mean(~finite)) if len(errors) else np.nan,
    )
