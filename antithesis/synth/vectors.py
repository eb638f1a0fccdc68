"""The formulas of a voice, written so that a compiler turns loops over them into vector code.

Sine and power are polynomials (Chebyshev fits, errors 1e-18 and 3e-18), because a call per sample
to the mathematics library would keep a loop scalar; they agree with it to about 2e-16. Nothing
branches: far from a step its residue is computed too, as 0.
"""

from __future__ import annotations

from math import log2

import numpy as np

from antithesis.jit import bits_of, float_of, fused_part
from antithesis.synth.waves import SEMITONE

OCTAVES_PER_SEMITONE = log2(SEMITONE)

# Adding this to a float64 rounds it to an integer, which then stands in the low bits.
_ROUNDER = 6755399441055744.0
_EXPONENT_BIAS = 1023
_EXPONENT_SHIFT = 52


@fused_part
def sine_of_turns(x: float) -> float:
    """sin(2 pi x) for any x."""
    x -= np.floor(x + 0.5)
    if x > 0.25:
        x = 0.5 - x
    if x < -0.25:
        x = -0.5 - x
    z = x * x
    y = 0.10089695501646812
    y = y * z - 0.7177337921413454
    y = y * z + 3.8199280942271643
    y = y * z - 15.0946416761179
    y = y * z + 42.058693925428685
    y = y * z - 76.70585975282492
    y = y * z + 81.60524927607362
    y = y * z - 41.341702240399755
    y = y * z + 6.283185307179586
    return y * x


@fused_part
def factor(semitones: float) -> float:
    """Frequency ratio of an interval."""
    octaves = semitones * OCTAVES_PER_SEMITONE
    whole = octaves + _ROUNDER
    r = octaves - (whole - _ROUNDER)
    y = 4.4558179083360645e-10
    y = y * r + 7.074194297288521e-09
    y = y * r + 1.0178057087733941e-07
    y = y * r + 1.3215432535912375e-06
    y = y * r + 1.5252733841556773e-05
    y = y * r + 0.00015403530463724353
    y = y * r + 0.001333355814640647
    y = y * r + 0.009618129107587256
    y = y * r + 0.055504108664821625
    y = y * r + 0.24022650695910158
    y = y * r + 0.6931471805599453
    y = y * r + 1.0
    return y * float_of((bits_of(whole) + _EXPONENT_BIAS) << _EXPONENT_SHIFT)


@fused_part
def blep(phase: float, increment: float, period: float) -> float:
    """Polynomial residue that rounds off a falling step at phase 0; period = 1 / increment."""
    after = max(1.0 - phase * period, 0.0)
    before = max(1.0 - (1.0 - phase) * period, 0.0) if phase >= increment else 0.0
    return before * before - after * after


@fused_part
def saw(phase: float, increment: float, period: float) -> float:
    """Band-limited saw."""
    return 1.0 - 2.0 * phase + blep(phase, increment, period)


@fused_part
def pulse(phase: float, increment: float, period: float, width: float) -> float:
    """Band-limited pulse, high while phase < width."""
    level = 1.0 if phase < width else -1.0
    since_width = phase + 1.0 - width
    since_width = since_width - 1.0 if since_width >= 1.0 else since_width
    return level + blep(phase, increment, period) - blep(since_width, increment, period)
