"""Many presets, one note each: the renderer that search and training live on."""

from __future__ import annotations

from functools import lru_cache
from math import floor
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from antithesis.errors import RenderError
from antithesis.jit import kernel
from antithesis.parameters import N_PARAMETERS, to_plain
from antithesis.preset import Preset
from antithesis.synth import knobs, state, waves
from antithesis.synth.blocks import SIDE_BY_SIDE, Notes, render_in_groups
from antithesis.synth.live import Synth, check_sample_rate, note_frequency, to_voice_form

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Samples = npt.NDArray[np.float64] | npt.NDArray[np.float32]

LONGEST_S: Final = 600.0
_NOTES: Final = (0.0, 127.0)
_VELOCITIES: Final = (1.0, 127.0)
_GATES_S: Final = (0.0, np.inf)
_DRIFT_SAMPLES: Final = 1 << 20  # enough for any search: one table, not one for each length


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
    check_sample_rate(sample_rate)
    _check("duration_s", duration_s, 0.0, LONGEST_S)
    out = np.empty((len(_presets(normalized)), floor(duration_s * sample_rate)))
    render_into(
        out,
        normalized,
        note,
        velocity,
        gate_s,
        sample_rate=sample_rate,
        drift=drift,
        warmup_s=warmup_s,
        threads=threads,
    )
    return out


def render_into(
    out: Samples,
    normalized: npt.ArrayLike,
    note: npt.ArrayLike,
    velocity: npt.ArrayLike,
    gate_s: npt.ArrayLike,
    *,
    sample_rate: int = 44100,
    drift: bool = True,
    warmup_s: npt.ArrayLike = 0.0,
    threads: int | None = None,
) -> None:
    """As :func:`render_notes`, into the rows of ``out`` (n, samples), float64 or float32.

    For who renders batch after batch: fresh memory costs up to a third of the time to fill it.
    """
    plain = _presets(normalized)
    count, samples = len(plain), _check_output(out, len(plain))
    check_sample_rate(sample_rate)
    notes = _column("note", note, count, *_NOTES)
    velocities = _column("velocity", velocity, count, *_VELOCITIES)
    gates = _column("gate_s", gate_s, count, *_GATES_S)
    warmups = _column("warmup_s", warmup_s, count, 0.0, LONGEST_S)
    if not out.size:
        return
    starts = np.floor(warmups * sample_rate).astype(np.int64)
    end = int(starts.max()) + samples
    batch = Notes(
        to_voice_form(plain),
        np.array([note_frequency(float(n)) for n in notes]),
        np.array([waves.velocity_gain(float(v)) for v in velocities]),
        starts,
        np.minimum(np.floor(gates * sample_rate), samples).astype(np.int64),
        _drift(sample_rate, end) if drift else np.zeros(end),
        _noise(samples),
        1.0 / sample_rate,
    )
    for i in _render(batch, out, threads):
        synth = Synth(Preset.from_plain(plain[i]), sample_rate=sample_rate, drift=drift)
        _sample_by_sample(synth, int(notes[i]), int(velocities[i]), batch, i, out[i])


def _render(notes: Notes, out: Samples, threads: int | None) -> list[int]:
    """Render by blocks; returns the rows that ran away, which are still to be done."""
    doubles: Samples = np.empty((0, 0), np.float64)
    singles: Samples = np.empty((0, 0), np.float32)
    if out.dtype == np.float64:
        doubles = out
    else:
        singles = out
    ran_away = np.zeros(len(out), np.bool_)
    before = numba.get_num_threads()
    cores = max(1, min(threads or before, before))
    order, ends = _groups(notes, cores)
    numba.set_num_threads(cores)
    try:
        render_in_groups(notes, order, ends, doubles, singles, ran_away)
    finally:
        numba.set_num_threads(before)
    return [int(i) for i in np.flatnonzero(ran_away)]


def _groups(notes: Notes, cores: int) -> tuple[Integers, Integers]:
    """Indices (n,) in the order to render, and where each group ends: a share for each core.

    Those with a filter go side by side, and so do those of a length; a batch smaller than a group
    is shared as well, and each core gets some of the dear ones.
    """
    order = np.lexsort((-notes.gate, -notes.knobs[:, knobs.FILTER_ENABLED]))
    shares = [order[core::cores] for core in range(cores)]
    sizes = [len(part) for share in shares for part in _cut(share)]
    return np.concatenate(shares), np.cumsum(sizes)


def _cut(share: Integers) -> list[Integers]:
    return [share[at : at + SIDE_BY_SIDE] for at in range(0, len(share), SIDE_BY_SIDE)]


def _sample_by_sample(
    synth: Synth, note: int, velocity: int, notes: Notes, i: int, out: Samples
) -> None:
    """Note ``i`` by the sample loop, whose guard says what becomes of a note that runs away."""
    gate = int(notes.gate[i])
    highest = np.finfo(out.dtype).max  # float32 ends long before float64
    synth.process(int(notes.start[i]))
    synth.note_on(note, velocity)
    out[:gate] = np.clip(synth.process(gate), -highest, highest)
    synth.note_off(note)
    out[gate:] = np.clip(synth.process(len(out) - gate), -highest, highest)


def _presets(normalized: npt.ArrayLike) -> Floats:
    values = np.asarray(normalized, np.float64)
    if values.ndim != 2 or values.shape[1] != N_PARAMETERS:
        raise RenderError(f"presets of shape {values.shape}: give (n, {N_PARAMETERS})")
    if not ((values >= 0.0) & (values <= 1.0)).all():
        raise RenderError("normalized values beyond 0..1: clip them first")
    return to_plain(values)


def _check_output(out: Samples, count: int) -> int:
    """How many samples each row has."""
    if out.dtype not in (np.float64, np.float32) or not out.flags.c_contiguous:
        raise RenderError(f"out of type {out.dtype}: give contiguous float64 or float32")
    if out.ndim != 2 or len(out) != count:
        raise RenderError(f"out of shape {out.shape} for {count} presets: give ({count}, samples)")
    samples: int = out.shape[1]
    return samples


def check_key(note: float, velocity: float, gate_s: float) -> None:
    """Raise RenderError unless a key can be pressed so, and be let go of after so many seconds."""
    _check("note", note, *_NOTES)
    _check("velocity", velocity, *_VELOCITIES)
    _check("gate_s", gate_s, *_GATES_S)


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


@lru_cache(maxsize=4)
def _drift_table(sample_rate: int, length: int) -> Floats:
    shared = np.zeros(1, state.SHARED)
    shared["x"], shared["y"], shared["z"] = state.XORSHIFT_SEED
    table = np.empty(length)
    _fill_drift(shared, table, 1.0 / sample_rate)
    return table


def _drift(sample_rate: int, length: int) -> Floats:
    """Drift since load; it depends on nothing else, so that all notes share one table."""
    return _drift_table(sample_rate, max(_DRIFT_SAMPLES, 1 << (length - 1).bit_length()))


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
