"""Training by its command: begun with exported weights, stopped, taken up again."""

from __future__ import annotations

import dataclasses
import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from antithesis.errors import ModelError
from antithesis.network import load_network, model_path
from antithesis.spectra import FrontEnd
from antithesis.training.stream import Batch, Recipe, batch

pytest.importorskip("kapre", reason="kapre comes with the extra antithesis[train]")

import train
from antithesis.training import export, network, taking_up

SCRIPT = Path(__file__).parents[1] / "scripts" / "train.py"
SHIPPED = model_path()


@pytest.fixture(scope="module")
def heard():
    return batch(Recipe(seed=3), FrontEnd(), 0)


def test_weights_are_taken_up_as_they_were_exported(heard, tmp_path):
    model = network.build(FrontEnd())
    taking_up.take_up(model, SHIPPED, [heard.mel, heard.fine, heard.key])
    export.export(model, export.card(FrontEnd(), {}), tmp_path / "again.onnx")
    shipped, again = load_network(), load_network(tmp_path / "again.onnx")
    feed = {"mel": heard.mel[:1], "fine": heard.fine, "key": heard.key}  # one sound's mels, for all
    for ours, theirs in zip(
        again.session.run(None, feed), shipped.session.run(None, feed), strict=True
    ):
        assert ours == pytest.approx(theirs, abs=0.02)
    before, after = shipped.conditionals, again.conditionals
    for field in dataclasses.fields(before):
        assert np.array_equal(getattr(after, field.name), getattr(before, field.name))


def test_normalizations_that_are_taken_up_go_by_the_sounds_shown(heard):
    model = network.build(FrontEnd())
    inputs = [heard.mel, heard.fine, heard.key, heard.places]
    taking_up.take_up(model, SHIPPED, inputs[:3])
    as_told, as_trained = (np.asarray(model(inputs, training=x)) for x in (False, True))
    assert as_trained == pytest.approx(as_told, abs=0.01)


def test_weights_of_another_network_are_refused(heard):
    model = network.build(FrontEnd(), width=0.5)
    with pytest.raises(ModelError, match="train anew"):
        taking_up.take_up(model, SHIPPED, [heard.mel, heard.fine, heard.key])


def test_weights_that_are_not_there_are_missed(heard, tmp_path):
    model = network.build(FrontEnd())
    with pytest.raises(ModelError, match="nowhere"):
        taking_up.take_up(model, tmp_path / "nowhere.onnx", [heard.mel, heard.fine, heard.key])


def test_each_sound_is_used_as_often_as_asked_for_and_in_other_company():
    size, columns = 4, 5
    endless = (
        Batch(*(np.arange(size * k, size * k + size)[:, None] for _ in range(columns)))
        for k in itertools.count()
    )
    mixed = train.shuffled(endless, 3, np.random.default_rng(1))
    taken = [next(mixed) for _ in range(3000)]
    assert all(len(set(part.key.ravel() // size)) > 1 for part in taken[::100])
    for part in taken[::100]:
        assert all(np.array_equal(column, part.key) for column in part.columns)
    uses = Counter(int(x) for part in taken for x in part.key.ravel())
    assert max(uses.values()) == 3
    early = [uses[sound] for sound in range(1000)]
    assert np.mean(early) > 2.9


def test_a_training_begun_with_weights_is_taken_up_where_it_stopped(tmp_path):
    def trained(*options: str) -> None:
        command = [sys.executable, SCRIPT, "--uses", "2", "--workers", "1"]
        command += ["--rate", "0"]
        folders = ["--checkpoints", tmp_path, "--models", tmp_path]
        subprocess.run([*command, *folders, *options], capture_output=True, check=True)

    for end in (".onnx", ".npz", ".json"):
        (tmp_path / f"old{end}").write_bytes(SHIPPED.with_suffix(end).read_bytes())
    before = json.loads(SHIPPED.with_suffix(".json").read_text())["training"]
    trained("--begin", "old", "--sounds", "64", "--name", "first")
    first = json.loads((tmp_path / "first.json").read_text())["training"]
    assert first["begun with"] == before
    assert first["sounds"] == before["sounds"] + 64
    assert first["minutes"] > before["minutes"]
    assert first["validation"]["loss"] == pytest.approx(before["validation"]["loss"], abs=0.01)
    trained("--resume", "--sounds", "128", "--name", "second")
    second = json.loads((tmp_path / "second.json").read_text())["training"]
    assert second["begun with"] == before
    assert second["sounds"] == before["sounds"] + 128
    assert json.loads((tmp_path / "progress.json").read_text())["step"] == 4
