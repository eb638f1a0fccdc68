"""Many presets, one note each: the renderer that search and training live on."""

from __future__ import annotations

from functools import lru_cache
from math import floor
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from antithesis.errors import RenderError
from antithesis.jit import kernel, parallel_kernel
from antithesis.parameters import N_PARAMETERS, to_plain
from antithesis.preset import Preset
from antithesis.synth import state, voice, waves
from antithesis.synth.lanes import (
    BLOCK,
    LANE,
    N_ROWS,
    at_rest,
    filter_lanes,
    open_lane,
    sound_block,
)
from antithesis.synth.live import Synth, check_sample_rate, note_frequency, to_voice_form

Floats = npt.NDArray[np.float64]

LANES: Final = 4  # notes side by side on one core
LONGEST_S: Final = 600.0
_STEEPEST: Final = 1.5  # turns per sample from which a triangle may run away


def render_notes(
    normalized: npt.ArrayLike,
    note: npt.ArrayLike,
    velocity: npt.ArrayLike,
    gate_s: npt.ArrayLike,
    *,
    duration_s: float = 2.0,
    sample_rate: int = 44100,
    drift: bool = True,
    warmup_s: npt.ArrayLike = 0.0,
    threads: int | None = None,
) -> Floats:
    """Render one note of each preset, pressed at time 0 on a synth at rest.

    The same numbers as :func:`antithesis.synth.render` (to 1e-9) at many times its speed.

    Parameters
    ----------
    normalized
        Presets, (n, 38) in 0..1.
    note, velocity, gate_s, warmup_s
        MIDI note (0..127), MIDI velocity (1..127), seconds until the note-off, and seconds since
        the plug-in was loaded; each a number or (n,).
    duration_s
        Length of every sound in seconds.
    sample_rate
        In Hz, 22050 to 192000.
    drift
        Whether the slow random detuning runs.
    threads
        Cores to use; all of them when left out.

    Returns:
    -------
    float64 array (n, floor(duration_s * sample_rate))

    Raises:
    ------
    RenderError
        For shapes that do not fit and numbers out of range.
    """
    plain = _presets(normalized)
    check_sample_rate(sample_rate)
    _check("duration_s", duration_s, 0.0, LONGEST_S)
    count = len(plain)
    notes = _column("note", note, count, 0.0, 127.0)
    velocities = _column("velocity", velocity, count, 1.0, 127.0)
    gates = _column("gate_s", gate_s, count, 0.0, np.inf)
    warmups = _column("warmup_s", warmup_s, count, 0.0, LONGEST_S)
    samples = floor(duration_s * sample_rate)
    out = np.zeros((count, samples))
    if not out.size:
        return out
    starts = np.floor(warmups * sample_rate).astype(np.int64)
    drifts = _drift(sample_rate, int(starts.max()) + samples) if drift else np.zeros(0)
    p = to_voice_form(plain)
    _with_threads(
        threads,
        p,
        np.array([note_frequency(float(n)) for n in notes]),
        np.array([waves.velocity_gain(float(v)) for v in velocities]),
        starts,
        np.floor(np.minimum(gates, duration_s + 1.0) * sample_rate).astype(np.int64),
        drifts,
        _noise(samples),
        1.0 / sample_rate,
        np.argsort(-plain[:, voice.FILTER_ENABLED], kind="stable"),
        out,
    )
    for i in np.flatnonzero(_may_run_away(p, notes, 1.0 / sample_rate)):
        gate = (
            min(floor(float(gates[i]) * sample_rate), samples) if gates[i] < duration_s else samples
        )
        synth = Synth(Preset.from_plain(plain[i]), sample_rate=sample_rate, drift=drift)
        synth.process(int(starts[i]))
        synth.note_on(int(notes[i]), int(velocities[i]))
        out[i, :gate] = synth.process(gate)
        synth.note_off(int(notes[i]))
        out[i, gate:] = synth.process(samples - gate)
    return out


def _presets(normalized: npt.ArrayLike) -> Floats:
    values = np.asarray(normalized, np.float64)
    if values.ndim != 2 or values.shape[1] != N_PARAMETERS:
        raise RenderError(f"presets of shape {values.shape}: give (n, {N_PARAMETERS})")
    if not ((values >= 0.0) & (values <= 1.0)).all():
        raise RenderError("normalized values beyond 0..1: clip them first")
    return to_plain(values)


def _check(name: str, value: float, lowest: float, highest: float) -> None:
    if not lowest <= value <= highest:
        raise RenderError(f"{name} = {value}: give {lowest:g} to {highest:g}")


def _column(name: str, value: npt.ArrayLike, count: int, lowest: float, highest: float) -> Floats:
    values = np.asarray(value, np.float64)
    if values.ndim > 1 or (values.ndim == 1 and len(values) != count):
        raise RenderError(f"{name} of shape {values.shape}: give a number or ({count},)")
    for extreme in (values.min(initial=highest), values.max(initial=lowest)):
        _check(name, float(extreme), lowest, highest)
    return np.broadcast_to(values, (count,))


