"""One note of one preset, block by block: the fast form of :mod:`antithesis.synth.voice`.

A note from rest needs far less than a live synth: nothing fades, no knob moves, and only three
things depend on their own past (phases, envelopes, filter). So a block of samples goes through a
row of passes over arrays, each of which does one step for the whole block, and a step that cannot
be heard is left out. Where the past matters to the last bit (what feeds frequency modulation),
operations keep the order of the sample loop.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from antithesis.jit import kernel
from antithesis.synth import vectors
from antithesis.synth.state import (
    ATTACK,
    DECAY,
    IDLE,
    NOISE,
    PULSE,
    RELEASE,
    SAW,
    SINE,
    SMOOTHING,
    SQUARE,
    TRIANGLE,
)
from antithesis.synth.voice import (
    FILTER_CUTOFF,
    FILTER_ENABLED,
    FILTER_KEY_TRACK,
    FILTER_RESONANCE,
    FM_COARSE,
    FM_FINE,
    FM_MODE,
    GLIDE_SPEED,
    LFO_AMOUNT,
    LFO_DELAY,
    LFO_FREQUENCY,
    LFO_TO_CUTOFF,
    LFO_TO_FM,
    MOD_ATTACK,
    MOD_TO_CUTOFF,
    MOD_TO_FM,
    OSC1_COARSE,
    OSC1_FINE,
    OSC1_SPLIT,
    OSC1_WAVE,
    OSC2_COARSE,
    OSC2_FINE,
    OSC2_SPLIT,
    OSC2_WAVE,
    OSC_MIX,
    VOICE_MODE,
    VOL_ATTACK,
    VOL_TO_CUTOFF,
    VOL_TO_FM,
    lfo_cutoff_hz,
)
from antithesis.synth.waves import factor, oscillator_gains, wrap

BLOCK = 512
MONO = 1
INAUDIBLE = 1e-12  # a filter ringing below this is at rest

# Rows of a lane's working memory.
(
    VOLUME,
    MODULATION,
    LFO,
    PITCH,
    FREQUENCY_1,
    FREQUENCY_2,
    DEPTH,
    RATIO,
    INCREMENT_A,
    INCREMENT_B,
    PHASE_A,
    PHASE_B,
    SHAPE_A,
    SHAPE_B,
    N_ROWS,
) = range(15)

# What one note is, once its preset is known: rates per sample, gains, and which parts are heard.
LANE = np.dtype(
    [
        ("gate", "i8"),  # sample of the note-off
        ("start", "i8"),  # sample of the note-on since load
        ("base", "f8"),
        ("target", "f8"),
        ("volume_value", "f8"),
        ("volume_stage", "i8"),
        ("volume_gain", "f8"),
        ("modulation_value", "f8"),
        ("modulation_stage", "i8"),
        ("modulation_gain", "f8"),
        ("vibrato_value", "f8"),
        ("vibrato_stage", "i8"),
        ("lfo_phase", "f8"),
        ("fm_phase", "f8"),
        ("phase_1a", "f8"),
        ("phase_1b", "f8"),
        ("phase_2a", "f8"),
        ("phase_2b", "f8"),
        ("triangle_1a", "f8"),
        ("triangle_1b", "f8"),
        ("triangle_2a", "f8"),
        ("triangle_2b", "f8"),
        ("split_mix_1", "f8"),
        ("split_mix_2", "f8"),
        ("gain_1", "f8"),
        ("gain_2", "f8"),
        ("ratio_1", "f8"),
        ("ratio_2", "f8"),
        ("band", "f8"),
        ("low", "f8"),
        ("fm", "i8"),  # mode, or 0 where it cannot be heard
        ("filter", "b1"),
        ("modulated", "b1"),
        ("vibrated", "b1"),
        ("pitched_1", "b1"),
        ("pitched_2", "b1"),
        ("sounding", "b1"),
    ],
    align=True,
)


@kernel
def open_lane(
    lane: Any, p: Any, frequency: float, velocity: float, start: int, gate: int, dt: float
) -> None:
    """Press the key: ``p`` (38,) in voice form, frequency in Hz, velocity after its curve."""
    lane.gate = gate
    lane.start = start
    lane.target = frequency
    lane.base = 440.0 if p[VOICE_MODE] == MONO else frequency
    lane.volume_stage = ATTACK
    lane.modulation_stage = ATTACK
    lane.vibrato_stage = ATTACK
    lane.volume_gain = 1.0 + (velocity - 1.0) * p[VOL_ATTACK + 4]
    lane.modulation_gain = 1.0 + (velocity - 1.0) * p[MOD_ATTACK + 4]
    lane.phase_1b = 0.33 if p[OSC1_SPLIT] < 0.0 else 0.0
    lane.phase_2b = 0.33 if p[OSC2_SPLIT] < 0.0 else 0.0
    lane.split_mix_1 = 1.0 if p[OSC1_SPLIT] != 0.0 else 0.0
    lane.split_mix_2 = 1.0 if p[OSC2_SPLIT] != 0.0 else 0.0
    lane.gain_1, lane.gain_2 = oscillator_gains(p[OSC_MIX])
    lane.ratio_1 = factor(p[OSC1_COARSE] + p[OSC1_FINE])
    lane.ratio_2 = factor(p[OSC2_COARSE] + p[OSC2_FINE])
    lane.filter = p[FILTER_ENABLED] > 0.0
    tonal_1 = lane.gain_1 > 0.0 and p[OSC1_WAVE] != NOISE
    lane.pitched_2 = lane.gain_2 > 0.0 and p[OSC2_WAVE] != NOISE
    mode = p[FM_MODE]
    lane.fm = int(mode) if (mode == 1.0 and tonal_1) or (mode == 2.0 and lane.pitched_2) else 0
    lane.pitched_1 = tonal_1 or lane.fm == 2
    to_fm = 1.0 if lane.fm else 0.0
    to_cutoff = 1.0 if lane.filter else 0.0
    lane.modulated = p[MOD_TO_FM] * to_fm != 0.0 or p[MOD_TO_CUTOFF] * to_cutoff != 0.0
    lane.vibrated = (
        p[LFO_TO_FM] * to_fm != 0.0
        or p[LFO_TO_CUTOFF] * to_cutoff != 0.0
        or (p[LFO_AMOUNT] < 0.0 and lane.pitched_1)
        or (p[LFO_AMOUNT] != 0.0 and lane.pitched_2)
    )
    if lane.vibrated:
        increment = p[LFO_FREQUENCY] * dt
        phase = 0.0
        for _ in range(start):
            phase += increment
            if phase > 1.0:
                phase -= 1.0
        lane.lfo_phase = phase


@kernel
def let_go(lane: Any) -> None:
    """Let go of the key."""
    lane.volume_stage = RELEASE
    lane.modulation_stage = RELEASE
    lane.vibrato_stage = RELEASE


@kernel
def approach(value: float, target: float, rate: float, out: Any, start: int) -> tuple[float, int]:
    """Move ``value`` towards ``target`` until the end of ``out`` or, if it is met, of the stage."""
    n = out.shape[0]
    rising = target == 1.1
    falling = target == -0.1
    if not (rising or falling):
        if value == target:
            out[start:] = value
            return value, n
        for i in range(start, n):
            value += (target - value) * rate
            out[i] = value
        return value, n
    for i in range(start, n):
        value += (target - value) * rate
        if (rising and value >= 1.0) or (falling and value <= 0.0):
            value = 1.0 if rising else 0.0
            out[i] = value
            return value, i + 1
        out[i] = value
    return value, n


@kernel
def run_envelope(
    value: float,
    stage: int,
    attack: float,
    decay: float,
    sustain: float,
    release: float,
    out: Any,
) -> tuple[float, int]:
    """Fill ``out`` with an envelope; rates per sample. Returns value and stage at the end."""
    n = out.shape[0]
    i = 0
    while i < n:
        if stage == ATTACK:
            value, i = approach(value, 1.1, attack, out, i)
            stage = DECAY if value == 1.0 else ATTACK
        elif stage == DECAY:
            value, i = approach(value, sustain, decay, out, i)
        elif stage == RELEASE:
            value, i = approach(value, -0.1, release, out, i)
            stage = IDLE if value == 0.0 else RELEASE
        else:
            out[i:] = 0.0
            i = n
    return value, stage


@kernel
def run_modulators(lane: Any, p: Any, s: Any, first: int, last: int, dt: float) -> None:
    """Envelopes and vibrato of the samples ``first`` to ``last`` of a block."""
    volume = s[VOLUME][first:last]
    lane.volume_value, lane.volume_stage = run_envelope(
        lane.volume_value,
        lane.volume_stage,
        p[VOL_ATTACK] * dt,
        p[VOL_ATTACK + 1] * dt,
        p[VOL_ATTACK + 2],
        p[VOL_ATTACK + 3] * dt,
        volume,
    )
    scale(volume, lane.volume_gain)
    if lane.modulated:
        modulation = s[MODULATION][first:last]
        lane.modulation_value, lane.modulation_stage = run_envelope(
            lane.modulation_value,
            lane.modulation_stage,
            p[MOD_ATTACK] * dt,
            p[MOD_ATTACK + 1] * dt,
            p[MOD_ATTACK + 2],
            p[MOD_ATTACK + 3] * dt,
            modulation,
        )
        scale(modulation, lane.modulation_gain)
    if lane.vibrated:
        lfo = s[LFO][first:last]
        fade = s[PITCH][first:last]  # free until the pitch is known
        lane.vibrato_value, lane.vibrato_stage = run_envelope(
            lane.vibrato_value,
            lane.vibrato_stage,
            p[LFO_DELAY] * dt,
            0.5 * dt,
            1.0,
            0.5 * dt,
            fade,
        )
        lane.lfo_phase = turn_steadily(lane.lfo_phase, p[LFO_FREQUENCY] * dt, lfo)
        for i in range(lfo.shape[0]):
            lfo[i] = vectors.sine_of_turns(lfo[i]) * fade[i]


@kernel
def scale(out: Any, gain: float) -> None:
    """Multiply in place."""
    if gain != 1.0:
        for i in range(out.shape[0]):
            out[i] *= gain


@kernel
def turn_steadily(phase: float, increment: float, out: Any) -> float:
    """Phases of an oscillator of constant pitch, slower than the sample rate."""
    for i in range(out.shape[0]):
        phase += increment
        if phase > 1.0:
            phase -= 1.0
        out[i] = phase
    return phase


@kernel
def turn(phase: float, frequency: Any, dt: float, phases: Any) -> float:
    """Phases of an oscillator that follows ``frequency`` in Hz."""
    for i in range(phases.shape[0]):
        phase += frequency[i] * dt
        if phase > 1.0:
            phase = wrap(phase)
        phases[i] = phase
    return phase


@kernel
def turn_both(
    phase_a: float, phase_b: float, split: float, f: Any, s: Any, dt: float
) -> tuple[float, float]:
    """Phases and increments of an oscillator and its second copy; the two chains run abreast."""
    n = f.shape[0]
    inc_a = s[INCREMENT_A][:n]
    inc_b = s[INCREMENT_B][:n]
    phases_a = s[PHASE_A][:n]
    phases_b = s[PHASE_B][:n]
    up = 1.0 + split
    for i in range(n):
        inc_a[i] = f[i] * up * dt
    for i in range(n):
        inc_b[i] = f[i] / up * dt
    for i in range(n):
        phase_a += inc_a[i]
        if phase_a > 1.0:
            phase_a = wrap(phase_a)
        phases_a[i] = phase_a
        phase_b += inc_b[i]
        if phase_b > 1.0:
            phase_b = wrap(phase_b)
        phases_b[i] = phase_b
    return phase_a, phase_b


@kernel
def run_base(lane: Any, p: Any, pitch: Any, dt: float) -> None:
    """Frequency in Hz of the key, gliding in mono mode."""
    if lane.base == lane.target:
        pitch[:] = lane.base
        return
    rate = p[GLIDE_SPEED] * dt
    for i in range(pitch.shape[0]):
        lane.base += (lane.target - lane.base) * rate
        pitch[i] = lane.base


@kernel
def transpose(pitch: Any, drift: Any, ratio: float, amount: float, lfo: Any, f: Any) -> None:
    """Frequency of an oscillator from that of the key, drift and vibrato included."""
    for i in range(f.shape[0]):
        f[i] = pitch[i] * (1.0 + drift[i]) * ratio
    if amount != 0.0:
        for i in range(f.shape[0]):
            f[i] *= 1.0 + amount * lfo[i]


@kernel
def run_pitch(lane: Any, p: Any, s: Any, drift: Any, n: int, dt: float) -> None:
    """Frequencies in Hz of both oscillators, vibrato and FM included."""
    pitch = s[PITCH][:n]
    run_base(lane, p, pitch, dt)
    amount = abs(p[LFO_AMOUNT]) if lane.vibrated else 0.0
    lfo = s[LFO][:n]
    f1 = s[FREQUENCY_1][:n]
    f2 = s[FREQUENCY_2][:n]
    if lane.pitched_1:
        both = amount if p[LFO_AMOUNT] < 0.0 else 0.0
        transpose(pitch, drift, lane.ratio_1, both, lfo, f1)
    if lane.pitched_2:
        transpose(pitch, drift, lane.ratio_2, amount, lfo, f2)
    if lane.fm:
        run_fm(lane, p, s, f1, n, dt)
        ratio = s[RATIO][:n]
        target = f1 if lane.fm == 1 else f2
        for i in range(n):
            target[i] *= ratio[i]


@kernel
def run_fm(lane: Any, p: Any, s: Any, f1: Any, n: int, dt: float) -> None:
    """Frequency ratio that the FM oscillator makes."""
    depth = s[DEPTH][:n]
    ratio = s[RATIO][:n]
    phase = s[PHASE_A][:n]
    lane.fm_phase = turn(lane.fm_phase, f1, dt, phase)
    knobs = p[FM_COARSE] + p[FM_FINE]
    volume = s[VOLUME][:n]
    for i in range(n):
        depth[i] = knobs + p[VOL_TO_FM] * volume[i]
    if lane.modulated and p[MOD_TO_FM] != 0.0:
        modulation = s[MODULATION][:n]
        for i in range(n):
            depth[i] += p[MOD_TO_FM] * modulation[i]
    if lane.vibrated and p[LFO_TO_FM] != 0.0:
        lfo = s[LFO][:n]
        for i in range(n):
            depth[i] += p[LFO_TO_FM] * lfo[i]
    for i in range(n):
        depth[i] *= vectors.sine_of_turns(phase[i])
    octaves = s[PHASE_A][:n]
    vectors.factor(depth, octaves, octaves.view(np.int64), ratio)


@kernel
def add_wave(wave: float, phase: Any, increment: Any, gain: float, x: Any) -> None:
    """Add a waveform that has no memory of its own."""
    if wave == SINE:
        vectors.add_sine(phase, gain, x)
    elif wave == SAW:
        vectors.add_saw(phase, increment, gain, x)
    elif wave == SQUARE:
        vectors.add_pulse(phase, increment, 0.5, gain, x)
    elif wave == PULSE:
        vectors.add_pulse(phase, increment, 0.75, gain, x)


@kernel
def lean(value: float, square: Any, increment: Any) -> float:
    """Turn a square into a triangle, in place; returns the integrator's last value."""
    for i in range(square.shape[0]):
        value = increment[i] * square[i] + (1.0 - increment[i]) * value
        square[i] = value
    return value


