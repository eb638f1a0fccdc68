"""System exclusive messages of our own: a whole preset in one, for scripts that run inside a DAW.

    F0  7D 41 54  version  command  sequence  payload ...  check  F7

7D is the manufacturer that MIDI leaves to everybody, 41 54 tells ours from others of it, and with
`check` everything from the version on adds up to a multiple of 128. The version stays where it is,
whatever else may change, so that either side can tell that the other is older. An answer has its
question's sequence. Parameters are four bytes each: the index, and the normalized value times
2^21 - 1, highest seven bits first; all 38 are 161 bytes, where Windows takes no more than 1024.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.parameters import N_PARAMETERS

Floats = npt.NDArray[np.float64]

VERSION: Final = 1
HIGHEST: Final = 2**21 - 1
_OURS: Final = (0x7D, 0x41, 0x54)
_SEVEN: Final = 0x7F
_PARAMETER: Final = 4  # bytes
_HEAD: Final = len(_OURS) + 3
_SHORTEST: Final = _HEAD + 1


class Command(IntEnum):
    """What a message is about; those from 64 on are answers."""

    HELLO = 1  # answered by DEVICE or TROUBLE
    SET = 2  # parameters; answered by VALUES or TROUBLE where somebody can answer
    GET = 3  # answered by VALUES or TROUBLE
    NOTE = 4  # note and velocity; 0 ends it
    DEVICE = 65  # where the plug-in is, in words
    VALUES = 66  # parameters, as the plug-in holds them
    TROUBLE = 67  # why it cannot be done, in words


@dataclass(frozen=True)
class Frame:
    """One message, between F0 and F7."""

    command: int
    payload: bytes = b""
    sequence: int = 0
    version: int = VERSION

    def encode(self) -> tuple[int, ...]:
        """The message as data bytes."""
        body = (self.version, self.command, self.sequence, *self.payload)
        return (*_OURS, *body, -sum(body) & _SEVEN)

    @classmethod
    def decode(cls, data: Iterable[int]) -> Frame | None:
        """The message that data bytes are; None if it is not one of ours, or not whole."""
        heard = tuple(data)
        body = heard[len(_OURS) :]
        if len(heard) < _SHORTEST or heard[: len(_OURS)] != _OURS or sum(body) & _SEVEN:
            return None
        version, command, sequence, *payload = body[:-1]
        return cls(command, bytes(payload), sequence, version)

    @property
    def text(self) -> str:
        """The payload as words."""
        return self.payload.decode("ascii", "replace")

    def values(self) -> Iterator[tuple[int, float]]:
        """The payload as normalized values by index; what is no parameter of ours is left out."""
        for at in range(0, len(self.payload) - _PARAMETER + 1, _PARAMETER):
            index, high, middle, low = self.payload[at : at + _PARAMETER]
            if index < N_PARAMETERS:
                yield index, (high << 14 | middle << 7 | low) / HIGHEST


def parameters(values: Mapping[int, float]) -> bytes:
    """Normalized values by index as a payload."""
    return bytes(byte for index, value in values.items() for byte in _parameter(index, value))


def rounded(normalized: Floats) -> Floats:
    """The nearest normalized values that a message carries."""
    steps: Floats = np.round(normalized * HIGHEST) / HIGHEST
    return steps


def _parameter(index: int, value: float) -> tuple[int, int, int, int]:
    number = round(value * HIGHEST)
    return index, number >> 14, number >> 7 & _SEVEN, number & _SEVEN
