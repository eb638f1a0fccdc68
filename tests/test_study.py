"""The study's own questions: what is measured is what the tables say, and one command does it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from antithesis.encoding import HEADS, MIDDLE, PLACE, WIDTH
from antithesis.parameters import BY_ID
from antithesis.training.stream import Recipe
from studies import alike, asking, marks, tables, telling, views
from studies.alike import Turned
from studies.asking import Answers, Heard
from studies.marks import Mark
from studies.turning import REDRAWN, STEPS
from studies.views import AGAIN, EARS, SHIPPED, SHIPS

SCRIPT = Path(__file__).parents[1] / "scripts" / "study.py"
SPLIT = PLACE["kOsc1Split"]


def certain(places: np.ndarray) -> np.ndarray:
    """Distributions (n, heads, WIDTH) that say these places (n, heads) and nothing else."""
    return np.eye(WIDTH)[np.round(places).astype(int)]


def heard(**answers: np.ndarray) -> Heard:
    """Four sounds that tell everything; each listener answers with places (4, heads)."""
    said = {name: certain(places) for name, places in answers.items()}
    return Heard(truth(), np.ones((4, len(HEADS))), said)


def truth() -> np.ndarray:
    return np.tile(np.arange(1.0, 5.0)[:, None], len(HEADS)) % [head.size for head in HEADS]


# What ears see


@pytest.mark.parametrize("ear", [*EARS, AGAIN], ids=lambda ear: ear.name)
def test_an_ear_shows_its_network_what_that_was_built_for(ear) -> None:
    pytest.importorskip("keras", reason="keras comes with the extra antithesis[train]")
    from antithesis.training import network

    seen = views.batch(Recipe(batch=2, degraded=0.0), frozenset([ear.mels] if ear.mels else []), 0)
    shown = ear.inputs(seen)
    built = network.build(ear.front_end, 0.1).inputs[:3]
    assert [view.shape[1:] for view in shown] == [tuple(view.shape[1:]) for view in built]
    assert [bool(view.any()) for view in shown[:2]] == [ear.mels is not None, ear.fine]


def test_views_are_those_of_the_network_that_ships() -> None:
    from antithesis.training import stream

    recipe = Recipe(batch=4)
    seen, shipped = views.batch(recipe, frozenset([SHIPPED]), 3), stream.batch(recipe, SHIPS, 3)
    np.testing.assert_allclose(seen.mels[SHIPPED], shipped.mel, atol=1e-3)
    np.testing.assert_allclose(seen.fine, shipped.fine, atol=1e-3)
    np.testing.assert_array_equal(seen.places, shipped.places)


# What they got right


def test_the_truth_is_wholly_right_and_errs_by_nothing() -> None:
    found = heard(all=truth())
    assert all(mark.of_ears["all"].mean() == 100 for mark in marks.choices(found))
    assert all(mark.of_ears["all"].max() == pytest.approx(0) for mark in marks.amounts(found))
    for mark in (marks.split_near(found), marks.time_near(found, "kVolEnvD")):
        assert mark.of_ears["all"].mean() == 100


def test_an_error_is_in_hundredths_of_the_way() -> None:
    wrong = truth()
    wrong[:, PLACE["kVolEnvS"]] += 8  # of 32 steps
    sustain = next(m for m in marks.amounts(heard(off=wrong)) if m.name == "kVolEnvS")
    np.testing.assert_allclose(sustain.of_ears["off"], 25)


def test_the_sign_of_a_split_is_free() -> None:
    mirrored = truth()
    mirrored[:, SPLIT] = 2 * MIDDLE - mirrored[:, SPLIT]
    found = heard(mirrored=mirrored)
    split = next(m for m in marks.amounts(found) if m.name == "kOsc1Split")
    np.testing.assert_allclose(split.of_ears["mirrored"], 0, atol=1e-9)
    assert marks.split_near(found).of_ears["mirrored"].mean() == 100


def test_what_cannot_be_heard_counts_nowhere() -> None:
    found = heard(all=truth())
    found.weights[1:, SPLIT] = 0
    assert marks.split_near(found).count == 1


def test_best_is_who_is_ahead_by_more_than_chance() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, 400)
    near, far = noise + rng.normal(0, 1, 400), noise + 1
    ears = {"a": noise, "b": near, "c": far, AGAIN.name: noise - 9}
    assert Mark("", ears, 0.0, more_is_better=False).best() == ["a", "b"]
    assert Mark("", ears, 0.0, more_is_better=True).best() == ["c"]
    assert Mark("", {"a": noise, "b": near}, 0.0, more_is_better=False).best() == []


def test_answers_are_kept_and_read_again(tmp_path: Path) -> None:
    found = Answers(96, {set: heard(one=truth(), two=truth() * 0) for set in asking.SETS})
    asking.write(found, tmp_path / "kept.npz")
    again = asking.read(tmp_path / "kept.npz")
    assert list(tables.views(again)) == list(tables.views(found))
    assert "after 96 sounds" in next(tables.views(again))


# What sounds the same


@pytest.fixture(scope="module")
def turned() -> list[Turned]:
    return alike.turn(0, 1, ("musical", 0))


def test_every_knob_that_is_heard_is_turned_by_every_step(turned: list[Turned]) -> None:
    steps = {id: [each.step for each in turned if each.id == id] for id in BY_ID}
    assert steps["kOsc1Wave"] == [REDRAWN]
    assert steps["kVolEnvA"] == [REDRAWN, *STEPS]
    assert steps["kMasterVolume"] == steps["kVoiceMode"] == []


def test_what_sounds_the_same_is_counted_by_knob_and_over_presets() -> None:
    same = [Turned("musical", i, "kVolEnvS", 0.05, same=i > 0) for i in range(4)]
    lines = "\n".join(tables.alike(same, seed=0))
    assert "| kVolEnvS | 4 | - | - | 75 | - | - | 0 | - | - | - | - | - |" in lines


# What a view tells


def test_a_split_turned_by_a_quarter_of_its_way_is_told_by_every_view() -> None:
    (told,) = telling.tell(0, 0.25, ("split", 0))
    assert told.id == "kOsc1Split"
    views_told = ["32 mels", "64 mels", "128 mels", "64 mels, 4,096", "fine"]
    assert told.of_views == dict.fromkeys(views_told, 1.0)
    assert "| kOsc1Split, split (1) | 50 | 100 |" in "\n".join(tables.tells([told]))


# All of it


def test_quick_runs_from_end_to_end(tmp_path: Path) -> None:
    pytest.importorskip("keras", reason="keras comes with the extra antithesis[train]")
    kept, picture = tmp_path / "kept", tmp_path / "quick.png"
    command = [sys.executable, str(SCRIPT), "--keep", str(kept), "--picture", str(picture)]
    done = subprocess.run(
        [*command, "--quick"], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    for heading in (
        "which view hears",
        "the network that ships",
        "tells a knob",
        "a preset sounds",
    ):
        assert heading in done.stdout.lower()
    assert picture.read_bytes().startswith(b"\x89PNG")
    remade = [
        *tables.views(asking.read(kept / "views.npz")),
        *tables.leans(asking.read(kept / "leans.npz")),
    ]
    assert done.stdout.startswith("\n\n".join(remade))