@kernel
def lean_both(
    a: float, b: float, square_a: Any, square_b: Any, increment_a: Any, increment_b: Any
) -> tuple[float, float]:
    """As :func:`lean` for an oscillator and its copy; the two chains run abreast."""
    for i in range(square_a.shape[0]):
        a = increment_a[i] * square_a[i] + (1.0 - increment_a[i]) * a
        b = increment_b[i] * square_b[i] + (1.0 - increment_b[i]) * b
        square_a[i] = a
        square_b[i] = b
    return a, b


@kernel
def add_scaled(source: Any, gain: float, x: Any) -> None:
    """Add ``gain * source``."""
    for i in range(x.shape[0]):
        x[i] += gain * source[i]


@kernel
def add_oscillator(
    wave: float,
    split: float,
    gain: float,
    phase_a: float,
    phase_b: float,
    triangle_a: float,
    triangle_b: float,
    f: Any,
    s: Any,
    x: Any,
    dt: float,
) -> tuple[float, float, float, float]:
    """Add a pitched oscillator with its copy; returns phases and triangles at the end."""
    n = x.shape[0]
    inc_a = s[INCREMENT_A][:n]
    phases_a = s[PHASE_A][:n]
    square_a = s[SHAPE_A][:n]
    if split == 0.0:
        for i in range(n):
            inc_a[i] = f[i] * dt
        phase_a = turn(phase_a, f, dt, phases_a)
        if wave == TRIANGLE:
            square_a[:] = 0.0
            vectors.add_pulse(phases_a, inc_a, 0.5, 1.0, square_a)
            triangle_a = lean(triangle_a, square_a, inc_a)
            add_scaled(square_a, 5.0 * gain, x)
        else:
            add_wave(wave, phases_a, inc_a, gain, x)
        return phase_a, phase_b, triangle_a, triangle_b
    phase_a, phase_b = turn_both(phase_a, phase_b, split, f, s, dt)
    inc_b = s[INCREMENT_B][:n]
    phases_b = s[PHASE_B][:n]
    if wave == TRIANGLE:
        square_b = s[SHAPE_B][:n]
        square_a[:] = 0.0
        square_b[:] = 0.0
        vectors.add_pulse(phases_a, inc_a, 0.5, 1.0, square_a)
        vectors.add_pulse(phases_b, inc_b, 0.5, 1.0, square_b)
        triangle_a, triangle_b = lean_both(triangle_a, triangle_b, square_a, square_b, inc_a, inc_b)
        add_scaled(square_a, 5.0 * gain, x)
        add_scaled(square_b, 5.0 * gain, x)
    else:
        add_wave(wave, phases_a, inc_a, gain, x)
        add_wave(wave, phases_b, inc_b, gain, x)
    return phase_a, phase_b, triangle_a, triangle_b


