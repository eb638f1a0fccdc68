"""The benchmark runs, and says what it measured; what the clock showed is nobody's failure."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bench
import numpy as np
import pytest

from benchmarks import companion, growth, measure, others, realtime, renderer, searching
from benchmarks.compiler import NoCompiler
from benchmarks.measure import Effort, Missing, Row

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
    assert [row.unit for row in slowest] == ["ms"] * 3
    assert all("blocks too late" in row.note for row in slowest)


def test_blocks_are_replayed_without_the_stalls_of_the_core() -> None:
    asked = np.arange(4.0)
    found = realtime.Punctuality(asked, np.array([0.25, 3.5, 3.75, 4.0]))
    stalls = realtime.merged([(1.0, 4.0 - 1.0), (1.5, 3.0), (2.9, 3.25)])
    assert stalls.tolist() == [[1.0, 3.25]]
    np.testing.assert_allclose(found.without(stalls).took, [0.25] * 3 + [1.0 - 0.75])
    np.testing.assert_allclose(found.without(stalls[:0]).took, found.took)


def test_a_block_that_takes_too_long_by_itself_stays_late_without_stalls() -> None:
    found = realtime.Punctuality(np.arange(2.0), np.array([1.5, 3.5]))
    elsewhere = np.array([[1.75, 1.9], [7.0, 8.0]])
    np.testing.assert_allclose(found.without(elsewhere).took, [1.5, 2.35])


@pytest.mark.skipif(sys.platform != "linux", reason="the bystander is for Linux")
def test_the_bystander_is_late_while_its_core_is_taken() -> None:
    try:
        with realtime.Bystander(realtime.CORE) as bystander:
            taken = _hold_the_core(0.05)
    except realtime.NoBystander:
        pytest.skip("no C compiler, or no real-time priority is granted here")
    assert any(due < taken[1] and came - due > 0.04 for due, came in bystander.stalls.tolist())


def _hold_the_core(seconds: float) -> tuple[float, float]:
    """Compute on the bystander's core, before all others."""
    held = subprocess.run(
        [sys.executable, "-c", _HOLDS, str(realtime.CORE), str(seconds)],
        capture_output=True,
        text=True,
        check=True,
    )
    begin, end = map(float, held.stdout.split())
    return begin, end


_HOLDS = """
import os, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
begin = time.perf_counter()
while time.perf_counter() < begin + float(sys.argv[2]):
    pass
print(begin, time.perf_counter())
"""


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
