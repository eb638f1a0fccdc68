"""The distances equal their published definitions, and obey the laws that these imply."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import get_window
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from antithesis.distances import (
    METRICS,
    Metric,
    Target,
    log_mel_l1,
    mss,
    rms_cos,
    sot,
    wmfcc,
)
from evaluation.targets import FOLDER
from tests.targets import rendered_exactly

FloatArray = npt.NDArray[np.float64]
RATE = 44100
SPECTRAL = (mss, sot, log_mel_l1)
GAINLESS = (mss, sot, rms_cos, log_mel_l1)

every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
every_spectral = pytest.mark.parametrize("metric", SPECTRAL, ids=("mss", "sot", "log_mel_l1"))


def sound(seed: int, n: int = 22050) -> FloatArray:
    """A decaying tone with a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(n) / RATE
    tone = np.sin(2 * np.pi * rng.uniform(80, 800) * t) * np.exp(-rng.uniform(0, 6) * t)
    return rng.uniform(0.1, 0.9) * (tone + 0.01 * rng.normal(size=n))


def magnitudes(x: FloatArray, window: int, hop: int) -> FloatArray:
    """Frame by frame, with scipy's window: slow and plain, to compare with."""
    padded = np.pad(x, window // 2)
    starts = range(0, len(padded) - window + 1, hop)
    hann = get_window("hann", window)
    return np.array([np.abs(np.fft.rfft(padded[i : i + window] * hann)) for i in starts])


def mels(n: int, window: int) -> FloatArray:
    top = 15 + 27 * np.log(RATE / 2 / 1000) / np.log(6.4)
    points = np.linspace(0, top, n + 2)
    edges = [m * 200 / 3 if m < 15 else 1000 * 6.4 ** ((m - 15) / 27) for m in points]
    bins = np.arange(window // 2 + 1) * RATE / window
    return np.array(
        [
            np.interp(bins, [low, mid, high], [0, 1, 0]) * 2 / (high - low)
            for low, mid, high in zip(edges, edges[1:], edges[2:], strict=False)
        ]
    )


def expected_mss(a: FloatArray, b: FloatArray) -> float:
    distances = []
    for window_ms, hop_ms, n in ((10, 5, 32), (25, 10, 64), (100, 50, 128)):
        window, hop = RATE * window_ms // 1000, RATE * hop_ms // 1000
        both = []
        for x in (a, b):
            power = magnitudes(x, window, hop) ** 2 @ mels(n, window).T
            both.append(np.clip(10 * np.log10(power / power.max()), -80, None))
        distances.append(np.abs(both[0] - both[1]).mean())
    return float(np.mean(distances))


def expected_log_mel_l1(a: FloatArray, b: FloatArray) -> float:
    distances = []
    for window, n in ((512, 40), (1024, 64), (4096, 128)):
        both = []
        for x in (a, b):
            level = 0.1 * x / np.sqrt(np.mean(x**2))
            power = magnitudes(level, window, window // 4) ** 2 @ mels(n, window).T / window
            both.append(10 * np.log10(np.maximum(power, 1e-9)))
        distances.append(np.abs(both[0] - both[1]).mean())
    return float(np.mean(distances))


def expected_sot(a: FloatArray, b: FloatArray) -> float:
    frames = zip(magnitudes(a, 2205, 882), magnitudes(b, 2205, 882), strict=True)
    bins = np.arange(1103)
    return float(np.mean([wasserstein_distance(bins, bins, u, v) / 1103 for u, v in frames]))


def expected_rms_cos(a: FloatArray, b: FloatArray) -> float:
    starts = range(0, len(a) - 2205 + 1, 1102)
    first, second = (
        np.array([np.sqrt(np.mean(x[i : i + 2205] ** 2)) for i in starts]) for x in (a, b)
    )
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (mss, expected_mss),
        (log_mel_l1, expected_log_mel_l1),
        (sot, expected_sot),
        (rms_cos, expected_rms_cos),
    ],
    ids=["mss", "log_mel_l1", "sot", "rms_cos"],
)
def test_distance_equals_its_definition(
    metric: Metric, expected: Callable[[FloatArray, FloatArray], float]
) -> None:
    a, b = sound(1), sound(2)
    assert metric(a, b) == pytest.approx(expected(a, b), abs=1e-6)


def test_check_values_of_the_development_targets_are_met() -> None:
    checks = json.loads((FOLDER / "metric_checks.json").read_text())
    for check in checks:
        # SOT weighs silent frames like loud ones, so it asks for the tail as well.
        a, b = (rendered_exactly(tuple(check.pop(key))) for key in ("a", "b"))
        assert {name: METRICS[name](a, b) for name in check} == pytest.approx(check, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(100, 30_000))
def test_a_sound_is_at_no_distance_from_itself(seed: int, n: int) -> None:
    x = sound(seed, n)
    assert [metric(x, x) for metric in (*SPECTRAL, wmfcc)] == [0, 0, 0, 0]
    assert rms_cos(x, x) == pytest.approx(1)


@settings(max_examples=10, deadline=None)
@given(seeds=st.tuples(st.integers(0, 999), st.integers(0, 999)), n=st.integers(1000, 30_000))
def test_distances_are_symmetric(seeds: tuple[int, int], n: int) -> None:
    a, b = sound(seeds[0], n), sound(seeds[1])
    for metric in METRICS.values():
        assert metric(a, b) == pytest.approx(metric(b, a), rel=1e-12)


@settings(max_examples=10, deadline=None)
@given(gain=st.floats(0.05, 20), seed=st.integers(0, 999))
def test_gain_changes_nothing_but_wmfcc(gain: float, seed: int) -> None:
    a, b = sound(seed), sound(seed + 1)
    for metric in GAINLESS:
        assert metric(gain * a, b) == pytest.approx(metric(a, b), rel=1e-4)


@every_metric
def test_polarity_changes_no_distance(metric: Metric) -> None:
    assert metric(-sound(3), sound(4)) == pytest.approx(metric(sound(3), sound(4)))


@every_metric
def test_the_shorter_sound_is_padded_with_silence(metric: Metric) -> None:
    a, b = sound(5), sound(6, 15_000)
    assert metric(a, b) == metric(a, np.pad(b, (0, len(a) - len(b))))


@every_metric
def test_a_batch_equals_its_items_alone(metric: Metric) -> None:
    target, candidates = sound(7), np.stack([sound(seed) for seed in range(4)])
    batch = Target(target).compare(metric, candidates)
    assert list(batch) == [metric(target, candidate) for candidate in candidates]


def test_one_candidate_may_be_a_plain_array() -> None:
    assert Target(sound(8)).compare(mss, sound(9)) == pytest.approx([mss(sound(8), sound(9))])


@every_metric
def test_float32_is_near_float64(metric: Metric) -> None:
    a, b = sound(10), sound(11)
    assert metric(a.astype(np.float32), b.astype(np.float32)) == pytest.approx(
        metric(a, b), abs=1e-3
    )


@every_spectral
def test_a_wrong_pitch_is_farther_than_a_wrong_level_of_noise(metric: Metric) -> None:
    t = np.arange(RATE) / RATE
    noise = np.random.default_rng(0).normal(size=RATE)
    target = np.sin(2 * np.pi * 220 * t) + 1e-3 * noise
    quieter = np.sin(2 * np.pi * 220 * t) + 0.9e-3 * noise
    higher = np.sin(2 * np.pi * 330 * t) + 1e-3 * noise
    assert metric(target, quieter) < metric(target, higher) / 3


def test_log_mel_l1_hears_the_envelope() -> None:
    t = np.arange(RATE) / RATE
    held, plucked = np.sin(2 * np.pi * 440 * t), np.sin(2 * np.pi * 440 * t) * np.exp(-9 * t)
    assert log_mel_l1(held, plucked) > 3
    assert rms_cos(held, plucked) < 0.9


def test_silence_gives_finite_distances() -> None:
    silence, tone = np.zeros(RATE), sound(12, RATE)
    for metric in METRICS.values():
        assert np.isfinite([metric(silence, tone), metric(silence, silence)]).all()


@pytest.mark.parametrize("length", [0, 22051])
def test_a_candidate_that_does_not_fit_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"{length} samples: give 1 to 22050"):
        Target(sound(13)).compare(mss, np.zeros(length))