@kernel
def add_noise(split_mix: float, gain: float, noise: Any, x: Any, dt: float) -> float:
    """Add noise; a second copy (of the same numbers) dies away. Returns its gain at the end."""
    add_scaled(noise, gain, x)
    if split_mix > 0.01:
        for i in range(x.shape[0]):
            split_mix += (0.0 - split_mix) * SMOOTHING * dt
            if split_mix <= 0.01:
                break
            x[i] += gain * split_mix * noise[i]
    return split_mix


@kernel
def run_oscillators(lane: Any, p: Any, s: Any, noise: Any, x: Any, dt: float) -> None:
    """Mix of both oscillators times the volume envelope, into ``x``."""
    n = x.shape[0]
    x[:] = 0.0
    if lane.gain_1 > 0.0:
        if p[OSC1_WAVE] == NOISE:
            lane.split_mix_1 = add_noise(lane.split_mix_1, lane.gain_1, noise, x, dt)
        else:
            (lane.phase_1a, lane.phase_1b, lane.triangle_1a, lane.triangle_1b) = add_oscillator(
                p[OSC1_WAVE],
                p[OSC1_SPLIT],
                lane.gain_1,
                lane.phase_1a,
                lane.phase_1b,
                lane.triangle_1a,
                lane.triangle_1b,
                s[FREQUENCY_1][:n],
                s,
                x,
                dt,
            )
    if lane.gain_2 > 0.0:
        if p[OSC2_WAVE] == NOISE:
            lane.split_mix_2 = add_noise(lane.split_mix_2, lane.gain_2, noise, x, dt)
        else:
            (lane.phase_2a, lane.phase_2b, lane.triangle_2a, lane.triangle_2b) = add_oscillator(
                p[OSC2_WAVE],
                p[OSC2_SPLIT],
                lane.gain_2,
                lane.phase_2a,
                lane.phase_2b,
                lane.triangle_2a,
                lane.triangle_2b,
                s[FREQUENCY_2][:n],
                s,
                x,
                dt,
            )
    volume = s[VOLUME][:n]
    for i in range(n):
        x[i] *= volume[i]


