"""The matches of the last sound that one can step through, and the one that plays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from antithesis.errors import AntithesisError

if TYPE_CHECKING:
    from antithesis.matching import Match


class NoChoiceError(AntithesisError):
    """There is nothing to step to."""


@dataclass(frozen=True)
class Choices:
    """Matches of one sound, in the order in which one steps through them.

    A matcher that gives a sound several candidates hands them all to `of`. One that gives ever
    better matches adds each that travels: these are steps of one search, so that `previous` goes
    back on the way to the best, and not to another answer.
    """

    name: str = ""
    matches: tuple[Match, ...] = ()
    at: int = -1

    @classmethod
    def of(cls, name: str, matches: tuple[Match, ...]) -> Self:
        """Candidates of a sound, the first of which plays."""
        return cls(name, matches, 0)

    def better(self, match: Match) -> Self:
        """One more, which plays from now on."""
        return replace(self, matches=(*self.matches, match), at=len(self.matches))

    def stepped(self, by: int) -> Self:
        """The one so many steps on, or back.

        Raises:
            NoChoiceError: there is none.
        """
        at = self.at + by
        if not 0 <= at < len(self.matches):
            count = len(self.matches)
            where = f"this is {self.at + 1} of {count}" if count else "nothing was matched yet"
            raise NoChoiceError(f"there is no {'next' if by > 0 else 'previous'} match: {where}")
        return replace(self, at=at)

    @property
    def playing(self) -> Match:
        """The one that plays."""
        return self.matches[self.at]

    def __str__(self) -> str:
        return f"{self.name}, {self.at + 1} of {len(self.matches)}"