def _may_run_away(p: Floats, notes: Floats, dt: float) -> npt.NDArray[np.bool_]:
    """Notes with a triangle that might turn more than once a sample: those go the long way."""
    depth = np.abs(p[:, voice.FM_COARSE]) + np.abs(p[:, voice.FM_FINE])
    for amount in (voice.VOL_TO_FM, voice.MOD_TO_FM, voice.LFO_TO_FM):
        depth += np.abs(p[:, amount])
    frequency = 440.0 * waves.SEMITONE ** (np.maximum(notes, 69.0) - 69.0)
    risky = np.zeros(len(p), bool)
    for mode, wave in ((1, voice.OSC1_WAVE), (2, voice.OSC2_WAVE)):
        pitch = p[:, wave + 1] + p[:, wave + 2] + np.where(p[:, voice.FM_MODE] == mode, depth, 0.0)
        fastest = frequency * waves.SEMITONE**pitch * 1.15 * dt
        risky |= (p[:, wave] == state.TRIANGLE) & (fastest > _STEEPEST)
    return risky


def _with_threads(threads: int | None, *arguments: Any) -> None:
    if threads is None:
        _render(*arguments)
        return
    before = numba.get_num_threads()
    numba.set_num_threads(max(1, min(threads, before)))
    try:
        _render(*arguments)
    finally:
        numba.set_num_threads(before)


@parallel_kernel
def _render(
    p: Any,
    frequencies: Any,
    velocities: Any,
    starts: Any,
    gates: Any,
    drifts: Any,
    noise: Any,
    dt: float,
    order: Any,
    out: Any,
) -> None:
    groups = (order.shape[0] + LANES - 1) // LANES
    for group in numba.prange(groups):
        members = order[group * LANES : (group + 1) * LANES]
        _render_group(p, frequencies, velocities, starts, gates, drifts, noise, dt, members, out)


@kernel
def _render_group(
    p: Any,
    frequencies: Any,
    velocities: Any,
    starts: Any,
    gates: Any,
    drifts: Any,
    noise: Any,
    dt: float,
    members: Any,
    out: Any,
) -> None:
    """Render up to four notes abreast, block by block."""
    lanes = np.zeros(LANES, LANE)
    for j in range(members.shape[0]):
        i = members[j]
        lanes[j].sounding = True
        open_lane(lanes[j], p[i], frequencies[i], velocities[i], starts[i], gates[i], dt)
    s = np.empty((N_ROWS, BLOCK))
    x = np.empty((LANES, BLOCK))
    f = np.empty((LANES, BLOCK))
    damping = np.empty((LANES, BLOCK))
    still = np.zeros(BLOCK)
    for first in range(0, out.shape[1], BLOCK):
        n = min(BLOCK, out.shape[1] - first)
        for j in range(members.shape[0]):
            lane = lanes[j]
            if not lane.sounding:
                continue
            drift = still[:n]
            if drifts.shape[0]:
                drift = drifts[lane.start + first : lane.start + first + n]
            sound_block(
                lane,
                p[members[j]],
                s,
                drift,
                noise[first : first + n],
                x[j][:n],
                f[j][:n],
                damping[j][:n],
                first,
                dt,
            )
        filter_lanes(lanes, x, f, damping, n)
        for j in range(members.shape[0]):
            lane = lanes[j]
            if lane.sounding:
                volume = p[members[j], voice.MASTER_VOLUME]
                out[members[j], first : first + n] = volume * x[j][:n]
                lane.sounding = not at_rest(lane)


@lru_cache(maxsize=4)
def _drift_table(sample_rate: int, length: int) -> Floats:
    shared = np.zeros(1, state.SHARED)
    shared["x"], shared["y"], shared["z"] = state.XORSHIFT_SEED
    table = np.empty(length)
    _fill_drift(shared, table, 1.0 / sample_rate)
    return table


def _drift(sample_rate: int, length: int) -> Floats:
    """Drift since load; it depends on nothing else, so that all notes share one table."""
    return _drift_table(sample_rate, 1 << (length - 1).bit_length())


@kernel
def _fill_drift(shared: Any, table: Any, dt: float) -> None:
    common = shared[0]
    for i in range(table.shape[0]):
        table[i] = waves.step_drift(common, dt)


@lru_cache(maxsize=4)
def _noise(length: int) -> Floats:
    """What every noise oscillator plays after its first note-on."""
    table = np.empty(length)
    _fill_noise(table)
    return table


@kernel
def _fill_noise(table: Any) -> None:
    value = state.NOISE_START
    for i in range(table.shape[0]):
        value += 19.0
        value *= value
        value -= np.trunc(value)
        table[i] = value - 0.5
