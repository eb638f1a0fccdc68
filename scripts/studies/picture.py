"""A picture of how far a knob goes unheard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from studies.alike import SETS, Turned
from studies.turning import STEPS

_COLORS = {
    "oscillators": "#0b6e99",
    "FM": "#b5542b",
    "filter": "#4c8c4a",
    "volume envelope": "#7b4fa3",
    "modulation envelope": "#c2992b",
    "vibrato": "0.45",
}
_TITLES = {"musical": "musical presets", "uniform": "uniform knobs"}


def draw(turned: Sequence[Turned], path: Path) -> None:
    """The share of presets that sound the same, against how far a knob was turned."""
    figure, axes = plt.subplots(1, len(SETS), figsize=(10, 4), sharey=True, layout="constrained")
    for axis, set in zip(axes, SETS, strict=True):
        count = len({each.preset for each in turned if each.set == set})
        axis.set_title(f"{_TITLES[set]} ({count})", loc="left", fontsize=11)
        axis.set_xlabel("one knob turned by, % of its way")
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", color="0.9")
        _groups(axis, [each for each in turned if each.set == set])
    axes[0].set_ylabel("sound the same, %")
    axes[-1].legend(frameon=False, fontsize=9)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def _groups(axis: Axes, turned: Sequence[Turned]) -> None:
    for name, color in _COLORS.items():
        shares = [_share(turned, name, step) for step in STEPS]
        axis.plot(range(len(STEPS)), shares, "o-", color=color, label=name)
    axis.set_xticks(range(len(STEPS)), [f"{100 * step:.0f}" for step in STEPS])
    axis.set_ylim(0, 100)


def _share(turned: Sequence[Turned], name: str, step: float) -> float:
    same = [each.same for each in turned if each.step == step and group(each.id) == name]
    return 100.0 * float(np.mean(same)) if same else np.nan


def group(id: str) -> str:
    """The part of the synth that a knob belongs to; amounts to what they move."""
    if id.endswith("Fm") or id.startswith("kFm"):
        return "FM"
    if id.endswith("Cutoff") or id.startswith("kFilter"):
        return "filter"
    if id.startswith("kOsc"):
        return "oscillators"
    if id.startswith("kVolEnv"):
        return "volume envelope"
    return "modulation envelope" if id.startswith("kModEnv") else "vibrato"
