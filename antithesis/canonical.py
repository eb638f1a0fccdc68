"""One form for presets that sound alike when they play one note.

A listener cannot tell a key pressed an octave up from an oscillator tuned an octave up, nor half
the velocity sensitivity from half the amount. Before anything is learned or scored, every such
choice is made once:

- velocity sensitivity goes into the amounts that it scales, and key tracking into the cutoff;
- what cannot be heard stands at its default;
- an oscillator 2 that plays alone becomes oscillator 1, and of two that may be swapped the lower
  one comes first, a noise last;
- fine tuning holds at most half a semitone, the rest is coarse;
- the note is that of the lowest oscillator with a pitch, whose coarse tuning becomes 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.parameters import BY_ID, DEFAULT, MAXIMUM, MINIMUM
from antithesis.rules import NOISE, OFF, OSC1, OSC2, audible
from antithesis.synth.waves import SEMITONE

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Columns = dict[str, Floats]

LOWEST_NOTE: Final = 0
HIGHEST_NOTE: Final = 127
_OSCILLATOR: Final = ("Wave", "Coarse", "Fine", "Split")


@dataclass(frozen=True)
class Notes:
    """Presets in plain units (n, 38), each with the key that plays it (n,)."""

    plain: Floats
    note: Ints


def canonical(
    plain: npt.ArrayLike,
    note: npt.ArrayLike,
    velocity: npt.ArrayLike,
    *,
    gate_s: npt.ArrayLike = np.inf,
    note_off: npt.ArrayLike = True,
) -> Notes:
    """Presets (n, 38) in plain units and how they are played, as the presets they sound like.

    Velocity no longer matters to the result. A single note on a synth that has played before is
    meant: voice mode and glide count as unheard.
    """
    presets = np.array(np.atleast_2d(np.asarray(plain, np.float64)))
    columns = _columns(presets)
    keys = np.broadcast_to(np.asarray(note, np.int64), len(presets)).copy()
    _fold_velocity(columns, np.asarray(velocity, np.float64))
    _fold_key_tracking(columns, keys)
    _drop_unheard(columns, np.asarray(gate_s), np.asarray(note_off))
    _swap(columns, _only_second(columns))
    _swap(columns, _better_swapped(columns))
    _carry_fine(columns)
    _move(columns, keys, _reference_coarse(columns))
    return Notes(_table(columns), keys)


def moved(notes: Notes, semitones: npt.ArrayLike) -> Notes:
    """The same sounds on other keys, ``semitones`` (n,) higher as far as the ranges allow."""
    columns = _columns(notes.plain)
    keys = notes.note.copy()
    _move(columns, keys, np.broadcast_to(np.asarray(semitones, np.float64), len(keys)))
    return Notes(_table(columns), keys)


def on_own_key(notes: Notes) -> Notes:
    """The same sounds on the keys of their lowest oscillators with a pitch, coarse tuning 0."""
    columns = _columns(notes.plain)
    _mix_clearly(columns)
    return moved(notes, _reference_coarse(columns))


def other_way_round(notes: Notes) -> Notes:
    """The same sounds with their oscillators swapped, where they may be; else as they are."""
    columns = _columns(notes.plain)
    _swap(columns, _swappable(columns))
    return Notes(_table(columns), notes.note)


def _columns(plain: Floats) -> Columns:
    return {id: plain[:, p.index].copy() for id, p in BY_ID.items()}


def _table(columns: Columns) -> Floats:
    return np.stack([columns[id] for id in BY_ID], axis=1)


def _limits(id: str) -> tuple[float, float]:
    index = BY_ID[id].index
    return float(MINIMUM[index]), float(MAXIMUM[index])


def _base_hz(note: npt.ArrayLike) -> Floats:
    return 440.0 * SEMITONE ** (np.asarray(note, np.float64) - 69.0)


def _fold_velocity(c: Columns, velocity: Floats) -> None:
    curved = (velocity / 128.0) ** 1.25
    for envelope, amounts in (
        ("kVolEnvV", ("kVolEnvFm", "kVolEnvCutoff", "kMasterVolume")),
        ("kModEnvV", ("kModEnvFm", "kModEnvCutoff")),
    ):
        gain = 1.0 + (curved - 1.0) * c[envelope]
        for amount in amounts:
            c[amount] = c[amount] * gain
        c[envelope] = np.zeros_like(gain)


def _fold_key_tracking(c: Columns, note: Ints) -> None:
    base = _base_hz(note)
    cutoff = c["kFilterCutoff"] + c["kFilterKeyTrack"] * base
    c["kFilterCutoff"] = np.clip(cutoff, *_limits("kFilterCutoff"))
    # What the knob cannot hold stays with key tracking.
    c["kFilterKeyTrack"] = np.clip((cutoff - c["kFilterCutoff"]) / base, -1.0, 1.0)


def _drop_unheard(c: Columns, gate_s: Floats, note_off: npt.NDArray[np.bool_]) -> None:
    heard = audible(_table(c), velocity=127, gate_s=gate_s, note_off=note_off)
    for id, parameter in BY_ID.items():
        c[id] = np.where(heard[:, parameter.index], c[id], DEFAULT[parameter.index])
    _mix_clearly(c)
    # A mode whose oscillator plays no tone is as good as off, though turning it would be heard.
    first, second = _pitched(c)
    idle = ((c["kFmMode"] == OSC1) & ~first) | ((c["kFmMode"] == OSC2) & ~second)
    c["kFmMode"] = np.where(idle, OFF, c["kFmMode"])


def _mix_clearly(c: Columns) -> None:
    """The synth leaves out an oscillator with less than a hundredth of the mix."""
    m = 1.0 - c["kOscMix"]
    c["kOscMix"] = np.where(m <= 0.01, 1.0, np.where(m >= 0.99, 0.0, c["kOscMix"]))


def _only_second(c: Columns) -> Bools:
    return np.asarray((c["kOscMix"] == 0.0) & (c["kFmMode"] == OFF))


def _better_swapped(c: Columns) -> Bools:
    """Where they may be swapped, and the order is the wrong one."""
    first, second = (_rank(c, prefix) for prefix in ("kOsc1", "kOsc2"))
    return np.asarray(_swappable(c) & (second < first))


def _swappable(c: Columns) -> Bools:
    """Where both are heard, and neither modulates or wavers alone."""
    free = (c["kFmMode"] == OFF) & (c["kLfoAmount"] <= 0.0)
    both = (c["kOscMix"] > 0.0) & (c["kOscMix"] < 1.0)
    return np.asarray(free & both)


def _rank(c: Columns, prefix: str) -> Floats:
    pitch = c[prefix + "Coarse"] + c[prefix + "Fine"]
    return np.where(c[prefix + "Wave"] == NOISE, 1e3, pitch + 1e-6 * c[prefix + "Wave"])


def _swap(c: Columns, where: Bools) -> None:
    for part in _OSCILLATOR:
        first, second = c["kOsc1" + part], c["kOsc2" + part]
        c["kOsc1" + part] = np.where(where, second, first)
        c["kOsc2" + part] = np.where(where, first, second)
    c["kOscMix"] = np.where(where, 1.0 - c["kOscMix"], c["kOscMix"])
    # Negative vibrato moves both; positive the second one only, which is now the first, alone.
    c["kLfoAmount"] = np.where(where, -np.abs(c["kLfoAmount"]), c["kLfoAmount"])


def _carry_fine(c: Columns) -> None:
    for prefix in ("kOsc1", "kOsc2", "kFm"):
        total = c[prefix + "Coarse"] + c[prefix + "Fine"]
        coarse = np.clip(np.floor(total + 0.5), *_limits(prefix + "Coarse"))
        c[prefix + "Coarse"] = coarse
        c[prefix + "Fine"] = np.clip(total - coarse, -1.0, 1.0)


def _pitched(c: Columns) -> tuple[Bools, Bools]:
    """Which oscillators' pitches are heard as a tone."""
    first = (c["kOscMix"] > 0.0) & (c["kOsc1Wave"] != NOISE)
    second = (c["kOscMix"] < 1.0) & (c["kOsc2Wave"] != NOISE)
    return np.asarray(first), np.asarray(second)


