"""The sample loop: eight voices, one sample at a time, in the synth's own order.

Parameters arrive in *voice* form: plain values with the reversed ones turned round (so that an
envelope's attack is a rate in 1/s and the mix is 0 for oscillator 1 alone).
"""

from __future__ import annotations

from math import copysign, isfinite, pi, sin
from typing import Any

from antithesis.jit import kernel, part
from antithesis.synth import knobs
from antithesis.synth.state import (
    HEARD,
    IDLE,
    MODULATION,
    N_VOICES,
    NOISE,
    OSC_1A,
    OSC_2A,
    OSC_FM,
    SMOOTHING,
    VIBRATO,
    VIBRATO_DECAY,
    VIBRATO_RELEASE,
    VIBRATO_SUSTAIN,
    VOLUME,
)
from antithesis.synth.waves import (
    advance,
    factor,
    oscillator_gains,
    step_drift,
    step_envelope,
    step_filter,
    wrap,
)


@part
def lfo_cutoff_hz(knob: float) -> float:
    """Squared law of the vibrato-to-cutoff knob: Hz in, Hz out."""
    return copysign((knob / 8000.0) ** 2 * 8000.0, knob)


@part
def sound_pair(
    oscillators: Any, first: int, frequency: float, split: float, split_mix: float, dt: float
) -> float:
    """One oscillator with its detuned second copy."""
    out = advance(oscillators[first], frequency * (1.0 + split), dt)
    if split_mix > HEARD:
        out += split_mix * advance(oscillators[first + 1], frequency / (1.0 + split), dt)
    return out


@part
def sound_voice(
    p: Any,
    shared: Any,
    voice: Any,
    envelopes: Any,
    oscillators: Any,
    lfo: float,
    drift: float,
    dt: float,
) -> float:
    """Next sample of one voice, steps numbered as in the synth's description."""
    # 1: envelopes
    sensitivity = 1.0 + (voice.velocity - 1.0) * p[knobs.VOL_VELOCITY]
    volume = sensitivity * step_envelope(
        envelopes[VOLUME],
        p[knobs.VOL_ATTACK],
        p[knobs.VOL_DECAY],
        p[knobs.VOL_SUSTAIN],
        p[knobs.VOL_RELEASE],
        dt,
    )
    sensitivity = 1.0 + (voice.velocity - 1.0) * p[knobs.MOD_VELOCITY]
    modulation = sensitivity * step_envelope(
        envelopes[MODULATION],
        p[knobs.MOD_ATTACK],
        p[knobs.MOD_DECAY],
        p[knobs.MOD_SUSTAIN],
        p[knobs.MOD_RELEASE],
        dt,
    )
    lfo *= step_envelope(
        envelopes[VIBRATO],
        p[knobs.LFO_DELAY],
        VIBRATO_DECAY,
        VIBRATO_SUSTAIN,
        VIBRATO_RELEASE,
        dt,
    )
    # 2: rest
    if volume == 0.0 and voice.low == 0.0:
        return 0.0
    # 3: glide
    voice.base += (voice.target - voice.base) * (p[knobs.GLIDE_SPEED] * dt)
    # 4: split
    wave_1 = oscillators[OSC_1A].wave
    wave_2 = oscillators[OSC_2A].wave
    split_1 = p[knobs.OSC1_SPLIT]
    split_2 = p[knobs.OSC2_SPLIT]
    on_1 = 1.0 if split_1 != 0.0 and wave_1 != NOISE else 0.0
    on_2 = 1.0 if split_2 != 0.0 and wave_2 != NOISE else 0.0
    voice.split_mix_1 += (on_1 - voice.split_mix_1) * SMOOTHING * dt
    voice.split_mix_2 += (on_2 - voice.split_mix_2) * SMOOTHING * dt
    # 5: pitch
    base = voice.base * shared.bend
    pitch = base * (1.0 + drift)
    vibrato = 1.0 + abs(p[knobs.LFO_AMOUNT]) * lfo
    f1 = pitch * factor(p[knobs.OSC1_COARSE] + p[knobs.OSC1_FINE])
    if p[knobs.LFO_AMOUNT] < 0.0:
        f1 *= vibrato
    f2 = pitch * factor(p[knobs.OSC2_COARSE] + p[knobs.OSC2_FINE]) * vibrato
    # 6: FM
    if p[knobs.FM_MODE] != 0.0:
        depth = (
            p[knobs.FM_COARSE]
            + p[knobs.FM_FINE]
            + p[knobs.VOL_TO_FM] * volume
            + p[knobs.MOD_TO_FM] * modulation
            + p[knobs.LFO_TO_FM] * lfo
        )
        fm = oscillators[OSC_FM]
        fm.phase = wrap(fm.phase + f1 * dt)
        ratio = factor(sin(2.0 * pi * fm.phase) * depth)
        if p[knobs.FM_MODE] == 1.0:
            f1 *= ratio
        else:
            f2 *= ratio
    # 7: mix
    gain_1, gain_2 = oscillator_gains(shared.mix)
    out = 0.0
    if gain_1 > 0.0:
        out += gain_1 * sound_pair(oscillators, OSC_1A, f1, split_1, voice.split_mix_1, dt)
    if gain_2 > 0.0:
        out += gain_2 * sound_pair(oscillators, OSC_2A, f2, split_2, voice.split_mix_2, dt)
    # 8: volume
    out *= volume
    # 9: filter
    filter_on = p[knobs.FILTER_ENABLED]
    voice.filter_mix += (filter_on - voice.filter_mix) * SMOOTHING * dt
    if voice.filter_mix > HEARD:
        cutoff = (
            shared.cutoff * (1.0 + drift)
            + p[knobs.VOL_TO_CUTOFF] * volume
            + p[knobs.MOD_TO_CUTOFF] * modulation
            + lfo * lfo_cutoff_hz(p[knobs.LFO_TO_CUTOFF])
            + p[knobs.FILTER_KEY_TRACK] * base
        )
        filtered = step_filter(voice, out, cutoff, p[knobs.FILTER_RESONANCE], dt)
        out = out * (1.0 - voice.filter_mix) + filtered * voice.filter_mix
    return out if isfinite(out) else end_runaway(voice, oscillators)


