"""Everything a sounding Mika Micro remembers from one sample to the next."""

from __future__ import annotations

import numpy as np

N_VOICES = 8

# Rows of a voice's envelopes and oscillators.
VOLUME, MODULATION, VIBRATO = range(3)
OSC_1A, OSC_1B, OSC_2A, OSC_2B, OSC_FM = range(5)

# Stages of an envelope.
IDLE, ATTACK, DECAY, RELEASE = range(4)

# Waveforms, in the order of the panel.
SINE, TRIANGLE, SAW, SQUARE, PULSE, NOISE = range(6)

POLY, MONO, LEGATO = range(3)

CONCERT_A, CONCERT_A_HZ = 69, 440.0
NOISE_START = 19.19191919191919
XORSHIFT_SEED = (123456789, 362436069, 521288629)
SMOOTHING = 100.0  # 1/s: rate of every fade that keeps a switch from clicking
HEARD = 0.01  # mix up to which a filter or a second copy is skipped
ATTACK_TARGET = 1.1  # what an attack heads for, to reach 1 in time; a release likewise for 0
RELEASE_TARGET = -0.1
VIBRATO_DECAY, VIBRATO_SUSTAIN, VIBRATO_RELEASE = 0.5, 1.0, 0.5
SQUARE_WIDTH, PULSE_WIDTH = 0.5, 0.75
TRIANGLE_GAIN = 5.0
LOWEST_F, HIGHEST_F = 0.01, 1.0  # coefficient of the filter
SATURATION = 0.28
SECOND_COPY_PHASE = 0.33  # where its split is negative

SHARED = np.dtype(
    [
        ("mix", "f8"),  # smoothed; 0 = oscillator 1 alone
        ("cutoff", "f8"),  # smoothed knob, Hz
        ("lfo_phase", "f8"),
        ("drift_speed", "f8"),
        ("drift_phase", "f8"),
        ("bend", "f8"),  # frequency ratio
        ("x", "u4"),  # xorshift
        ("y", "u4"),
        ("z", "u4"),
    ]
)
VOICE = np.dtype(
    [
        ("note", "i8"),
        ("velocity", "f8"),  # after its curve
        ("base", "f8"),  # Hz, gliding
        ("target", "f8"),  # Hz
        ("band", "f8"),
        ("low", "f8"),
        ("filter_mix", "f8"),
        ("split_mix_1", "f8"),
        ("split_mix_2", "f8"),
    ]
)
ENVELOPE = np.dtype([("value", "f8"), ("stage", "i8")])
OSCILLATOR = np.dtype(
    [
        ("phase", "f8"),
        ("triangle", "f8"),
        ("noise", "f8"),
        ("wave", "i8"),
        ("old_wave", "i8"),
        ("fade", "f8"),  # from the old waveform (0) to the new (1)
    ]
)