@kernel
def run_coefficients(
    lane: Any, p: Any, s: Any, drift: Any, f: Any, damping: Any, dt: float
) -> None:
    """Coefficient and damping of the low-pass, from knob, envelopes, vibrato and key."""
    n = f.shape[0]
    cutoff = s[DEPTH][:n]
    volume = s[VOLUME][:n]
    pitch = s[PITCH][:n]
    for i in range(n):
        cutoff[i] = (
            p[FILTER_CUTOFF] * (1.0 + drift[i])
            + p[VOL_TO_CUTOFF] * volume[i]
            + p[FILTER_KEY_TRACK] * pitch[i]
        )
    if lane.modulated and p[MOD_TO_CUTOFF] != 0.0:
        add_scaled(s[MODULATION][:n], p[MOD_TO_CUTOFF], cutoff)
    if lane.vibrated and p[LFO_TO_CUTOFF] != 0.0:
        add_scaled(s[LFO][:n], lfo_cutoff_hz(p[LFO_TO_CUTOFF]), cutoff)
    vectors.filter_coefficients(cutoff, p[FILTER_RESONANCE], 0.5 * dt, f, damping)


@kernel
def pass_low(x: float, f: float, damping: float, band: float, low: float) -> tuple[float, float]:
    """One step of the filter; returns band and low."""
    band += f * (x - (low + band * damping))
    z = (low + f * band) / 10.0
    return band, 10.0 * z / (1.0 + 0.28 * z * z)


