"""The published tables, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from evaluation import knobs
from evaluation.results import Cell, Results
from evaluation.scoring import matched
from evaluation.statistics import interval, lead, share
from evaluation.systems import NETWORK
from evaluation.tuning import tuning
from evaluation.work import TRUTH

_OTHER_METRICS = (
    ("sot", "SOT", ".4f"),
    ("rms_cos", "RMS-cos", ".3f"),
    ("log_mel_l1_db", "log-mel L1, dB", ".2f"),
    ("wmfcc", "wMFCC", ".1f"),
)
Lines = Iterator[str]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def report(results: Results, per_parameter: bool) -> str:
    """All tables, with a heading each."""
    return "\n\n".join(_sections(results, per_parameter))


def _sections(results: Results, per_parameter: bool) -> Lines:
    yield "### Distances: medians [95 % interval]"
    yield distances(results)
    if NETWORK in results.systems:
        yield "### Ahead by, in dB of MSS: median of paired differences [95 %], share of wins"
        yield leads(results)
    yield "### Knobs"
    yield parameters(results)
    yield "### Pitch"
    yield pitches(results)
    if per_parameter:
        for system in ours(results.systems):
            yield f"### Every parameter, {system}: error in normalized units (targets that tell it)"
            yield every_parameter(results, system)


def ours(systems: Iterable[str]) -> list[str]:
    """Our own among the systems that answered."""
    return [name for name in systems if name == NETWORK or _is_budget(name)]


def _is_budget(name: str) -> bool:
    return name.removesuffix(" s").replace(".", "").isdigit()


def distances(results: Results) -> str:
    """Every system on every set, by every metric."""
    measured = results.rows[0].distances
    others = [metric for metric in _OTHER_METRICS if metric[0] in measured]
    header = ["set (targets)", "system", "MSS, dB", "matched, %"]
    header += [name for _, name, _ in others] + ["level, dB", "renders", "seconds"]
    rows = []
    for set, system, cell in _cells(results):
        mss = cell.distances("mss_db")
        row = [f"{set} ({len(mss)})", system, interval(mss).text()]
        row.append(share(matched(mss, cell.floors_db)).text(".0f", 100))
        row += [format(np.median(cell.distances(key)), form) for key, _, form in others]
        row.append(f"{np.median(np.abs(cell.numbers('level_error_db'))):.2f}")
        rows.append(row + _cost(cell))
    return table(header, rows)


def _cells(results: Results) -> Iterator[tuple[str, str, Cell]]:
    for set in results.sets:
        for system in results.answering(set):
            yield set, system, results.cell(set, system)


def _cost(cell: Cell) -> list[str]:
    renders = np.median(cell.numbers("renders"))
    seconds = np.median(cell.numbers("elapsed_s"))
    return [f"{renders:.0f}" if renders else "-", f"{seconds:.2f}" if seconds else "-"]


def leads(results: Results) -> str:
    """Each of our systems against each of the others."""
    rows = []
    for set in results.sets:
        systems = results.answering(set)
        rivals = [name for name in systems if name not in (*ours(systems), TRUTH)]
        for system, rival in product(ours(systems), rivals):
            if _equal_renders(rival, system):
                pair = results.paired(set, system, rival)
                if pair[0].rows:  # they may have answered other targets
                    ahead = lead(*(cell.distances("mss_db") for cell in pair))
                    name, won = f"{set} ({len(pair[0].rows)})", f"{100 * ahead.won:.0f} %"
                    rows.append([name, system, rival, ahead.by.text("+.2f"), won])
    return table(["set (targets)", "system", "against", "ahead by, dB", "wins"], rows)


def _equal_renders(rival: str, system: str) -> bool:
    """A rival with the renders of one of our systems is held against that one alone."""
    return "renders of" not in rival or rival.endswith(f"renders of {system}")


def parameters(results: Results) -> str:
    """Mean error of what is continuous, accuracy of choices, and the study's own questions."""
    header = ["set", "system", "continuous, mean error"]
    header += ["choices right, %", "each value counting the same, %"]
    header += ["split near, %", "attack near, %", "decay near, %", "attack / decay error, ms"]
    rows = []
    for set, system, cell in _cells(results):
        if system == TRUTH:
            continue
        compared = cell.knobs
        row = [set, system, knobs.mean_error(compared).text(".3f")]
        shares = (knobs.choices(compared, by) for by in (knobs.right, knobs.accuracy))
        row += [f"{100 * share:.0f}" for share in shares]
        row.append(knobs.split(compared).text(".0f", 100) if set == "split" else "-")
        rows.append(row + (_times(compared) if set == "nine" else ["-"] * 3))
    return table(header, rows)


def _times(compared: knobs.Compared) -> list[str]:
    near = [knobs.time(compared, id).text(".0f", 100) for id in ("kVolEnvA", "kVolEnvD")]
    errors = [knobs.time_error_ms(compared, id).value for id in ("kVolEnvA", "kVolEnvD")]
    return [*near, " / ".join(f"{error:.1f}" for error in errors)]


def pitches(results: Results) -> str:
    """Our pitch errors by both rules, on every set and on all together."""
    header = ["set", "system", "rule", "tonal targets", "median error, cents"]
    header += ["within 5 cents, %", "octave errors, %", "no pitch, %"]
    rows = []
    for set in [*results.sets, "all"]:
        for system in ours(results.systems):
            cells = [c for s, of, c in _cells(results) if of == system and set in (s, "all")]
            for rule in ("cents_by_preset", "cents_by_ear"):
                errors = [error for cell in cells for error in getattr(cell, rule)]
                if errors:
                    name = rule.removeprefix("cents_").replace("_", " ")
                    rows.append([set, system, name, *_pitch(errors)])
    return table(header, rows)


def _pitch(errors_cents: list[float]) -> list[str]:
    found = tuning(errors_cents)
    shares = [f"{100 * value:.1f}" for value in (found.octaves, found.failed)]
    in_tune = found.in_tune.text(".1f", 100)
    return [str(found.count), found.median_cents.text(".1f"), in_tune, *shares]


def every_parameter(results: Results, system: str) -> str:
    """All 38 on every set."""
    cells = [(set, cell) for set, of, cell in _cells(results) if of == system]
    columns = [list(knobs.each_knob(cell.knobs)) for _, cell in cells]
    rows = [[line[0].id, *(knob.text() for knob in line)] for line in zip(*columns, strict=True)]
    return table(["parameter", *(set for set, _ in cells)], rows)


def figures(results: Results) -> dict[str, Any]:
    """The main figures by set and system, for programs."""
    found: dict[str, Any] = {}
    for set, system, cell in _cells(results):
        found.setdefault(set, {})[system] = _figures(cell)
    return found


def _figures(cell: Cell) -> dict[str, Any]:
    mss = cell.distances("mss_db")
    compared = cell.knobs
    middle = interval(mss)
    return {
        "targets": len(mss),
        "mss_db": [middle.value, middle.low, middle.high],
        "matched": share(matched(mss, cell.floors_db)).value,
        "mean_error": knobs.mean_error(compared).value,
        "choices_right": knobs.choices(compared, knobs.right),
        "choices": knobs.choices(compared),
        "in_tune_by_preset": tuning(cell.cents_by_preset).in_tune.value,
        "in_tune_by_ear": tuning(cell.cents_by_ear).in_tune.value,
    }
