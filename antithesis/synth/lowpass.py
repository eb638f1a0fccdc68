"""The low-pass of many lanes at once, a block at a time."""

from __future__ import annotations

from typing import Any

from antithesis.jit import fused_part
from antithesis.synth import vectors
from antithesis.synth.state import HIGHEST_F, LOWEST_F, MODULATION, SATURATION, VOLUME

ABREAST = 4
_BEND = SATURATION / 100.0  # the saturation acts on a tenth of the signal


@fused_part
def run_coefficients(
    lane: Any, scratch: Any, drift: Any, f: Any, keep: Any, n: int, dt: float
) -> None:
    """Coefficient ``f``, and how much of the band a step keeps, for what the cutoff does."""
    volume, modulation = scratch.levels[VOLUME], scratch.levels[MODULATION]
    key, lfo = scratch.key, scratch.lfo
    knob, key_track, by_lfo = lane.cutoff, lane.key_track, lane.lfo_to_cutoff
    by_volume, by_modulation = lane.volume_to_cutoff, lane.modulation_to_cutoff
    for i in range(n):
        f[i] = knob * (1.0 + drift[i]) + key_track * key[i] + by_lfo * lfo[i]
    for i in range(n):
        cutoff = f[i] + by_volume * volume[i] + by_modulation * modulation[i]
        f[i] = min(max(2.0 * vectors.sine_of_turns(0.5 * dt * cutoff), LOWEST_F), HIGHEST_F)
    resonance = lane.resonance
    for i in range(n):
        square = f[i] * f[i]
        keep[i] = 1.0 - f[i] * (1.0 - min(resonance, 1.0 - square * square * f[i]))


@fused_part
def step_lane(x: float, f: float, keep: float, band: float, low: float) -> tuple[float, float]:
    """Move the filter on by one sample; returns band and low."""
    band = keep * band + f * (x - low)
    low += f * band
    return band, low / (1.0 + _BEND * low * low)


@fused_part
def filter_four(lanes: Any, members: Any, f: Any, keep: Any, x: Any, n: int) -> None:
    """Filter four rows of ``x`` in place, those of the four ``members``.

    A filter is one serial chain of some 33 processor cycles a sample; four of them overlap, and
    take hardly longer than one.
    """
    a, b, c, d = members[0], members[1], members[2], members[3]
    x_a, x_b, x_c, x_d = x[a], x[b], x[c], x[d]
    f_a, f_b, f_c, f_d = f[a], f[b], f[c], f[d]
    keep_a, keep_b, keep_c, keep_d = keep[a], keep[b], keep[c], keep[d]
    band_a, band_b, band_c, band_d = lanes[a].band, lanes[b].band, lanes[c].band, lanes[d].band
    low_a, low_b, low_c, low_d = lanes[a].low, lanes[b].low, lanes[c].low, lanes[d].low
    for i in range(n):
        band_a, low_a = step_lane(x_a[i], f_a[i], keep_a[i], band_a, low_a)
        band_b, low_b = step_lane(x_b[i], f_b[i], keep_b[i], band_b, low_b)
        band_c, low_c = step_lane(x_c[i], f_c[i], keep_c[i], band_c, low_c)
        band_d, low_d = step_lane(x_d[i], f_d[i], keep_d[i], band_d, low_d)
        x_a[i], x_b[i], x_c[i], x_d[i] = low_a, low_b, low_c, low_d
    lanes[a].band, lanes[b].band, lanes[c].band, lanes[d].band = band_a, band_b, band_c, band_d
    lanes[a].low, lanes[b].low, lanes[c].low, lanes[d].low = low_a, low_b, low_c, low_d
