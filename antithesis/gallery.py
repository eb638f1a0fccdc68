"""The few best candidates that sound different: what a listener is given to choose from."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from operator import itemgetter
from typing import Final

from antithesis.candidates import Scored
from antithesis.objective import Objective

APART_DB: Final = 0.5
"""The least by which any two kept candidates differ, in dB of the search's own distance.

Three to four times what two renders of one preset do, whose vibrato and drift run freely."""

_WORTH: Final = itemgetter(0)
_SHOWN: Final = 4
_RESERVE: Final = 8  # more, for those that turn out to sound like a later and better one


class Gallery:
    """Up to four candidates, best first by ``worth`` (smaller is better)."""

    def __init__(self, objective: Objective, worth: Callable[[Scored], float]) -> None:
        self.worth = worth
        self._objective = objective
        self._all: list[tuple[float, Scored]] = []  # each with its worth: to ask takes its time

    def unlike(self, one: Scored) -> list[Scored]:
        """The best of those that sound different, also from `one`, which is shown before them."""
        found = (kept for _, kept in self._all if self._apart(one, kept) >= APART_DB)
        return list(islice(found, _SHOWN - 1))

    @property
    def best(self) -> Scored:
        """The best of all that was ever added."""
        return self._all[0][1]

    def add(self, *candidates: Scored) -> None:
        """Keep those that are among the best; of two that sound alike, the better one."""
        for worth, scored in sorted(((self.worth(s), s) for s in candidates), key=_WORTH):
            full = len(self._all) == _SHOWN + _RESERVE
            if full and worth >= self._all[-1][0]:
                return
            alike = [kept for kept in self._all if self._apart(kept[1], scored) < APART_DB]
            if all(worth < known for known, _ in alike):
                others = [kept for kept in self._all if not any(kept is one for one in alike)]
                self._all = sorted([*others, (worth, scored)], key=_WORTH)[: _SHOWN + _RESERVE]

    def _apart(self, one: Scored, other: Scored) -> float:
        return float(self._objective.apart(one.heard, other.heard[None])[0])
