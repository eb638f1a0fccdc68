"""Simple sounds to play, and how to hear what is in them: shared by the synth's tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antithesis.preset import Preset

FloatArray = npt.NDArray[np.float64]

FAST = 0.5  # an envelope knob at its fastest, 1000 per second
SLOW = 998.0  # and at 2.5 per second
SINE, TRIANGLE, SAW, SQUARE, PULSE, NOISE = range(6)
POLY, MONO, LEGATO = range(3)
SEMITONE = 1.0595
FULL = 0.5  # master volume


def organ(**plain: float) -> Preset:
    """A steady sine of oscillator 1 at full level, as soon as pressed and until let go."""
    steady = {
        "kOsc1Wave": SINE,
        "kVolEnvA": FAST,
        "kVolEnvD": FAST,
        "kVolEnvS": 1.0,
        "kVolEnvR": FAST,
        "kVoiceMode": POLY,
        "kMasterVolume": FULL,
    }
    return Preset.init().replace(**{**steady, **plain})


def pitch_hz(samples: FloatArray, sample_rate: int) -> float:
    """Frequency of a sine, from its upward crossings of zero."""
    before = np.flatnonzero((samples[:-1] < 0.0) & (samples[1:] >= 0.0))
    crossings = before - samples[before] / (samples[before + 1] - samples[before])
    return float((len(crossings) - 1) / (crossings[-1] - crossings[0]) * sample_rate)


def key_hz(note: float) -> float:
    """Frequency of a key, by the synth's own semitone."""
    return float(440.0 * SEMITONE ** (note - 69))


def level(samples: FloatArray) -> float:
    """Peak of the last tenth."""
    return float(np.abs(samples[-len(samples) // 10 :]).max())
