"""Ways of looking at a sound, and the same sounds as each of them sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis import spectra
from antithesis.encoding import encode
from antithesis.network import key_input
from antithesis.spectra import FrontEnd
from antithesis.synth.live import note_frequency
from antithesis.training import stream

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]

SHIPS: Final = FrontEnd()


@dataclass(frozen=True)
class Mels:
    """Sizes of a mel spectrogram; its hop is that of the one that ships."""

    count: int
    window: int


@dataclass(frozen=True)
class Ear:
    """A network's way of looking: a mel spectrogram, the fine view, or both."""

    name: str
    mels: Mels | None
    fine: bool
    seed: int = 0  # of its first weights

    @property
    def front_end(self) -> FrontEnd:
        """What the network is built for; a view that it lacks is one frame of zeros."""
        n = SHIPS.n_samples
        mel = {"n_mels": self.mels.count, "mel_window": self.mels.window} if self.mels else {
            "n_mels": 1, "mel_window": n}  # fmt: skip
        fine = {} if self.fine else {"fine_window": n, "fine_per_octave": 2}
        return FrontEnd(**mel, **fine)

    def inputs(self, batch: Batch) -> list[Floats]:
        """What the network is shown of a batch."""
        n, front_end = len(batch.key), self.front_end
        mel = np.zeros((n, front_end.mel_frames, front_end.n_mels), np.float32)
        fine = np.zeros((n, front_end.fine_frames, front_end.fine_bands), np.float32)
        if self.mels:
            mel[:] = batch.mels[self.mels]
        if self.fine:
            fine[:] = batch.fine
        return [mel, fine, batch.key]


SHIPPED = Mels(SHIPS.n_mels, SHIPS.mel_window)
EARS: Final = (
    Ear("32 mels", Mels(32, 1024), fine=False),
    Ear("64 mels", SHIPPED, fine=False),
    Ear("128 mels", Mels(128, 1024), fine=False),
    Ear("64 mels, 4,096", Mels(64, 4096), fine=False),
    Ear("fine", None, fine=True),
    Ear("both", SHIPPED, fine=True),
)
AGAIN: Final = Ear("both, again", SHIPPED, fine=True, seed=1)  # says what training leaves to chance


@dataclass(frozen=True)
class Batch:
    """``n`` sounds in every view, with their labels."""

    mels: dict[Mels, Halves]  # (n, frames, mels) each
    fine: Halves  # (n, frames, bands)
    key: Floats  # (n, 1)
    places: Floats  # (n, heads): position among classes or bins
    weights: Floats  # (n, heads): 1 where the parameter can be heard


def batch(recipe: stream.Recipe, sizes: frozenset[Mels], index: int) -> Batch:
    """Batch ``index`` of a stream, in all views asked for; each sound is rendered once."""
    parts = [_seen(heard, sizes) for heard in stream.handfuls(recipe, index)]
    joined = partial(_joined, count=recipe.batch)
    return Batch(
        {mels: joined(part.mels[mels] for part in parts) for mels in parts[0].mels},
        *(joined(getattr(p, name) for p in parts) for name in ("fine", "key", "places", "weights")),
    )


def _joined(columns: Iterable[Halves | Floats], count: int) -> npt.NDArray[np.floating]:
    return np.concatenate(list(columns))[:count]


def _seen(heard: stream.Sounds, sizes: frozenset[Mels]) -> Batch:
    keys = heard.notes.note
    mels, fine = look(spectra.normalize(heard.audio, SHIPS.n_samples), keys, sizes)
    places, counts = encode(heard.notes, heard.gate_s)
    labels = (places.astype(np.float32), counts.astype(np.float32))
    return Batch(mels, fine, key_input(keys), *labels)


def look(
    sounds: Floats, keys: npt.NDArray[np.int64], sizes: frozenset[Mels]
) -> tuple[dict[Mels, Halves], Halves]:
    """Mel spectrograms and the fine view of normalized sounds (n, samples) with keys (n,)."""
    edges = SHIPS.band_edges([note_frequency(float(key)) for key in keys])
    powers = (spectra.power(x, SHIPS.fine_window, SHIPS.fine_hop) for x in sounds)
    fine = [spectra.bands(p, e[None], SHIPS.floor_db) for p, e in zip(powers, edges, strict=True)]
    return _mels(sounds, sizes), np.concatenate(fine).astype(np.float16)


def _mels(sounds: Floats, sizes: frozenset[Mels]) -> dict[Mels, Halves]:
    """Mel spectrograms of normalized sounds."""
    ears = {mels: replace(SHIPS, mel_window=mels.window, n_mels=mels.count) for mels in sizes}
    return {
        mels: np.stack([spectra.mel_view(ear, x) for x in sounds]).astype(np.float16)
        for mels, ear in ears.items()
    }
