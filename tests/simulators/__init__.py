"""Hosts that are not here, each in a process of its own, as their sources and manuals say they are.

A simulator is a program: it imports nothing of Antithesis, listens on real UDP ports and is told on
its standard input, in lines of JSON, what a person or the network does to it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

RUNNERS = {".py": sys.executable, ".js": "node"}


class Simulated:
    """A simulator while it runs; `port` is what it listens on."""

    def __init__(self, name: str, **settings: Any) -> None:
        self._name = name
        self._settings = settings

    def __enter__(self) -> Self:
        (program,) = (
            p for p in Path(__file__).parent.glob(f"{self._name}.*") if p.suffix in RUNNERS
        )
        self._process = subprocess.Popen(
            [RUNNERS[program.suffix], str(program), json.dumps(self._settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self.port: int = self._hear()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def tell(self, what: str, *arguments: Any) -> Any:
        """Have its method `what` called; what it returns."""
        assert self._process.stdin is not None
        print(json.dumps([what, *arguments]), file=self._process.stdin, flush=True)
        return self._hear()

    def held(self, *place: int) -> list[float]:
        """Our 38 values in their order, as the host counts."""
        return list(self.tell("held", *place))

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())
