"""Pictures of an evaluation: distance against seconds, or how the distances are spread."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from evaluation.results import Results
from evaluation.statistics import interval
from evaluation.tables import ours
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
