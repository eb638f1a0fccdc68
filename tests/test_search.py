"""The search on the exact synth: it keeps what it found, and finds what it was given."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from antithesis.candidates import Candidate, Fixed, Scored, Stage, Stopped, retuned
from antithesis.canonical import canonical
from antithesis.conditionals import EMBEDDED, HIDDEN, Conditionals
from antithesis.encoding import HEADS, PLACE, WIDTH, encode
from antithesis.gallery import APART_DB, Gallery
from antithesis.network import Prediction
from antithesis.parameters import BY_ID
from antithesis.posterior import Posterior
from antithesis.preset import Preset
from antithesis.search import Chain, evolved, refine, stepped
from antithesis.synth import Event, render

PRESET = Preset.init().replace(
    kVoiceMode=0, kFilterEnabled=1, kFilterCutoff=900, kFilterResonance=0.4, kVolEnvS=0.5
)
NOTE = 50


@pytest.fixture(scope="module")
def target() -> np.ndarray:
    return render(PRESET, [Event.from_row([0, 1, NOTE, 100])], 1.0)


@pytest.fixture(scope="module")
def truth() -> Candidate:
    places, _ = encode(canonical(PRESET.plain, NOTE, 100), [2.0])
    return Candidate(places[0], NOTE)


def shifted(candidate: Candidate, id: str, bins: float) -> Candidate:
    places = candidate.places.copy()
    places[PLACE[id]] += bins
    return Candidate(places, candidate.note, candidate.phase)


def around(candidate: Candidate, width: float = 4.0, fixed: Fixed | None = None) -> Posterior:
    """What a network might hold that is about right: bells around the candidate's places."""
    bells = np.exp(-0.5 * ((np.arange(WIDTH) - candidate.places[:, None]) / width) ** 2)
    return Posterior([candidate.note], expecting(bells[None]), fixed)


def expecting(odds: np.ndarray) -> Prediction:
    """A network's for such odds (keys, heads, WIDTH), whatever the heads before are."""
    nothing = {
        "values": np.zeros((len(HEADS), WIDTH, EMBEDDED), np.float32),
        "links": np.zeros((len(HEADS), EMBEDDED, len(HEADS), HIDDEN), np.float32),
        "mixing": np.zeros((len(HEADS), HIDDEN, HIDDEN), np.float32),
        "corrections": np.zeros((len(HEADS), HIDDEN, WIDTH), np.float32),
    }
    told = np.zeros((len(odds), len(HEADS), HIDDEN), np.float32)
    return Prediction(np.log(odds + 1e-30).astype(np.float32), told, Conditionals(**nothing))


def found(
    stage: Stage, start: Candidate, steps: int, *, seed: int = 0, expected: Posterior | None = None
) -> list[Scored]:
    rng = np.random.default_rng(seed)
    search = refine(stage, stage.score([start]), expected or around(start), rng)
    return list(itertools.islice(search, steps))


def test_the_true_preset_is_nearest(target, truth):
    stage = Stage(target)
    others = [shifted(truth, "kFilterCutoff", step) for step in (-6.0, -2.0, 2.0, 6.0)]
    scored = stage.score([truth, *others])
    assert min(scored, key=lambda s: s.distance).candidate is truth
    assert scored[0].distance < 0.3
    assert stage.evaluations == 5


def test_refining_comes_near_what_was_played(target, truth, monkeypatch):
    stage, expected = Stage(target), around(truth)
    start = shifted(shifted(truth, "kFilterCutoff", -5.0), "kVolEnvS", 8.0)
    monkeypatch.setattr(expected, "draws", lambda *_: [start])  # that it races alone
    first = stage.score([start])[0].distance
    assert min(s.distance for s in found(stage, start, 8, expected=expected)) < 0.1 * first


