"""The benchmark runs, and says what it measured; what the clock showed is nobody's failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import bench
import pytest

from benchmarks import companion, growth, measure, others, realtime, renderer, searching
from benchmarks.measure import Effort, Missing, Row
from benchmarks.plainc import NoCompiler

pytestmark = pytest.mark.timeout(300)  # the first one compiles

TINY = Effort(rounds=1, notes=2, seconds=0.05, files=1)


def test_the_renderer_is_measured_beside_plain_c() -> None:
    found = list(renderer.rows(TINY))
    assert all(row.value > 0 for row in found if isinstance(row, Row))
    assert any("plain C" in row.what for row in found)
    assert any(isinstance(row, Row) and row.goal == 1.5 for row in found)


def test_without_a_compiler_the_rest_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise NoCompiler("no C compiler (cc)")

    monkeypatch.setattr(renderer, "PlainC", none)
    found = list(renderer.rows(TINY))
    assert Missing("plain C, random presets", "no C compiler (cc)") in found
    assert sum(isinstance(row, Row) for row in found) == 8


def test_real_time_is_a_share_of_a_core_and_a_latest_block() -> None:
    share, *slowest = realtime.rows(TINY)
    assert share.unit == "%"
    assert share.value > 0
    assert [row.unit for row in slowest] == ["ms"] * 5
    assert sum("plays nothing" in row.what for row in slowest) == 2
    assert all("blocks too late" in row.note for row in slowest)


def test_the_search_is_measured_by_candidate_and_start_to_end() -> None:
    features, evaluations = searching.rows(TINY)
    assert (features.unit, features.goal) == ("ms", 1.0)
    assert (evaluations.unit, evaluations.goal) == ("/s", 700.0)
    assert min(features.value, evaluations.value) > 0


def test_the_daemon_is_measured_from_its_start_to_its_first_presets() -> None:
    found = list(companion.rows(TINY))
    said = " ".join(row.what for row in found)
    for what in ("ready", "at rest", "preset confirmed", "memory"):
        assert what in said
    assert all(row.value > 0 for row in found if isinstance(row, Row) and row.unit != "%")


def test_another_renderer_that_is_not_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = {"nowhere": ("no_such_module_anywhere", others._vita)}
    monkeypatch.setattr(others, "OTHERS", absent)
    monkeypatch.setattr(others, "ProcessPoolExecutor", InThisProcess)
    assert list(others.rows(TINY)) == [Missing("nowhere", "pip install no_such_module_anywhere")]


class InThisProcess:
    """A pool of no processes: a child would not know what the test has changed."""

    def __init__(self, _size: int, **_options: object) -> None: ...

    def __enter__(self) -> InThisProcess:
        return self

    def __exit__(self, *_trouble: object) -> None: ...

    def submit(self, do: object, *arguments: object) -> InThisProcess:
        self._do, self._arguments = do, arguments
        return self

    def result(self) -> object:
        return self._do(*self._arguments)  # type: ignore[operator]


def test_what_is_compared_takes_turns() -> None:
    order: list[str] = []
    taken = measure.in_turn([lambda: order.append("a"), lambda: order.append("b")], rounds=2)
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert [len(times) for times in taken] == [2, 2]


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    assert measure.median_ratio([2.0, 9.0, 4.0], [1.0, 1.0, 1.0]) == 4.0


def test_growth_is_a_picture(tmp_path: Path) -> None:
    curve = growth.Curve("length", "seconds", "ms", [1.0, 2.0], [3.0, 4.0])
    growth.draw([curve, curve], tmp_path / "cost.png")
    assert (tmp_path / "cost.png").read_bytes().startswith(b"\x89PNG")


def test_a_benchmark_is_a_row_of_a_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def two(_effort: Effort) -> Iterator[Row | Missing]:
        yield Row("how long", 12.5, "ms", 20.0, "twice as fast")
        yield Missing("the other", "not here")

    monkeypatch.setattr(bench, "BENCHMARKS", {"two": two})
    kept = tmp_path / "bench.json"
    bench.main(["--only", "two", "--json", str(kept)])
    printed = capsys.readouterr().out
    assert "12.50 ms" in printed
    assert "(goal 20)" in printed
    assert "not measured: not here" in printed
    rows = json.loads(kept.read_text("utf-8"))["rows"]
    assert rows[0]["value"] == 12.5
    assert rows[1]["reason"] == "not here"
