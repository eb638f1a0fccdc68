"""Notes side by side, block by block: the fast form of :mod:`antithesis.synth.voice`.

A block of a note goes through a row of passes, each of which does one step for all its samples, and
a step that cannot be heard is left out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from antithesis.jit import parallel_kernel, part
from antithesis.synth import knobs
from antithesis.synth.contours import modulate, run_modulators, run_pitch, transpose, turn
from antithesis.synth.lanes import CONTOUR, LANE, OSCILLATOR, open_lane
from antithesis.synth.lowpass import ABREAST, filter_four, run_coefficients
from antithesis.synth.state import IDLE, VOLUME
from antithesis.synth.tones import add_noise, add_tone, run_increments, run_phases

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

BLOCK = 512  # long enough that starting a pass costs little, short enough for the nearest caches
SIDE_BY_SIDE = 8
RESTING = 1e-12  # filters ring on for ever; one that rings lower than this has stopped
STEEPEST = 2.0  # cycles per sample, above which a triangle runs away


class Notes(NamedTuple):
    """What to render, n notes in the kernels' own units."""

    knobs: Floats  # (n, 38) in voice form
    frequency: Floats  # (n,) Hz
    velocity: Floats  # (n,) after its curve
    start: Integers  # (n,) sample of the note-on since load
    gate: Integers  # (n,) sample of the note-off since the note-on
    drift: Floats  # (samples,) since load; zeros where there is none
    noise: Floats  # (samples,) since the note-on
    dt: float  # seconds


class Scratch(NamedTuple):
    """Memory that the passes over a block share: (BLOCK,), or a row of it for each of several."""

    levels: Floats  # volume, modulation and vibrato envelope
    lfo: Floats
    key: Floats  # Hz
    pitch: Floats  # Hz, the key's with drift
    frequencies: Floats  # Hz, of both oscillators
    increments: Floats  # cycles per sample: copies a and b of oscillator 1, then of 2
    phases: Floats  # cycles, likewise
    periods: Floats  # samples per cycle; FM phases before
    squares: Floats  # what copies a and b of a triangle are made from


@parallel_kernel
def render_in_groups(
    notes: Any, order: Any, ends: Any, doubles: Any, singles: Any, ran_away: Any
) -> None:
    """Render all notes, each group on one core: of ``order`` those up to the next of ``ends``.

    They go into the rows of ``doubles`` (n, samples) or, if it is empty, ``singles``. Sets
    ``ran_away`` (n,) where a triangle does, and leaves that row unfinished.
    """
    for group in numba.prange(ends.shape[0]):
        members = order[ends[group - 1] if group else 0 : ends[group]]
        render_group(notes, members, doubles, singles, ran_away)


@part
def render_group(notes: Any, members: Any, doubles: Any, singles: Any, ran_away: Any) -> None:
    """Render the notes ``members`` side by side."""
    count = members.shape[0]
    lanes = np.zeros(count + 1, LANE)  # the last is a spare one that nobody hears
    contours = np.zeros((count, 3), CONTOUR)
    oscillators = np.zeros((count, 2), OSCILLATOR)
    x = np.zeros((count + 1, BLOCK))
    f = np.zeros((count + 1, BLOCK))
    keep = np.zeros((count + 1, BLOCK))
    scratch = Scratch(
        np.zeros((3, BLOCK)),
        np.zeros(BLOCK),
        np.zeros(BLOCK),
        np.zeros(BLOCK),
        np.zeros((2, BLOCK)),
        np.zeros((4, BLOCK)),
        np.zeros((4, BLOCK)),
        np.zeros(BLOCK),
        np.zeros((2, BLOCK)),
    )
    for j in range(count):
        open_lane(lanes[j], contours[j], oscillators[j], notes, members[j])
    length = max(doubles.shape[1], singles.shape[1])
    for first in range(0, length, BLOCK):
        n = min(BLOCK, length - first)
        for j in range(count):
            if lanes[j].sounding:
                drift = notes.drift[lanes[j].start + first :]
                sound_block(
                    lanes[j], contours[j], oscillators[j], notes, drift, scratch, x[j], first, n
                )
                if lanes[j].filtered:
                    run_coefficients(lanes[j], scratch, drift, f[j], keep[j], n, notes.dt)
        filter_block(lanes, x, f, keep, n)
        for j in range(count):
            row = members[j]
            if lanes[j].sounding:
                write(x[j], notes.knobs[row, knobs.MASTER_VOLUME], doubles, singles, row, first, n)
                ran_away[row] = has_run_away(oscillators[j])
                lanes[j].sounding = not (ran_away[row] or at_rest(lanes[j], contours[j]))
            else:
                write(x[j], 0.0, doubles, singles, row, first, n)


