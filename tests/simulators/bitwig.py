"""Bitwig Studio with a controller script that has an OSC module, as its controller API works.

What it does that one would not expect: answers go to the one address that the script connected to;
what the script knows of a parameter comes from observers, a little after it was set; and without
the device there are neither names nor values.
"""

from __future__ import annotations

import time
from typing import Any

from host import DEFAULTS, NAMES, Host, run

OBSERVED_S = 0.03


class Bitwig(Host):
    tick_s = 0.01

    def __init__(self, *, device: bool = True, version: int = 1, **line: Any) -> None:
        super().__init__(**line)
        self.device, self.version = device, version
        self.history = [[(0.0, value)] for value in DEFAULTS]

    def held(self) -> list[float]:
        return [values[-1][1] for values in self.history]

    def turn(self, number: int, value: float) -> None:
        self.history[number].append((time.monotonic() - OBSERVED_S, value))

    def obey(self, address: str, arguments: list[Any]) -> None:
        if address == "/antithesis/hello":
            names = NAMES if self.device else []
            self.reply("/antithesis/device", self.version, "Mika Micro" if names else "", *names)
        elif address == "/antithesis/get" and self.device:
            self.reply("/antithesis/values", *map(self._observed, self.history))
        elif address == "/antithesis/set" and self.device:
            number, value = arguments
            self.history[number].append((time.monotonic(), min(max(value, 0.0), 1.0)))

    @staticmethod
    def _observed(values: list[tuple[float, float]]) -> float:
        return [value for at, value in values if at <= time.monotonic() - OBSERVED_S][-1]


if __name__ == "__main__":
    run(Bitwig)
