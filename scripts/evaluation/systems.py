"""Who answers: our matcher, read off along its way, and the baselines it has to beat.

What a baseline is told is said with it; where in doubt it is told more than our matcher, which
hears the sound and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antithesis import distances, pitch, sampling
from antithesis.fourier import SAMPLE_RATE
from antithesis.grid import Grid
from antithesis.matching import Match, match
from antithesis.network import Network, load_network
from antithesis.objective import Objective
from antithesis.parameters import N_PARAMETERS, to_plain
from antithesis.preset import Preset
from antithesis.synth import render_notes
from evaluation import families
from evaluation.scoring import QUIETEST_DB, Answer, level_db, levelled
from evaluation.targets import DURATION_S, Target

Floats = npt.NDArray[np.float64]

PRIOR = {"musical": 0.5, "uniform": 0.5}
NETWORK = "network"
MEAN = "mean preset"
MEAN_OF_SET = "mean preset of the set"
INIT = "Init"
LIBRARY_SEED = 1_000
_WARMUPS_S = (0.2, 4.0)
_HANDFUL = 50
_DRAWS = 20_000  # whose mean is taken
_SHORTLIST = 200
_MIDDLE_NOTE = 60
_VELOCITY = 100


@dataclass(frozen=True)
class Case:
    """A target as a system meets it."""

    target: Target
    sound: Floats
    seed: int


def matches(
    sound: Floats, weights: Path | None, budgets_s: Sequence[float], seed: int
) -> dict[str, Answer]:
    """Our matcher, told nothing but the sound: the network's answer, and the best in time.

    It runs once, for the longest budget, and is read off on its way: a match is found by a budget
    if it was yielded within it. The network's answer, the first, counts whenever it comes.
    """
    budgets_s = sorted(budgets_s)
    longest = budgets_s[-1] if budgets_s else 0.0
    answers = {}
    for found in match(sound, network(weights), budget_s=longest, seed=seed):
        answers.setdefault(NETWORK, _answer(found))
        for budget in budgets_s:
            if found.elapsed_s <= budget or system(budget) not in answers:
                answers[system(budget)] = _answer(found, budget)
        if not budgets_s:
            break
    return answers


def on_grid(
    case: Case,
    weights: Path | None,
    budgets_s: Sequence[float],
    ours: Mapping[str, Answer],
    steps: int,
) -> Iterable[tuple[str, Answer]]:
    """What knobs of so many even steps leave: our matches rounded, and the best found among them.

    The second has to search and to fit within the same time.
    """
    grid = Grid.even([steps] * N_PARAMETERS)
    for budget in budgets_s:
        free = ours[system(budget)]
        rounded = Preset.from_normalized(grid.nearest(free.preset.normalized))
        yield f"{system(budget)}, rounded", replace(free, preset=rounded)
        *_, last = match(case.sound, network(weights), budget_s=budget, seed=case.seed, grid=grid)
        yield f"{system(budget)}, on the grid", _answer(last)


def system(budget_s: float) -> str:
    """The name of our matcher with so many seconds."""
    return f"{budget_s:g} s"


@cache
def network(weights: Path | None) -> Network:
    """The network, loaded once a process."""
    return load_network(weights)


def _answer(found: Match, budget_s: float = 0.0) -> Answer:
    """The match, with the renders that fit into the budget at the rate up to it."""
    return Answer(
        found.preset,
        found.note,
        found.velocity,
        found.gate_s,
        renders=round(found.evaluations * max(1.0, budget_s / found.elapsed_s)),
        elapsed_s=found.elapsed_s,
    )


def mean_preset(case: Case) -> Answer:
    """The mean of the prior in normalized units, on the tracked key, at the target's level."""
    return _mean_of(case, tuple(PRIOR))


def mean_of_set(case: Case) -> Answer:
    """As `mean_preset`, but told which distribution the target was drawn from."""
    return _mean_of(case, (case.target.set,))


def _mean_of(case: Case, names: tuple[str, ...]) -> Answer:
    preset, gate_s = _mean(names)
    return level(case, Answer(preset, tracked_note(case.sound), _VELOCITY, gate_s))


