"""Ableton Live with AbletonOSC, after its device.py and osc_server.py.

What it does that one would not expect: it looks at its socket every 100 ms and then takes all that
has come; answers go to port 11001 (here: the one given) of whoever asked, whatever port that was; a
plug-in's parameters come after "Device On"; a value out of range is an error, which leaves what is
behind it in the same tick for the next one; and a plug-in may show none of its parameters until a
person has used Configure.
"""

from __future__ import annotations

import struct
from typing import Any

from host import DEFAULTS, NAMES, Host, run

_GET = "/live/device/get/parameters/"


class Device:
    def __init__(self, name: str, names: list[str], values: list[float], high: float = 1.0) -> None:
        self.name = name
        self.names = ["Device On", *names]
        self.values = [1.0, *values]
        self.max = [1.0, *[high] * len(names)]


class Ableton(Host):
    """Tracks: drums; and a lead with an equalizer before our plug-in."""

    tick_s = 0.1

    def __init__(self, *, configured: bool = True, **line: Any) -> None:
        super().__init__(**line)
        shown = len(NAMES) if configured else 0
        self.tracks = [
            ("Drums", [Device("Drum Rack", ["Macro 1", "Macro 2"], [0.0, 0.0], high=127.0)]),
            (
                "Lead",
                [
                    Device("EQ Eight", ["1 Frequency A"], [0.5]),
                    Device("mika_micro", NAMES[:shown], DEFAULTS[:shown]),
                ],
            ),
        ]

    def held(self) -> list[float]:
        return self._mika().values[1:]

    def turn(self, number: int, value: float) -> None:
        self._mika().values[number] = value

    def _mika(self) -> Device:
        return next(d for _, devices in self.tracks for d in devices if d.name == "mika_micro")

    def _take_all(self) -> None:
        try:
            super()._take_all()
        except (IndexError, ValueError) as error:
            self.reply("/live/error", str(error))

    def obey(self, address: str, arguments: list[Any]) -> None:
        if address == "/live/song/get/track_names":
            self.reply(address, *(name for name, _ in self.tracks))
        elif address == "/live/track/get/devices/name":
            devices = self.tracks[int(arguments[0])][1]
            self.reply(address, int(arguments[0]), *(device.name for device in devices))
        elif address.startswith("/live/device/"):
            track, index = int(arguments[0]), int(arguments[1])
            self._of_device(address, track, index, arguments[2:])

    def _of_device(self, address: str, track: int, index: int, arguments: list[Any]) -> None:
        device = self.tracks[track][1][index]
        facts = {"name": device.names, "value": device.values, "max": device.max}
        facts["min"] = [0.0] * len(device.names)
        if address == "/live/device/set/parameter/value":
            self._set(device, int(arguments[0]), arguments[1])
        elif address == "/live/device/set/parameters/value":
            for number, value in enumerate(arguments):
                self._set(device, number, value)
        elif address.removeprefix(_GET) in facts:
            self.reply(address, track, index, *facts[address.removeprefix(_GET)])

    @staticmethod
    def _set(device: Device, number: int, value: Any) -> None:
        if not 0.0 <= value <= device.max[number]:
            raise ValueError("Invalid value. Check the parameters range with min/max")
        device.values[number] = struct.unpack(">f", struct.pack(">f", value))[0]


if __name__ == "__main__":
    run(Ableton)
