"""Passes over a block of samples that a compiler turns into vector instructions.

Each takes contiguous float64 arrays of one length and writes its last argument(s) in place. Sine
and power are polynomials (Chebyshev fits, errors 1e-18 and 3e-18), because a call per sample to
the mathematics library would keep the loop scalar; they agree with it to about 2e-16.
"""

from __future__ import annotations

from math import floor, log2
from typing import Any

from antithesis.jit import kernel
from antithesis.synth.waves import SEMITONE

OCTAVES_PER_SEMITONE = log2(SEMITONE)

# Adding and subtracting this rounds a float64 to an integer and leaves it in the low bits.
_ROUNDER = 6755399441055744.0


@kernel
def sine_of_turns(x: float) -> float:
    """sin(2 pi x) for any x."""
    x -= floor(x + 0.5)
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


@kernel
def sine(phase: Any, out: Any) -> None:
    """``out = sin(2 pi phase)``."""
    for i in range(phase.shape[0]):
        out[i] = sine_of_turns(phase[i])


@kernel
def factor(semitones: Any, octaves: Any, bits: Any, out: Any) -> None:
    """Frequency ratios of intervals; ``octaves`` is scratch, ``bits`` its memory as int64."""
    n = semitones.shape[0]
    for i in range(n):
        octaves[i] = semitones[i] * OCTAVES_PER_SEMITONE + _ROUNDER
    for i in range(n):
        r = semitones[i] * OCTAVES_PER_SEMITONE - (octaves[i] - _ROUNDER)
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
        out[i] = y * r + 1.0
    for i in range(n):
        bits[i] = (bits[i] + 1023) << 52
    for i in range(n):
        out[i] *= octaves[i]


@kernel
def falling_step(p: float, increment: float, turns: float) -> float:
    """Residue of a step at phase 0; ``turns`` is 1 / increment."""
    a = p * turns
    b = (p - 1.0) * turns
    rising = b * b + 2.0 * b + 1.0
    tail = rising if p > 1.0 - increment else 0.0
    return 2.0 * a - a * a - 1.0 if p < increment else tail


@kernel
def add_sine(phase: Any, gain: float, out: Any) -> None:
    """``out += gain * sine``."""
    for i in range(phase.shape[0]):
        out[i] += gain * sine_of_turns(phase[i])


@kernel
def add_saw(phase: Any, increment: Any, gain: float, out: Any) -> None:
    """``out += gain * saw``."""
    for i in range(phase.shape[0]):
        p = phase[i]
        inc = increment[i]
        out[i] += gain * (1.0 - 2.0 * p + falling_step(p, inc, 1.0 / inc))


@kernel
def add_pulse(phase: Any, increment: Any, width: float, gain: float, out: Any) -> None:
    """``out += gain * pulse``, high while the phase is below ``width``."""
    for i in range(phase.shape[0]):
        p = phase[i]
        inc = increment[i]
        turns = 1.0 / inc
        level = 1.0 if p < width else -1.0
        q = p + 1.0 - width
        q = q - 1.0 if q >= 1.0 else q
        out[i] += gain * (level + falling_step(p, inc, turns) - falling_step(q, inc, turns))


@kernel
def filter_coefficients(
    cutoff: Any, resonance: float, half_dt: float, f_out: Any, damping_out: Any
) -> None:
    """Coefficient and damping of the low-pass for cutoffs in Hz; ``half_dt`` is dt / 2."""
    for i in range(cutoff.shape[0]):
        f = min(max(2.0 * sine_of_turns(cutoff[i] * half_dt), 0.01), 1.0)
        f2 = f * f
        f_out[i] = f
        damping_out[i] = 1.0 - min(resonance, 1.0 - f2 * f2 * f)
