"""The frozen development targets: read, rendered, and divided into two parts."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antithesis.parameters import BY_ID
from antithesis.preset import Preset
from antithesis.synth import render_notes

Floats = npt.NDArray[np.float64]

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "data" / "targets"
SETS = ("musical", "uniform", "nine", "split")
PARTS = ("held-out", "tuning", "all")
DURATION_S = 2.0


@dataclass(frozen=True)
class Target:
    """One row of development.csv: a preset, how it is played, and its floor in dB of MSS."""

    set: str
    id: int
    preset: Preset
    note: int
    velocity: int
    gate_s: float
    warmup_s: float
    floor_db: float

    @property
    def part(self) -> str:
        """Odd ids are held out: no weight, price or size was fitted on them."""
        return "held-out" if self.id % 2 else "tuning"


@cache
def read_targets() -> tuple[Target, ...]:
    """All development targets, in the file's order."""
    with (FOLDER / "development.csv").open(newline="", encoding="utf-8") as file:
        return tuple(_target(row) for row in csv.DictReader(file))


def choose(sets: Iterable[str], part: str = "all", limit: int | None = None) -> list[Target]:
    """The targets of some sets and a part, at most ``limit`` of each set."""
    chosen = []
    for name in sets:
        of_set = [t for t in read_targets() if t.set == name and part in (t.part, "all")]
        chosen += of_set[:limit]
    return chosen


def rendered(targets: Iterable[Target]) -> Floats:
    """Targets as sound, (n, 88200) at 44.1 kHz, with drift and at their own vibrato phase."""
    played = list(targets)
    return render_notes(
        np.stack([t.preset.normalized for t in played]),
        [t.note for t in played],
        [t.velocity for t in played],
        [t.gate_s for t in played],
        warmup_s=[t.warmup_s for t in played],
        duration_s=DURATION_S,
    )


def _target(row: dict[str, str]) -> Target:
    return Target(
        set=row["set"],
        id=int(row["id"]),
        preset=Preset.from_plain({id: float(row[id]) for id in BY_ID}),
        note=int(row["note"]),
        velocity=int(row["velocity"]),
        gate_s=float(row["gate_s"]),
        warmup_s=float(row["warmup_s"]),
        floor_db=float(row["floor_mss_db"]),
    )
