"""Presets as the network sees them: one distribution per quantity that a single note tells.

A choice has a class each; a continuous quantity has ordered bins over its *encoded* value, a
monotone function of the normalized one that spreads what is heard evenly: logarithmic for rates and
cutoff (normalized units crowd below 10 ms and above 300 ms; plain ones worse), a signed root for
vibrato's depth and the sweeps of the cutoff, the normalized value itself elsewhere. A value between
two bins is shared between them, so that the mean of a distribution is exact; an odd number of bins
puts "off" on one. FM's coarse and fine depth are one quantity, their sum: nothing else is heard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.canonical import Notes
from antithesis.parameters import BY_ID, DEFAULT, MAXIMUM, MINIMUM
from antithesis.rules import audible
from antithesis.segments import MATCHED_S

Floats = npt.NDArray[np.float64]
Law = Callable[[Floats], Floats]

BINS: Final = 33
_NEARLY_OFF: Final = 0.15  # bins


@dataclass(frozen=True)
class Head:
    """One distribution: ``size`` classes or bins over ``low`` to ``high`` in encoded units.

    ``id`` is the parameter's; ``fine`` that of another that holds what is between two whole steps.
    """

    id: str
    size: int
    choice: bool
    low: float
    high: float
    to_encoded: Law
    to_plain: Law
    fine: str | None = None

    def position(self, plain: Floats) -> Floats:
        """Place of plain values among the classes or bins, 0 to size - 1."""
        span = (self.to_encoded(plain) - self.low) / (self.high - self.low)
        return np.asarray(np.clip(span, 0.0, 1.0) * (self.size - 1))

    def plain(self, position: Floats) -> Floats:
        """Plain values at places among the classes or bins; the inverse of :meth:`position`."""
        span = np.clip(position / (self.size - 1), 0.0, 1.0)
        return np.asarray(self.to_plain(self.low + span * (self.high - self.low)))


def _same(values: Floats) -> Floats:
    return values


def _signed_root(values: Floats) -> Floats:
    return np.sign(values) * np.sqrt(np.abs(values))


def _signed_square(values: Floats) -> Floats:
    return np.sign(values) * values**2


@lru_cache  # one law for all that share a range: they are decoded together
def _reversed(total: float) -> tuple[Law, Law]:
    return (
        lambda plain: np.asarray(np.log(np.maximum(total - plain, 0.05))),
        lambda encoded: np.asarray(total - np.exp(encoded)),
    )


def _ends_of(id: str) -> float:
    """Both ends of a parameter's range, added: a reversed one counts down from there."""
    return float(MINIMUM[BY_ID[id].index] + MAXIMUM[BY_ID[id].index])


def _head(id: str, size: int, choice: bool, law: tuple[Law, Law]) -> Head:
    index = BY_ID[id].index
    ends = law[0](np.array([MINIMUM[index], MAXIMUM[index]]))
    return Head(id, size, choice, float(ends.min()), float(ends.max()), *law)


_PLAIN: Final = (_same, _same)
_ROOT: Final = (_signed_root, _signed_square)
_LOG: Final[tuple[Law, Law]] = (
    lambda plain: np.asarray(np.log(plain)),
    lambda encoded: np.asarray(np.exp(encoded)),
)
_FREQUENCY: Final[tuple[Law, Law]] = (
    lambda plain: np.asarray(np.sqrt(plain)),
    lambda encoded: np.asarray(encoded**2),
)
OFF_IN_THE_MIDDLE: Final = frozenset(
    (
        *("kOsc1Split", "kOsc2Split", "kLfoAmount"),
        *("kVolEnvFm", "kVolEnvCutoff", "kModEnvFm", "kModEnvCutoff", "kLfoFm", "kLfoCutoff"),
    )
)


_CHOICES: Final = ("kOsc1Wave", "kOsc2Wave", "kFmMode", "kFilterEnabled")
_COARSE: Final = ("kOsc1Coarse", "kOsc2Coarse")
_LINEAR: Final = (
    *("kOsc1Fine", "kOsc1Split", "kOsc2Fine", "kOsc2Split", "kOscMix"),
    *("kFilterResonance", "kVolEnvS", "kModEnvS"),
    *("kVolEnvFm", "kModEnvFm", "kLfoFm", "kLfoCutoff"),
)
_ROOTS: Final = ("kVolEnvCutoff", "kModEnvCutoff", "kLfoAmount")
_RATES: Final = ("kVolEnvA", "kVolEnvD", "kVolEnvR", "kModEnvA", "kModEnvD", "kModEnvR")


def _parameter_heads() -> tuple[Head, ...]:
    return (
        *(_head(id, int(MAXIMUM[BY_ID[id].index]) + 1, True, _PLAIN) for id in _CHOICES),
        *(_head(id, 49, True, _PLAIN) for id in _COARSE),
        *(_head(id, BINS, False, _PLAIN) for id in _LINEAR),
        *(_head(id, BINS, False, _ROOT) for id in _ROOTS),
        *(_head(id, BINS, False, _reversed(_ends_of(id))) for id in _RATES),
        _head("kFilterCutoff", BINS, False, _LOG),
        _head("kLfoFrequency", BINS, False, _FREQUENCY),
        _head("kLfoDelay", BINS, False, _reversed(_ends_of("kLfoDelay"))),
        Head("kFmCoarse", 51, False, -1.0, 49.0, _same, _same, fine="kFmFine"),
    )


