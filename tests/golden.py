"""The 72 golden cases, made with the plug-in's own published DSP sources."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antithesis.preset import Preset
from antithesis.synth import Event, EventKind

FloatArray = npt.NDArray[np.float64]

FILE = Path(__file__).parent / "data" / "mika_micro_golden.npz"


@dataclass(frozen=True)
class Case:
    """What was played and what came out: `expected` is every `stride`-th sample, to the end."""

    name: str
    preset: Preset
    sample_rate: int
    drift: bool
    warmup_s: float
    events: tuple[Event, ...]
    stride: int
    expected: FloatArray

    @property
    def duration_s(self) -> float:
        """Length that reaches the last expected sample."""
        return ((len(self.expected) - 1) * self.stride + 1.5) / self.sample_rate

    @property
    def is_one_note(self) -> bool:
        """Whether it is a single note from rest, pressed at time 0."""
        kinds = [event.kind for event in self.events]
        return kinds == [EventKind.NOTE_ON, EventKind.NOTE_OFF] and self.events[0].time_s == 0


@cache
def cases() -> tuple[Case, ...]:
    """All of them, in the file's order."""
    with np.load(FILE) as data:
        columns = {name: data[name] for name in data.files}
    return tuple(_case(columns, i) for i in range(len(columns["names"])))


def _case(columns: dict[str, npt.NDArray[np.generic]], i: int) -> Case:
    expected = columns["expected"][i].astype(np.float64)
    rows = json.loads(str(columns["events"][i]))
    return Case(
        name=str(columns["names"][i]),
        preset=Preset.from_plain(columns["parameters"][i].astype(np.float64)),
        sample_rate=int(columns["sample_rate"][i]),
        drift=bool(columns["drift"][i]),
        warmup_s=float(columns["warmup_s"][i]),
        events=tuple(Event.from_row(row) for row in rows),
        stride=int(columns["stride"]),
        expected=expected[np.isfinite(expected)],
    )
