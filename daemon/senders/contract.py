"""One way of sending, whatever the host: write, wait, read back, write again what differs.

A route knows how to put values on its host and, where it can, how to hear them back. The sender
knows the rest: what changed, what goes first, when to try again and what the outcome is called.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pkgutil import resolve_name
from types import TracebackType
from typing import Final, Protocol, Self

import numpy as np
import numpy.typing as npt

from antithesis.errors import SendError
from antithesis.parameters import PARAMETERS, Kind
from antithesis.preset import Preset
from daemon.hosts import HostRow

MAX_ROUNDS: Final = 3
# Where nothing can be read back, everything is said twice.
SILENT_ROUNDS: Final = 2
# Switches go before the rest: they decide what the other controls do.
SENDING_ORDER: Final = tuple(
    sorted(range(len(PARAMETERS)), key=lambda index: PARAMETERS[index].kind is Kind.DOUBLE)
)

_NONE: Final[frozenset[int]] = frozenset()

Floats = npt.NDArray[np.float64]


class Grade(StrEnum):
    """How sure it is that a preset arrived."""

    CONFIRMED = "confirmed"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True)
class Delivery:
    """What became of one preset.

    `differing` are the ids that did not arrive, or that nobody knows of where the host should have
    answered; `written` counts the parameters that travelled, `reason` says why it failed.
    """

    grade: Grade
    route: str
    elapsed_s: float
    rounds: int = 0
    written: int = 0
    differing: tuple[str, ...] = ()
    reason: str = ""


class Route(Protocol):
    """A way to one host; open while it is entered."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...

    def grid(self, normalized: Floats) -> Floats:
        """What (38,) normalized values become on the way."""

    def write(self, values: Mapping[int, float]) -> None:
        """Send normalized values by index, in this order; SendError where that is known to fail."""

    def read(self) -> Mapping[int, float]:
        """Normalized values the host holds now, by index; those it does not tell are missing."""


@dataclass(frozen=True)
class _Outcome:
    rounds: int = 0
    written: int = 0
    wrong: frozenset[int] = _NONE
    unheard: frozenset[int] = _NONE
    reason: str = ""


class Sender:
    """Sends presets to one host, only what changed, and says how they arrived.

    A context manager: its ports are open inside of it. `DeviceError` is raised on entering when
    the host's port cannot be had.
    """

    def __init__(self, row: HostRow, route: Route) -> None:
        self.row = row
        self.route = route
        # What was written and not contradicted since.
        self._held: dict[int, float] = {}
        self._tolerances = [0.5 / p.steps if p.steps else row.tolerance for p in PARAMETERS]

    def __enter__(self) -> Self:
        self.route.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.route.__exit__(kind, error, trace)

    def forget(self) -> None:
        """Send everything next time: the host may not be as it was left."""
        self._held.clear()

    def send(self, preset: Preset) -> Delivery:
        """Bring the host to `preset`; a host in trouble is a failed delivery, not an exception."""
        started = time.monotonic()
        try:
            outcome = self._settle(self.route.grid(preset.normalized))
        except SendError as error:
            outcome = _Outcome(wrong=frozenset(SENDING_ORDER), reason=str(error))
        missing = outcome.wrong | outcome.unheard if self.row.answers else outcome.wrong
        for index in missing:
            self._held.pop(index, None)
        return Delivery(
            grade=_grade(missing, outcome.unheard),
            route=self.row.name,
            elapsed_s=time.monotonic() - started,
            rounds=outcome.rounds,
            written=outcome.written,
            differing=tuple(PARAMETERS[index].id for index in sorted(missing)),
            reason=outcome.reason or self._reason(outcome) if missing else "",
        )

    def _settle(self, target: Floats) -> _Outcome:
        changed = [index for index in SENDING_ORDER if self._held.get(index) != target[index]]
        pending = changed
        heard: Mapping[int, float] = {}
        outcome = _Outcome(written=len(changed))
        for round_number in range(1, MAX_ROUNDS + 1):
            # A host that answers, and yet holds something else, lost a datagram: say it more often.
            self._write(pending, target, copies=2 ** (round_number - 1) if heard else 1)
            heard = self.route.read()
            if self._wrong(heard, target):  # the answer may be older than the write: ask again
                time.sleep(self.row.wait_s)
                heard = self.route.read()
            outcome = replace(
                outcome,
                rounds=round_number,
                wrong=self._wrong(heard, target),
                unheard=frozenset(SENDING_ORDER).difference(heard),
            )
            unproven = (
                outcome.unheard if self.row.answers else outcome.unheard.intersection(changed)
            )
            pending = [index for index in SENDING_ORDER if index in outcome.wrong | unproven]
            said_enough = round_number >= SILENT_ROUNDS and not self.row.answers
            if not pending or (said_enough and not outcome.wrong):
                break
        return outcome

    def _write(self, indices: Sequence[int], target: Floats, copies: int) -> None:
        if not indices:
            return
        values = {index: float(target[index]) for index in indices}
        for _ in range(copies):
            self.route.write(values)
        self._held.update(values)
        time.sleep(self.row.wait_s)

    def _wrong(self, heard: Mapping[int, float], target: Floats) -> frozenset[int]:
        return frozenset(
            index
            for index, value in heard.items()
            if abs(value - target[index]) >= self._tolerances[index]
        )

    def _reason(self, outcome: _Outcome) -> str:
        if outcome.wrong:
            return f"{self.row.title} holds other values than it was sent"
        return f"{self.row.title} does not answer; {self.row.remedy}"


def _grade(missing: frozenset[int], unheard: frozenset[int]) -> Grade:
    if missing:
        return Grade.FAILED
    return Grade.SENT if unheard else Grade.CONFIRMED


def open_sender(row: HostRow) -> Sender:
    """Sender for a row of the table; the library of its transport is imported here."""
    route: Route = resolve_name(row.link.route)(row.link)
    return Sender(row, route)
