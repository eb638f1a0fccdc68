"""What hosts held before each preset that was applied, so that it can be put back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from antithesis.errors import DeviceError
from antithesis.files import write_whole
from antithesis.parameters import BY_ID, PARAMETERS

LONGEST: Final = 50


@dataclass(frozen=True)
class Before:
    """What the host of a route held: normalized values by index, those that are known."""

    route: str
    values: Mapping[int, float]


class History:
    """The latest befores, oldest first, in a file that outlives the daemon.

    A file that cannot be understood is an empty one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def push(self, before: Before) -> None:
        """Add one; DeviceError where the file cannot be written."""
        self._write([*self._read(), before][-LONGEST:])

    def pop(self) -> Before | None:
        """Take the latest away, if there is one."""
        befores = self._read()
        if not befores:
            return None
        latest = befores.pop()
        self._write(befores)
        return latest

    def _read(self) -> list[Before]:
        try:
            content = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return []
        return list(_understood(content)) if isinstance(content, list) else []

    def _write(self, befores: list[Before]) -> None:
        content = [
            {"route": b.route, "values": {PARAMETERS[i].id: v for i, v in b.values.items()}}
            for b in befores
        ]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, json.dumps(content).encode())
        except OSError as error:
            raise DeviceError(
                f"cannot remember what was there before in {self._path}: {error.strerror}"
            ) from error


def _understood(content: list[Any]) -> Iterator[Before]:
    for entry in content:
        match entry:
            case {"route": str(route), "values": dict(values)}:
                yield Before(
                    route,
                    {
                        BY_ID[id].index: float(value)
                        for id, value in values.items()
                        if id in BY_ID and isinstance(value, int | float) and 0 <= value <= 1
                    },
                )