def test_a_wrong_choice_is_mended(target, truth):
    stage, start = Stage(target), shifted(truth, "kOsc1Wave", 1.0)
    chain = Chain(stage, stage.score([start])[0], blurred_steps=4)
    while not chain.exhausted:
        stepped(stage, [chain])
    assert chain.best.distance > 1.0  # a square alone comes no nearer
    steps = found(stage, start, 60, expected=around(truth, 1.0))
    assert min(s.distance for s in steps) < 0.2


def test_a_search_whose_moves_lead_nowhere_begins_anew(target, truth, monkeypatch):
    wrong, expected = shifted(truth, "kOsc1Wave", 1.0), around(truth, 1.0)
    drawn = iter([[wrong]])  # and then what is expected
    draws = expected.draws
    monkeypatch.setattr(expected, "draws", lambda *asked: next(drawn, None) or draws(*asked))
    monkeypatch.setattr(expected, "simpler", lambda best: [])
    monkeypatch.setattr(expected, "moves", lambda best, rng, count: [best.candidate])
    distances = [s.distance for s in found(Stage(target), wrong, 200, expected=expected)]
    assert min(distances[:12]) > 1.0  # a square comes no nearer
    assert min(distances) < 0.2


def test_chains_that_step_together_go_where_each_would_go_alone(target, truth):
    stage = Stage(target)
    starts = [shifted(truth, "kVolEnvS", 6.0), shifted(truth, "kOsc1Wave", 1.0)]
    scored = stage.score(starts)
    together, alone = ([Chain(stage, one, blurred_steps=2) for one in scored] for _ in range(2))
    for _ in range(3):
        distances = [found.distance for found in stepped(stage, together)]
        assert distances == [stepped(stage, [chain])[0].distance for chain in alone]


def test_a_blurred_beginning_leads_past_the_hills_of_fm():
    knobs = {"kFmMode": 1, "kFmCoarse": 5, "kVolEnvFm": 5, "kVolEnvD": 990, "kFilterEnabled": 0}
    preset = PRESET.replace(**knobs)
    stage = Stage(render(preset, [Event.from_row([0, 1, NOTE, 100])], 1.0))
    places, _ = encode(canonical(preset.plain, NOTE, 100), [2.0])
    truth = Candidate(places[0], NOTE)
    rng, reached = np.random.default_rng(1), {0: [], 8: []}
    for _ in range(4):
        moved = replace(truth, places=truth.places + _beside(truth, rng))
        for steps, distances in reached.items():
            chain = Chain(stage, stage.score([moved])[0], steps)
            while not chain.exhausted:
                stepped(stage, [chain])
            distances.append(chain.best.distance)
    assert np.mean(reached[8]) < 0.8 * np.mean(reached[0])


def _beside(truth: Candidate, rng: np.random.Generator) -> np.ndarray:
    """How far beside each place a network's guess might be, in bins."""
    return np.where(truth.switched_on, rng.normal(0.0, 0.7, len(HEADS)), 0.0)


def test_evolution_goes_on_where_a_descent_ends():
    knobs = {"kFilterEnabled": 0, "kOsc1Wave": 0, "kVolEnvA": 950, "kVolEnvD": 965, "kVolEnvR": 990}
    released = [Event.from_row([0, 1, NOTE, 100]), Event.from_row([0.4, 0, NOTE, 0])]
    preset = PRESET.replace(**knobs)
    stage = Stage(render(preset, released, 1.0))
    places, _ = encode(canonical(preset.plain, NOTE, 100, gate_s=0.4), [0.4])
    truth = Candidate(places[0], NOTE)
    rng, reached = np.random.default_rng(0), []
    for _ in range(4):
        beside = replace(truth, places=truth.places + 2 * _beside(truth, rng))
        chain = Chain(stage, stage.score([beside])[0], 2)
        while not chain.exhausted:
            stepped(stage, [chain])
        better = list(evolved(stage, chain.best, rng))
        distances = [chain.best.distance, *(s.distance for s in better)]
        assert distances == sorted(distances, reverse=True)
        reached.append((distances[0], distances[-1]))
        assert {s.candidate.structure for s in better} == {chain.best.candidate.structure}
    descended, evolved_from_there = np.mean(reached, axis=0)
    assert evolved_from_there < 0.5 * descended


