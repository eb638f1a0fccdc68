"""Which of several routes a preset takes, and the way back."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from antithesis.errors import DeviceError, SendError
from antithesis.grid import Grid
from antithesis.parameters import BY_ID, PARAMETERS
from antithesis.preset import Preset
from daemon.senders.contract import Delivery, Grade, Playable, Sender, Values
from daemon.senders.history import Before, History

_log: Final = logging.getLogger(__name__)


class Router:
    """Brings presets to the first of several hosts that takes them, and can put back what was.

    A context manager. A route is open while it works; one that failed is closed, so that others
    may have its ports, and opened again for the next sound. Of `hopeful` ones nobody expects that
    they are there, so that only one that worked before is missed aloud.

    Raises:
        DeviceError: on entering, when the port of the only route cannot be had.
    """

    def __init__(
        self, senders: Sequence[Sender], history: History, *, hopeful: bool = False
    ) -> None:
        self.senders = tuple(senders)
        self._history = history
        self._hopeful = hopeful
        self._worked: set[Sender] = set()
        self._open: dict[Sender, ExitStack] = {}
        self._current: Sender | None = None

    def __enter__(self) -> Self:
        for sender in self.senders:
            try:
                self._look(sender)
            except SendError as error:
                _log.debug("%s: %s", sender.row.title, error)
            except DeviceError:
                if len(self.senders) == 1:
                    raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for sender in tuple(self._open):
            self._close(sender)

    def found(self) -> Iterator[Sender]:
        """The routes that work, as far as anybody knows."""
        return (sender for sender in self.senders if sender in self._open)

    def grid(self) -> Grid | None:
        """What can be said to the host that has the last preset, or else would have the next."""
        sender = self._current or next(self.found(), None)
        return sender.row.link.grid() if sender else None

    def apply(self, preset: Preset, *, fresh: bool = True, last: bool = True) -> Delivery:
        """Bring `preset` to the first host that takes it.

        A `fresh` one is of a new sound: it begins with the first route, and what was there before
        it can be put back. Those that refine it follow it, and only their differences travel. A
        host that is set by mouse waits for the `last`.
        """
        if self._current and not fresh and (last or not self._current.row.pointer):
            delivery = self._current.send(preset)
            if delivery.grade is not Grade.FAILED:
                return delivery
            self._leave(self._current, delivery)
        failed: list[Delivery] = []
        for sender in self.senders:
            if sender.row.pointer and not last:
                return Delivery(Grade.WAITING, sender.row.name, 0.0)
            delivery = self._begin(sender, preset)
            if delivery.grade is not Grade.FAILED:
                self._current = sender
                self._worked.add(sender)
                return delivery
            self._leave(sender, delivery)
            failed.append(delivery)
        reasons = (f"{delivery.route}: {delivery.reason}" for delivery in failed)
        return replace(failed[0], reason="; ".join(reasons)) if len(failed) > 1 else failed[0]

    def locked(self) -> dict[str, float]:
        """What is left alone, in plain units by id, as the first host that is there tells it.

        A match has to come as near as it can with these; of what no host tells nothing is known.
        """
        for sender in self.senders:
            if not sender.locked:
                break
            with suppress(DeviceError, SendError):
                held = self._look(sender)
                told = (PARAMETERS[index] for index in sorted(sender.locked & held.keys()))
                return {p.id: p.to_plain(held[p.index]) for p in told}
        return {}

    def play(self, note: int, velocity: int, gate_s: float) -> None:
        """Let the host that has the preset play a note, if it can be told to."""
        if self._current and isinstance(self._current.route, Playable):
            self._current.route.play(note, velocity, gate_s)

    def undo(self) -> Delivery:
        """Put back what was there before the latest sound.

        Raises:
            SendError: nothing is known of that, or by a route that is not configured any more.
        """
        before = self._history.pop()
        if before is None:
            raise SendError("nothing to undo: no preset was sent that followed a known one")
        sender = next((s for s in self.senders if s.row.name == before.route), None)
        if sender is None:
            self._history.push(before)
            raise SendError(
                f"the last preset went to {before.route!r}: set host.route to it to undo that"
            )
        self._current = None
        delivery = self._put_back(sender, before.values)
        if delivery.grade is Grade.FAILED:
            self._history.push(before)
        return delivery

    def _begin(self, sender: Sender, preset: Preset) -> Delivery:
        try:
            before = self._look(sender)
        except (DeviceError, SendError) as error:
            return _failed(sender, error)
        delivery = sender.send(preset)
        if before and delivery.written and sender.row.lasting:
            self._remember(Before(sender.row.name, before))
        return delivery

    def _remember(self, before: Before) -> None:
        try:
            self._history.push(before)
        except DeviceError as error:
            _log.warning("%s", error)

    def _put_back(self, sender: Sender, values: Values) -> Delivery:
        try:
            self._look(sender)
        except (DeviceError, SendError) as error:
            return _failed(sender, error)
        return sender.bring(values)

    def _look(self, sender: Sender) -> Values:
        """What a host holds, once its route is open."""
        if sender not in self._open:
            with ExitStack() as opening:
                opening.enter_context(sender)
                self._open[sender] = opening.pop_all()
        try:
            return sender.look()
        except SendError:
            self._close(sender)
            raise

    def _leave(self, sender: Sender, delivery: Delivery) -> None:
        self._current = None
        self._close(sender)
        missed = sender in self._worked or not self._hopeful
        if missed and len(self.senders) > 1:
            _log.warning("%s: %s", sender.row.title, delivery.reason)
        self._worked.discard(sender)

    def _close(self, sender: Sender) -> None:
        if route := self._open.pop(sender, None):
            route.close()


def _failed(sender: Sender, error: Exception) -> Delivery:
    everything = tuple(BY_ID)
    reason = f"{error}; {sender.row.remedy}"
    return Delivery(Grade.FAILED, sender.row.name, 0.0, differing=everything, reason=reason)
