"""What ears that were asked got right, knob by knob, where the knob can be heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.encoding import HEADS, MIDDLE, PLACE, Head, likeliest
from evaluation import knobs
from studies.asking import Heard
from studies.views import AGAIN

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_SIGN_FREE: Final = ("kOsc1Split", "kOsc2Split")
_CERTAIN: Final = 2.0  # standard errors


@dataclass(frozen=True)
class Mark:
    """One line of the table: what each ear got on the sounds that tell it, (told,) each."""

    name: str
    of_ears: dict[str, Floats]
    guess: float  # without a look at the sound
    more_is_better: bool

    @property
    def count(self) -> int:
        """How many sounds tell it."""
        return len(next(iter(self.of_ears.values())))

    def best(self) -> list[str]:
        """The best ear, and all that chance may have put behind it; none if that is all."""
        contest = {name: of for name, of in self.of_ears.items() if name != AGAIN.name}
        sign = 1.0 if self.more_is_better else -1.0
        first = max(contest, key=lambda name: sign * contest[name].mean())
        near = [name for name in contest if not _behind(sign * (contest[first] - contest[name]))]
        return near if len(near) < len(contest) else []


def _behind(by: Floats) -> bool:
    """Whether paired differences are more than chance."""
    return bool(by.mean() > _CERTAIN * by.std() / np.sqrt(len(by)))


def choices(heard: Heard) -> Iterator[Mark]:
    """Per cent right of what is chosen among classes."""
    for head in HEADS:
        if head.choice:
            yield _mark(heard, head, _right, more_is_better=True)


def amounts(heard: Heard) -> Iterator[Mark]:
    """Errors of what is continuous, in hundredths of the head's way from end to end."""
    for head in HEADS:
        if not head.choice:
            yield _mark(heard, head, _error, more_is_better=False)


def split_near(heard: Heard) -> Mark:
    """Per cent of oscillator 1's splits near, by the evaluation's rule."""
    return _near(heard, "kOsc1Split", knobs.split_near)


def split_near_by_size(heard: Heard, sizes: Sequence[float]) -> Iterator[tuple[str, Mark]]:
    """The same of splits between each of ``sizes`` (plain) and the next."""
    k = PLACE["kOsc1Split"]
    true = np.abs(HEADS[k].plain(heard.places[:, k]))
    for least, most in pairwise(sizes):
        weights = heard.weights.copy()
        weights[(true < least) | (true > most), k] = 0.0
        if weights[:, k].any():
            yield f"{least:g} to {most:g}", split_near(replace(heard, weights=weights))


def time_near(heard: Heard, id: str) -> Mark:
    """Per cent of an envelope's times near, by the evaluation's rule."""
    return _near(heard, id, partial(knobs.time_near, id))


def _near(heard: Heard, id: str, near: Callable[[Floats, Floats], Bools]) -> Mark:
    """``near`` of true plain values and the likeliest ones (told,), for every ear."""
    k = PLACE[id]
    told = heard.weights[:, k] > 0
    truth = HEADS[k].plain(heard.places[told, k])
    said = {ear: likeliest(of)[told, k] for ear, of in heard.answers.items()}
    of_ears = {ear: 100.0 * near(truth, HEADS[k].plain(places)) for ear, places in said.items()}
    guess = near(truth, np.full_like(truth, np.median(np.abs(truth))))
    return Mark(id, of_ears, 100.0 * float(guess.mean()), more_is_better=True)


def _mark(
    heard: Heard,
    head: Head,
    measure: Callable[[Head, Floats, Floats], Floats],
    *,
    more_is_better: bool,
) -> Mark:
    """``measure`` of truth (told,) and distributions (told, size), for every ear."""
    k = PLACE[head.id]
    told = heard.weights[:, k] > 0
    truth = heard.places[told, k]
    of_ears = {
        ear: measure(head, truth, said[told, k, : head.size]) for ear, said in heard.answers.items()
    }
    guess = measure(head, truth, np.tile(_spread(truth, head.size), (len(truth), 1)))
    return Mark(head.id, of_ears, float(guess.mean()), more_is_better)


def _spread(truth: Floats, size: int) -> Floats:
    """How the truth itself is distributed (size,): all that can be said without listening."""
    return np.bincount(np.round(truth).astype(np.int64), minlength=size) / len(truth)


def _right(_: Head, truth: Floats, said: Floats) -> Floats:
    return 100.0 * (said.argmax(-1) == np.round(truth))


def _error(head: Head, truth: Floats, said: Floats) -> Floats:
    if head.id in _SIGN_FREE:
        truth = np.abs(truth - MIDDLE)
        said = np.column_stack([said[:, MIDDLE], said[:, MIDDLE + 1 :] + said[:, MIDDLE - 1 :: -1]])
    return 100.0 * np.abs(_middle(said) - truth) / (head.size - 1)


def _middle(said: Floats) -> Floats:
    """Medians (n,) of distributions (n, bins): what errs least in the mean."""
    up_to = np.cumsum(said, axis=1) - said / 2
    bins = np.arange(said.shape[1])
    return np.array([np.interp(0.5, below, bins) for below in up_to])
