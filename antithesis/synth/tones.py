"""Oscillators of a lane, a block at a time.

Phases and triangles depend on their own past: loops of their own move them on, several chains
abreast, since a processor can overlap chains but not shorten one. What is read from a phase has no
past, and is vector code.
"""

from __future__ import annotations

from typing import Any

from antithesis.jit import fused_part, part
from antithesis.synth import vectors
from antithesis.synth.state import (
    HEARD,
    PULSE,
    PULSE_WIDTH,
    SAW,
    SINE,
    SMOOTHING,
    SQUARE_WIDTH,
    TRIANGLE,
    TRIANGLE_GAIN,
)
from antithesis.synth.waves import wrap


@part
def run_increments(oscillator: Any, frequency: Any, dt: float, a: Any, b: Any, n: int) -> None:
    """Cycles per sample of both copies; what is not there stands still."""
    up = oscillator.up
    if oscillator.tonal:
        for i in range(n):
            a[i] = frequency[i] * up * dt
    else:
        a[:] = 0.0
    if oscillator.tonal and oscillator.copied:
        for i in range(n):
            b[i] = frequency[i] / up * dt
    else:
        b[:] = 0.0


@part
def run_phases(oscillators: Any, increments: Any, phases: Any, n: int) -> None:
    """Phases (4, block) of both copies of both oscillators."""
    first, second = oscillators[0], oscillators[1]
    phase_1a, phase_1b = first.phase_a, first.phase_b
    phase_2a, phase_2b = second.phase_a, second.phase_b
    for i in range(n):
        phase_1a += increments[0, i]
        if phase_1a > 1.0:
            phase_1a = wrap(phase_1a)
        phase_1b += increments[1, i]
        if phase_1b > 1.0:
            phase_1b = wrap(phase_1b)
        phase_2a += increments[2, i]
        if phase_2a > 1.0:
            phase_2a = wrap(phase_2a)
        phase_2b += increments[3, i]
        if phase_2b > 1.0:
            phase_2b = wrap(phase_2b)
        phases[0, i] = phase_1a
        phases[1, i] = phase_1b
        phases[2, i] = phase_2a
        phases[3, i] = phase_2b
    first.phase_a, first.phase_b = phase_1a, phase_1b
    second.phase_a, second.phase_b = phase_2a, phase_2b


@part
def add_tone(oscillator: Any, k: int, scratch: Any, x: Any, n: int) -> None:
    """Add tonal oscillator ``k`` to ``x``."""
    a, b = 2 * k, 2 * k + 1
    increments_a, increments_b = scratch.increments[a], scratch.increments[b]
    phases_a, phases_b = scratch.phases[a], scratch.phases[b]
    periods = scratch.periods  # of copy a
    stretch = oscillator.up * oscillator.up  # copy b's are longer by this
    if oscillator.wave != SINE:
        for i in range(n):
            periods[i] = 1.0 / increments_a[i]
    if oscillator.wave == TRIANGLE:
        squares = scratch.squares
        squares[:] = 0.0
        add_pulse(phases_a, increments_a, periods, 1.0, SQUARE_WIDTH, 1.0, squares[0], n)
        if oscillator.copied:
            add_pulse(phases_b, increments_b, periods, stretch, SQUARE_WIDTH, 1.0, squares[1], n)
        add_triangles(oscillator, increments_a, increments_b, squares, x, n)
        return
    add_wave(oscillator, phases_a, increments_a, periods, 1.0, x, n)
    if oscillator.copied:
        add_wave(oscillator, phases_b, increments_b, periods, stretch, x, n)


@fused_part
def add_wave(
    oscillator: Any, phases: Any, increments: Any, periods: Any, stretch: float, x: Any, n: int
) -> None:
    """Add a waveform that has no memory of its own; its periods are ``periods * stretch``."""
    gain = oscillator.gain
    if oscillator.wave == SINE:
        for i in range(n):
            x[i] += gain * vectors.sine_of_turns(phases[i])
    elif oscillator.wave == SAW:
        for i in range(n):
            x[i] += gain * vectors.saw(phases[i], increments[i], periods[i] * stretch)
    else:
        width = PULSE_WIDTH if oscillator.wave == PULSE else SQUARE_WIDTH
        add_pulse(phases, increments, periods, stretch, width, gain, x, n)


@fused_part
def add_pulse(
    phases: Any,
    increments: Any,
    periods: Any,
    stretch: float,
    width: float,
    gain: float,
    x: Any,
    n: int,
) -> None:
    """Add a pulse."""
    for i in range(n):
        x[i] += gain * vectors.pulse(phases[i], increments[i], periods[i] * stretch, width)


@part
def add_triangles(
    oscillator: Any, increments_a: Any, increments_b: Any, squares: Any, x: Any, n: int
) -> None:
    """Add a triangle with its copy: squares (2, block), integrated."""
    a, b, steepest = oscillator.triangle_a, oscillator.triangle_b, oscillator.steepest
    gain = TRIANGLE_GAIN * oscillator.gain
    for i in range(n):
        inc_a = increments_a[i]
        inc_b = increments_b[i]
        a = inc_a * squares[0, i] + (1.0 - inc_a) * a
        b = inc_b * squares[1, i] + (1.0 - inc_b) * b
        steepest = max(steepest, max(inc_a, inc_b))
        x[i] += gain * (a + b)
    oscillator.triangle_a, oscillator.triangle_b, oscillator.steepest = a, b, steepest


@part
def add_noise(oscillator: Any, noise: Any, x: Any, n: int, dt: float) -> None:
    """Add noise; a second copy (of the same numbers) dies away."""
    gain, split_mix = oscillator.gain, oscillator.split_mix
    for i in range(n):
        x[i] += gain * noise[i]
    if split_mix > HEARD:
        for i in range(n):
            split_mix += (0.0 - split_mix) * SMOOTHING * dt
            if split_mix <= HEARD:
                break
            x[i] += gain * split_mix * noise[i]
        oscillator.split_mix = split_mix
