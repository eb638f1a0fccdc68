"""The candidates of the last sound that one can step through, and the one that plays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from antithesis.errors import AntithesisError

if TYPE_CHECKING:
    from antithesis.matching import Match


class NoChoiceError(AntithesisError):
    """There is nothing to step to."""


class Choices:
    """Matches of a sound that sound different: the one that plays, then the others, nearest first.

    `candidates` is asked when somebody steps, which ends the search: before that they still change.
    """

    def __init__(
        self, name: str = "", candidates: Callable[[], Sequence[Match]] = lambda: ()
    ) -> None:
        self.name = name
        self._candidates = candidates
        self._matches: Sequence[Match] = ()
        self._at = 0

    def step(self, by: int) -> Match:
        """The one so many steps on, or back, which plays from now on.

        Raises:
            NoChoiceError: there is none.
        """
        self._matches = self._matches or self._candidates()
        at = self._at + by
        if not 0 <= at < len(self._matches):
            count = len(self._matches)
            where = f"this is {self._at + 1} of {count}" if count else "nothing was matched yet"
            raise NoChoiceError(f"there is no {'next' if by > 0 else 'previous'} match: {where}")
        self._at = at
        return self._matches[at]

    def __str__(self) -> str:
        return f"{self.name}, {self._at + 1} of {len(self._matches)}"
