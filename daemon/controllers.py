"""MIDI controllers of the 38 parameters, for senders and for the synth that listens to them.

A 14-bit controller is a pair, MSB `n` and LSB `n + 32`, and 32 pairs a channel are fewer than 38
parameters; so one half of them is on channel 16 and the other on channel 15. The numbers leave out
what every synth understands by itself: bank, wheel, breath, foot, glide, data entry, volume,
balance, pan and expression.

As an NRPN (non-registered parameter number) a parameter's number is its index, on channel 16.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from antithesis.parameters import N_PARAMETERS

CHANNELS: Final = (15, 14)  # channels 16 and 15, counted from 0 as on the wire
MSB_NUMBERS: Final = (3, 9, *range(12, 32))
LSB_OFFSET: Final = 32
HIGHEST: Final[Mapping[int, int]] = {7: 127, 14: 16383}  # by bits
NRPN_CHANNEL: Final = 15
_DATA_MSB: Final = 6
_DATA_LSB: Final = 38
_NRPN: Final = (99, 98)  # MSB and LSB of the number that data entry is for
_RPN: Final = (101, 100)
_NULL: Final = 127
_BASE: Final = 128
_PER_CHANNEL: Final = -(-N_PARAMETERS // len(CHANNELS))


class Messages(StrEnum):
    """What values travel in."""

    CC = "cc"
    NRPN = "nrpn"
    SYSEX = "sysex"


class Controller(NamedTuple):
    """Where a parameter lives: channel from 0, and the number of its MSB."""

    channel: int
    number: int


class ControlChange(NamedTuple):
    """One control change message, without its status byte's upper half."""

    channel: int
    number: int
    value: int


CONTROLLERS: Final = tuple(
    Controller(CHANNELS[index // _PER_CHANNEL], MSB_NUMBERS[index % _PER_CHANNEL])
    for index in range(N_PARAMETERS)
)
_INDEX: Final[Mapping[Controller, int]] = {c: index for index, c in enumerate(CONTROLLERS)}


def changes(index: int, normalized: float, bits: int) -> tuple[ControlChange, ...]:
    """Messages that set a parameter: MSB, then LSB with 14 bits."""
    channel, number = CONTROLLERS[index]
    value = round(normalized * HIGHEST[bits])
    if bits == 7:
        return (ControlChange(channel, number, value),)
    msb, lsb = divmod(value, _BASE)
    return (
        ControlChange(channel, number, msb),
        ControlChange(channel, number + LSB_OFFSET, lsb),
    )


def numbered(index: int, normalized: float, bits: int) -> tuple[ControlChange, ...]:
    """Messages that set a parameter as an NRPN: which, then its MSB, then its LSB with 14 bits."""
    value = round(normalized * HIGHEST[bits])
    halves = (value,) if bits == 7 else divmod(value, _BASE)
    which = zip(_NRPN, divmod(index, _BASE), strict=True)
    entry = zip((_DATA_MSB, _DATA_LSB), halves, strict=False)
    return tuple(ControlChange(NRPN_CHANNEL, *said) for said in (*which, *entry))


def released() -> tuple[ControlChange, ...]:
    """Messages after the last NRPN: data entry of somebody else is for none of ours."""
    return tuple(ControlChange(NRPN_CHANNEL, number, _NULL) for number in _RPN)


class Ear:
    """Hears control changes as parameters: controllers and NRPNs, of 7 bits and of 14.

    An MSB counts at once, as 7 bits; the LSB behind it makes it 14. Both ends of the range are
    exact either way, and in between the two the value is off by less than 1/127.
    """

    def __init__(self) -> None:
        self._msb = dict.fromkeys(range(N_PARAMETERS), 0)
        self._number = [_NULL, _NULL]  # of the NRPN that data entry is for

    def hear(self, change: ControlChange) -> tuple[int, float] | None:
        """Index and normalized value, or None where the message is not one of ours."""
        index = self._entered(change, _DATA_MSB)
        if index is None:
            index = _INDEX.get(Controller(change.channel, change.number))
        if index is not None:
            self._msb[index] = change.value
            return index, change.value / HIGHEST[7]
        index = self._entered(change, _DATA_LSB)
        if index is None:
            index = _INDEX.get(Controller(change.channel, change.number - LSB_OFFSET))
        if index is not None:
            value = self._msb[index] * _BASE + change.value
            return index, value / HIGHEST[14]
        self._choose(change)
        return None

    def _entered(self, change: ControlChange, half: int) -> int | None:
        """Which parameter a data entry is for."""
        if (change.channel, change.number) != (NRPN_CHANNEL, half):
            return None
        number = self._number[0] * _BASE + self._number[1]
        return number if number < N_PARAMETERS else None

    def _choose(self, change: ControlChange) -> None:
        """Note what data entry is for from now on."""
        if change.channel != NRPN_CHANNEL:
            return
        if change.number in _NRPN:
            self._number[_NRPN.index(change.number)] = change.value
        elif change.number in _RPN:
            self._number = [_NULL, _NULL]
