"""Mel powers of a whole sound in one compiled pass: a search hears thousands of sounds.

Eight frames go through one Fourier transform side by side, so that every instruction works on a
vector of frames; a library's transform alone takes twice as long as all of this. What comes out is
weighed into mels at once, and no array larger than a cache is written.

The transform is of the N / 2 complex numbers that N real samples make when taken in pairs: radix 4,
in place, which leaves frequencies in the order of their reversed digits. All float32; equal to
:mod:`numpy.fft` to 1e-5 of the loudest mel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from antithesis.fourier import Floats32, hann, mel_bank
from antithesis.jit import kernel, part
from antithesis.wide import LANES, everywhere, load, spread, store, total, transposed

Integers = npt.NDArray[np.int64]

BLOCK: Final = 448  # samples, 10 ms: what is silent or not
_NEAREST: Final = 512  # complex numbers of all lanes that the nearest cache holds
_ROTATED: Final = 6  # numbers that turn a butterfly: three, complex


@dataclass(frozen=True)
class Tables:
    """What the pass needs to know of one resolution."""

    hop: int
    # Of half the height: what pairs are unpacked from is twice the transform.
    window: Floats32  # (N,)
    rotations: Floats32  # what turns the butterflies of each pass, in the order they are met
    places: Integers  # (N / 2,): where the transform leaves each frequency
    turns: Floats32  # (N / 2 + 2,): cosine and sine of -2 pi k / N for k up to N / 4
    weights: Floats32  # (mels, N / 2 + 1)
    limits: Integers  # (mels, 2): first bin of each band, and the one after its last

    @property
    def arrays(self) -> tuple[int, Floats32, Floats32, Integers, Floats32, Floats32, Integers]:
        """For a compiled function, which cannot take the dataclass."""
        spectrum = self.window, self.rotations, self.places, self.turns
        return self.hop, *spectrum, self.weights, self.limits


@lru_cache(maxsize=8)
def tables(window: int, hop: int, n_mels: int) -> Tables:
    """Tables for windows of 4^k or 2 * 4^k samples."""
    half = window // 2
    sizes = [half >> shift for shift in range(0, half.bit_length(), 2)]
    rotations = [_rotations(size) for size in sizes if size > 4]
    bank = mel_bank(window, n_mels)
    return Tables(
        hop,
        np.float32(0.5) * hann(window),
        np.concatenate([*rotations, np.zeros(0, np.float32)]),
        _places(half),
        _turns(np.arange(half // 2 + 1) / window).ravel(),
        bank.weights.astype(np.float32),
        bank.limits,
    )


def _turns(turns: npt.NDArray[np.float64]) -> Floats32:
    """Cosines and sines (..., 2) of angles in turns (...), clockwise."""
    angles = -2.0 * np.pi * turns
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)


def _rotations(size: int) -> Floats32:
    """For each butterfly of a pass, what its second, third and fourth results are turned by."""
    each = np.arange(size // 4)[:, None] * np.arange(1, 4) / size
    return _turns(each).ravel()


def _places(size: int) -> Integers:
    """Where a transform of radix 4, and of radix 2 at last, leaves each frequency (size,)."""
    radix = min(size, 4)
    if radix == 1:
        return np.zeros(1, np.int64)
    places = np.empty(size, np.int64)
    for digit in range(radix):
        places[digit::radix] = digit * (size // radix) + _places(size // radix)
    return places


def scratch(longest_window: int) -> Floats32:
    """Room for the passes of windows up to so many samples: asking for memory takes as long."""
    return np.empty((3 * (longest_window // 2) + 2) * LANES, np.float32)


@kernel
def mel_powers(
    padded: Any, margin: int, energies: Any, silence: float, table: Any, room: Any, out: Any
) -> None:
    """Fill ``out`` (frames, mels) from ``padded``, whose sample ``margin`` is the sound's first.

    ``table`` is :attr:`Tables.arrays`, ``room`` from :func:`scratch`. Frame i is centred on the
    sound's sample i * hop; ``padded`` holds half a window before the first frame's, and after the
    last one's half a window and a hop per lane. ``energies`` are those of the sound's blocks
    (:func:`energies_of`); frames side by side in blocks that all have no more than ``silence`` are
    taken for empty, none where there are no blocks.
    """
    hop, window, rotations, places, turns, weights, limits = table
    half = window.shape[0] // 2
    size = half * LANES
    re, im, powers = room[:size], room[size : 2 * size], room[2 * size : 3 * size + LANES]
    totals = room[3 * size + LANES : 3 * size + 2 * LANES]
    for first in range(0, out.shape[0], LANES):
        lanes = min(LANES, out.shape[0] - first)
        start = first * hop - half
        if _silent(energies, start, start + (lanes - 1) * hop + 2 * half, silence):
            out[first : first + lanes] = np.float32(0.0)
            continue
        _load(padded, margin + start, hop, window, re, im)
        _transform(re, im, half, rotations)
        _unpack(re, im, half, places, turns, powers)
        _weigh(powers, weights, limits, totals, out[first : first + lanes])


@kernel
def energies_of(sound: Any, out: Any) -> float:
    """Fill ``out`` with the energies of a sound's blocks of ``BLOCK`` samples; returns the most."""
    most = np.float32(0.0)
    for block in range(out.shape[0]):
        first = load(sound, block * BLOCK)
        energy = first * first
        for at in range(block * BLOCK + LANES, (block + 1) * BLOCK, LANES):
            samples = load(sound, at)
            energy = energy + samples * samples
        out[block] = total(energy)
        most = max(most, out[block])
    return float(most)


