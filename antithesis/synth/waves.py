"""One sample of each part of a voice: oscillator, envelope, filter, drift."""

from __future__ import annotations

from math import ceil, floor, pi, sin, sqrt
from typing import Any

import numpy as np

from antithesis.jit import kernel, part
from antithesis.synth.state import (
    ATTACK,
    ATTACK_TARGET,
    DECAY,
    HIGHEST_F,
    IDLE,
    LOWEST_F,
    PULSE,
    PULSE_WIDTH,
    RELEASE,
    RELEASE_TARGET,
    SATURATION,
    SAW,
    SINE,
    SMOOTHING,
    SQUARE,
    SQUARE_WIDTH,
    TRIANGLE,
    TRIANGLE_GAIN,
)

SEMITONE = 1.0595  # the synth's own, not the twelfth root of 2


@kernel
def factor(semitones: float) -> float:
    """Frequency ratio of an interval."""
    return float(SEMITONE**semitones)


@kernel
def velocity_gain(velocity: float) -> float:
    """What a MIDI velocity becomes inside the synth."""
    return float((velocity / 128.0) ** 1.25)


@part
def wrap(phase: float) -> float:
    """Take whole turns off a phase until it is at most 1, in one exact step."""
    return phase - (ceil(phase) - 1.0) if phase > 1.0 else phase


@part
def blep(phase: float, increment: float) -> float:
    """Polynomial residue that rounds off a falling step at phase 0."""
    if phase < increment:
        q = phase / increment
        return 2.0 * q - q * q - 1.0
    if phase > 1.0 - increment:
        q = (phase - 1.0) / increment
        return q * q + 2.0 * q + 1.0
    return 0.0


@part
def pulse(phase: float, increment: float, width: float) -> float:
    """Band-limited pulse, high while phase < width."""
    level = 1.0 if phase < width else -1.0
    return level + blep(phase, increment) - blep((phase + 1.0 - width) % 1.0, increment)


@part
def read(oscillator: Any, wave: int, increment: float) -> float:
    """Value of one waveform at the present phase; triangle and noise move on when read."""
    phase: float = oscillator.phase
    if wave == SINE:
        return sin(2.0 * pi * phase)
    if wave == TRIANGLE:
        square = pulse(phase, increment, SQUARE_WIDTH)
        triangle: float = increment * square + (1.0 - increment) * oscillator.triangle
        oscillator.triangle = triangle
        return TRIANGLE_GAIN * triangle
    if wave == SAW:
        return 1.0 - 2.0 * phase + blep(phase, increment)
    if wave == SQUARE:
        return pulse(phase, increment, SQUARE_WIDTH)
    if wave == PULSE:
        return pulse(phase, increment, PULSE_WIDTH)
    value: float = oscillator.noise + 19.0
    value *= value
    value -= floor(value)  # never negative: the same as cutting the decimals off
    oscillator.noise = value
    return float(value - 0.5)


@part
def advance(oscillator: Any, frequency: float, dt: float) -> float:
    """Next sample of an oscillator, cross-fading after a change of waveform."""
    increment = frequency * dt
    oscillator.phase = wrap(oscillator.phase + increment)
    if oscillator.fade >= 1.0:
        return read(oscillator, oscillator.wave, increment)
    oscillator.fade = min(oscillator.fade + SMOOTHING * dt, 1.0)
    old = read(oscillator, oscillator.old_wave, increment)
    new = read(oscillator, oscillator.wave, increment)
    fade: float = oscillator.fade
    return old * (1.0 - fade) + new * fade


@part
def step_envelope(
    envelope: Any, attack: float, decay: float, sustain: float, release: float, dt: float
) -> float:
    """Move an envelope on by one sample; rates in 1/s."""
    stage = envelope.stage
    value: float = envelope.value
    if stage == ATTACK:
        value += (ATTACK_TARGET - value) * (attack * dt)
        if value >= 1.0:
            value = 1.0
            envelope.stage = DECAY
    elif stage == DECAY:
        value += (sustain - value) * (decay * dt)
    elif stage == RELEASE:
        value += (RELEASE_TARGET - value) * (release * dt)
        if value <= 0.0:
            value = 0.0
            envelope.stage = IDLE
    envelope.value = value
    return value


@part
def step_filter(voice: Any, x: float, cutoff: float, resonance: float, dt: float) -> float:
    """Move a voice's low-pass on by one sample; cutoff in Hz."""
    f = min(max(2.0 * sin(pi * cutoff * dt), LOWEST_F), HIGHEST_F)
    limited = min(resonance, 1.0 - f**5)
    high = x - (voice.low + voice.band * (1.0 - limited))
    voice.band += f * high
    z = (voice.low + f * voice.band) / 10.0
    low: float = 10.0 * z / (1.0 + SATURATION * z * z)
    voice.low = low
    return low


@part
def step_drift(shared: Any, dt: float) -> float:
    """Move the slow random detuning on by one sample; returns a frequency ratio less 1."""
    x = shared.x
    x ^= np.uint32(x << np.uint32(16))
    x ^= np.uint32(x >> np.uint32(5))
    x ^= np.uint32(x << np.uint32(1))
    t = x
    shared.x = shared.y
    shared.y = shared.z
    shared.z = np.uint32(t ^ shared.x ^ shared.y)
    r = -1.0 + 2.0 * shared.z / 4294967295.0
    shared.drift_speed += r * 10000.0 * dt
    shared.drift_speed -= shared.drift_speed * 2.0 * dt
    shared.drift_phase += shared.drift_speed * dt
    return 0.001 * sin(shared.drift_phase)


@part
def oscillator_gains(mix: float) -> tuple[float, float]:
    """Weights of the two oscillators; 0 where the synth skips one."""
    first = sqrt(1.0 - mix) if mix < 0.99 else 0.0
    second = sqrt(mix) if mix > 0.01 else 0.0
    return first, second
