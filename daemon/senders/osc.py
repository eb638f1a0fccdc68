"""OSC: writes and reads the parameters of a plug-in as its host's row says, once it is found."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pkgutil import resolve_name
from types import TracebackType
from typing import Final, Self

from antithesis.errors import SendError
from antithesis.parameters import N_PARAMETERS, PARAMETERS
from daemon.hosts import OscLink
from daemon.osc import Argument, OscMessage
from daemon.senders.patterns import Found, fill, match
from daemon.senders.places import KEY_LENGTH, Place, is_ours, place_of, squashed
from daemon.senders.stream import Stream
from daemon.senders.wire import Wire

_LOOKS: Final = 6  # of a finder over UDP: what it asks may be lost on the way


class OscRoute:
    """Writes and reads parameters as an `OscLink` says."""

    def __init__(self, link: OscLink) -> None:
        self._link = link
        self._line = Stream(link) if link.tcp else Wire(link)
        self._place: Place | None = None

    def __enter__(self) -> Self:
        self._line.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        place, self._place = self._place, None
        if place:
            with suppress(SendError):
                self._line.send(fill(message, place.where) for message in self._link.farewell)
        self._line.__exit__(kind, error, trace)

    def find(self) -> str:
        """Greet the host and look where in it the plug-in is."""
        self._place = None
        before = self._line.heard
        for _ in range(1 if self._link.tcp else _LOOKS):
            self._line.send(fill(message, self._link.places) for message in self._link.greeting)
            self._place = self._look()
            if self._place:
                return self._place.title
            if self._line.heard == before:
                return self._mute()
        raise SendError("it has no Mika Micro: put one on a track, with its parameters shown")

    def write(self, values: Mapping[int, float]) -> None:
        """Send `values`, in bundles; SendError when the host's port is known to be closed."""
        place = self._found()
        self._line.send(
            fill(self._link.set_one, self._filling(place, index, place.to_host(index, value)))
            for index, value in values.items()
        )

    def read(self) -> Mapping[int, float]:
        """Ask until all 38 have come back, or patience ends."""
        place = self._found()
        heard: dict[int, float] = {}
        if not self._link.ask:
            return heard
        for message in self._line.answers(fill(ask, place.where) for ask in self._link.ask):
            heard.update(self._values(place, message))
            if len(heard) == N_PARAMETERS:
                break
        return heard

    def play(self, note: int, velocity: int, gate_s: float) -> None:
        """Hold a note, where the host has an address for notes."""
        if self._link.note_on is None or self._link.note_off is None:
            return
        filling = {**self._found().where, "note": note, "velocity": velocity}
        self._line.send([fill(self._link.note_on, filling)])
        time.sleep(gate_s)
        self._line.send([fill(self._link.note_off, filling)])

    def _found(self) -> Place:
        if self._place is None:
            self.find()
        assert self._place is not None
        return self._place

    def _mute(self) -> str:
        """A host that does not answer has it where the user says, and nowhere else."""
        if not (self._link.mute_place and self._link.track):
            raise SendError("it does not answer")
        self._place = _fixed_place(self._link, {self._link.mute_place: self._link.track})
        return self._place.title

    def _look(self) -> Place | None:
        if not self._link.finder and not self._link.mute_place:
            return _fixed_place(self._link, self._link.places)
        if not self._link.finder:
            return None
        finder = resolve_name(f"daemon.senders.finders:{self._link.finder}")
        ours = (candidate for candidate in finder(self._line) if is_ours(candidate))
        return next(map(place_of, ours), None)

    def _filling(self, place: Place, index: int, value: float) -> Mapping[str, Argument]:
        parameter = PARAMETERS[index]
        return {
            "track": self._link.track,
            **place.where,
            "id": parameter.id,
            "key": squashed(parameter.name)[:KEY_LENGTH],
            "number": place.numbers[index],
            "value": value,
        }

    def _values(self, place: Place, message: OscMessage) -> Iterator[tuple[int, float]]:
        for pattern in self._link.told:
            found = match(pattern, message)
            if found is not None and _is_of(place, found):
                yield from _numbers(place, found, self._link.first_number)


def _fixed_place(link: OscLink, where: Mapping[str, Argument]) -> Place:
    count = range(N_PARAMETERS)
    return Place(
        where,
        "where it is configured to be",
        numbers=tuple(link.first_number + index for index in count),
        names=tuple(PARAMETERS[index].name for index in count),
        scales=tuple(link.scale for _ in count),
    )


def _is_of(place: Place, found: Found) -> bool:
    """Whether an answer is of this plug-in: others may be told of as well."""
    return all(found.get(name, number) == number for name, number in place.where.items())


def _numbers(place: Place, found: Found, first: int) -> Iterator[tuple[int, float]]:
    """The values in an answer, normalized, by our index; a list of them begins at `first`."""
    told: list[tuple[int, object]]
    if "values" in found:
        by_number = dict(enumerate(found["values"], first))
        told = [(i, by_number[n]) for i, n in enumerate(place.numbers) if n in by_number]
    elif "id" in found:
        told = [(p.index, found["value"]) for p in PARAMETERS if p.id == found["id"]]
    elif found["number"] in place.numbers:
        index = place.numbers.index(found["number"])
        moved = found.get("name", place.names[index]) != place.names[index]
        told = [] if moved else [(index, found["value"])]
    else:
        return
    for index, value in told:
        # Hosts that know only one kind of number send whole ones as integers.
        if isinstance(value, float | int) and math.isfinite(value):
            yield index, place.from_host(index, float(value))
