"""Which key a sound was played on, told by what the network doubts when it is asked about each."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from antithesis import keys
from antithesis.encoding import HEADS, WIDTH
from antithesis.errors import ModelError
from antithesis.keys import KEYS, SIGNS
from antithesis.network import load_network, model_path
from antithesis.pitch import Pitch
from antithesis.posterior import Posterior
from antithesis.training import keys as training
from tests.test_search import expecting

CONCERT = Pitch(440.0, 0.9, 0.9, (440.0, 220.0))
FRESH = replace(training.RECIPE, seed=99)  # not those that the weights were fitted on


@pytest.fixture(scope="module")
def network():
    return load_network()


@pytest.fixture(scope="module")
def fresh(network):
    return training.Lessons.joined([training.lessons(network, n, FRESH) for n in range(4)])


def flat():
    return np.full((len(KEYS), len(HEADS), WIDTH), 1.0 / WIDTH)


def test_tracker_names_its_hypotheses_and_octaves_within_what_is_asked_about():
    assert keys.tracked(CONCERT) == [69, 57, 81]
    assert keys.tracked(Pitch(0.0, 0.0, 0.0, ())) == [48, 60, 36]
    assert keys.tracked(Pitch(8.2, 0.9, 0.9, (8.2,))) == [12]


def test_unfitted_score_goes_by_the_tracker():
    chance = keys.chances(keys.unfitted(), keys.signs(flat(), CONCERT))
    assert chance.sum() == pytest.approx(1.0)
    assert sorted(KEYS[np.argsort(-chance)[:3]]) == [57, 69, 81]


def test_key_that_the_network_is_sure_of_is_likelier(network):
    sure = flat()
    tuning = [k for k, head in enumerate(HEADS) if head.id.endswith(("Coarse", "Fine"))]
    sure[30, tuning] = np.eye(WIDTH)[0] * 0.99 + 0.01 / WIDTH
    before, after = (
        keys.chances(network.key_weights, keys.signs(said, CONCERT)) for said in (flat(), sure)
    )
    assert after[30] > 10 * before[30]


def test_fitted_score_finds_keys_that_no_tracker_names(network, fresh):
    tracked = fresh.signs[..., 2 * len(HEADS)] > 0
    named = np.take_along_axis(tracked, fresh.rows[:, None], axis=1)[:, 0]
    first = fresh.ranks(network.key_weights) < keys.FEW
    assert np.mean(first) > np.mean(named) + 0.05
    assert np.any(first & ~named)


def test_lessons_depend_on_their_number_alone(network, fresh):
    again = training.lessons(network, 0, FRESH)
    count = len(again.rows)
    np.testing.assert_array_equal(again.rows, fresh.rows[:count])
    np.testing.assert_allclose(again.signs, fresh.signs[:count], rtol=1e-4, atol=1e-4)


def test_fit_finds_what_tells_the_key():
    rng = np.random.default_rng(0)
    signs = rng.normal(size=(200, len(KEYS), SIGNS)).astype(np.float32)
    rows = rng.integers(len(KEYS), size=200)
    signs[np.arange(200), rows, 7] += 5.0
    taught, rest = (training.Lessons(signs[part], rows[part]) for part in np.split(np.r_[:200], 2))
    weights = training.fit(taught)
    assert np.argmax(np.abs(weights)) == 7
    assert np.mean(rest.ranks(weights) == 0) > 0.9


def test_more_is_drawn_for_likelier_keys():
    expected = Posterior([40, 52], expecting(flat()[:2]), chances=np.array([0.1, 0.9]))
    drawn = [one.note for one in expected.draws(np.random.default_rng(0), 200)]
    assert 160 < drawn.count(52) < 200
    assert len(drawn) == 200


def test_the_first_candidates_are_the_likeliest_of_each_key_and_draws():
    expected = Posterior([40, 52], expecting(flat()[:2]), chances=np.array([0.1, 0.9]))
    played = [one.note for one in expected.propose(np.random.default_rng(0), 104)]
    assert played[:4] == [52, 40, 52, 40]  # by heads, and as a whole: the likelier key first
    assert 80 < played[4:].count(52) < 100
    assert len(played) == 104


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        pytest.param({"weights": [0.0, 1.0]}, "fit them again", id="of other heads"),
        pytest.param({"sounds": 3}, "unreadable", id="none"),
        pytest.param({"weights": ["many"]}, "unreadable", id="no numbers"),
        pytest.param([], "unreadable", id="nothing like it"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, network, told, reason):
    card = {**network.card, "keys": told}
    (tmp_path / "other.onnx").write_bytes(model_path().read_bytes())
    (tmp_path / "other.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ModelError, match=reason):
        load_network(tmp_path / "other.onnx")