def test_where_all_is_locked_only_the_phase_evolves(target, truth):
    stage = Stage(target, Fixed(dict(PRESET.by_id()), gate_s=2.0, note=NOTE))
    for found in evolved(stage, stage.score([truth])[0], np.random.default_rng(0)):
        assert (found.candidate.places == truth.places).all()


def test_the_same_seed_makes_the_same_search(target, truth):
    start = shifted(truth, "kVolEnvS", 6.0)
    runs = [[s.distance for s in found(Stage(target), start, 6, seed=4)] for _ in range(2)]
    assert runs[0] == runs[1]


def test_a_search_with_nothing_left_to_gain_ends(target, truth):
    stage = Stage(Stage(target).render([truth])[0])
    assert list(refine(stage, stage.score([truth]), around(truth), np.random.default_rng(0))) == []


def test_a_search_that_gains_no_more_ends(target, truth):
    noise = np.random.default_rng(3).normal(size=11025)
    stage = Stage(noise)
    pool = stage.score([shifted(truth, "kVolEnvS", 6.0)])
    steps = list(refine(stage, pool, around(truth, 0.01), np.random.default_rng(0)))
    assert 10 < len(steps) < 2000


def test_proposals_are_the_likeliest_and_draws():
    flat = np.full((2, len(HEADS), WIDTH), 1.0 / WIDTH)
    proposed = Posterior([40, 52], expecting(flat)).propose(np.random.default_rng(0), 14)
    assert [c.note for c in proposed[:4]] == [40, 52, 40, 52]
    assert {c.note for c in proposed[4:]} == {40, 52}
    assert len({c.structure for c in proposed}) > 6


def test_of_two_as_near_the_likelier_is_worth_more(target, truth):
    expected = around(truth, 0.5)
    scored = Stage(target).score([truth, shifted(truth, "kOsc1Wave", 2.0)])
    likely, unlikely = (replace(one, distance=1.0) for one in scored)
    assert expected.surprise(likely) == pytest.approx(0.0, abs=1e-6)
    assert expected.surprise(unlikely) > 1.0
    assert expected.worth(unlikely) > expected.worth(likely)


def test_some_moves_tell_the_oscillators_anew_and_keep_the_envelopes(target, truth):
    scored = Stage(target).score([truth])[0]
    moved = around(truth).moves(scored, np.random.default_rng(1), 64)
    changed = np.array([candidate.places != truth.places for candidate in moved])
    assert (changed[:8].sum(axis=1) > 16).all()  # altogether
    anew = changed[8:32]
    assert anew[:, PLACE["kOsc1Wave"]].any()
    assert not anew[:, [PLACE["kVolEnvS"], PLACE["kFilterCutoff"]]].any()
    assert np.median(anew.sum(axis=1)) > 3


def test_moves_draw_anew_what_is_in_doubt_and_nothing_unheard(target, truth):
    scored = Stage(target).score([truth])[0]
    moved = around(truth).moves(scored, np.random.default_rng(1), 64)[-32:]
    changed = np.array([candidate.places != truth.places for candidate in moved])
    assert np.median(changed.sum(axis=1)) <= 2
    assert set(np.flatnonzero(changed.any(axis=0))) <= set(np.flatnonzero(scored.audible))
    assert changed[:, PLACE["kFilterCutoff"]].any()


def test_structures_differ_in_what_no_continuous_search_can_change(truth):
    assert shifted(truth, "kFilterCutoff", 3.0).structure == truth.structure
    assert shifted(truth, "kOsc1Wave", 1.0).structure != truth.structure
    assert shifted(truth, "kModEnvCutoff", 4.0).structure != truth.structure  # switched on
    assert shifted(truth, "kOscMix", -4.0).structure != truth.structure  # oscillator 2 joins in


