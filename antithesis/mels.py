"""Mel powers of a whole sound in one compiled pass, for searches that hear thousands of them.

Sixteen frames go through one Fourier transform side by side, so that every instruction works on a
vector of frames; a library's transform alone takes as long as all of this. What comes out is
weighed into mels at once, and no array larger than a cache is written.

The transform is Stockham's, radix 4, of the N / 2 complex numbers that N real samples make when
taken in pairs. All float32; equal to :mod:`numpy.fft` to 1e-5 of the loudest mel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from antithesis.jit import kernel
from antithesis.spectra import Floats, hann, mel_bank

BLOCK: Final = 448  # samples, 10 ms: what is silent or not
LANES: Final = 16  # frames side by side; constant, so that the compiler unrolls them

# Unsigned, for a signed index might be negative, and the check for that keeps loops scalar.
_U: Final = np.uint64


@dataclass(frozen=True)
class Tables:
    """What the pass needs to know of one resolution."""

    hop: int
    window: Floats  # (N,)
    twiddles: Floats  # (N, 2): cosine and sine of -2 pi k / N
    weights: Floats  # (mels, N / 2 + 1)
    limits: npt.NDArray[np.int64]  # (mels, 2): first bin of each band, and the one after its last

    @property
    def arrays(self) -> tuple[int, Floats, Floats, Floats, npt.NDArray[np.int64]]:
        """For a compiled function, which cannot take the dataclass."""
        return self.hop, self.window, self.twiddles, self.weights, self.limits


@lru_cache(maxsize=8)
def tables(window: int, hop: int, n_mels: int) -> Tables:
    """Tables for windows of 4^k or 2 * 4^k samples."""
    turns = -2.0 * np.pi * np.arange(window) / window
    twiddles = np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)
    bank = mel_bank(window, n_mels)
    weights = bank.weights.astype(np.float32)
    return Tables(hop, hann(window), twiddles, weights, bank.limits)


def scratch(longest_window: int) -> Floats:
    """Room for the passes of windows up to so many samples: asking for memory takes as long."""
    return np.empty(5 * (longest_window // 2 + 1) * LANES, np.float32)


@kernel
def mel_powers(
    padded: Any, margin: int, energies: Any, silence: float, table: Any, room: Any, out: Any
) -> None:
    """Fill ``out`` (frames, mels) from ``padded``, the sound with ``margin`` zeros at both ends.

    ``table`` is :attr:`Tables.arrays`, ``room`` from :func:`scratch`. Frame i is centred on sample
    i * hop; the margin is at least half a window and a hop per lane. ``energies`` are those of the
    sound's blocks (:func:`energies_of`); frames side by side in blocks that all have no more than
    ``silence`` are taken for empty.
    """
    hop, window, twiddles, weights, limits = table
    half = window.shape[0] // 2
    size = half * LANES
    re, im = room[:size], room[size : 2 * size]
    re_next, im_next = room[2 * size : 3 * size], room[3 * size : 4 * size]
    powers = room[4 * size : 5 * size + LANES]
    for first in range(0, out.shape[0], LANES):
        lanes = min(LANES, out.shape[0] - first)
        start = first * hop - half
        if _silent(energies, start, start + (lanes - 1) * hop + 2 * half, silence):
            out[first : first + lanes] = np.float32(0.0)
            continue
        _load(padded, margin + start, hop, lanes, window, re, im)
        if _transform(re, im, re_next, im_next, half, twiddles):
            _unpack(re_next, im_next, half, twiddles, powers)
        else:
            _unpack(re, im, half, twiddles, powers)
        _weigh(powers, weights, limits, first, lanes, out)


@kernel
def energies_of(sound: Any, out: Any) -> float:
    """Fill ``out`` with the energies of a sound's blocks of ``BLOCK`` samples; returns the most."""
    most = np.float32(0.0)
    for block in range(out.shape[0]):
        sums = np.zeros(LANES, np.float32)
        for row in range(block * BLOCK // LANES, (block + 1) * BLOCK // LANES):
            at = _U(row * LANES)
            for lane in range(_U(LANES)):
                sums[lane] += sound[at + lane] * sound[at + lane]
        out[block] = sums.sum()
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


@kernel
def _load(padded: Any, start: int, hop: int, lanes: int, window: Any, re: Any, im: Any) -> None:
    """Windowed frames in pairs of samples, lanes innermost."""
    for k in range(window.shape[0] // 2):
        even = window[2 * k]
        odd = window[2 * k + 1]
        for lane in range(lanes):
            at = _U(start + lane * hop + 2 * k)
            to = _U(k * LANES + lane)
            re[to] = padded[at] * even
            im[to] = padded[at + _U(1)] * odd


@kernel
def _transform(re: Any, im: Any, re_next: Any, im_next: Any, size: int, twiddles: Any) -> bool:
    """Transform all lanes; whether the result is in the second pair of arrays."""
    stride = LANES
    step = 2  # the table is that of the real transform, twice as long
    flipped = False
    while size >= 4:
        for p in range(size // 4):
            if flipped:
                _butterflies(re_next, im_next, re, im, size // 4, stride, p, twiddles, p * step)
            else:
                _butterflies(re, im, re_next, im_next, size // 4, stride, p, twiddles, p * step)
        size //= 4
        stride *= 4
        step *= 4
        flipped = not flipped
    if size == 2:
        if flipped:
            _last_pairs(re_next, im_next, re, im, stride)
        else:
            _last_pairs(re, im, re_next, im_next, stride)
        flipped = not flipped
    return flipped


@kernel
def _butterflies(
    xr: Any, xi: Any, yr: Any, yi: Any, quarter: int, stride: int, p: int, w: Any, turn: int
) -> None:
    """One row of radix-4 butterflies; ``turn`` is the twiddle's place in the table."""
    w1r, w1i = w[turn, 0], w[turn, 1]
    w2r, w2i = w[2 * turn, 0], w[2 * turn, 1]
    w3r, w3i = w[3 * turn, 0], w[3 * turn, 1]
    a = _U(stride * p)
    b = _U(stride * (p + quarter))
    c = _U(stride * (p + 2 * quarter))
    d = _U(stride * (p + 3 * quarter))
    y0 = _U(4 * stride * p)
    y1 = _U(4 * stride * p + stride)
    y2 = _U(4 * stride * p + 2 * stride)
    y3 = _U(4 * stride * p + 3 * stride)
    for q in range(_U(stride)):
        sum_ac_r, sum_ac_i = xr[a + q] + xr[c + q], xi[a + q] + xi[c + q]
        dif_ac_r, dif_ac_i = xr[a + q] - xr[c + q], xi[a + q] - xi[c + q]
        sum_bd_r, sum_bd_i = xr[b + q] + xr[d + q], xi[b + q] + xi[d + q]
        dif_bd_r, dif_bd_i = xr[b + q] - xr[d + q], xi[b + q] - xi[d + q]
        yr[y0 + q] = sum_ac_r + sum_bd_r
        yi[y0 + q] = sum_ac_i + sum_bd_i
        r, i = dif_ac_r + dif_bd_i, dif_ac_i - dif_bd_r
        yr[y1 + q] = r * w1r - i * w1i
        yi[y1 + q] = r * w1i + i * w1r
        r, i = sum_ac_r - sum_bd_r, sum_ac_i - sum_bd_i
        yr[y2 + q] = r * w2r - i * w2i
        yi[y2 + q] = r * w2i + i * w2r
        r, i = dif_ac_r - dif_bd_i, dif_ac_i + dif_bd_r
        yr[y3 + q] = r * w3r - i * w3i
        yi[y3 + q] = r * w3i + i * w3r


@kernel
def _last_pairs(xr: Any, xi: Any, yr: Any, yi: Any, stride: int) -> None:
    """The radix-2 step that remains where the size is twice a power of 4."""
    second = _U(stride)
    for q in range(_U(stride)):
        ar, ai, br, bi = xr[q], xi[q], xr[q + second], xi[q + second]
        yr[q] = ar + br
        yi[q] = ai + bi
        yr[q + second] = ar - br
        yi[q + second] = ai - bi


@kernel
def _unpack(re: Any, im: Any, half: int, twiddles: Any, powers: Any) -> None:
    """Powers of the real transform's bins 0 to N / 2 from that of the pairs."""
    quarter = np.float32(0.25)
    for k in range(half + 1):
        c, s = (twiddles[k, 0], twiddles[k, 1]) if k < half else (np.float32(-1.0), np.float32(0.0))
        a = _U((k % half) * LANES)
        b = _U(((half - k) % half) * LANES)
        to = _U(k * LANES)
        for q in range(_U(LANES)):
            even_r = re[a + q] + re[b + q]
            even_i = im[a + q] - im[b + q]
            odd_r = im[a + q] + im[b + q]
            odd_i = re[b + q] - re[a + q]
            r = even_r + odd_r * c - odd_i * s
            i = even_i + odd_r * s + odd_i * c
            powers[to + q] = quarter * (r * r + i * i)


@kernel
def _weigh(powers: Any, weights: Any, limits: Any, first: int, lanes: int, out: Any) -> None:
    totals = np.empty(LANES, np.float32)
    for m in range(weights.shape[0]):
        for q in range(_U(LANES)):
            totals[q] = np.float32(0.0)
        for k in range(limits[m, 0], limits[m, 1]):
            weight = weights[m, k]
            at = _U(k * LANES)
            for q in range(_U(LANES)):
                totals[q] += weight * powers[at + q]
        for lane in range(lanes):
            out[first + lane, m] = totals[lane]
