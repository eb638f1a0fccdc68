"""Pictures of an evaluation: distances against seconds or how they are spread; what is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from evaluation import knobs
from evaluation.results import Results
from evaluation.scoring import matched
from evaluation.statistics import interval, share
from evaluation.tables import ours
from evaluation.tuning import tuning
from evaluation.work import TRUTH

_OURS, _RIVALS = "#0b6e99", "#b5542b"
_DEAR = 25.0  # dB; what is farther away says no more
_TICKS_DB = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
_TITLES = {
    "musical": "musical presets",
    "uniform": "uniform knobs",
    "nine": "the nine parameters of 2019",
    "split": "split",
}


def draw(results: Results, path: Path) -> None:
    """Distance against seconds if several budgets ran, else the spread of every system."""
    panel = _curve if len(ours(results.systems)) > 2 else _spread
    columns = 2 if len(results.sets) > 1 else 1
    rows = -(-len(results.sets) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(6.2 * columns, 4.2 * rows), squeeze=False, layout="constrained"
    )
    for axis, name in zip(axes.flat, results.sets, strict=False):
        count = len(results.cell(name, TRUTH).rows)
        axis.set_title(f"{_TITLES.get(name, name)} ({count} targets)", loc="left", fontsize=11)
        axis.spines[["top", "right"]].set_visible(False)
        panel(axis, results, name)
    for axis in axes.flat[len(results.sets) :]:
        axis.set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _curve(axis: Axes, results: Results, set: str) -> None:
    """Median distance against seconds of matching, with its 95 % interval."""
    seconds, middles = [], []
    for system in ours(results.answering(set)):
        cell = results.cell(set, system)
        budget = system.removesuffix(" s")
        spent = np.median(cell.numbers("elapsed_s"))
        seconds.append(float(budget) if budget[0].isdigit() else float(spent))
        middles.append(interval(cell.distances("mss_db")))
    axis.fill_between(
        seconds, [m.low for m in middles], [m.high for m in middles], color=_OURS, alpha=0.18
    )
    axis.plot(seconds, [m.value for m in middles], "o-", color=_OURS, lw=2)
    axis.annotate(
        "Antithesis", (seconds[-1], middles[-1].value), (0, 8), textcoords="offset points",
        color=_OURS, ha="right", fontweight="bold",
    )  # fmt: skip
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xticks(seconds, [f"{s:.2g}" for s in seconds])
    axis.set_yticks(_TICKS_DB, [f"{db:g}" for db in _TICKS_DB])
    axis.minorticks_off()
    axis.set_xlabel("seconds of matching")
    axis.set_ylabel("MSS, dB (median)")
    _levels(axis, results, set)


def _levels(axis: Axes, results: Results, set: str) -> None:
    """What needs no time: the baselines, and the floor below which chance alone decides.

    Their names stand side by side, for some are on one height.
    """
    systems = results.answering(set)
    fixed = [s for s in systems if s not in ours(systems) and "renders of" not in s]
    for place, system in enumerate(fixed):
        value = float(np.median(results.cell(set, system).distances("mss_db")))
        color = "0.45" if system == TRUTH else _RIVALS
        axis.axhline(value, color=color, ls=":" if system == TRUTH else "--", lw=1)
        axis.annotate(
            "the synth's own chance" if system == TRUTH else system,
            (0.02 + 0.25 * (place % 4), value), (0, 3), xycoords=axis.get_yaxis_transform(),
            textcoords="offset points", color=color, fontsize=8,
        )  # fmt: skip


def _spread(axis: Axes, results: Results, set: str) -> None:
    """Every target's distance, and the median with its 95 % interval, system by system."""
    rng = np.random.default_rng(0)
    systems = results.answering(set)
    for place, system in enumerate(systems):
        distances = np.minimum(results.cell(set, system).distances("mss_db"), _DEAR)
        middle = interval(distances)
        color = _color(system)
        height = place + rng.uniform(-0.26, 0.26, len(distances))
        axis.plot(distances, height, ".", color=color, alpha=0.35, ms=5, mew=0)
        axis.plot([middle.low, middle.high], [place, place], color="black", lw=3)
        axis.plot(middle.value, place, "D", color="white", mec="black", ms=6)
        axis.annotate(
            f"{middle.value:.2f}", (middle.value, place), (0, 9), textcoords="offset points",
            ha="center", fontsize=8, bbox={"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.8},
        )  # fmt: skip
    axis.set_yticks(range(len(systems)), systems)
    axis.set_ylim(len(systems) - 0.4, -0.7)
    axis.set_xlim(left=-0.02 * axis.get_xlim()[1])
    axis.grid(axis="x", color="0.9")
    axis.set_axisbelow(True)
    axis.set_xlabel("MSS, dB (median, 95 % interval)")


def _color(system: str) -> str:
    if system == TRUTH:
        return "0.45"
    return _OURS if ours([system]) else _RIVALS


Share = Callable[[Results, str], float]
"""What of a system's answers is right, 0 to 1; NaN where nothing tells."""


def _matched(results: Results, system: str) -> float:
    cell = results.cell("musical", system)
    return share(matched(cell.distances("mss_db"), cell.floors_db)).value


def _choices(by: Callable[[knobs.Compared, str], float]) -> Share:
    return lambda results, system: knobs.choices(results.cell("musical", system).knobs, by)


def _in_tune(rule: str, left_out: str = "") -> Share:
    def of(results: Results, system: str) -> float:
        sets = [name for name in results.sets if name != left_out]
        errors = [e for name in sets for e in getattr(results.cell(name, system), rule)]
        return tuning(errors).in_tune.value

    return of


def _near(id: str) -> Share:
    return lambda results, system: knobs.time(results.cell("nine", system).knobs, id).value


@dataclass(frozen=True)
class _Panel:
    """What is drawn together: shares by name, and the bar for each number of seconds."""

    title: str
    lines: dict[str, Share]
    bars: dict[float, float]


_PANELS = (
    _Panel("musical presets matched", {"matched": _matched}, {0.15: 0.1, 2: 0.25, 10: 0.45}),
    _Panel(
        "waveforms, FM mode, filter right (musical)",
        {"mean of the four": _choices(knobs.right), "each value alike": _choices(knobs.accuracy)},
        {0.15: 0.8, 2: 0.85, 10: 0.9},
    ),
    _Panel(
        "in tune within 5 cents",
        {
            "by preset": _in_tune("cents_by_preset"),
            "by ear": _in_tune("cents_by_ear"),
            "by preset, without uniform": _in_tune("cents_by_preset", "uniform"),
            "by ear, without uniform": _in_tune("cents_by_ear", "uniform"),
        },
        {0.15: 0.95, 2: 0.97, 10: 0.98},
    ),
    _Panel(
        "times of the nine within 10 % or 5 ms",
        {"attack": _near("kVolEnvA"), "decay": _near("kVolEnvD")},
        {10: 0.9},
    ),
)


def draw_shares(results: Results, path: Path) -> None:
    """What is right against seconds, with the bars that a good matcher has to pass.

    Raises:
        ValueError: the sets musical, uniform and nine are not all there, or no budget is.
    """
    budgets = [system for system in ours(results.systems) if system[0].isdigit()]
    if not budgets or not {"musical", "uniform", "nine"} <= set(results.sets):
        raise ValueError("what is right is drawn of musical, uniform and nine, with a --budget")
    seconds = [float(system.removesuffix(" s")) for system in budgets]
    figure, axes = plt.subplots(2, 2, figsize=(12.4, 8.4), layout="constrained")
    for axis, panel in zip(axes.flat, _PANELS, strict=True):
        axis.set_title(panel.title, loc="left", fontsize=11)
        axis.spines[["top", "right"]].set_visible(False)
        for label, of in panel.lines.items():
            axis.plot(seconds, [100 * of(results, s) for s in budgets], "o-", lw=2, label=label)
        axis.plot(
            panel.bars.keys(), [100 * bar for bar in panel.bars.values()], "k_", ms=18, mew=2,
            label="to be met",
        )  # fmt: skip
        axis.set_xscale("log")
        axis.set_xticks(seconds, [f"{s:g}" for s in seconds])
        axis.minorticks_off()
        axis.set_xlabel("seconds of matching")
        axis.set_ylabel("%")
        axis.legend(frameon=False, loc="lower right")
    figure.savefig(path, dpi=110)
    plt.close(figure)
