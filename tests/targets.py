"""The frozen development targets, rendered: shared by the tests that need real notes."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antithesis.parameters import PARAMETERS, to_normalized
from antithesis.preset import Preset
from antithesis.synth import Event, EventKind, render, render_notes

FloatArray = npt.NDArray[np.float64]
Key = tuple[str, int]

FOLDER = Path(__file__).parent / "data" / "targets"


@cache
def rows() -> dict[Key, dict[str, str]]:
    """The rows of development.csv by set and number."""
    with (FOLDER / "development.csv").open(newline="") as file:
        return {(row["set"], int(row["id"])): row for row in csv.DictReader(file)}


def plain(key: Key) -> FloatArray:
    return np.array([float(rows()[key][parameter.id]) for parameter in PARAMETERS])


def rendered(keys: Iterable[Key]) -> FloatArray:
    """Two seconds of each named target at 44.1 kHz with drift on, shape (n, 88200)."""
    keys = list(keys)
    note, velocity, gate_s, warmup_s = (
        np.array([float(rows()[key][name]) for key in keys])
        for name in ("note", "velocity", "gate_s", "warmup_s")
    )
    presets = to_normalized(np.stack([plain(key) for key in keys]))
    return render_notes(presets, note, velocity, gate_s, warmup_s=warmup_s)


def rendered_exactly(key: Key) -> FloatArray:
    """As `rendered`, down to the last bit of a tail that has long died away."""
    row = rows()[key]
    note, gate_s, warmup_s = int(row["note"]), float(row["gate_s"]), float(row["warmup_s"])
    events = [
        Event(0.0, EventKind.NOTE_ON, note, int(row["velocity"])),
        Event(gate_s, EventKind.NOTE_OFF, note, 0),
    ]
    return render(Preset.from_plain(list(plain(key))), events, 2.0, warmup_s=warmup_s)