@part
def write(x: Any, volume: float, doubles: Any, singles: Any, row: int, first: int, n: int) -> None:
    """Write a block of a row."""
    if doubles.shape[0]:
        for i in range(n):
            doubles[row, first + i] = volume * x[i]
    else:
        for i in range(n):
            singles[row, first + i] = volume * x[i]


@part
def has_run_away(oscillators: Any) -> bool:
    """Whether a triangle has been where it is not stable."""
    return bool(max(oscillators[0].steepest, oscillators[1].steepest) > STEEPEST)


@part
def at_rest(lane: Any, contours: Any) -> bool:
    """Whether nothing of a note is left to hear."""
    ringing: float = max(abs(lane.low), abs(lane.band))
    return bool(contours[VOLUME].stage == IDLE) and ringing < RESTING


@part
def sound_block(
    lane: Any,
    contours: Any,
    oscillators: Any,
    notes: Any,
    drift: Any,
    scratch: Any,
    x: Any,
    first: int,
    n: int,
) -> None:
    """A lane's block up to its filter, from the sample ``first`` since the note-on."""
    silent = contours[VOLUME].stage == IDLE
    run_modulators(lane, contours, scratch.levels, scratch.lfo, first, n)
    run_pitch(lane, drift, scratch.key, scratch.pitch, n)
    for i in range(n):
        x[i] = 0.0
    if silent:
        return
    run_frequencies(lane, oscillators, scratch, n, notes.dt)
    run_phases(oscillators, scratch.increments, scratch.phases, n)
    for k in range(2):
        if oscillators[k].tonal:
            add_tone(oscillators[k], k, scratch, x, n)
        elif oscillators[k].gain > 0.0:
            add_noise(oscillators[k], notes.noise[first:], x, n, notes.dt)
    volume = scratch.levels[VOLUME]
    gain = contours[VOLUME].gain
    for i in range(n):
        x[i] *= gain * volume[i]


@part
def run_frequencies(lane: Any, oscillators: Any, scratch: Any, n: int, dt: float) -> None:
    """Frequencies of both oscillators, FM included, and what their copies turn per sample."""
    lfo, phases = scratch.lfo, scratch.periods
    for k in range(2):
        transpose(oscillators[k], scratch.pitch, lfo, scratch.frequencies[k], n)
    if lane.fm_mode:
        lane.fm_phase = turn(lane.fm_phase, scratch.frequencies[0], dt, phases, n)
        bent = scratch.frequencies[lane.fm_mode - 1]
        modulate(lane, scratch.levels, lfo, phases, bent, n)
    for k in range(2):
        a, b = scratch.increments[2 * k], scratch.increments[2 * k + 1]
        run_increments(oscillators[k], scratch.frequencies[k], dt, a, b, n)


@part
def filter_block(lanes: Any, x: Any, f: Any, keep: Any, n: int) -> None:
    """Filter what has a filter, some lanes abreast; spare ones fill up."""
    spare = lanes.shape[0] - 1
    waiting = np.full(ABREAST, spare)
    count = 0
    for j in range(spare):
        if lanes[j].filtered and lanes[j].sounding:
            waiting[count] = j
            count += 1
            if count == ABREAST:
                filter_four(lanes, waiting, f, keep, x, n)
                waiting[:] = spare
                count = 0
    if count:
        filter_four(lanes, waiting, f, keep, x, n)
