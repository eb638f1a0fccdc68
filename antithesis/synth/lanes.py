"""One note of one preset: what it is once its knobs are known, and what it remembers.

A note from rest needs far less than a live synth: nothing fades, no knob moves, and its gains,
ratios and rates are numbers. A *lane* holds them; amounts whose target cannot be heard are 0.
"""

from __future__ import annotations

from math import frexp, ldexp
from typing import Any

import numpy as np

from antithesis.jit import part
from antithesis.synth import knobs
from antithesis.synth.state import (
    ATTACK,
    CONCERT_A_HZ,
    MODULATION,
    MONO,
    NOISE,
    SECOND_COPY_PHASE,
    VIBRATO,
    VIBRATO_DECAY,
    VIBRATO_RELEASE,
    VIBRATO_SUSTAIN,
    VOLUME,
)
from antithesis.synth.voice import lfo_cutoff_hz
from antithesis.synth.waves import factor, oscillator_gains

CONTOUR = np.dtype(
    [
        ("value", "f8"),
        ("stage", "i8"),
        ("attack", "f8"),  # rates are per sample
        ("decay", "f8"),
        ("sustain", "f8"),
        ("release", "f8"),
        ("gain", "f8"),  # what the velocity leaves of it
    ],
    align=True,
)
OSCILLATOR = np.dtype(
    [
        ("wave", "i8"),
        ("gain", "f8"),  # 0 where it is not heard
        ("ratio", "f8"),  # of its frequency to the key's
        ("vibrato", "f8"),
        ("up", "f8"),  # frequency ratio of copy a; that of copy b is 1 / up
        ("split_mix", "f8"),  # gain of copy b, where it is noise
        ("phase_a", "f8"),
        ("phase_b", "f8"),
        ("triangle_a", "f8"),
        ("triangle_b", "f8"),
        ("copied", "b1"),
        ("tonal", "b1"),  # heard, and not as noise
        ("steepest", "f8"),  # cycles per sample, where the wave is a triangle
    ],
    align=True,
)
LANE = np.dtype(
    [
        ("start", "i8"),  # sample of the note-on since load
        ("gate", "i8"),  # sample of the note-off since the note-on
        ("base", "f8"),  # Hz
        ("target", "f8"),  # Hz
        ("glide", "f8"),  # per sample
        ("lfo_phase", "f8"),
        ("lfo_increment", "f8"),
        ("fm_mode", "i8"),  # 0 where it cannot be heard
        ("fm_phase", "f8"),
        ("fm_depth", "f8"),
        ("volume_to_fm", "f8"),
        ("modulation_to_fm", "f8"),
        ("lfo_to_fm", "f8"),
        ("cutoff", "f8"),
        ("resonance", "f8"),
        ("key_track", "f8"),
        ("volume_to_cutoff", "f8"),
        ("modulation_to_cutoff", "f8"),
        ("lfo_to_cutoff", "f8"),
        ("band", "f8"),
        ("low", "f8"),
        ("filtered", "b1"),
        ("vibrated", "b1"),
        ("sounding", "b1"),
    ],
    align=True,
)


@part
def open_lane(lane: Any, contours: Any, oscillators: Any, notes: Any, i: int) -> None:
    """Press the key of note ``i``; lane, contours (3,) and oscillators (2,) come as zeros."""
    p = notes.knobs[i]
    dt = notes.dt
    lane.start = notes.start[i]
    lane.gate = notes.gate[i]
    lane.sounding = True
    lane.target = notes.frequency[i]
    lane.base = CONCERT_A_HZ if p[knobs.VOICE_MODE] == MONO else lane.target
    lane.glide = p[knobs.GLIDE_SPEED] * dt
    open_contour(contours[VOLUME], p, knobs.VOL_ATTACK, notes.velocity[i], dt)
    open_contour(contours[MODULATION], p, knobs.MOD_ATTACK, notes.velocity[i], dt)
    vibrato = contours[VIBRATO]
    vibrato.stage = ATTACK
    vibrato.attack = p[knobs.LFO_DELAY] * dt
    vibrato.decay = VIBRATO_DECAY * dt
    vibrato.sustain = VIBRATO_SUSTAIN
    vibrato.release = VIBRATO_RELEASE * dt
    first, second = oscillators[0], oscillators[1]
    first.gain, second.gain = oscillator_gains(p[knobs.OSC_MIX])
    open_oscillator(first, p, knobs.OSC1_WAVE)
    open_oscillator(second, p, knobs.OSC2_WAVE)
    second.vibrato = abs(p[knobs.LFO_AMOUNT])
    first.vibrato = second.vibrato if p[knobs.LFO_AMOUNT] < 0.0 else 0.0
    open_fm(lane, contours, p, first.tonal, second.tonal)
    open_filter(lane, contours, p)
    lane.vibrated = (
        lane.lfo_to_fm != 0.0
        or lane.lfo_to_cutoff != 0.0
        or (first.vibrato != 0.0 and (first.tonal or lane.fm_mode == 2))
        or (second.vibrato != 0.0 and second.tonal)
    )
    if lane.vibrated:
        lane.lfo_increment = p[knobs.LFO_FREQUENCY] * dt
        lane.lfo_phase = phase_after(lane.start, lane.lfo_increment)


