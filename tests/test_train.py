"""Training by its command: begun with exported weights, stopped, taken up again."""

from __future__ import annotations

import dataclasses
import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

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


class Pool:
    """Renders nothing: its batches are their own numbers."""

    def apply_async(self, _render, job):
        *_, index = job
        size, columns = 4, 5
        sounds = np.arange(size * index, size * index + size)[:, None]
        return SimpleNamespace(get=lambda: Batch(*[sounds] * columns))


@pytest.mark.parametrize("uses", [1, 2, 3])
def test_a_training_that_is_stopped_again_and_again_hears_no_sound_too_often(uses):
    progress = train.Progress({})
    heard: Counter[int] = Counter()
    for life in range(4):
        new = train.stream_batches(Pool(), None, None, progress, ahead=3)
        batches = train.shuffled(new, uses, np.random.default_rng(life))
        for part in itertools.islice(batches, 500):
            heard.update(int(sound) for sound in part.key.ravel())
    assert max(heard.values()) == uses
    assert np.mean(list(heard.values())) > 0.85 * uses


def test_what_cannot_be_resumed_is_told(tmp_path, monkeypatch):
    folder = ["--minutes", "1", "--resume", "--checkpoints", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["train.py", *folder])
    with pytest.raises(SystemExit, match="nothing to resume"):
        train.resumed(train.parse())
    begun = {"seed": 7, "batch": 64, "uses": 2, "rate": 7e-4}
    kept = dataclasses.asdict(train.Progress(begun, step=3))
    (tmp_path / "progress.json").write_text(json.dumps(kept))
    with pytest.raises(SystemExit, match=r"begun with --seed 7 .*--uses 2 --rate 0\.0007"):
        train.resumed(train.parse())
    monkeypatch.setattr(
        sys, "argv", ["train.py", *folder, "--seed", "7", "--uses", "2", "--rate", "7e-4"]
    )
    assert train.resumed(train.parse()).step == 3


def test_a_training_begun_with_weights_is_taken_up_where_it_stopped(tmp_path):
    def trained(*options: str) -> None:
        command = [sys.executable, SCRIPT, "--uses", "2", "--workers", "2"]
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
