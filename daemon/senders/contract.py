"""One way of sending, whatever the host: write, wait, read back, write again what differs.

A route knows how to put values on its host and, where it can, how to hear them back. The sender
knows the rest: what changed, what goes first, when to try again and what the outcome is called.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pkgutil import resolve_name
from types import TracebackType
from typing import Final, Protocol, Self, runtime_checkable

from antithesis.errors import DeviceError, SendError
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
GLIDE_STEP_S: Final = 0.02

_NONE: Final[frozenset[int]] = frozenset()

Values = Mapping[int, float]
"""Normalized values by index."""


class Grade(StrEnum):
    """How sure it is that a preset arrived."""

    CONFIRMED = "confirmed"
    SENT = "sent"
    WAITING = "waiting"  # for the last match of its sound: it takes the user's mouse
    FAILED = "failed"


@dataclass(frozen=True)
class Delivery:
    """What became of one preset.

    `differing` are the ids that did not arrive, or that nobody knows of where the host should have
    answered; `written` counts the parameters that travelled, `reason` says why it failed,
    `rounded` in words what the route could not say as it was wanted, and `at` when all that was
    known, in seconds since 1970.
    """

    grade: Grade
    route: str
    elapsed_s: float
    rounds: int = 0
    written: int = 0
    differing: tuple[str, ...] = ()
    reason: str = ""
    rounded: tuple[str, ...] = ()
    at: float = field(default_factory=time.time, compare=False)


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

    def find(self) -> str:
        """Look where the plug-in is and say it in words; SendError where it is nowhere."""

    def write(self, values: Values) -> None:
        """Send normalized values by index, in this order; SendError where that is known to fail."""

    def read(self) -> Values:
        """Normalized values the host holds now, by index; those it does not tell are missing."""


@runtime_checkable
class Playable(Protocol):
    """A route whose host can be told to play a note."""

    def play(self, note: int, velocity: int, gate_s: float) -> None:
        """Hold a note for `gate_s`; SendError where that is known to fail."""


@dataclass(frozen=True)
class Manner:
    """How presets are brought: which parameters are left alone, and how long the way there is."""

    locked: frozenset[int] = _NONE
    glide_s: float = 0.0


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

    def __init__(self, row: HostRow, route: Route, manner: Manner | None = None) -> None:
        self.row = row
        self.route = route
        self._manner = manner or Manner()
        self.where = ""
        # What was written and not contradicted since.
        self._held: dict[int, float] = {}
        # What the host holds, as far as anybody knows.
        self._known: dict[int, float] = {}
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

    @property
    def locked(self) -> frozenset[int]:
        """What is left alone, by index."""
        return self._manner.locked

    def look(self) -> Values:
        """Find the plug-in and say what it holds, as far as anybody knows.

        Only what it was heard to hold need not be sent again: a host may have been played with
        since the last preset, and one that does not answer is sent everything.

        Raises:
            SendError: the plug-in is not there.
        """
        self.where = self.route.find()
        heard = self.route.read()
        wrong = self._wrong(heard, self._held)
        self._held = {i: v for i, v in self._held.items() if i in heard and i not in wrong}
        self._known.update(heard)
        return dict(self._known)

    def send(self, preset: Preset) -> Delivery:
        """Bring the host to `preset`; a host in trouble is a failed delivery, not an exception."""
        normalized = self.row.link.rounded(preset.normalized)
        delivery = self.bring(dict(enumerate(map(float, normalized))))
        if not (delivery.written and self.row.link.grid()):
            return delivery
        from daemon.limits import rounded  # with it comes the report, which not every command needs

        return replace(delivery, rounded=tuple(rounded(preset, self.row)))

    def bring(self, values: Values) -> Delivery:
        """Bring the host to `values`, and leave alone what is locked or not among them."""
        started = time.monotonic()
        ours = values.keys() - self._manner.locked - self.row.unmapped
        target = {i: values[i] for i in SENDING_ORDER if i in ours}
        try:
            outcome = self._settle(target)
        except (SendError, DeviceError) as error:
            outcome = _Outcome(wrong=frozenset(target), reason=str(error))
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

    def _settle(self, target: Values) -> _Outcome:
        changed = [index for index in target if self._held.get(index) != target[index]]
        pending = changed
        heard: Values = {}
        outcome = _Outcome(written=len(changed))
        self._glide(changed, target)
        for round_number in range(1, MAX_ROUNDS + 1):
            # A host that answers, and yet holds something else, lost a datagram: say it more often.
            copies = 2 ** (round_number - 1) if heard else self.row.copies
            self._write(pending, target, copies)
            heard = self._hear(target)
            outcome = replace(
                outcome,
                rounds=round_number,
                wrong=self._wrong(heard, target),
                unheard=frozenset(target).difference(heard),
            )
            unproven = (
                outcome.unheard if self.row.answers else outcome.unheard.intersection(changed)
            )
            pending = [index for index in target if index in outcome.wrong | unproven]
            enough = 1 if self.row.pointer else SILENT_ROUNDS
            said_enough = round_number >= enough and not self.row.answers
            if not pending or (said_enough and not outcome.wrong):
                break
        return outcome

    def _glide(self, indices: Sequence[int], target: Values) -> None:
        """Go most of the way in steps, where it is known from where; the target comes after.

        Switches jump at once, and first. None of it is read back.
        """
        if not self._manner.glide_s or self.row.pointer:
            return
        switches = {i: target[i] for i in indices if PARAMETERS[i].steps}
        start = {i: self._known[i] for i in indices if i in self._known and i not in switches}
        if switches:
            self.route.write(switches)
        began = time.monotonic()
        while start and (gone := (time.monotonic() - began) / self._manner.glide_s) < 1.0:
            self.route.write({i: v + gone * (target[i] - v) for i, v in start.items()})
            time.sleep(GLIDE_STEP_S)

    def _write(self, indices: Sequence[int], target: Values, copies: int) -> None:
        if not indices:
            return
        values = {index: target[index] for index in indices}
        for _ in range(copies):
            self.route.write(values)
        self._held.update(values)
        self._known.update(values)
        time.sleep(self.row.wait_s)

    def _hear(self, target: Values) -> Values:
        heard = self.route.read()
        if self._wrong(heard, target):  # the answer may be older than the write: ask again
            time.sleep(self.row.wait_s)
            heard = self.route.read()
        elif self.row.answers and not heard:  # it may have been opened anew, in another order
            self.route.find()
        return heard

    def _wrong(self, heard: Values, target: Values) -> frozenset[int]:
        return frozenset(
            index
            for index, value in heard.items()
            if index in target and abs(value - target[index]) >= self._tolerances[index]
        )

    def _reason(self, outcome: _Outcome) -> str:
        if outcome.wrong:
            return f"{self.row.title} holds other values than it was sent"
        return f"{self.row.title} does not answer; {self.row.remedy}"


def _grade(missing: frozenset[int], unheard: frozenset[int]) -> Grade:
    if missing:
        return Grade.FAILED
    return Grade.SENT if unheard else Grade.CONFIRMED


def open_sender(row: HostRow, manner: Manner | None = None) -> Sender:
    """Sender for a row of the table; the library of its transport is imported here."""
    route: Route = resolve_name(row.link.route)(row.link)
    return Sender(row, route, manner)