@part
def open_contour(contour: Any, p: Any, attack: int, velocity: float, dt: float) -> None:
    """Start an envelope whose five knobs begin at ``attack``."""
    contour.stage = ATTACK
    contour.attack = p[attack] * dt
    contour.decay = p[attack + 1] * dt
    contour.sustain = p[attack + 2]
    contour.release = p[attack + 3] * dt
    contour.gain = 1.0 + (velocity - 1.0) * p[attack + 4]


@part
def open_oscillator(oscillator: Any, p: Any, wave: int) -> None:
    """Start an oscillator, its gain given, whose four knobs begin at ``wave``."""
    split = p[wave + 3]
    oscillator.wave = int(p[wave])
    oscillator.tonal = oscillator.gain > 0.0 and oscillator.wave != NOISE
    oscillator.ratio = factor(p[wave + 1] + p[wave + 2])
    oscillator.copied = split != 0.0
    oscillator.up = 1.0 + split
    oscillator.split_mix = 1.0 if split != 0.0 else 0.0
    oscillator.phase_b = SECOND_COPY_PHASE if split < 0.0 else 0.0


@part
def open_fm(lane: Any, contours: Any, p: Any, first_tonal: bool, second_tonal: bool) -> None:
    """Set what modulates frequency, where that can be heard."""
    mode = int(p[knobs.FM_MODE])
    if (mode == 1 and first_tonal) or (mode == 2 and second_tonal):
        lane.fm_mode = mode
        lane.fm_depth = p[knobs.FM_COARSE] + p[knobs.FM_FINE]
        lane.volume_to_fm = p[knobs.VOL_TO_FM] * contours[VOLUME].gain
        lane.modulation_to_fm = p[knobs.MOD_TO_FM] * contours[MODULATION].gain
        lane.lfo_to_fm = p[knobs.LFO_TO_FM]


@part
def open_filter(lane: Any, contours: Any, p: Any) -> None:
    """Set what moves the cutoff, where there is a filter."""
    if p[knobs.FILTER_ENABLED] > 0.0:
        lane.filtered = True
        lane.cutoff = p[knobs.FILTER_CUTOFF]
        lane.resonance = p[knobs.FILTER_RESONANCE]
        lane.key_track = p[knobs.FILTER_KEY_TRACK]
        lane.volume_to_cutoff = p[knobs.VOL_TO_CUTOFF] * contours[VOLUME].gain
        lane.modulation_to_cutoff = p[knobs.MOD_TO_CUTOFF] * contours[MODULATION].gain
        lane.lfo_to_cutoff = lfo_cutoff_hz(p[knobs.LFO_TO_CUTOFF])


@part
def phase_after(steps: int, increment: float) -> float:
    """Phase that an oscillator of constant pitch has after ``steps`` samples, to the last bit.

    Between two powers of 2 each step adds the same rounded increment, from the second one on (by
    then ties, which go to even, have settled): all the others are one exact multiplication.
    """
    phase = 0.0
    octave = 0
    taken = 0  # steps in this octave
    while steps > 0:
        before = phase
        phase += increment
        if phase > 1.0:
            phase -= 1.0
        steps -= 1
        taken = taken + 1 if frexp(phase)[1] == octave and phase > before else 0
        octave = frexp(phase)[1]
        if taken >= 2:
            step = phase - before
            leap = min(steps, int((ldexp(1.0, octave) - phase) / step) - 1)
            if leap > 0:
                phase += leap * step
                steps -= leap
    return phase