@part
def end_runaway(voice: Any, oscillators: Any) -> float:
    """Guard: where the equations have left the finite numbers, their integrators start anew.

    Only a triangle above twice the sample rate (extreme notes with deep FM) does this; the plug-in
    itself would stay silent or stuck from here on.
    """
    for oscillator in range(OSC_FM):
        oscillators[oscillator].triangle = 0.0
    voice.band = 0.0
    voice.low = 0.0
    return 0.0


@part
def move_on(p: Any, common: Any, drift_on: bool, dt: float) -> float:
    """Move what all voices share on by one sample; returns the drift."""
    common.mix += (p[knobs.OSC_MIX] - common.mix) * SMOOTHING * dt
    common.cutoff += (p[knobs.FILTER_CUTOFF] - common.cutoff) * SMOOTHING * dt
    common.lfo_phase = wrap(common.lfo_phase + p[knobs.LFO_FREQUENCY] * dt)
    return step_drift(common, dt) if drift_on else 0.0


@part
def sounds(voice: Any, envelopes: Any) -> bool:
    """Whether a voice sounds; one that does not returns from step 2.

    What step 1 would move starts anew with its next note.
    """
    return bool(envelopes[VOLUME].stage != IDLE or voice.low != 0.0)


@kernel
def process(
    p: Any,
    shared: Any,
    voices: Any,
    envelopes: Any,
    oscillators: Any,
    out: Any,
    drift_on: bool,
    dt: float,
) -> None:
    """Fill ``out`` (n,) with the next n samples of all voices.

    ``p`` (38,) in voice form; ``shared`` (1,), ``voices`` (8,), ``envelopes`` (8, 3) and
    ``oscillators`` (8, 5) as in :mod:`antithesis.synth.state`, moved on in place.
    """
    common = shared[0]
    silent = True
    for v in range(N_VOICES):
        silent = silent and not sounds(voices[v], envelopes[v])
    if silent:
        for i in range(out.shape[0]):
            move_on(p, common, drift_on, dt)
            out[i] = 0.0
        return
    for i in range(out.shape[0]):
        drift = move_on(p, common, drift_on, dt)
        lfo = sin(2.0 * pi * common.lfo_phase)
        total = 0.0
        for v in range(N_VOICES):
            if sounds(voices[v], envelopes[v]):
                total += sound_voice(
                    p, common, voices[v], envelopes[v], oscillators[v], lfo, drift, dt
                )
        out[i] = p[knobs.MASTER_VOLUME] * total if isfinite(total) else 0.0