@kernel
def _silent(energies: Any, start: int, stop: int, silence: float) -> bool:
    """Whether samples from ``start`` up to ``stop`` are all in silent blocks."""
    if stop > energies.shape[0] * BLOCK:
        return False
    for block in range(max(start // BLOCK, 0), -(-stop // BLOCK)):
        if energies[block] > silence:
            return False
    return True


@part
def _load(padded: Any, start: int, hop: int, window: Any, re: Any, im: Any) -> None:
    """Windowed frames in pairs of samples, lanes innermost."""
    for k in range(0, window.shape[0], LANES):
        shape, at = load(window, k), start + k
        samples = transposed(
            (
                load(padded, at) * shape,
                load(padded, at + hop) * shape,
                load(padded, at + 2 * hop) * shape,
                load(padded, at + 3 * hop) * shape,
                load(padded, at + 4 * hop) * shape,
                load(padded, at + 5 * hop) * shape,
                load(padded, at + 6 * hop) * shape,
                load(padded, at + 7 * hop) * shape,
            )
        )
        to = k // 2 * LANES
        for pair in range(LANES // 2):
            store(re, to + pair * LANES, samples[2 * pair])
            store(im, to + pair * LANES, samples[2 * pair + 1])


@part
def _transform(re: Any, im: Any, size: int, rotations: Any) -> None:
    """Transform all lanes in place, each part to its end as soon as it fits the nearest cache."""
    known, length = 0, size
    while length > _NEAREST:
        for first in range(0, size, length):
            _butterflies(re, im, first, length // 4, rotations, known)
        known += _ROTATED * (length // 4)
        length //= 4
    for first in range(0, size, length):
        _transform_near(re, im, first, length, rotations, known)


@part
def _transform_near(re: Any, im: Any, start: int, size: int, rotations: Any, known: int) -> None:
    length = size
    while length > 4:
        for first in range(start, start + size, length):
            _butterflies(re, im, first, length // 4, rotations, known)
        known += _ROTATED * (length // 4)
        length //= 4
    if length == 4:
        _last_fours(re, im, start, size)
    else:
        _last_pairs(re, im, start, size)


@part
def _butterflies(re: Any, im: Any, first: int, quarter: int, rotations: Any, known: int) -> None:
    """One pass over four quarters, from the ``first`` number on."""
    for p in range(quarter):
        a = (first + p) * LANES
        b = a + quarter * LANES
        c = b + quarter * LANES
        d = c + quarter * LANES
        (r0, i0), (r1, i1), (r2, i2), (r3, i3) = _four(re, im, a, b, c, d)
        turn = known + _ROTATED * p
        w1r, w1i = everywhere(rotations, turn), everywhere(rotations, turn + 1)
        w2r, w2i = everywhere(rotations, turn + 2), everywhere(rotations, turn + 3)
        w3r, w3i = everywhere(rotations, turn + 4), everywhere(rotations, turn + 5)
        store(re, a, r0)
        store(im, a, i0)
        store(re, b, r1 * w1r - i1 * w1i)
        store(im, b, r1 * w1i + i1 * w1r)
        store(re, c, r2 * w2r - i2 * w2i)
        store(im, c, r2 * w2i + i2 * w2r)
        store(re, d, r3 * w3r - i3 * w3i)
        store(im, d, r3 * w3i + i3 * w3r)


@part
def _four(re: Any, im: Any, a: int, b: int, c: int, d: int) -> Any:
    """The transform of the four complex numbers at these indices."""
    ar, ai, br, bi = load(re, a), load(im, a), load(re, b), load(im, b)
    cr, ci, dr, di = load(re, c), load(im, c), load(re, d), load(im, d)
    sum_ac_r, sum_ac_i, dif_ac_r, dif_ac_i = ar + cr, ai + ci, ar - cr, ai - ci
    sum_bd_r, sum_bd_i, dif_bd_r, dif_bd_i = br + dr, bi + di, br - dr, bi - di
    return (
        (sum_ac_r + sum_bd_r, sum_ac_i + sum_bd_i),
        (dif_ac_r + dif_bd_i, dif_ac_i - dif_bd_r),
        (sum_ac_r - sum_bd_r, sum_ac_i - sum_bd_i),
        (dif_ac_r - dif_bd_i, dif_ac_i + dif_bd_r),
    )


@part
def _last_fours(re: Any, im: Any, start: int, size: int) -> None:
    """The last pass, in which nothing turns."""
    for a in range(start * LANES, (start + size) * LANES, 4 * LANES):
        b, c, d = a + LANES, a + 2 * LANES, a + 3 * LANES
        (r0, i0), (r1, i1), (r2, i2), (r3, i3) = _four(re, im, a, b, c, d)
        store(re, a, r0)
        store(im, a, i0)
        store(re, b, r1)
        store(im, b, i1)
        store(re, c, r2)
        store(im, c, i2)
        store(re, d, r3)
        store(im, d, i3)


@part
def _last_pairs(re: Any, im: Any, start: int, size: int) -> None:
    """The pass of radix 2 that remains where the size is twice a power of 4."""
    for a in range(start * LANES, (start + size) * LANES, 2 * LANES):
        b = a + LANES
        ar, ai, br, bi = load(re, a), load(im, a), load(re, b), load(im, b)
        store(re, a, ar + br)
        store(im, a, ai + bi)
        store(re, b, ar - br)
        store(im, b, ai - bi)


@part
def _unpack(re: Any, im: Any, half: int, places: Any, turns: Any, powers: Any) -> None:
    """Powers of the real transform's bins 0 to N / 2 from that of the pairs, two bins at once."""
    for k in range(half // 2 + 1):
        a, b = places[k] * LANES, places[(half - k) % half] * LANES
        ar, ai, br, bi = load(re, a), load(im, a), load(re, b), load(im, b)
        c, s = everywhere(turns, 2 * k), everywhere(turns, 2 * k + 1)
        even_r, even_i, odd_r, odd_i = ar + br, ai - bi, ai + bi, br - ar
        turned_r = odd_r * c - odd_i * s
        turned_i = odd_r * s + odd_i * c
        r, i = even_r + turned_r, even_i + turned_i
        store(powers, k * LANES, r * r + i * i)
        r, i = even_r - turned_r, even_i - turned_i
        store(powers, (half - k) * LANES, r * r + i * i)


@part
def _weigh(powers: Any, weights: Any, limits: Any, totals: Any, out: Any) -> None:
    for m in range(weights.shape[0]):
        sums = spread(np.float32(0.0))
        for k in range(limits[m, 0], limits[m, 1]):
            sums = sums + load(powers, k * LANES) * everywhere(weights[m], k)
        store(totals, 0, sums)
        for lane in range(out.shape[0]):
            out[lane, m] = totals[lane]
