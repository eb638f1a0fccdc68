"""What came out: one row for each target and system, kept as JSON so that tables can be remade."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antithesis.preset import Preset
from evaluation.families import find
from evaluation.knobs import Compared, Played, compare
from evaluation.scoring import Answer, without_unheard
from evaluation.targets import Target
from evaluation.tuning import by_preset, cents

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One system's answer to one target, scored; plain values in the table's order.

    ``heard`` and ``told`` are the answer and the truth without what is on in vain.
    """

    set: str
    id: int
    system: str
    plain: tuple[float, ...]
    heard: tuple[float, ...]
    told: tuple[float, ...]
    note: int
    velocity: int
    gate_s: float
    renders: int
    elapsed_s: float
    level_error_db: float
    target_hz: float | None  # tracked, as the next one
    answer_hz: float | None
    distances: dict[str, float]

    @property
    def target(self) -> Target:
        """What was to be matched."""
        return find(self.set, self.id)

    @property
    def truth(self) -> Played:
        """The target's preset and how it is played."""
        target = self.target
        return Preset(self.told), target.note, target.velocity, target.gate_s

    @property
    def played(self) -> Played:
        """The answer's preset and how it is played."""
        return Preset(self.heard), self.note, self.velocity, self.gate_s


def row(target: Target, system: str, answer: Answer, **scored: Any) -> Row:
    """A row from an answer and what it scored."""
    return Row(
        set=target.set,
        id=target.id,
        system=system,
        plain=answer.preset.values,
        heard=without_unheard(answer).values,
        note=answer.note,
        velocity=answer.velocity,
        gate_s=answer.gate_s,
        renders=answer.renders,
        elapsed_s=round(answer.elapsed_s, 3),
        **scored,
    )


@dataclass(frozen=True)
class Cell:
    """All rows of one set and one system, by target."""

    rows: tuple[Row, ...]

    @property
    def ids(self) -> frozenset[int]:
        """Which targets of the set they answer."""
        return frozenset(row.id for row in self.rows)

    def distances(self, metric: str) -> Floats:
        """Distances (n,), by target."""
        return np.array([row.distances[metric] for row in self.rows])

    @property
    def floors_db(self) -> Floats:
        """Floors (n,) in dB of MSS."""
        return np.array([row.target.floor_db for row in self.rows])

    def numbers(self, field: str) -> Floats:
        """A numeric field of the rows (n,)."""
        return np.array([getattr(row, field) for row in self.rows])

    @property
    def knobs(self) -> Compared:
        """The presets against the true ones."""
        return compare([row.truth for row in self.rows], [row.played for row in self.rows])

    @property
    def cents_by_preset(self) -> list[float]:
        """Pitch errors over the targets whose preset has a pitch."""
        pairs = ((by_preset(Preset(r.plain), r.note), _true_hz(r.target)) for r in self.rows)
        return [cents(answer, truth) for answer, truth in pairs if truth]

    @property
    def cents_by_ear(self) -> list[float]:
        """Pitch errors over the targets in which the tracker is sure of one."""
        return [cents(r.answer_hz, r.target_hz) for r in self.rows if r.target_hz]


def _true_hz(target: Target) -> float | None:
    return by_preset(target.preset, target.note)


@dataclass(frozen=True)
class Results:
    """All rows of an evaluation, and what it was asked to do."""

    rows: tuple[Row, ...]
    options: dict[str, Any]

    @property
    def sets(self) -> list[str]:
        """Sets in the order they came in."""
        return list(dict.fromkeys(row.set for row in self.rows))

    @property
    def systems(self) -> list[str]:
        """Systems in the order they answered."""
        return list(dict.fromkeys(row.system for row in self.rows))

    @cached_property
    def _cells(self) -> dict[tuple[str, str], Cell]:
        rows: dict[tuple[str, str], list[Row]] = {}
        for one in sorted(self.rows, key=lambda row: row.id):
            rows.setdefault((one.set, one.system), []).append(one)
        return {key: Cell(tuple(found)) for key, found in rows.items()}

    def answering(self, set: str) -> list[str]:
        """The systems that answered a set: of several runs put together not all did."""
        return [system for system in self.systems if (set, system) in self._cells]

    def cell(self, set: str, system: str) -> Cell:
        """The rows of one set and one of the systems `answering` it."""
        return self._cells[set, system]

    def paired(self, set: str, *systems: str) -> list[Cell]:
        """The rows of several systems for those targets that all of them answered."""
        cells = [self.cell(set, system) for system in systems]
        shared = frozenset[int].intersection(*(cell.ids for cell in cells))
        return [Cell(tuple(row for row in cell.rows if row.id in shared)) for cell in cells]


def write(results: Results, path: Path, tables: dict[str, Any]) -> None:
    """Keep everything as JSON, the tables' figures among it."""
    whole = {
        "options": results.options,
        "tables": tables,
        "rows": [asdict(row) for row in results.rows],
    }
    path.write_text(json.dumps(whole, indent=1), encoding="utf-8")


def read(paths: Iterable[Path]) -> Results:
    """Results kept earlier; of several files' answers of one system to one target the last."""
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    rows = [Row(**_tupled(row)) for whole in kept for row in whole["rows"]]
    last = {(row.set, row.id, row.system): row for row in rows}
    options = {key: value for whole in kept for key, value in whole["options"].items()}
    return Results(tuple(last.values()), options)


def _tupled(row: dict[str, Any]) -> dict[str, Any]:
    return row | {key: tuple(row[key]) for key in ("plain", "heard", "told")}
