"""REAPER's OSC surface, after csurf_osc.cpp of the reaper-sdk, with the keys of Default.ReaperOSC.

What it does that one would not expect: only floats set a value; sets are counted from the banks it
stands at; feedback goes to a fixed port, stops at the bank's length (8 tracks, 16 parameters) and
leaves out what has not changed since it was last told; a dump of the selected track's instrument
has addresses without a track, a change has those with one; nothing is told on the address that it
came on; and for a while after a set the old value is told (reaper-sdk issue 15).
"""

from __future__ import annotations

import re
import time
from typing import Any

from host import DEFAULTS, NAMES, Host, run

REFRESH = 41743
STALE_S = 0.1
PACKET = 1024
OWN = ["Bypass", "Wet", "Delta"]


class Track:
    """A track with an instrument, or without one."""

    def __init__(self, name: str, instrument: str, names: list[str]) -> None:
        self.name, self.instrument, self.names = name, instrument, names
        start = DEFAULTS if names[: len(DEFAULTS)] == NAMES else [0.5] * len(names)
        self.history = [[(0.0, value)] for value in [*start, 0.0, 1.0, 0.0][: len(names)]]

    def value(self, index: int) -> float:
        return self.history[index][-1][1]

    def told(self, index: int) -> float:
        """What feedback says: a set that is not yet old is not seen."""
        now = time.monotonic()
        return [value for at, value in self.history[index] if at < now - STALE_S][-1]


class Reaper(Host):
    """Tracks: drums without an instrument, another synth, ours, and ours once more."""

    tick_s = 0.02

    def __init__(self, *, feedback: bool = True, deaf_to: int = 0, **line: Any) -> None:
        super().__init__(**line)
        self.feedback, self.deaf_to = feedback, deaf_to
        self.tracks = [
            Track("Drums", "", []),
            Track("Bass", "ReaSynth (Cockos)", ["Attack", "Release", "Square mix", *OWN]),
            Track("Lead", "Mika Micro (Tesselode)", [*NAMES, *OWN]),
            Track("Pad", "Mika Micro (Tesselode)", [*NAMES, *OWN]),
        ]
        self.track_bank, self.track_bank_start = 8, 0
        self.parameter_bank, self.parameter_bank_start = 16, 0
        self.selected = 1
        self.last: dict[str, Any] = {}
        self.editing = ""
        self.outbox: list[tuple[str, Any]] = []

    # A person at the screen.

    def held(self, track: int) -> list[float]:
        return [self.tracks[track - 1].value(index) for index in range(len(NAMES))]

    def turn(self, track: int, number: int, value: float) -> None:
        """Long enough ago."""
        self.tracks[track - 1].history[number - 1].append((time.monotonic() - STALE_S, value))

    def move_first_to_the_end(self) -> None:
        self.tracks.append(self.tracks.pop(0))

    # What comes.

    def obey(self, address: str, arguments: list[Any]) -> None:
        self.last.pop(address, None)
        self.editing = address
        if found := re.fullmatch(r"/track/(\d+)/fxinstparam/([\d,]+)/value", address):
            track = self.track_bank_start + int(found[1])
            numbers = map(int, found[2].split(","))
            for number, value in zip(numbers, arguments, strict=False):
                if type(value) is float:
                    self._set(track, self.parameter_bank_start + number, value)
        elif arguments and type(arguments[0]) is int:
            self._command(address, arguments[0])
        self.editing = ""

    def _command(self, address: str, word: int) -> None:
        match address:
            case "/device/track/count":
                self.track_bank = word
                self._tell_tracks()
            case "/device/track/bank/select":
                self.track_bank_start = (word - 1) * self.track_bank
            case "/device/fxinstparam/count":
                self.parameter_bank = word
                self._tell_instrument()
            case "/device/fxinstparam/bank/select":
                self.parameter_bank_start = (word - 1) * self.parameter_bank
            case "/device/track/select":
                self.selected = min(self.track_bank_start + word, len(self.tracks))
                self._tell_track(self.selected)
                self._tell_instrument()
            case "/action" if word == REFRESH:
                self.last.clear()
                self._tell_tracks()
                self._tell_instrument()

    def _set(self, track: int, number: int, value: float) -> None:
        if not 1 <= track <= len(self.tracks) or number == self.deaf_to:
            return
        there = self.tracks[track - 1]
        if 1 <= number <= len(there.names):
            there.history[number - 1].append((time.monotonic(), min(max(value, 0.0), 1.0)))
            self._tell(f"/track/{track}/fxinstparam/{number}/value", there.told(number - 1))
            if track == self.selected:
                self._tell(f"/fxinstparam/{number}/value", there.told(number - 1))

    # What it tells.

    def _tell_tracks(self) -> None:
        for place in range(1, self.track_bank + 1):
            self._tell_track(self.track_bank_start + place)

    def _tell_track(self, track: int) -> None:
        there = self.tracks[track - 1] if track <= len(self.tracks) else None
        place = track - self.track_bank_start
        self._tell(f"/track/{place}/name", there.name if there else f"Track {track}")
        self._tell(f"/track/{place}/fxinst/name", there.instrument if there else "")

    def _tell_instrument(self) -> None:
        there = self.tracks[self.selected - 1]
        self._tell("/fxinst/name", there.instrument)
        for place in range(1, self.parameter_bank + 1):
            index = self.parameter_bank_start + place - 1
            known = index < len(there.names)
            self._tell(f"/fxinstparam/{place}/name", there.names[index] if known else "")
            self._tell(f"/fxinstparam/{place}/value", there.told(index) if known else 0.0)

    def _tell(self, address: str, value: Any) -> None:
        if not self.feedback or address == self.editing or self.last.get(address) == value:
            return
        self.last[address] = value
        self.outbox.append((address, value))

    def pause(self) -> None:
        """Send what has gathered, in packets as long as it is configured."""
        packet: list[tuple[str, Any]] = []
        for told in [*self.outbox, None]:
            if told is None or sum(len(address) + 24 for address, _ in packet) > PACKET - 100:
                if packet:
                    self.reply_bundle(*packet)
                packet = []
            packet += [told] if told else []
        self.outbox.clear()


if __name__ == "__main__":
    run(Reaper)
