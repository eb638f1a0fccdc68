"""Whole presets drawn at once: each head in its turn, knowing what was drawn before it.

The network's distributions say of each head by itself what is likely. They cannot say that the
sound is a saw modulated by a triangle *or* a triangle modulated by a saw, but neither both nor
none: draws that take each head alone mix the two stories. Here every head's distribution is
corrected by what the heads before it have become, the large decisions first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from antithesis.encoding import CONTINUOUS, HEADS, MIDDLE, PLACE, SIZES, SWITCHABLE, WIDTH
from antithesis.errors import ModelError

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

_FIRST: Final = (
    *("kFilterEnabled", "kFmMode", "kOscMix", "kOsc1Wave", "kOsc2Wave"),
    *("kOsc1Coarse", "kOsc2Coarse", "kFmCoarse", "kOsc1Fine", "kOsc2Fine"),
    *("kOsc1Split", "kOsc2Split", "kLfoAmount", "kLfoFrequency", "kLfoDelay"),
    *("kVolEnvA", "kVolEnvD", "kVolEnvS", "kVolEnvR", "gate_s"),
    *("kFilterCutoff", "kFilterResonance", "kVolEnvCutoff", "kModEnvCutoff", "kLfoCutoff"),
)
ORDER: Final = (
    *(PLACE[id] for id in _FIRST),
    *(k for k, head in enumerate(HEADS) if head.id not in _FIRST),
)
"""Places of the heads in the order in which they are drawn."""
EMBEDDED: Final = 16
HIDDEN: Final = 48
"""Numbers that tell of each head's value, and that each head's correction is computed from."""

_PERMUTED: Final = np.array(ORDER)
_SIZES: Final = SIZES[_PERMUTED]
_CONTINUOUS: Final = CONTINUOUS[_PERMUTED]
_SWITCHABLE: Final = SWITCHABLE[_PERMUTED]


@dataclass(frozen=True)
class Conditionals:
    """The tables of the trained layer, heads in the order in which they are drawn."""

    values: Floats32  # (heads, WIDTH, EMBEDDED)
    links: Floats32  # (heads, EMBEDDED, heads, HIDDEN)
    mixing: Floats32  # (heads, HIDDEN, HIDDEN)
    corrections: Floats32  # (heads, HIDDEN, WIDTH)

    def draw(
        self,
        logits: Floats32,
        told: Floats32,
        rng: np.random.Generator,
        sharpness: npt.ArrayLike,
        *,
        known: Floats,
        keep: Bools,
    ) -> Floats:
        """Places (n, heads), one draw for each row.

        Args:
            logits: What the network says of each head by itself, (n, heads, WIDTH).
            told: What it tells the conditionals, (n, heads, HIDDEN).
            rng: Where chance comes from.
            sharpness: Of each row, (n,): probabilities are raised to it; infinite takes the
                likeliest.
            known: Places (n, heads) of which some are kept, and minded in what follows.
            keep: Which (n, heads).
        """
        places = known[:, _PERMUTED].copy()
        keep = keep[:, _PERMUTED]
        sharp = np.broadcast_to(np.asarray(sharpness, np.float64), len(places))
        context = told[:, _PERMUTED].copy()
        for k, head in enumerate(ORDER):
            drawn = _drawn(k, logits[:, head] + self._correction(k, context[:, k]), rng, sharp)
            places[:, k] = np.where(keep[:, k], places[:, k], drawn)
            value = _between(self.values[k], places[:, k])
            later = value @ self.links[k, :, k + 1 :].reshape(EMBEDDED, -1)
            context[:, k + 1 :] += later.reshape(len(places), -1, HIDDEN)
        out = np.empty_like(places)
        out[:, _PERMUTED] = places
        return out

    def _correction(self, k: int, heard: Floats32) -> Floats32:
        hidden = _silu(heard)
        hidden = hidden + _silu(hidden @ self.mixing[k])
        return np.asarray(hidden @ self.corrections[k], np.float32)


def _drawn(k: int, logits: Floats32, rng: np.random.Generator, sharpness: Floats) -> Floats:
    """Places (n,) of the head that comes ``k``-th, from logits (n, WIDTH)."""
    logs = logits[:, : _SIZES[k]].astype(np.float64)
    logs -= logs.max(axis=1, keepdims=True)
    sure = np.isinf(sharpness)
    edges = np.cumsum(np.exp(np.where(sure, 1.0, sharpness)[:, None] * logs), axis=1)
    bins = (rng.random((len(logs), 1)) * edges[:, -1:] > edges).sum(axis=1)
    bins = np.where(sure, logs.argmax(axis=1), bins)
    if not _CONTINUOUS[k]:
        return np.asarray(bins, np.float64)
    within = rng.uniform(-0.5, 0.5, len(bins))
    if sure.any():
        within = np.where(sure, _lean(logs, bins), within)
    exact = _SWITCHABLE[k] & (bins == MIDDLE)
    inside = np.clip(bins + within, 0.0, _SIZES[k] - 1)
    return np.asarray(np.where(exact, bins, inside), np.float64)


def _lean(logs: Floats, bins: npt.NDArray[np.intp]) -> Floats:
    """How far (n,) right of its likeliest bin a distribution's mean is, by its neighbours."""
    padded = np.exp(np.pad(logs, ((0, 0), (1, 1)), constant_values=-np.inf))
    rows = np.arange(len(bins))
    left, here, right = (padded[rows, bins + step] for step in range(3))
    return np.asarray((right - left) / (left + here + right))


def _between(table: Floats32, places: Floats) -> Floats32:
    """Rows of a table (WIDTH, d) at places (n,) between them."""
    low = np.floor(places).astype(np.intp)
    high = np.minimum(low + 1, len(table) - 1)
    share = (places - low).astype(np.float32)[:, None]
    return np.asarray((1.0 - share) * table[low] + share * table[high])


def _silu(x: Floats32) -> Floats32:
    return np.asarray(x / (1.0 + np.exp(-x)), np.float32)


def read_conditionals(path: Path) -> Conditionals:
    """The tables that a training wrote.

    Raises:
        ModelError: the file is missing, damaged, or of another network.
    """
    heads = len(HEADS)
    shapes = {
        "values": (heads, WIDTH, EMBEDDED),
        "links": (heads, EMBEDDED, heads, HIDDEN),
        "mixing": (heads, HIDDEN, HIDDEN),
        "corrections": (heads, HIDDEN, WIDTH),
    }
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            tables = {name: file[name].astype(np.float32).reshape(shapes[name]) for name in shapes}
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as trouble:
        raise ModelError(f"{path}: unreadable ({trouble}): install Antithesis again") from None
    tables["links"] = tables["links"][:, :, _PERMUTED]
    return Conditionals(**{name: table[_PERMUTED] for name, table in tables.items()})


def write_conditionals(path: Path, tables: Mapping[str, Floats32]) -> None:
    """Keep the trained layer's tables by name, heads in their own order, in float16."""
    halves = {name: np.asarray(table, np.float16) for name, table in tables.items()}
    np.savez_compressed(path, **halves)  # type: ignore[arg-type]
