"""Envelopes, vibrato and pitch of a lane, a block at a time.

What feeds the pitch is summed over a whole note: a relative error e of a frequency, kept up for n
samples, shows as up to n e in the sound. So recursions here keep the sample loop's operations in
its order, and so does whatever else acts on a frequency; only sine and power may differ in their
last bit, which is not the same bit twice.
"""

from __future__ import annotations

from typing import Any

from antithesis.jit import fused_part, part
from antithesis.synth import vectors
from antithesis.synth.state import (
    ATTACK,
    ATTACK_TARGET,
    DECAY,
    IDLE,
    MODULATION,
    RELEASE,
    RELEASE_TARGET,
    VIBRATO,
    VOLUME,
)
from antithesis.synth.waves import wrap

INAUDIBLE = 1e-13  # of full scale


@part
def run_modulators(lane: Any, contours: Any, levels: Any, lfo: Any, first: int, n: int) -> None:
    """Envelopes into ``levels`` (3, block) and vibrato into ``lfo`` (block,), over a note-off.

    ``first`` is the block's first sample since the note-on, ``n`` its length.
    """
    start = 0
    while start < n:
        held = lane.gate - (first + start)
        if held == 0:
            for contour in contours:
                contour.stage = RELEASE
        stop = start + held if 0 < held < n - start else n
        move(lane, contours, levels, lfo, start, stop)
        start = stop
    volume = contours[VOLUME]
    if volume.stage == DECAY and volume.sustain == 0.0 and volume.value < INAUDIBLE:
        volume.value = 0.0
        volume.stage = IDLE
    if lane.vibrated:
        fade = levels[VIBRATO]
        for i in range(n):
            lfo[i] = vectors.sine_of_turns(lfo[i]) * fade[i]


@part
def move(lane: Any, contours: Any, levels: Any, lfo: Any, start: int, stop: int) -> None:
    """Move envelopes and the vibrato's phase on: four serial chains, run abreast."""
    volume, modulation, vibrato = contours[0].value, contours[1].value, contours[2].value
    volume_target, volume_rate = aim(contours[0])
    modulation_target, modulation_rate = aim(contours[1])
    vibrato_target, vibrato_rate = aim(contours[2])
    phase = lane.lfo_phase
    increment = lane.lfo_increment
    for i in range(start, stop):
        volume += (volume_target - volume) * volume_rate
        modulation += (modulation_target - modulation) * modulation_rate
        vibrato += (vibrato_target - vibrato) * vibrato_rate
        phase += increment
        while phase > 1.0:
            phase -= 1.0
        levels[0, i] = volume
        levels[1, i] = modulation
        levels[2, i] = vibrato
        lfo[i] = phase
    lane.lfo_phase = phase
    for k in range(contours.shape[0]):
        turn_corner(contours[k], levels[k], start, stop)


@part
def aim(contour: Any) -> tuple[float, float]:
    """Where an envelope is heading, and how fast."""
    if contour.stage == ATTACK:
        return ATTACK_TARGET, contour.attack
    if contour.stage == DECAY:
        return contour.sustain, contour.decay
    if contour.stage == RELEASE:
        return RELEASE_TARGET, contour.release
    return 0.0, 0.0


@part
def turn_corner(contour: Any, level: Any, start: int, stop: int) -> None:
    """Take up an envelope's value, having mended what lies past the end of its stage."""
    value = level[stop - 1]
    if contour.stage == ATTACK and value >= 1.0:
        corner = start
        while level[corner] < 1.0:
            corner += 1
        value = 1.0
        level[corner] = value
        for i in range(corner + 1, stop):
            value += (contour.sustain - value) * contour.decay
            level[i] = value
        contour.stage = DECAY
    elif contour.stage == RELEASE and value <= 0.0:
        value = 0.0
        for i in range(start, stop):
            level[i] = max(level[i], 0.0)
        contour.stage = IDLE
    contour.value = value


@part
def run_pitch(lane: Any, drift: Any, key: Any, pitch: Any, n: int) -> None:
    """Frequency of the key in Hz: the gliding one into ``key``, with drift into ``pitch``."""
    base = lane.base
    if base == lane.target:
        for i in range(n):
            key[i] = base
    else:
        for i in range(n):
            base += (lane.target - base) * lane.glide
            key[i] = base
        lane.base = base
    for i in range(n):
        pitch[i] = key[i] * (1.0 + drift[i])


@part
def transpose(oscillator: Any, pitch: Any, lfo: Any, frequency: Any, n: int) -> None:
    """Frequency of an oscillator in Hz, before FM."""
    ratio, vibrato = oscillator.ratio, oscillator.vibrato
    for i in range(n):
        frequency[i] = pitch[i] * ratio * (1.0 + vibrato * lfo[i])


@part
def turn(phase: float, frequency: Any, dt: float, phases: Any, n: int) -> float:
    """Phases of an oscillator that follows ``frequency``; returns the last."""
    for i in range(n):
        phase += frequency[i] * dt
        if phase > 1.0:
            phase = wrap(phase)
        phases[i] = phase
    return phase


@fused_part
def modulate(lane: Any, levels: Any, lfo: Any, phases: Any, frequency: Any, n: int) -> None:
    """Bend ``frequency`` by the FM oscillator, whose phases are given."""
    volume, modulation = levels[VOLUME], levels[MODULATION]
    by_volume, by_modulation, by_lfo = lane.volume_to_fm, lane.modulation_to_fm, lane.lfo_to_fm
    knobs = lane.fm_depth
    for i in range(n):
        depth = knobs + by_volume * volume[i] + by_modulation * modulation[i] + by_lfo * lfo[i]
        frequency[i] *= vectors.factor(vectors.sine_of_turns(phases[i]) * depth)
