"""Sounds of another synth: Vital's engine (`pip install vita`), its knobs drawn at random.

What Mika Micro has not got is among them: unison, sync, bent waves, filters of other kinds. The
engine runs in a process of its own, for it changes how all of a process computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt

from antithesis.fourier import SAMPLE_RATE

Floats = npt.NDArray[np.float64]
Patch = dict[str, float]

_VELOCITY = 0.8
_BPM = 120.0  # of what is timed in beats: nothing here
_DISTORTIONS = (0, 0, 1, 3, 4, 5)  # none twice, sync, quantize, bend, squeeze
_MORPHS = (0, 0, 0, 3, 5, 7)  # none, harmonic stretch, smear, low pass
_FILTERS = (0, 1, 2, 3, 4)  # analog, dirty, ladder, digital, diode
_UNISON = (1, 1, 1, 3, 7)
_INTERVALS = (-12, 0, 7, 12)


def sounds(notes: Mapping[int, int], held_s: float, duration_s: float) -> Iterator[Floats]:
    """One sound (samples,) at 44.1 kHz for each seed and its note.

    Raises:
        ModuleNotFoundError: Vital's engine is not installed.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        for seed, note in notes.items():
            yield process.submit(_rendered, patch(seed), note, held_s, duration_s).result()


def patch(seed: int) -> Patch:
    """Controls of a patch as Vital names and counts them; the others stand at their defaults."""
    rng = np.random.default_rng(seed)
    return {
        "osc_1_random_phase": 0.0,
        "osc_1_distortion_type": float(rng.choice(_DISTORTIONS)),
        "osc_1_distortion_amount": rng.uniform(0.3, 0.8),
        "osc_1_spectral_morph_type": float(rng.choice(_MORPHS)),
        "osc_1_spectral_morph_amount": rng.uniform(0.3, 0.8),
        "osc_1_unison_voices": float(rng.choice(_UNISON)),
        "osc_1_unison_detune": rng.uniform(1.0, 5.0),
        "osc_2_on": float(rng.random() < 0.4),
        "osc_2_random_phase": 0.0,
        "osc_2_transpose": float(rng.choice(_INTERVALS)),
        "osc_2_level": rng.uniform(0.3, 0.8),
        "filter_1_on": float(rng.random() < 0.7),
        "filter_1_model": float(rng.choice(_FILTERS)),
        "filter_1_cutoff": rng.uniform(50.0, 110.0),
        "filter_1_resonance": rng.uniform(0.0, 0.8),
        "env_1_attack": rng.uniform(0.0, 0.7),  # the fourth root of seconds, as are the others
        "env_1_decay": rng.uniform(0.4, 1.2),
        "env_1_sustain": rng.uniform(0.0, 1.0),
        "env_1_release": rng.uniform(0.3, 0.8),
    }


def _rendered(controls: Patch, note: int, held_s: float, duration_s: float) -> Floats:
    import vita

    synth = vita.Synth()
    synth.set_sample_rate(SAMPLE_RATE)
    synth.set_bpm(_BPM)
    knobs = synth.get_controls()
    for name, value in controls.items():
        knobs[name].set(value)
    return np.asarray(synth.render(note, _VELOCITY, held_s, duration_s), np.float64).mean(axis=0)
