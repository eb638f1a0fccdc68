"""The search's distance: zero on itself, blind to level, in step with MSS."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis import sampling
from antithesis.distances import Target, mss
from antithesis.objective import Objective
from antithesis.synth import render_notes


@pytest.fixture(scope="module")
def renders():
    drawn = sampling.musical(np.random.default_rng(8), 24)
    return render_notes(drawn.normalized, drawn.note, drawn.velocity, drawn.gate_s)


def test_zero_on_itself_at_any_level(renders):
    assert Objective(renders[0])(0.3 * renders[:1])[0] == pytest.approx(0.0, abs=1e-3)


def test_ranks_as_mss_does(renders):
    ours = Objective(renders[0])(renders)
    scored = Target(renders[0]).compare(mss, renders)
    order = np.argsort(np.argsort(ours)), np.argsort(np.argsort(scored))
    assert np.corrcoef(*order)[0, 1] > 0.9


def test_hears_an_envelope_turned_round():
    noise = np.random.default_rng(0).normal(size=88200)
    target = noise * np.linspace(1.0, 0.05, 88200)
    turned = noise * np.linspace(0.05, 1.0, 88200)
    assert Objective(target)(turned[None])[0] > 5.0


def test_silence_is_far_and_finite(renders):
    distance = Objective(renders[0])(np.zeros((1, renders.shape[1])))[0]
    assert np.isfinite(distance)
    assert distance > 5.0


def test_blurred_features_are_means_over_a_fifth_of_a_second(renders):
    objective = Objective(renders[0])
    features = objective.features(renders[:3])
    blurred = objective.blurred(features)
    for frames, columns, at, width in ((230, 32, 0, 23), (29, 128, 230 * 32 + 115 * 64, 3)):
        rows = slice(at, at + frames * columns)
        course = features[:, rows].reshape(3, frames, columns)
        ends = ((0, 0), (width // 2, width - 1 - width // 2), (0, 0))
        padded = np.pad(course, ends, mode="edge")
        means = np.stack([padded[:, k : k + width].mean(1) for k in range(frames)], 1)
        np.testing.assert_allclose(blurred[:, rows], means.reshape(3, -1), atol=1e-3)
