"""Which key a preset was played on, from what the network says when it is asked about each.

A pitch tracker names partials. Of FM, of two oscillators far apart, of a sound that bends, these
are seldom what a preset is tuned to, and asked about another key the network knows little: most of
all it doubts how the oscillators are tuned. So the network is asked about every key, and a linear
score of how sure it is about each head, and of what the tracker says, tells how likely each key is.
The score is fitted on sounds whose keys are known (:mod:`antithesis.training.keys`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.encoding import HEADS
from antithesis.pitch import Pitch, nearest_note

Floats = npt.NDArray[np.float64]

KEYS: Final = np.arange(12, 116)
"""MIDI notes that are asked about."""

FEW: Final = 4
"""Keys that a file and a tracker name, at most."""

_OCTAVE: Final = 12
_COMMON: Final = (48, 60)

_OF_THE_TRACKER: Final = 3
_OF_THE_KEY: Final = 2
SIGNS: Final = 2 * len(HEADS) + _OF_THE_TRACKER + _OF_THE_KEY
"""How many signs there are of a key."""

_TRUST: Final = 8.0  # nats by which an unfitted score prefers what the tracker names
_TINY: Final = 1e-9


def tracked(heard: Pitch) -> list[int]:
    """Keys that a tracker names, likeliest first, and the octaves around that."""
    guesses = [nearest_note(hz)[0] for hz in heard.hypotheses] or list(_COMMON)
    return few([*guesses, guesses[0] + _OCTAVE, guesses[0] - _OCTAVE])


def few(guesses: Sequence[int]) -> list[int]:
    """The first ``FEW`` that differ, brought to within ``KEYS``."""
    clipped = [int(np.clip(guess, KEYS[0], KEYS[-1])) for guess in guesses]
    return list(dict.fromkeys(clipped))[:FEW]


def signs(distributions: Floats, heard: Pitch) -> Floats:
    """What speaks for each of ``KEYS``, (keys, SIGNS).

    Args:
        distributions: What the network says of one sound for each key, (keys, heads, WIDTH).
        heard: What a pitch tracker heard in it.
    """
    named = tracked(heard)
    doubt = -(distributions * np.log(distributions + _TINY)).sum(-1)
    likeliest = np.log(distributions.max(-1) + _TINY)
    first = np.equal(KEYS, named[0])
    high = height(KEYS)
    others = [np.isin(KEYS, named), first, heard.confidence * first, high, high**2]
    return np.concatenate([doubt, likeliest, np.stack(others, axis=-1)], axis=-1)


def height(notes: npt.ArrayLike) -> Floats:
    """Keys as a network likes to read them: -1 to 1 is where most are."""
    return (np.asarray(notes, np.float64) - 60.0) / 24.0


def chances(weights: Floats, signs: npt.NDArray[np.floating]) -> Floats:
    """How likely each key is, by the ``weights`` (SIGNS,) of its signs (..., keys, SIGNS)."""
    score = signs @ weights
    odds = np.exp(score - score.max(-1, keepdims=True))
    return np.asarray(odds / odds.sum(-1, keepdims=True))


def unfitted() -> Floats:
    """Weights (SIGNS,) that go by the tracker alone."""
    weights = np.zeros(SIGNS)
    weights[2 * len(HEADS)] = _TRUST
    return weights
