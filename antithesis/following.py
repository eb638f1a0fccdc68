"""The sounds of a stream while it goes on, with no part of it looked at twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.evidence import departures_db
from antithesis.hops import Hops, hop_of
from antithesis.onsets import (
    FEWEST,
    LOOK_S,
    SURE_S,
    Beginning,
    Heard,
    cut,
    likeliest,
    look,
    worth_a_look,
)

Samples = npt.NDArray[np.floating]

KEPT_S: Final = 5.0
"""What is remembered; what began before is no longer told."""

_EARLY_S: Final = 1.0  # what began there may have begun before what is remembered


class Following:
    """Follows a stream from `position` on: what is heard of it is given to `hear`, all of it.

    `sounds` are those of the last `KEPT_S`, by their positions in the stream: what
    :func:`antithesis.onsets.sounds` finds there, but for what began in the first second of that,
    unless the stream did, and in the last `SURE_S`.
    """

    def __init__(self, sample_rate: int, position: int = 0) -> None:
        self._rate = sample_rate
        self._hop = hop_of(sample_rate)
        self._position = position  # of the first sample that is kept
        self._samples = np.zeros(0, np.float32)
        self._hops = Hops.of(self._samples, sample_rate)
        self._known: dict[int, Beginning] = {}  # by the position that was worth a look

    @property
    def end(self) -> int:
        """The position after the last sample."""
        return self._position + len(self._samples)

    def hear(self, samples: Samples) -> None:
        """Take in what comes next (n,)."""
        self._samples = np.concatenate([self._samples, samples.astype(np.float32)])
        self._hops = self._hops.with_more(self._samples, self._rate)
        gone = max(0, len(self._hops) - round(KEPT_S * self._rate) // self._hop)
        self._hops = self._hops[gone:]
        self._samples = self._samples[gone * self._hop :]
        self._position += gone * self._hop

    def sounds(self) -> list[Heard]:
        """The sounds, in their order."""
        found = [replace(one, start=one.start - self._position) for one in self._beginnings()]
        first = self._position + round(_EARLY_S * self._rate) if self._position else 0
        sure = self.end - round(SURE_S * self._rate)
        heard = cut(self._hops, likeliest(found, self._rate), self._rate)
        here = self._position
        told = (replace(one, start=one.start + here, stop=one.stop + here) for one in heard)
        return [one for one in told if first <= one.start <= sure]

    def _beginnings(self) -> list[Beginning]:
        """Those that there is enough of, by position; each is looked at once."""
        if len(self._hops) < FEWEST:
            return []
        departs = departures_db(self._hops.departures)
        newest = len(self._samples) - round(LOOK_S * self._rate)
        known = {}
        for at in worth_a_look(self._hops, departs):
            place = self._position + at * self._hop
            if place in self._known:
                known[place] = self._known[place]
            elif at * self._hop <= newest:
                begun = look(self._samples, at, self._rate, departs)
                known[place] = replace(begun, start=begun.start + self._position)
        self._known = known
        return list(known.values())