@kernel
def filter_one(lane: Any, x: Any, f: Any, damping: Any) -> None:
    """Filter a block in place."""
    band = lane.band
    low = lane.low
    for i in range(x.shape[0]):
        band, low = pass_low(x[i], f[i], damping[i], band, low)
        x[i] = low
    lane.band = band
    lane.low = low


@kernel
def filter_four(lanes: Any, x: Any, f: Any, damping: Any, n: int) -> None:
    """Filter a block of four lanes in place: a processor overlaps the four serial chains."""
    band_0, band_1, band_2, band_3 = lanes[0].band, lanes[1].band, lanes[2].band, lanes[3].band
    low_0, low_1, low_2, low_3 = lanes[0].low, lanes[1].low, lanes[2].low, lanes[3].low
    for i in range(n):
        band_0, low_0 = pass_low(x[0, i], f[0, i], damping[0, i], band_0, low_0)
        band_1, low_1 = pass_low(x[1, i], f[1, i], damping[1, i], band_1, low_1)
        band_2, low_2 = pass_low(x[2, i], f[2, i], damping[2, i], band_2, low_2)
        band_3, low_3 = pass_low(x[3, i], f[3, i], damping[3, i], band_3, low_3)
        x[0, i] = low_0
        x[1, i] = low_1
        x[2, i] = low_2
        x[3, i] = low_3
    lanes[0].band, lanes[1].band, lanes[2].band, lanes[3].band = band_0, band_1, band_2, band_3
    lanes[0].low, lanes[1].low, lanes[2].low, lanes[3].low = low_0, low_1, low_2, low_3


