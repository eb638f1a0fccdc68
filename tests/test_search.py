"""The search on the exact synth: it keeps what it found, and finds what it was given."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from antithesis.canonical import canonical
from antithesis.encoding import HEADS, WIDTH, encode
from antithesis.preset import Preset
from antithesis.search import Candidate, Stage, propose, refine, retuned
from antithesis.synth import Event, render

PRESET = Preset.init().replace(
    kVoiceMode=0, kFilterEnabled=1, kFilterCutoff=900, kFilterResonance=0.4, kVolEnvS=0.5
)
PLACE = {head.id: k for k, head in enumerate(HEADS)}


@pytest.fixture(scope="module")
def target() -> np.ndarray:
    return render(PRESET, [Event.from_row([0, 1, 50, 100])], 1.0)


@pytest.fixture(scope="module")
def truth() -> Candidate:
    places, _ = encode(canonical(PRESET.plain, 50, 100), [2.0])
    return Candidate(places[0], 50)


def shifted(candidate: Candidate, id: str, bins: float) -> Candidate:
    places = candidate.places.copy()
    places[PLACE[id]] += bins
    return Candidate(places, candidate.note, candidate.phase)


def test_the_true_preset_is_nearest(target, truth):
    stage = Stage(target)
    others = [shifted(truth, "kFilterCutoff", step) for step in (-6.0, -2.0, 2.0, 6.0)]
    scored = stage.score([truth, *others])
    assert min(scored, key=lambda s: s.distance).candidate is truth
    assert scored[0].distance < 0.3
    assert stage.evaluations == 5


def test_refining_never_loses_ground_and_comes_near(target, truth):
    stage = Stage(target)
    start = shifted(shifted(truth, "kFilterCutoff", -5.0), "kVolEnvS", 8.0)
    pool = stage.score([start])
    steps = itertools.islice(refine(stage, pool, np.random.default_rng(0)), 40)
    distances = [found.distance for found in steps]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.4 * pool[0].distance


def test_the_same_seed_makes_the_same_search(target, truth):
    runs = []
    for _ in range(2):
        stage = Stage(target)
        search = refine(
            stage, stage.score([shifted(truth, "kVolEnvS", 6.0)]), np.random.default_rng(4)
        )
        runs.append([found.distance for found in itertools.islice(search, 4)])
    assert runs[0] == runs[1]


def test_proposals_are_the_likeliest_and_draws_for_each_key():
    flat = np.full((2, len(HEADS), WIDTH), 1.0 / WIDTH)
    found = propose(flat, [40, 52], np.random.default_rng(0), 5)
    assert [c.note for c in found] == [40] * 6 + [52] * 6
    assert len({c.structure for c in found}) > 6


def test_structures_differ_in_what_no_continuous_search_can_change(truth):
    assert shifted(truth, "kFilterCutoff", 3.0).structure == truth.structure
    assert shifted(truth, "kOsc1Wave", 1.0).structure != truth.structure
    assert shifted(truth, "kModEnvCutoff", 4.0).structure != truth.structure  # switched on


def test_retuning_moves_the_pitch_by_as_much(truth):
    fine = HEADS[PLACE["kOsc1Fine"]]
    moved = retuned(truth, 0.3)
    assert fine.plain(moved.places[PLACE["kOsc1Fine"]]) == pytest.approx(0.3)
    assert fine.plain(retuned(truth, 9.0).places[PLACE["kOsc1Fine"]]) == pytest.approx(1.0)
