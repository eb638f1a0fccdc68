"""Which MIDI message stands for which action: `note 36`, `cc 64 channel 10 on nanoPAD2`.

Without a channel or a port any will do. A controller is down from its middle on, as a pedal is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from antithesis.errors import ConfigError
from daemon.presses import Action

if TYPE_CHECKING:
    from mido import Message

_WRITTEN: Final = re.compile(
    r"(?P<kind>note|cc) (?P<number>\d{1,3})(?: channel (?P<channel>\d{1,2}))?(?: on (?P<port>.+))?"
)
_HIGHEST: Final = 127
_CHANNELS: Final = 16
DOWN: Final = 64  # of a controller
ONE_PRESS_S: Final = 0.05
"""Within it a key is not struck twice: two ports tell of one press."""


@dataclass(frozen=True)
class Binding:
    """A note or a controller; channels count from 1, and 0 is any."""

    kind: str
    number: int
    channel: int = 0
    port: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` writes; ConfigError for anything else."""
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise ConfigError(f"{text!r} is no MIDI message: write note 36, or cc 64 channel 10")
        number, channel = int(found["number"]), int(found["channel"] or 0)
        if number > _HIGHEST or channel > _CHANNELS:
            raise ConfigError(f"{text!r}: MIDI counts to {_HIGHEST}, and its channels to 16")
        return cls(found["kind"], number, channel, found["port"] or "")

    @classmethod
    def of(cls, message: Message, port: str) -> Self | None:
        """What would be meant by a message; None if it is no key or pedal that goes down."""
        if message.type == "note_on" and message.velocity:
            return cls("note", message.note, message.channel + 1, port)
        if message.type == "control_change" and message.value >= DOWN:
            return cls("cc", message.control, message.channel + 1, port)
        return None

    def __str__(self) -> str:
        channel = f" channel {self.channel}" if self.channel else ""
        return f"{self.kind} {self.number}{channel}" + (f" on {self.port}" if self.port else "")

    def down(self, message: Message, port: str) -> bool | None:
        """Whether the message says that it is down, or up; None if it speaks of something else."""
        if self.port not in ("", port) or self.channel not in (0, message.channel + 1):
            return None
        if self.kind == "note" and message.type in ("note_on", "note_off"):
            mine, down = message.note, message.type == "note_on" and message.velocity > 0
        elif self.kind == "cc" and message.type == "control_change":
            mine, down = message.control, message.value >= DOWN
        else:
            return None
        return down if mine == self.number else None


class Keys:
    """Bindings at work: they turn messages into presses, each once however often it is told.

    A key that goes down while it is down has lost its release on the way, unless two ports tell of
    one press: then it goes up, and down again.
    """

    def __init__(self, bindings: Mapping[Action, Binding]) -> None:
        self.bindings = bindings
        self._down: dict[Action, float] = {}  # since when

    def hear(self, message: Message, port: str, at: float) -> list[tuple[Action, bool]]:
        """Actions whose key went down, or up, with this message, which came at that time."""
        if message.type not in ("note_on", "note_off", "control_change"):
            return []
        changed = []
        for action, binding in self.bindings.items():
            down = binding.down(message, port)
            if down is None:
                continue
            since = self._down.get(action)
            struck = down and message.type == "note_on"
            if since is not None and (not down or (struck and at - since > ONE_PRESS_S)):
                del self._down[action]
                changed.append((action, False))
            if down and action not in self._down:
                self._down[action] = at
                changed.append((action, True))
        return changed

    def mine(self, message: Message, port: str) -> bool:
        """Whether a message is a key's, and no music."""
        return any(b.down(message, port) is not None for b in self.bindings.values())
