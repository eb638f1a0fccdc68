"""What a search minimises: a fast cousin of MSS that also minds the envelope.

MSS as it is scored (:mod:`antithesis.distances`) has windows that no fast transform likes. Here
they are powers of two, all in float32, with the target's side computed once.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.spectra import Floats, mel_bank, power

_VIEWS: Final = ((512, 256, 32), (1024, 512, 64), (4096, 2048, 128))  # window, hop, mels
_RANGE_DB: Final = 80.0
_ENVELOPE_DB: Final = 0.25  # weight of the level's course beside that of the spectra
_ENVELOPE_FLOOR_DB: Final = -60.0


class Objective:
    """Distance in dB of candidates to one target, both float (samples,) at 44.1 kHz."""

    def __init__(self, target: npt.NDArray[np.floating]) -> None:
        self.n_samples = len(target)
        self._target = _describe(np.asarray(target, np.float32))

    def __call__(self, candidates: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Distances (n,) of candidates (n, samples)."""
        return np.array([self._distance(_describe(np.asarray(c, np.float32))) for c in candidates])

    def _distance(self, candidate: list[Floats]) -> float:
        *spectra, envelope = (
            float(np.abs(mine - its).mean())
            for mine, its in zip(self._target, candidate, strict=True)
        )
        return sum(spectra) / len(spectra) + _ENVELOPE_DB * envelope


def _describe(sound: Floats) -> list[Floats]:
    views = [_mel_db(sound, *view) for view in _VIEWS]
    return [*views, _envelope_db(sound)]


def _mel_db(sound: Floats, window: int, hop: int, n_mels: int) -> Floats:
    padded = np.pad(sound, window // 2)
    mels = power(padded, window, hop) @ mel_bank(window, n_mels)
    return _below_peak(mels, -_RANGE_DB)


def _envelope_db(sound: Floats) -> Floats:
    frames = sound[: len(sound) // 441 * 441].reshape(-1, 441)
    return _below_peak(np.einsum("ij,ij->i", frames, frames), _ENVELOPE_FLOOR_DB)


def _below_peak(powers: Floats, floor_db: float) -> Floats:
    peak = max(float(powers.max()), 1e-20)
    floor = np.float32(peak * 10.0 ** (floor_db / 10.0))
    return np.asarray(10.0 * np.log10(np.maximum(powers, floor) / np.float32(peak)), np.float32)
