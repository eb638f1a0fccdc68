"""Whoever can be asked of sounds, and all answers to the same fresh ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from antithesis.training import stream
from studies.views import Batch, Mels, batch
from train import VALIDATION_SEED

Floats = npt.NDArray[np.float64]

SETS: Final[dict[str, dict[str, float]]] = {
    "mixture": stream.Recipe().mixture,
    "split": {"split": 1.0},
    "nine": {"nine": 1.0},
}
BATCH: Final = 32
_AHEAD: Final = 6


class Listener(Protocol):
    """Who can be asked of sounds."""

    @property
    def name(self) -> str:
        """For a column of the tables."""

    @property
    def sizes(self) -> frozenset[Mels]:
        """The mel spectrograms it has to be shown."""

    def answer(self, seen: Batch) -> Floats:
        """Distributions (n, heads, WIDTH)."""


@dataclass(frozen=True)
class Heard:
    """What all listeners say of one set of sounds never trained on."""

    places: Floats  # (n, heads), the truth
    weights: Floats  # (n, heads), 1 where it can be heard
    answers: dict[str, Floats]  # of each listener, distributions (n, heads, WIDTH)


@dataclass(frozen=True)
class Answers:
    """All that was said of every set, and on how many sounds the listeners were trained."""

    trained: int
    sets: dict[str, Heard]


def ask(listeners: Sequence[Listener], pool: Pool, count: int) -> Iterator[tuple[str, Heard]]:
    """Every set with all answers: ``count`` sounds of the mixture, a quarter as many of others."""
    counts = {set: count if set == "mixture" else count // 4 for set in SETS}
    with tqdm(total=sum(counts.values()), unit=" sounds", desc="asked", mininterval=5) as bar:
        for set, mixture in SETS.items():
            recipe = stream.Recipe(VALIDATION_SEED, BATCH, degraded=0.0, mixture=mixture)
            seen, said = [], []
            for shown in islice(batches(pool, recipe, listeners), -(-counts[set] // BATCH)):
                seen.append((shown.places, shown.weights))
                said.append([each.answer(shown) for each in listeners])
                bar.update(BATCH)
            places, weights = map(np.concatenate, zip(*seen, strict=True))
            answers = map(np.concatenate, zip(*said, strict=True))
            names = [each.name for each in listeners]
            yield set, Heard(places, weights, dict(zip(names, answers, strict=True)))


def batches(pool: Pool, recipe: stream.Recipe, listeners: Sequence[Listener]) -> Iterator[Batch]:
    """Batches without end and in order, some rendered ahead of their use."""
    sizes = frozenset[Mels]().union(*(each.sizes for each in listeners))
    waiting: deque[Any] = deque()
    index = 0
    while True:
        while len(waiting) < _AHEAD:
            waiting.append(pool.apply_async(batch, (recipe, sizes, index)))
            index += 1
        yield waiting.popleft().get()


def write(found: Answers, path: Path) -> None:
    """Keep answers, so that tables can be made of them again."""
    arrays: dict[str, Any] = {"trained": np.array(found.trained)}
    for set, heard in found.sets.items():
        arrays |= {f"{set}/places": heard.places, f"{set}/weights": heard.weights}
        for name, answers in heard.answers.items():
            arrays[f"{set}/answers/{name}"] = answers.astype(np.float16)
    np.savez_compressed(path, **arrays)


def read(path: Path) -> Answers:
    """What :func:`write` kept."""
    with np.load(path) as kept:
        arrays = {name: kept[name] for name in kept.files}
    return Answers(int(arrays["trained"]), {set: _heard(arrays, set) for set in SETS})


def _heard(arrays: dict[str, Any], set: str) -> Heard:
    begin = f"{set}/answers/"
    answers = {
        name.removeprefix(begin): value.astype(np.float64)
        for name, value in arrays.items()
        if name.startswith(begin)
    }
    return Heard(arrays[f"{set}/places"], arrays[f"{set}/weights"], answers)