@cache
def _mean(names: tuple[str, ...]) -> tuple[Preset, float]:
    rng = np.random.default_rng(LIBRARY_SEED)
    drawn = [families.draw(name, rng, _DRAWS // len(names)) for name in names]
    mean = np.concatenate([part.normalized for part in drawn]).mean(0)
    return Preset.from_normalized(mean), float(np.concatenate([p.gate_s for p in drawn]).mean())


def init_preset(case: Case) -> Answer:
    """The plug-in's Init, told note, velocity and gate."""
    target = case.target
    return level(case, Answer(Preset.init(), target.note, target.velocity, target.gate_s))


def nearest(case: Case, sizes: Sequence[int]) -> Iterable[tuple[str, Answer]]:
    """The nearest by MSS of so many presets from the prior, told note, velocity and gate.

    The same presets for every target, all of them loud enough to hear on a note of their own; a
    smaller library is the beginning of a larger. They are rendered anew for each target, as it was
    played. Those that the search's fast distance puts in the nearest tenth, 200 at most, are
    measured by exact MSS.
    """
    stage = Stage(case)
    drawn = library(max(sizes))
    warmups_s = stage.phases(np.random.default_rng(case.seed), len(drawn))
    fast = stage.distances(drawn, warmups_s)
    judge = distances.Target(case.sound)
    for size in sizes:
        near = fast[:size].argsort()[: min(max(10, size // 10), _SHORTLIST)]
        exact = judge.compare(distances.mss, stage.play(drawn[near], warmups_s[near]))
        answer = rated(case, drawn[near[exact.argmin()]])
        yield library_name(size), replace(answer, renders=size)


def library_name(size: int) -> str:
    """The name of the baseline `nearest`."""
    return f"nearest of {size:,}"


@cache
def library(size: int) -> Floats:
    """Normalized presets (size, 38) from the prior, silent ones left out."""
    return draw(np.random.default_rng(LIBRARY_SEED), size)


def draw(rng: np.random.Generator, count: int) -> Floats:
    """Normalized presets (count, 38) from the prior, silent ones left out."""
    kept: list[Floats] = []
    while len(kept) < count:
        drawn = sampling.mixture(rng, 50, PRIOR)
        sounds = render_notes(drawn.normalized, drawn.note, drawn.velocity, drawn.gate_s)
        loud = [level_db(sound) > QUIETEST_DB for sound in sounds]
        kept += list(drawn.normalized[loud])
    return np.array(kept[:count])


class Stage:
    """Presets played as the target was, and how far our search's own distance puts them."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._objective = Objective(case.sound)

    @staticmethod
    def phases(rng: np.random.Generator, count: int) -> Floats:
        """Random warm-ups in seconds (count,), so that no vibrato starts like another."""
        return rng.uniform(*_WARMUPS_S, count)

    def play(self, normalized: Floats, warmups_s: Floats) -> Floats:
        """Sounds (n, samples) of presets (n, 38)."""
        target = self.case.target
        return render_notes(
            normalized,
            target.note,
            target.velocity,
            target.gate_s,
            warmup_s=warmups_s,
            duration_s=DURATION_S,
        )

    def distances(self, normalized: Floats, warmups_s: Floats) -> Floats:
        """Distances (n,) of presets (n, 38) in dB."""
        parts = zip(*(_handfuls(x) for x in (normalized, warmups_s)), strict=True)
        return np.concatenate([self._objective(self.play(*part)) for part in parts])


def _handfuls(rows: Floats) -> list[Floats]:
    """Few enough at a time for their sounds to stay in memory."""
    return np.split(rows, range(_HANDFUL, len(rows), _HANDFUL))


def rated(case: Case, normalized: Floats) -> Answer:
    """A preset played as the target was, at the target's level."""
    target = case.target
    preset = Preset.from_plain(to_plain(normalized))
    return level(case, Answer(preset, target.note, target.velocity, target.gate_s))


def level(case: Case, answer: Answer) -> Answer:
    """The same at the target's level."""
    sound = render_notes(
        answer.preset.normalized[None], answer.note, answer.velocity, answer.gate_s
    )[0]
    return replace(answer, preset=levelled(answer.preset, sound, case.sound))


def tracked_note(sound: Floats) -> int:
    """The key nearest to the tracked pitch, or the middle one."""
    heard = pitch.track(sound, SAMPLE_RATE)
    return pitch.nearest_note(heard.f0_hz)[0] if heard.f0_hz else _MIDDLE_NOTE


def baselines(case: Case, libraries: Sequence[int]) -> Iterable[tuple[str, Answer]]:
    """Every baseline that neither learns nor searches."""
    yield MEAN, mean_preset(case)
    yield MEAN_OF_SET, mean_of_set(case)
    yield INIT, init_preset(case)
    if libraries:
        yield from nearest(case, libraries)
