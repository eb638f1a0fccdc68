"""What lives while it is entered: how it begins and how it ends, told once and in one place."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self


class Living(ABC):
    """A context manager by its `_life`; it may live again after its end."""

    @abstractmethod
    def _life(self) -> Iterator[None]:
        """Begin, yield once, end: what is entered around the yield is left in the reverse order."""

    def __enter__(self) -> Self:
        self.__living = contextmanager(self._life)()
        self.__living.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__living.__exit__(kind, error, trace)


@contextmanager
def working(work: Callable[[], object], name: str, end: Callable[[], object]) -> Iterator[None]:
    """A thread at work; on leaving, `end` has it come back, and it is waited for."""
    thread = threading.Thread(target=work, name=name)
    thread.start()
    try:
        yield
    finally:
        end()
        thread.join()