def _reference_coarse(c: Columns) -> Floats:
    first, second = _pitched(c)
    lowest = np.minimum(
        np.where(first, c["kOsc1Coarse"], np.inf), np.where(second, c["kOsc2Coarse"], np.inf)
    )
    return np.where(np.isfinite(lowest), lowest, 0.0)


def _move(c: Columns, note: Ints, semitones: Floats) -> None:
    """Play ``semitones`` higher and tune as much lower, as far as every range allows."""
    first, second = _pitched(c)
    first = first | (c["kFmMode"] != OFF)
    low = LOWEST_NOTE - note.astype(np.float64)
    high = HIGHEST_NOTE - note.astype(np.float64)
    for live, prefix in ((first, "kOsc1"), (second, "kOsc2")):
        lowest, highest = _limits(prefix + "Coarse")
        coarse = c[prefix + "Coarse"]
        low = np.where(live, np.maximum(low, coarse - highest), low)
        high = np.where(live, np.minimum(high, coarse - lowest), high)
    steps = np.clip(semitones, low, high)
    before = _base_hz(note)
    note += steps.astype(np.int64)
    for live, prefix in ((first, "kOsc1"), (second, "kOsc2")):
        c[prefix + "Coarse"] = np.where(live, c[prefix + "Coarse"] - steps, c[prefix + "Coarse"])
    c["kFilterKeyTrack"] = np.clip(c["kFilterKeyTrack"] * before / _base_hz(note), -1.0, 1.0)
