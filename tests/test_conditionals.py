"""Whole presets drawn head by head: the same as Keras computes, and what is kept is kept."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis.conditionals import (
    EMBEDDED,
    HIDDEN,
    ORDER,
    read_conditionals,
    write_conditionals,
)
from antithesis.encoding import CONTINUOUS, HEADS, LIVE, MIDDLE, PLACE, SIZES, SWITCHABLE, WIDTH
from antithesis.errors import ModelError
from antithesis.network import Prediction, load_network

N = len(HEADS)
SHAPES = {
    "values": (N, WIDTH, EMBEDDED),
    "links": (N * EMBEDDED, N * HIDDEN),
    "mixing": (N, HIDDEN, HIDDEN),
    "corrections": (N, HIDDEN, WIDTH),
}


@pytest.fixture
def tables(tmp_path):
    """Tables as a training might leave them, kept and read again."""
    rng = np.random.default_rng(1)
    made = {name: rng.normal(size=shape) / shape[-2] ** 0.5 for name, shape in SHAPES.items()}
    made["values"] *= 3.0
    rounded = {name: table.astype(np.float16).astype(np.float32) for name, table in made.items()}
    write_conditionals(tmp_path / "made.npz", made)
    return rounded, read_conditionals(tmp_path / "made.npz")


@pytest.fixture
def prediction(tables):
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(3, N, WIDTH)).astype(np.float32)
    return Prediction(logits, rng.normal(size=(3, N, HIDDEN)).astype(np.float32), tables[1])


def test_the_likeliest_is_what_keras_finds_one_head_after_the_other(tables, prediction):
    network = pytest.importorskip("antithesis.training.network", reason="antithesis[train]")
    layer = network.Conditionals()
    layer.build(None)
    layer.set_weights([tables[0][weight.name] for weight in layer.weights])
    told = prediction.told.reshape(3, -1)

    drawn = prediction.draw([0, 1, 2], np.random.default_rng(0), np.inf)

    for k in ORDER:
        before = drawn.copy()
        before[:, list(ORDER[ORDER.index(k) :])] = 7.0  # what comes later says nothing
        corrections = np.asarray(layer([told, before.astype(np.float32)])).reshape(3, N, WIDTH)
        logits = np.where(LIVE[k], prediction.logits[:, k] + corrections[:, k], -np.inf)
        assert np.abs(drawn[:, k] - logits.argmax(axis=1)).max() <= 0.5, HEADS[k].id


def test_draws_come_as_often_as_they_are_likely(prediction):
    rows = np.zeros(4000, int)
    first = ORDER[0]
    expected = prediction.conditionals
    hidden = prediction.told[:1, first]
    logits = prediction.logits[0, first] + expected._correction(0, hidden)[0]
    odds = np.exp(logits[: SIZES[first]])

    drawn = prediction.draw(rows, np.random.default_rng(0), 1.0)[:, first]

    shares = np.bincount(drawn.astype(int), minlength=SIZES[first]) / len(rows)
    assert shares == pytest.approx(odds / odds.sum(), abs=0.03)


def test_what_is_kept_is_kept_and_minded_by_what_comes_after_it(prediction):
    rng = np.random.default_rng(3)
    known = rng.uniform(0, SIZES - 1, (2, N))
    keep = np.zeros((2, N), np.bool_)
    keep[:, PLACE["kFmMode"]] = True
    known[:, PLACE["kFmMode"]] = [0.0, 2.0]

    drawn = prediction.draw([0, 0], rng, np.inf, known=known, keep=keep)

    assert drawn[:, PLACE["kFmMode"]].tolist() == [0.0, 2.0]
    assert drawn[0, ORDER[0]] == drawn[1, ORDER[0]]  # comes before it
    assert np.abs(drawn[0] - drawn[1]).max() > 1.0
    everything = np.ones((2, N), np.bool_)
    assert prediction.draw([0, 1], rng, 1.0, known=known, keep=everything).tolist() == (
        known.tolist()
    )


def test_choices_are_whole_and_what_is_off_is_off_exactly(prediction):
    drawn = prediction.draw(np.arange(900) % 3, np.random.default_rng(4), 1.0)
    assert (drawn >= 0).all()
    assert (drawn <= SIZES - 1).all()
    assert (drawn[:, ~CONTINUOUS] % 1 == 0).all()
    near = np.abs(drawn - MIDDLE) < 0.5
    assert ((drawn == MIDDLE) == near)[:, SWITCHABLE].all()
    assert (drawn[:, CONTINUOUS & ~SWITCHABLE] % 1 != 0).mean() > 0.9


def test_every_head_is_drawn_once():
    assert sorted(ORDER) == list(range(N))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and then nothing", b"not at all"])
def test_damaged_tables_are_refused_with_the_way_out(tmp_path, content):
    (tmp_path / "mika.npz").write_bytes(content)
    with pytest.raises(ModelError, match="install Antithesis again"):
        read_conditionals(tmp_path / "mika.npz")


def test_tables_of_another_network_are_refused(tmp_path):
    write_conditionals(tmp_path / "mika.npz", {name: np.zeros(3) for name in SHAPES})
    with pytest.raises(ModelError, match="install Antithesis again"):
        read_conditionals(tmp_path / "mika.npz")


def test_the_shipped_network_expects_what_is_unheard_to_stand_at_its_default():
    shipped = load_network()
    tone = 0.3 * np.sin(2 * np.pi * 220 * np.arange(88200) / 44100)
    drawn = shipped.predict(tone[None], [57]).draw([0] * 16, np.random.default_rng(0), 1.5)
    no_fm = drawn[:, PLACE["kFmMode"]] == 0
    assert no_fm.any()
    assert np.abs(drawn[no_fm][:, PLACE["kModEnvFm"]] - MIDDLE).max() < 1.0
