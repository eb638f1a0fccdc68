"""How fast it is, beside plain C and other renderers.

    python scripts/bench.py                              all of it, a few minutes
    python scripts/bench.py --only renderer realtime
    python scripts/bench.py --quick --json bench.json    coarse figures in seconds, for CI
    python scripts/bench.py --picture cost.png           and how cost grows

Figures are medians of rounds in which whatever is compared takes turns. A goal is the most that a
figure should be on one core of a 2-core server with nothing else to do; nothing fails when it is
missed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks import capture, companion, growth, others, realtime, renderer, searching
from benchmarks.measure import FULL, QUICK, Effort, Missing, Row, load, machine

# A benchmark is a function that yields its rows: to add one, add it here.
BENCHMARKS: Mapping[str, Callable[[Effort], Iterator[Row | Missing]]] = {
    "renderer": renderer.rows,
    "search": searching.rows,
    "others": others.rows,
    "realtime": realtime.rows,
    "daemon": companion.rows,
    "capture": capture.rows,
}


def main(arguments: list[str] | None = None) -> None:
    """Measure, print as it comes, keep what was asked for."""
    options = parse(arguments)
    effort = QUICK if options.quick else FULL
    conditions = f"{machine()}; {load()}"
    print(conditions)
    found = list(measured(options.only, effort))
    curves = growth.curves(effort) if options.picture else []
    if options.json:
        kept = {"machine": conditions, "rows": found}
        kept |= {"growth": [asdict(curve) for curve in curves]} if curves else {}
        options.json.write_text(json.dumps(kept, indent=1), "utf-8")
    if options.picture:
        growth.draw(curves, options.picture)
        print(f"\nhow cost grows: {options.picture}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS), help="some of it")
    add("--quick", action="store_true", help="few rounds of small batches")
    add("--json", type=Path, metavar="FILE", help="keep the figures")
    add("--picture", type=Path, metavar="FILE", help="measure and draw how cost grows (.png)")
    return parser.parse_args(arguments)


def measured(names: list[str], effort: Effort) -> Iterator[dict[str, object]]:
    """Run benchmarks one after the other, each figure printed when it is known."""
    for name in names:
        print(f"\n{name}")
        for row in BENCHMARKS[name](effort):
            print(line(row), flush=True)
            yield {"benchmark": name, **asdict(row)}


def line(row: Row | Missing) -> str:
    """A figure as a line of the table."""
    if isinstance(row, Missing):
        return f"  {row.what:<52} not measured: {row.reason}"
    goal = f"(goal {row.goal:.3g})" if row.goal else ""
    return f"  {row.what:<52} {row.value:8.2f} {row.unit:<3} {goal:<12} {row.note}".rstrip()


if __name__ == "__main__":
    main()
