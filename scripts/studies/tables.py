"""The study's tables, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from antithesis.parameters import PARAMETERS
from antithesis.sampling import DISTRIBUTIONS
from evaluation.statistics import interval
from evaluation.tables import table
from studies import marks
from studies.alike import SETS, Turned
from studies.asking import Answers
from studies.marks import Mark
from studies.telling import Told
from studies.turning import REDRAWN, STEPS, hears

_DRAWS = 10_000
_SPLITS = (0.0, 0.005, 0.01, 0.015, 0.02, 0.025)
_TURNS = (REDRAWN, *STEPS)
Lines = Iterator[str]


def views(found: Answers) -> Lines:
    """Which view hears which knob, with headings."""
    yield f"### Which view hears which knob, after {found.trained:,} sounds"
    yield from _knobs(found)


def leans(found: Answers) -> Lines:
    """Which view the network that ships leans on, with headings."""
    yield f"### The network that ships ({found.trained:,} sounds), with a view of another sound"
    yield from _knobs(found)


def tells(told: Sequence[Told]) -> Lines:
    """Which view tells a turned knob, with headings."""
    yield f"### Which view tells a knob turned by {told[0].step:.0%}, % of the time (deaf: 50)"
    ids = [p.id for p in PARAMETERS]
    sets = sorted({each.set for each in told})
    of = {(s, id): [t for t in told if (t.set, t.id) == (s, id)] for s in sets for id in ids}
    lines = [(f"{id}, {set}", _told(id, each)) for (set, id), each in of.items() if each]
    yield _views(lines, ".0f")


def _told(id: str, told: Sequence[Told]) -> Mark:
    of = {name: np.array([100 * t.of_views[name] for t in told]) for name in told[0].of_views}
    return Mark(id, of, 50.0, more_is_better=True)


def _knobs(found: Answers) -> Lines:
    mixture = found.sets["mixture"]
    yield "Split, attack and decay, % near:"
    near = [
        ("split", marks.split_near(found.sets["split"])),
        ("attack", marks.time_near(found.sets["nine"], "kVolEnvA")),
        ("decay", marks.time_near(found.sets["nine"], "kVolEnvD")),
    ]
    yield _views(near, ".0f")
    yield "Splits near, %, by their size:"
    yield _by_size(list(marks.split_near_by_size(found.sets["split"], _SPLITS)))
    yield "Choices, % right:"
    yield _views([(mark.name, mark) for mark in marks.choices(mixture)], ".0f")
    yield "Amounts, mean error in hundredths of the way from end to end:"
    yield _views([(mark.name, mark) for mark in marks.amounts(mixture)], ".1f")


def _views(lines: Sequence[tuple[str, Mark]], form: str) -> str:
    ears = list(lines[0][1].of_ears)
    return table(
        ["heard (sounds that tell it)", "unheard", *ears],
        [_view(name, mark, form) for name, mark in lines if mark.count],
    )


def _by_size(lines: Sequence[tuple[str, Mark]]) -> str:
    ears = list(lines[0][1].of_ears)
    rows = [
        [f"{size} ({mark.count})", *(f"{mark.of_ears[ear].mean():.0f}" for ear in ears)]
        for size, mark in lines
    ]
    return table(["split (sounds)", *ears], rows)


def _view(name: str, mark: Mark, form: str) -> list[str]:
    best = mark.best()
    cells = {ear: format(of.mean(), form) for ear, of in mark.of_ears.items()}
    bold = [f"**{cell}**" if ear in best else cell for ear, cell in cells.items()]
    return [f"{name} ({mark.count:,})", format(mark.guess, form), *bold]


def alike(turned: Sequence[Turned], seed: int) -> Lines:
    """How often a preset sounds the same with one knob elsewhere, with headings."""
    yield "### How many knobs one note lets hear"
    yield heard(seed)
    yield "### How often a preset sounds the same with one knob elsewhere, %"
    header = ["knob turned"]
    for set in SETS:
        header += [f"{set} (presets)", "redrawn", *(f"{step:.0%}" for step in STEPS)]
    ids = [p.id for p in PARAMETERS if any(each.id == p.id for each in turned)]
    rows = [[id, *_same([each for each in turned if each.id == id])] for id in ids]
    yield table(header, [*rows, ["any", *_same(turned)]])
    yield "### The same of all knobs: mean over presets [95 % interval]"
    yield table(["set", "redrawn", *(f"{step:.0%}" for step in STEPS)], _overall(turned))


def heard(seed: int) -> str:
    """How many of the 38 the presets of each distribution let hear."""
    rows = []
    for name, draw in DISTRIBUTIONS.items():
        counts = hears(draw(np.random.default_rng(seed), _DRAWS)).sum(axis=1)
        few, many = np.quantile(counts, (0.1, 0.9))
        rows.append([name, f"{counts.mean():.1f}", f"{few:.0f} to {many:.0f}"])
    return table(["set", "of 38, mean", "eight in ten presets"], rows)


def _same(turned: Iterable[Turned]) -> list[str]:
    cells = []
    for set in SETS:
        of_set = [each for each in turned if each.set == set]
        cells.append(f"{len({each.preset for each in of_set})}")
        for step in _TURNS:
            same = [each.same for each in of_set if each.step == step]
            cells.append(f"{100 * np.mean(same):.0f}" if same else "-")
    return cells


def _overall(turned: Sequence[Turned]) -> Iterator[list[str]]:
    for set in SETS:
        presets = sorted({each.preset for each in turned if each.set == set})
        cells = []
        for step in _TURNS:
            of = {preset: [] for preset in presets}
            for each in turned:
                if each.set == set and each.step == step:
                    of[each.preset].append(each.same)
            shares = [np.mean(same) for same in of.values() if same]
            cells.append(interval(shares, np.mean).text(".0f", 100))
        yield [f"{set} ({len(presets)})", *cells]