def test_an_oscillator_that_plays_alone_stays_alone(truth):
    assert not truth.switched_on[PLACE["kOscMix"]]
    assert shifted(truth, "kOscMix", -4.0).switched_on[PLACE["kOscMix"]]


def test_retuning_moves_the_pitch_by_as_much(truth):
    fine = HEADS[PLACE["kOsc1Fine"]]
    moved = retuned(truth, 0.3)
    assert fine.plain(moved.places[PLACE["kOsc1Fine"]]) == pytest.approx(0.3)
    assert fine.plain(retuned(truth, 9.0).places[PLACE["kOsc1Fine"]]) == pytest.approx(1.0)


LOCKS = {"kFilterCutoff": 400.0, "kOsc1Wave": 3.0, "kFilterKeyTrack": 0.2, "kFmCoarse": 7.0}


def test_what_is_locked_stays_in_every_candidate(target, truth):
    fixed = Fixed(LOCKS, velocity=90, gate_s=0.75)
    stage, expected = Stage(target, fixed), around(truth, fixed=fixed)
    rng = np.random.default_rng(2)
    pool = stage.score(expected.propose(rng, 8))
    steps = list(itertools.islice(refine(stage, pool, expected, rng), 12))
    notes, gates = stage.played([s.candidate for s in [*pool, *steps]])
    for id, value in LOCKS.items():
        assert (notes.plain[:, BY_ID[id].index] == value).all(), id
    assert (gates == 0.75).all()


@pytest.mark.parametrize(("pressed", "alike"), [(55, True), (84, False)])
def test_a_pressed_key_plays_what_is_tuned_to_another(target, truth, pressed, alike):
    stage = Stage(target, Fixed(note=pressed))
    notes, _ = stage.played([truth])
    assert notes.note.tolist() == [pressed]
    assert (notes.plain[0, BY_ID["kOsc1Coarse"].index] == truth.note - pressed) == alike
    assert (stage.score([truth])[0].distance < 0.05) == alike  # else out of the tuning's range


def test_around_a_lock_the_search_still_gains(target, truth):
    fixed = Fixed({"kFilterResonance": 0.2})
    stage, start = Stage(target, fixed), shifted(truth, "kFilterCutoff", -6.0)
    pool = stage.score([start])
    search = refine(stage, pool, around(start, fixed=fixed), np.random.default_rng(0))
    assert min(s.distance for s in itertools.islice(search, 8)) < 0.5 * pool[0].distance


def test_the_gallery_keeps_the_best_of_those_that_sound_alike(target, truth):
    stage = Stage(target)
    gallery = Gallery(stage.objective, lambda scored: scored.distance)
    steps = (0.0, 0.02, 0.04, -3.0, -3.02, 5.0, 8.0, 11.0, -9.0)
    scored = stage.score([shifted(truth, "kFilterCutoff", step) for step in steps])
    for one in reversed(scored):
        gallery.add(one)
    assert gallery.best.distance == min(s.distance for s in scored)
    shown = [gallery.best, *gallery.unlike(gallery.best)]
    assert len(shown) == 4
    worths = [kept.distance for kept in shown]
    assert worths == sorted(worths)
    for one, other in itertools.combinations([scored[2], *gallery.unlike(scored[2])], 2):
        assert stage.objective.apart(one.heard, other.heard[None])[0] >= APART_DB
    for one, other in itertools.combinations(shown, 2):
        assert stage.objective.apart(one.heard, other.heard[None])[0] >= APART_DB


def test_a_stage_that_is_told_to_stop_renders_no_more_batches(target, truth):
    stage = Stage(target)
    stage.stop = lambda: True
    with pytest.raises(Stopped):
        stage.features([truth] * 100)
    assert 0 < stage.evaluations < 50


def test_batches_are_heard_as_one(target, truth):
    candidates = [shifted(truth, "kFilterCutoff", 0.1 * step) for step in range(40)]
    stage = Stage(target)
    alone = np.concatenate([stage.features([one]) for one in candidates])
    assert np.array_equal(stage.features(candidates), alone)