@kernel
def sound_block(
    lane: Any,
    p: Any,
    s: Any,
    drift: Any,
    noise: Any,
    x: Any,
    f: Any,
    damping: Any,
    first: int,
    dt: float,
) -> None:
    """A lane's block up to its filter; ``first`` is the block's first sample since the note-on."""
    n = x.shape[0]
    held = min(max(lane.gate - first, 0), n)
    run_modulators(lane, p, s, 0, held, dt)
    if first <= lane.gate < first + n:
        let_go(lane)
    run_modulators(lane, p, s, held, n, dt)
    run_pitch(lane, p, s, drift, n, dt)
    run_oscillators(lane, p, s, noise, x, dt)
    if lane.filter:
        run_coefficients(lane, p, s, drift, f, damping, dt)


@kernel
def filter_lanes(lanes: Any, x: Any, f: Any, damping: Any, n: int) -> None:
    """Filter what has a filter, all four abreast where all four do."""
    filtered = 0
    for lane in lanes:
        filtered += lane.filter and lane.sounding
    if filtered == lanes.shape[0]:
        filter_four(lanes, x, f, damping, n)
        return
    for j in range(lanes.shape[0]):
        lane = lanes[j]
        if lane.filter and lane.sounding:
            filter_one(lane, x[j][:n], f[j][:n], damping[j][:n])


@kernel
def at_rest(lane: Any) -> bool:
    """Whether nothing of a note is left to hear."""
    ringing: float = max(abs(lane.low), abs(lane.band))
    return bool(lane.volume_stage == IDLE) and ringing < INAUDIBLE
