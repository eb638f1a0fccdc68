"""Splits tried all over their range: hills that descents and the network leave a search on.

Two copies of an oscillator beat, and the beats of a wrong split fit no better the nearer it comes,
until it is all but right. A split so small that a note hears less than one beat
passes for a decay; the network cannot tell it from none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.candidates import Candidate, Scored
from antithesis.encoding import MIDDLE, PLACE, SIZES

_SIZES: Final = np.array([0.03, 0.1, 0.4, 1.0, 3.0, 6.0, 10.0, 14.0])  # bins, either way
_OTHER: Final = 1.25  # times as large: what is nearer is where it was
_IN_STEP: Final = 0.5  # bins: up to here two copies go together; below 0 they begin a third apart
_MIX: Final = PLACE["kOscMix"]


def resplit(scored: Scored, free: npt.NDArray[np.bool_]) -> list[list[Candidate]]:
    """A candidate with other splits, for each oscillator whose split is heard and ``free``.

    ``free`` marks the heads (heads,) that nobody has locked. An oscillator that gets its second
    copy stays as loud beside the other, if the mix is free.
    """
    found = []
    for name in ("kOsc1", "kOsc2"):
        split = PLACE[f"{name}Split"]
        if free[split] and scored.audible[split]:
            mixed = bool(free[_MIX]) and not scored.candidate.alone
            found.append(_split_anew(scored.candidate, name, split, mixed=mixed))
    return found


def _split_anew(candidate: Candidate, name: str, split: int, *, mixed: bool) -> list[Candidate]:
    was = candidate.places[split] - MIDDLE
    found = []
    for place in np.concatenate([-_SIZES, _SIZES]):
        if place * was > 0 and 1.0 / _OTHER < place / was < _OTHER:
            continue
        places = candidate.places.copy()
        places[split] = MIDDLE + place
        if was == 0 and mixed:
            times = 4.0 if 0 < place < _IN_STEP else 2.0
            places[_MIX] = _as_loud(places[_MIX], name, times)
        found.append(replace(candidate, places=places))
    return found


def _as_loud(mix: float, name: str, times: float) -> float:
    """The mix that keeps an oscillator as loud whose power becomes so many times what it was."""
    second, first = 1.0 - mix / (SIZES[_MIX] - 1), mix / (SIZES[_MIX] - 1)
    if name == "kOsc1":
        first /= times
    else:
        second /= times
    return float(first / (first + second) * (SIZES[_MIX] - 1))
