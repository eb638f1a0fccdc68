"""What the network holds of one sound: where candidates come from, and which to prefer.

Two presets that come equally near are not equally likely: a search that only minds the distance
switches on whatever helps it along the way, a filter for a wrong decay, vibrato for a wrong split.
So a structure costs more the less the network expects it, and whatever is on is tried without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.candidates import Candidate, Fixed, Scored
from antithesis.conditionals import ORDER
from antithesis.encoding import (
    CONTINUOUS,
    HEADS,
    MIDDLE,
    PLACE,
    SIZES,
    SWITCHABLE,
    draw,
    likeliest,
    off,
)
from antithesis.network import Prediction

Floats = npt.NDArray[np.float64]

_PER_NAT: Final = 0.03  # of the distance
_CHANCE_DB: Final = 0.15
_MIX: Final = PLACE["kOscMix"]
_SWITCHED: Final = SWITCHABLE | (np.arange(len(HEADS)) == _MIX)
_SWITCHES: Final = (PLACE["kFmMode"], PLACE["kFilterEnabled"])  # 0 is off
_DEAREST: Final = 8.0  # nats of one head: a network can be wrong
_BY_HEADS: Final = 4  # keys, the likeliest: each head's likeliest value, whatever the others are
_FIRST_SHARPNESS: Final = 1.3
_DRAWN_SHARPNESS: Final = (0.6, 1.0, 1.3)  # of whole presets that a search begins with
_SHARPNESS: Final = (0.3, 0.6, 1.0)  # of moves: ever farther from what it expects
_ONE_HEAD_SHARE: Final = 0.5  # of moves; a quarter draw two, an eighth three
_TINY: Final = 1e-9
_ROWS: Final = np.arange(len(HEADS))
# Heads whose two signs sound alike but for details, so that descents stay on the wrong side.
_TWO_SIDED: Final = np.array(
    [head.id in ("kOsc1Split", "kOsc2Split", "kLfoAmount") for head in HEADS]
)
_MIRRORED_SHARE: Final = 0.3
_WHOLE: Final = 4  # of 32 moves: presets drawn anew altogether
_OSCILLATORS_ANEW: Final = 12  # of 32 moves: another story of how the spectrum comes about
_TOLD_TOGETHER: Final = np.array(
    [k for k in ORDER if HEADS[k].id.startswith("kOsc") or HEADS[k].id in ("kFmMode", "kFmCoarse")]
)


class Posterior:
    """What to expect of one sound, for each key that the network was asked about.

    ``chances`` say how likely each of these is; without, all are as likely.
    """

    def __init__(
        self,
        notes: Sequence[int],
        prediction: Prediction,
        fixed: Fixed | None = None,
        chances: Floats | None = None,
    ) -> None:
        self._chances = np.full(len(notes), 1.0 / len(notes)) if chances is None else chances
        self._prediction = prediction
        self._row = {note: k for k, note in enumerate(notes)}
        self._tables = dict(zip(notes, prediction.distributions, strict=True))
        self._nats = {note: _nats(table) for note, table in self._tables.items()}
        self._fixed = fixed or Fixed()
        self._free = ~self._fixed.heads

    def propose(self, rng: np.random.Generator, count: int) -> list[Candidate]:
        """So many: the likeliest preset of each key, by heads of a few, and draws."""
        likely = [list(self._tables)[k] for k in np.argsort(-self._chances, kind="stable")]
        few = likely[:_BY_HEADS]
        alone = self._fixed.kept(likeliest(np.stack([self._tables[note] for note in few])))
        drawn = self._notes(rng, max(count - len(likely) - len(few), 0))
        keys = np.concatenate([likely, drawn])
        sharpness = np.repeat([np.inf, _FIRST_SHARPNESS], [len(likely), len(drawn)])
        places = np.concatenate([alone, self._drawn(keys, rng, sharpness)])
        return _played(places, [*few, *keys.tolist()], rng)

    def draws(self, rng: np.random.Generator, count: int) -> list[Candidate]:
        """Whole presets, more for a likelier key, some of them far from what is likeliest."""
        keys = self._notes(rng, count)
        places = self._drawn(keys, rng, rng.choice(_DRAWN_SHARPNESS, len(keys)))
        return _played(places, keys.tolist(), rng)

    def _notes(self, rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
        return rng.choice(np.array(list(self._tables)), count, p=self._chances)

    def _drawn(
        self,
        keys: npt.NDArray[np.int64],
        rng: np.random.Generator,
        sharpness: npt.ArrayLike,
        known: Floats | None = None,
        keep: npt.NDArray[np.bool_] | None = None,
    ) -> Floats:
        """Whole presets (n, heads) for keys (n,), with what is fixed and what is to be kept."""
        rows = [self._row[key] for key in keys.tolist()]
        places = np.zeros((len(rows), len(HEADS))) if known is None else known
        kept = self._fixed.heads | (np.zeros(places.shape, np.bool_) if keep is None else keep)
        known = self._fixed.kept(places)
        return self._fixed.kept(self._prediction.draw(rows, rng, sharpness, known=known, keep=kept))

    def simpler(self, scored: Scored) -> list[Candidate]:
        """Candidates with one thing less: an amount off, an oscillator, the filter or FM out."""
        candidate, free = scored.candidate, scored.audible & ~self._fixed.heads
        on = free & SWITCHABLE & ~off(candidate.places)
        without = [(int(k), float(MIDDLE)) for k in np.flatnonzero(on)]
        without += [(k, 0.0) for k in _SWITCHES if free[k] and candidate.places[k] > 0]
        if free[_MIX] and not candidate.alone:
            without += [(_MIX, 0.0), (_MIX, float(SIZES[_MIX] - 1))]
        found = []
        for head, place in without:
            places = candidate.places.copy()
            places[head] = place
            found.append(replace(candidate, places=places))
        return found

    def moves(self, scored: Scored, rng: np.random.Generator, count: int) -> list[Candidate]:
        """Candidates with a head or a few drawn anew, oftener those the network doubts.

        Some with both oscillators and FM told anew, and some altogether.
        """
        candidate = scored.candidate
        whole, stories = count * _WHOLE // 32, count * _OSCILLATORS_ANEW // 32
        keep = np.zeros((whole + stories, len(HEADS)), np.bool_)
        keep[whole:] = True
        for row in keep[whole:]:  # from a head on: what comes before it stays
            row[_TOLD_TOGETHER[rng.integers(len(_TOLD_TOGETHER) - 1) :]] = False
        known = np.tile(candidate.places, (len(keep), 1))
        keys = np.full(len(keep), candidate.note)
        drawn = self._drawn(keys, rng, rng.choice(_SHARPNESS, len(keep)), known, keep)
        few = self._few_anew(scored, rng, count - len(keep))
        return [replace(candidate, places=row) for row in drawn] + few

    def _few_anew(self, scored: Scored, rng: np.random.Generator, count: int) -> list[Candidate]:
        candidate = scored.candidate
        table = self._tables[candidate.note]
        doubt = np.maximum(-(table * np.log(table + _TINY)).sum(-1), _TINY)
        doubt *= scored.audible & self._free
        if not doubt.any():
            return [replace(candidate, phase=float(rng.random())) for _ in range(count)]
        drawn = np.concatenate([draw(table, rng, 1, rng.choice(_SHARPNESS)) for _ in range(count)])
        mirrored = _TWO_SIDED & (rng.random(drawn.shape) < _MIRRORED_SHARE)
        drawn = np.where(mirrored, SIZES - 1 - candidate.places, drawn)
        changed = np.zeros(drawn.shape, np.bool_)
        for row in changed:
            heads = min(int(rng.geometric(_ONE_HEAD_SHARE)), int(np.count_nonzero(doubt)))
            row[rng.choice(len(HEADS), heads, replace=False, p=doubt / doubt.sum())] = True
        moved = self._fixed.kept(np.where(changed, drawn, candidate.places))
        return [replace(candidate, places=row) for row in moved]

    def worth(self, scored: Scored) -> float:
        """The distance in dB, dearer the less likely the network finds the structure."""
        return self.price(scored.distance, scored)

    def price(self, distance: float, scored: Scored) -> float:
        """Another distance in dB of the same candidate, as :meth:`worth` counts it.

        Two renders of one preset are ``_CHANCE_DB`` apart: below that, likelihood decides.
        """
        return (distance + _CHANCE_DB) * (1.0 + _PER_NAT * self.surprise(scored)) - _CHANCE_DB

    def surprise(self, scored: Scored) -> float:
        """Nats by which each choice and switch is less likely than the likeliest, in all."""
        candidate = scored.candidate
        choice, switched_off, switched_on = self._nats[candidate.note]
        at = np.clip(np.round(candidate.places), 0, SIZES - 1).astype(np.int64)
        is_off = off(candidate.places)
        is_off[_MIX] = candidate.alone
        switch = np.where(is_off, switched_off, switched_on)
        nats = np.where(CONTINUOUS, switch, choice[_ROWS, at])
        counts = (scored.audible | (SWITCHABLE & is_off)) & self._free
        return float(np.minimum(nats, _DEAREST)[counts].sum())


def _played(places: Floats, keys: Sequence[int], rng: np.random.Generator) -> list[Candidate]:
    """Candidates of places (n, heads) and keys (n), the vibrato anywhere."""
    rows = zip(places, keys, strict=True)
    return [Candidate(row, key, float(rng.random())) for row, key in rows]


def _nats(table: Floats) -> tuple[Floats, Floats, Floats]:
    """By how much less likely than the likeliest are each class, being off, and being on.

    Of the mix, one oscillator alone is "off".
    """
    logs, none = np.log(table + _TINY), table[:, MIDDLE].copy()
    none[_MIX] = table[_MIX, 0] + table[_MIX, SIZES[_MIX] - 1]
    switches = np.log(np.stack([none, 1.0 - none]) + _TINY)
    off, on = np.where(_SWITCHED, switches.max(axis=0) - switches, 0.0)
    return logs.max(-1, keepdims=True) - logs, off, on
