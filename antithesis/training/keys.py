"""Fitting how a network's doubts tell the key: sounds whose keys are known, asked about on all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.optimize

from antithesis import pitch
from antithesis.encoding import PLACE, encode
from antithesis.fourier import SAMPLE_RATE
from antithesis.keys import KEYS, SIGNS, chances, signs
from antithesis.network import Network
from antithesis.training import stream

Floats = npt.NDArray[np.float64]

RECIPE: Final = stream.Recipe(misheard=0.0, mixture={"musical": 0.5, "uniform": 0.5})
_PENALTY: Final = 3.0  # on the squares of weights, of signs of deviation 1
_STEPS: Final = 300
_TUNING: Final = PLACE["kOsc1Fine"]


@dataclass(frozen=True)
class Lessons:
    """What spoke for each key of n sounds, and which it was."""

    signs: npt.NDArray[np.float32]  # (n, keys, SIGNS)
    rows: npt.NDArray[np.int64]  # (n,), of KEYS

    @classmethod
    def joined(cls, parts: list[Lessons]) -> Lessons:
        """Several, one after the other."""
        signs, rows = ([getattr(part, name) for part in parts] for name in ("signs", "rows"))
        return cls(np.concatenate(signs), np.concatenate(rows))

    def ranks(self, weights: Floats) -> npt.NDArray[np.int64]:
        """How many keys seem likelier than the right one, (n,)."""
        chance = chances(weights, self.signs)
        right = np.take_along_axis(chance, self.rows[:, None], axis=1)
        return np.asarray((chance > right).sum(1))


def lessons(network: Network, index: int, recipe: stream.Recipe = RECIPE) -> Lessons:
    """A handful of sounds, which depend on (seed, index) alone; those with a pitch, of ``KEYS``."""
    heard = stream.sounds(recipe, np.random.default_rng((recipe.seed, index)))
    _, counts = encode(heard.notes, heard.gate_s)
    notes = heard.notes.note
    told = counts[:, _TUNING] & (notes >= KEYS[0]) & (notes <= KEYS[-1])
    found = [
        signs(network.predict(sound[None], KEYS).distributions, pitch.track(sound, SAMPLE_RATE))
        for sound in heard.audio[told]
    ]
    rows = np.searchsorted(KEYS, notes[told])
    return Lessons(np.reshape(found, (len(rows), len(KEYS), SIGNS)).astype(np.float32), rows)


def fit(taught: Lessons) -> Floats:
    """The weights (SIGNS,) by which the right keys are likeliest, none of them large."""
    scale = taught.signs.std((0, 1)).astype(np.float64) + 1e-9
    scaled = taught.signs / scale.astype(np.float32)
    right = np.take_along_axis(scaled, taught.rows[:, None, None], axis=1)[:, 0].sum(0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        chance = chances(weights, scaled)
        hit = np.take_along_axis(chance, taught.rows[:, None], axis=1)
        nats = -np.log(hit + 1e-12).sum() + _PENALTY * (weights @ weights)
        slope = np.einsum("nk,nks->s", chance, scaled) - right + 2.0 * _PENALTY * weights
        return float(nats), slope.astype(np.float64)

    found = scipy.optimize.minimize(
        loss, np.zeros(SIGNS), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}
    )
    return np.asarray(found.x / scale)
