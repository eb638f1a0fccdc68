"""Carla's engine over UDP, after CarlaEngineOscHandlers.cpp.

What it does that one would not expect: types are strict, an index or a plug-in that is not there is
ignored without a word, values are clamped, and a value that came by OSC is not told back (its issue
1636).
"""

from __future__ import annotations

import re
from typing import Any

from host import DEFAULTS, Host, run


class Carla(Host):
    def __init__(self, **line: Any) -> None:
        super().__init__(**line)
        self.plugins = [[0.5, 0.5], list(DEFAULTS)]
        self.notes: list[list[int]] = []

    def held(self) -> list[float]:
        return self.plugins[1]

    def played(self) -> list[list[int]]:
        return self.notes

    def obey(self, address: str, arguments: list[Any]) -> None:
        found = re.fullmatch(r"/Carla/(\d+)/(\w+)", address)
        if not found or int(found[1]) >= len(self.plugins):
            return
        values = self.plugins[int(found[1])]
        match found[2], arguments:
            case "set_parameter_value", [int(index), float(value)] if 0 <= index < len(values):
                values[index] = min(max(value, 0.0), 1.0)
            case "note_on", [int(channel), int(note), int(velocity)]:
                self.notes.append([channel, note, velocity])
            case "note_off", [int(channel), int(note)]:
                self.notes.append([channel, note, 0])


if __name__ == "__main__":
    run(Carla)