def test_wmfcc_forgives_a_shift_in_time_but_not_in_timbre() -> None:
    t = np.arange(22050) / RATE
    noise = 1e-4 * np.random.default_rng(0).normal(size=22050)
    tone = np.sin(2 * np.pi * 220 * t) * np.exp(-8 * t)
    late = np.concatenate([np.zeros(2205), tone[:-2205]])
    buzz = np.sign(tone) * np.exp(-8 * t)
    assert wmfcc(tone + noise, late + noise) < wmfcc(tone + noise, buzz + noise) / 3


def test_wmfcc_equals_librosa() -> None:
    librosa = pytest.importorskip("librosa", reason="librosa comes with the extra `train`")
    a, b = sound(14), sound(15)
    size = {"n_mfcc": 20, "n_mels": 128, "n_fft": 2205, "hop_length": 441}
    first, second = (librosa.feature.mfcc(y=x, sr=RATE, **size) for x in (a, b))
    # librosa's own warping takes half a minute to compile; scipy's distances and a plain table do.
    assert wmfcc(a, b) == pytest.approx(warped(cdist(first.T, second.T, "cityblock")), abs=1e-6)


def warped(distances: FloatArray) -> float:
    """Cost by length of the cheapest path through a table of distances."""
    best: dict[tuple[int, int], tuple[float, int]] = {(-1, -1): (0.0, 0)}
    for (i, j), distance in np.ndenumerate(distances):
        before = (best.get(k, (np.inf, 0)) for k in ((i - 1, j - 1), (i - 1, j), (i, j - 1)))
        cost, length = min(before)
        best[i, j] = (cost + distance, length + 1)
    cost, length = best[distances.shape[0] - 1, distances.shape[1] - 1]
    return cost / length