GATE: Final = Head("gate_s", BINS, False, 0.0, MATCHED_S, _same, _same)
HEADS: Final = (*_parameter_heads(), GATE)
PLACE: Final = {head.id: k for k, head in enumerate(HEADS)}
WIDTH: Final = max(head.size for head in HEADS)
MIDDLE: Final = (BINS - 1) // 2


def encode(notes: Notes, gate_s: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Places (n, heads) of canonical presets, and which of them can be heard (n, heads)."""
    gates = np.broadcast_to(np.asarray(gate_s, np.float64), len(notes.plain))
    let_go = gates < MATCHED_S
    heard = audible(notes.plain, velocity=127, gate_s=gates, note_off=let_go)
    counts = np.stack(
        [let_go if head is GATE else heard[:, BY_ID[head.id].index] for head in HEADS], axis=1
    )
    return on_places(notes.plain, gates), counts


def on_places(plain: Floats, gates: Floats) -> Floats:
    """Places (n, heads) of presets (n, 38) in plain units and gates in seconds (n,)."""
    places = np.empty((len(gates), len(HEADS)))
    for k, head in enumerate(HEADS):
        if head is GATE:
            places[:, k] = head.position(gates)
        else:
            parts = [BY_ID[id].index for id in (head.id, head.fine) if id]
            places[:, k] = head.position(plain[:, parts].sum(axis=1))
    return places


def decode(places: Floats) -> tuple[Floats, Floats]:
    """Presets (n, 38) in plain units and gates in seconds (n,) at places (n, heads).

    What no head tells stands at its default, but voice mode at poly: one note is all there is.
    """
    plain = np.tile(DEFAULT, (len(places), 1))
    plain[:, BY_ID["kVoiceMode"].index] = 0.0
    values = _LOW + np.clip(places / (SIZES - 1), 0.0, 1.0) * (_HIGH - _LOW)
    for to_plain, heads in _DECODED_TOGETHER:
        values[:, heads] = to_plain(values[:, heads])
    plain[:, _INDEX] = values[:, : len(_INDEX)]
    for whole, fine in _IN_TWO:
        total = plain[:, whole].copy()
        plain[:, whole] = np.clip(np.round(total), MINIMUM[whole], MAXIMUM[whole])
        plain[:, fine] = total - plain[:, whole]
    gates = values[:, PLACE[GATE.id]]
    return np.clip(plain, MINIMUM, MAXIMUM), gates  # a logarithm may overshoot by a rounding


def probabilities(logits: npt.NDArray[np.float32]) -> Floats:
    """Distributions (..., heads, WIDTH) of a network's logits of that shape."""
    table = np.where(LIVE, logits.astype(np.float64), -np.inf)
    table = np.exp(table - table.max(-1, keepdims=True))
    return np.asarray(table / table.sum(-1, keepdims=True))


def likeliest(distributions: Floats) -> Floats:
    """Places (n, heads): the likeliest class; of bins the mean around the likeliest."""
    peaks = distributions.argmax(-1)
    bins = np.arange(WIDTH)
    near = np.abs(bins - peaks[..., None]) <= 1
    weights = np.where(near, distributions, 0.0)
    means = (weights * bins).sum(-1) / weights.sum(-1)
    switched_off = off(peaks) & (np.abs(means - peaks) < _NEARLY_OFF)
    return np.asarray(np.where(CONTINUOUS & ~switched_off, means, peaks))


def draw(distributions: Floats, rng: np.random.Generator, count: int, sharpness: float) -> Floats:
    """Draw places (count, heads) from one sound's distributions (heads, WIDTH).

    Each probability is raised to ``sharpness``: above 1 the draws keep closer to the likeliest.
    """
    edges = np.cumsum(distributions**sharpness, axis=-1)
    edges /= edges[:, -1:]
    bins = (rng.random((count, len(HEADS), 1)) > edges).sum(-1)
    within = np.where(CONTINUOUS & ~off(bins), rng.uniform(-0.5, 0.5, bins.shape), 0.0)
    return np.asarray(np.clip(bins + within, 0, SIZES - 1))


def off(places: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Which of places (..., heads) say exactly that a split or an amount is off."""
    return np.asarray(SWITCHABLE & (np.asarray(places) == MIDDLE))


SIZES: Final = np.array([head.size for head in HEADS])
CONTINUOUS: Final = np.array([not head.choice for head in HEADS])
LIVE: Final = np.arange(WIDTH) < SIZES[:, None]
SWITCHABLE: Final = np.array([head.id in OFF_IN_THE_MIDDLE for head in HEADS])

_LOW: Final = np.array([head.low for head in HEADS])
_HIGH: Final = np.array([head.high for head in HEADS])
_INDEX: Final = [BY_ID[head.id].index for head in HEADS if head is not GATE]  # the gate is the last
_IN_TWO: Final = [(BY_ID[h.id].index, BY_ID[h.fine].index) for h in HEADS if h.fine]
_DECODED_TOGETHER: Final = [
    (law, np.array([k for k, head in enumerate(HEADS) if head.to_plain is law]))
    for law in {head.to_plain: None for head in HEADS}
    if law is not _same
]
