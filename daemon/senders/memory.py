"""A host in memory: for tests, and for dry runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from daemon.hosts import MemoryLink


class MemoryRoute:
    """Remembers what was written, and every write in order.

    `alter` is what the way does to a write: it gets the index and the value and returns what
    arrives, None when nothing does. A `deaf` one tells nothing back.
    """

    def __init__(
        self,
        link: MemoryLink | None = None,
        *,
        alter: Callable[[int, float], float | None] = lambda _index, value: value,
        deaf: bool = False,
    ) -> None:
        self.link = link or MemoryLink()
        self.values: dict[int, float] = {}
        self.writes: list[dict[int, float]] = []
        self._alter = alter
        self._deaf = deaf

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def find(self) -> str:
        """It is always there."""
        return "in memory"

    def write(self, values: Mapping[int, float]) -> None:
        """Keep `values` as they arrive."""
        self.writes.append(dict(values))
        arrived = {index: self._alter(index, value) for index, value in values.items()}
        self.values.update({index: value for index, value in arrived.items() if value is not None})

    def read(self) -> Mapping[int, float]:
        """What arrived so far."""
        return {} if self._deaf else dict(self.values)
