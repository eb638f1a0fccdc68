"""A sound in, its preset out: the trained network and the exact synth, nothing faked."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from antithesis import sampling
from antithesis.distances import Target, mss
from antithesis.errors import AudioError, ModelError, PresetError, RenderError
from antithesis.gallery import APART_DB
from antithesis.grid import Grid
from antithesis.matching import Match, match
from antithesis.network import load_network, model_path
from antithesis.objective import Objective
from antithesis.parameters import BY_ID, PARAMETERS
from antithesis.pitch import cents, track
from antithesis.preset import Preset
from antithesis.synth import Event, render, render_notes
from evaluation.targets import read_targets, rendered

RATE = 44100
GAIN = BY_ID["kMasterVolume"].index


@pytest.fixture(scope="module")
def network():
    return load_network()


@pytest.fixture(scope="module")
def lead():
    """A sound that asks for little: a filtered saw of 0.8 s."""
    preset = Preset.init().replace(
        kFilterEnabled=1, kFilterCutoff=1800, kVolEnvS=0.6, kVolEnvD=992, kVoiceMode=0
    )
    events = [Event.from_row([0, 1, 57, 100]), Event.from_row([0.8, 0, 57, 0])]
    return render(preset, events, 2.0, warmup_s=0.4)


@pytest.fixture(scope="module")
def matches(network, lead) -> list[Match]:
    return list(match(lead, network, budget_s=2.0))


def test_matches_only_get_better(matches):
    distances = [found.distance for found in matches]
    # As far as two renders of one preset are apart: below that a likelier one is better.
    assert all(after < before + 0.15 for before, after in itertools.pairwise(distances))
    assert distances[-1] <= distances[0]
    assert [found.elapsed_s for found in matches] == sorted(found.elapsed_s for found in matches)


def test_the_best_match_is_near_and_on_the_right_key(matches, lead):
    best = matches[-1]
    assert best.distance < 3.0
    assert best.velocity > 0
    assert best.gate_s == pytest.approx(0.8, abs=0.15)
    assert abs(cents(track(best.render(), RATE).f0_hz, track(lead, RATE).f0_hz)) < 10


def test_a_match_says_what_it_sounds_like(matches, lead):
    best = matches[-1]
    sound = best.render()
    assert sound.shape == lead.shape
    rms = np.sqrt(np.mean(sound**2)), np.sqrt(np.mean(lead**2))
    assert rms[0] == pytest.approx(rms[1], rel=0.05)


def test_knobs_that_the_note_does_not_let_hear_stand_at_their_defaults(matches):
    best = matches[-1].preset
    unheard = {p.id for p in PARAMETERS} - best.audible() - {"kVoiceMode", "kMasterVolume"}
    assert unheard
    assert all(best[id] == Preset.init()[id] for id in unheard)


@pytest.mark.parametrize("gain", [1e-4, 1e-2, 100.0])
def test_a_soft_or_loud_sound_is_told_to_be_as_near(network, lead, gain):
    first, other = (next(match(sound, network, budget_s=0.0)) for sound in (lead, gain * lead))
    knobs = [np.delete(found.preset.normalized, GAIN) for found in (first, other)]
    assert knobs[1] == pytest.approx(knobs[0], abs=1e-4)
    assert other.distance == pytest.approx(first.distance, abs=0.02)


def test_a_key_that_is_held_to_the_end_leaves_releases_at_their_defaults(network):
    pad = Preset.init().replace(kOsc1Wave=3, kVolEnvS=0.7, kModEnvCutoff=2000, kFilterEnabled=1)
    sound = render(pad, [Event.from_row([0, 1, 48, 100])], 2.0)
    for found in match(sound, network, budget_s=0.5, note=48, gate_s=3.0):
        for id in ("kVolEnvR", "kModEnvR"):
            assert found.preset[id] == Preset.init()[id]


def test_the_network_alone_is_asked_with_a_budget_of_zero(network, lead):
    assert len(list(match(lead, network, budget_s=0.0))) == 1


def test_what_asking_about_every_key_gains_is_told_before_the_search_goes_on(network):
    early = 0
    for target in (t for t in read_targets() if t.set == "musical" and t.id in (2, 8, 16)):
        found = match(rendered([target])[0], network, budget_s=5.0)
        first, second = itertools.islice(found, 2)
        found.close()
        assert second.distance < first.distance
        early += second.evaluations < 3 * first.evaluations
    assert early >= 2  # of three: where the keys that a tracker named were not the best


def test_the_search_can_be_left_at_any_time(network, lead):
    running = match(lead, network, budget_s=60.0)
    first = next(running)
    running.close()
    assert first.distance > 0


def test_a_given_note_is_kept(network, lead):
    for found in match(lead, network, budget_s=0.0, note=45):
        assert found.note == 45


def test_on_a_key_that_is_not_its_pitch_a_match_is_tuned_to_the_sound(network, lead):
    found = list(match(lead, network, budget_s=1.0, note=62))[-1]
    assert found.note == 62
    assert found.preset["kOsc1Coarse"] == 57 - 62
    assert abs(cents(track(found.render(), RATE).f0_hz, track(lead, RATE).f0_hz)) < 10


def test_a_known_velocity_and_gate_are_kept(network, lead):
    for found in match(lead, network, budget_s=0.5, velocity=73, gate_s=0.8):
        assert (found.velocity, found.gate_s) == (73, 0.8)


def test_locked_parameters_are_matched_around(network, lead):
    locked = {"kFilterCutoff": 3000.0, "kOsc1Coarse": -12.0, "kGlideSpeed": 700.0}
    found = list(match(lead, network, budget_s=1.0, locked=locked))
    for one in found:
        assert {id: one.preset[id] for id in locked} == locked
    heard = track(found[-1].render(), RATE).f0_hz
    assert abs(cents(heard, track(lead, RATE).f0_hz)) < 10


def test_what_is_locked_moves_nothing_that_is_not_heard(network, lead):
    found = next(match(lead, network, budget_s=0.0, locked={"kFmCoarse": 12.0}))
    assert found.preset["kFmMode"] == 0
    assert (found.preset["kFmCoarse"], found.preset["kFmFine"]) == (12.0, 0.0)


@pytest.mark.parametrize(
    ("locked", "reason"),
    [
        ({"kCutoff": 1.0}, "no parameter 'kCutoff'"),
        ({"kOscMix": 2.0}, "2"),
        ({"kMasterVolume": 0.0}, "plays nothing"),
    ],
)
def test_locks_that_cannot_be_are_refused_at_once(network, lead, locked, reason):
    with pytest.raises(PresetError, match=reason):
        match(lead, network, budget_s=1.0, locked=locked)


def test_the_candidates_are_a_few_that_sound_different(network, lead):
    running = match(lead, network, budget_s=1.0)
    assert running.candidates() == []
    best = list(running)[-1]
    candidates = running.candidates()
    assert len(candidates) == 4
    assert candidates[0] is best
    distances = [one.distance for one in candidates[1:]]
    assert distances == sorted(distances)
    ear = Objective(lead)
    sounds = [ear.features(one.render()[None])[0] for one in candidates]
    for one, other in itertools.combinations(sounds, 2):
        assert ear.apart(one, other[None])[0] > 0.6 * APART_DB  # putting them in tune may move them


def test_the_octave_of_a_named_note_is_a_hint(network, lead):
    first = next(match(lead, network, budget_s=0.0, named=33))  # two octaves below what is played
    assert first.note % 12 == 57 % 12
    assert abs(cents(track(first.render(), RATE).f0_hz, track(lead, RATE).f0_hz)) < 50


@pytest.mark.parametrize(("named", "key"), [(None, 57), (62, 62), (70, 58)])
def test_a_match_is_told_on_the_key_that_one_would_press(network, lead, named, key):
    found = list(match(lead, network, budget_s=0.5, named=named))[-1]
    assert found.note == key
    assert found.preset["kOscMix"] > 0.99  # oscillator 1 alone
    assert found.preset["kOsc1Coarse"] == 57 - key
    assert abs(cents(track(found.render(), RATE).f0_hz, track(lead, RATE).f0_hz)) < 10


def test_the_same_seed_makes_the_same_first_match(network, lead):
    first, second = (next(match(lead, network, budget_s=0.0, seed=3)) for _ in range(2))
    assert first.preset == second.preset


def test_nearer_than_any_of_a_hundred_random_presets(network, lead):
    drawn = sampling.musical(np.random.default_rng(21), 100)
    sounds = render_notes(drawn.normalized, 57, 100, 0.8)
    others = Target(lead).compare(mss, sounds)
    assert next(match(lead, network, budget_s=0.0)).distance < others.min()


@pytest.mark.parametrize(
    ("sound", "reason"),
    [
        (np.zeros(44100), "silent"),
        (np.zeros(0), "mono samples"),
        (np.zeros((2, 44100)), "mono samples"),
        (np.full(44100, np.nan), "NaN"),
        (np.r_[np.ones(100), np.inf], "infinite"),
        (np.full(44100, 1e25), "peaks at 1e\\+25"),
    ],
    ids=["silence", "nothing", "stereo", "NaN", "infinity", "loud"],
)
def test_what_is_no_sound_is_refused_at_once(network, sound, reason):
    with pytest.raises(AudioError, match=reason):
        match(sound, network, budget_s=1.0)


def test_a_very_short_sound_is_matched(network):
    click = np.r_[np.sin(np.arange(400) / 5), np.zeros(10)]
    assert next(match(click, network, budget_s=0.0)).distance >= 0


def test_noise_is_matched(network):
    noise = 0.1 * np.random.default_rng(0).normal(size=RATE)
    assert next(match(noise, network, budget_s=0.0)).distance < 15


def test_missing_weights_say_what_to_do(tmp_path):
    with pytest.raises(ModelError, match="train it again"):
        load_network(tmp_path / "none.onnx")


def test_weights_of_another_table_are_refused(tmp_path, network):
    card = {**network.card, "table": "000000000000"}
    (tmp_path / "other.onnx").write_bytes(model_path().read_bytes())
    (tmp_path / "other.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ModelError, match="another parameter table"):
        load_network(tmp_path / "other.onnx")


def test_garbage_for_weights_is_refused(tmp_path, network):
    (tmp_path / "garbage.onnx").write_bytes(b"not a model")
    (tmp_path / "garbage.json").write_text(json.dumps(network.card), encoding="utf-8")
    with pytest.raises(ModelError, match="onnxruntime"):
        load_network(tmp_path / "garbage.onnx")


@pytest.fixture(scope="module")
def pluck():
    """A sound that 7 bits cannot say: a swell of 6 ms into a filter at 250 Hz, two saws apart."""
    preset = Preset.init().replace(
        kOscMix=0.5,
        kOsc2Fine=0.07,
        kFilterEnabled=1,
        kFilterCutoff=250,
        kFilterResonance=0.5,
        kModEnvCutoff=2600,
        kModEnvD=990,
        kVolEnvA=800,
    )
    events = [Event.from_row([0, 1, 45, 100]), Event.from_row([0.8, 0, 45, 0])]
    return render(preset, events, 2.0, warmup_s=0.4)


def test_the_last_match_is_on_the_grid_and_nearer_than_mere_rounding(network, pluck):
    grid = Grid.even([127] * len(PARAMETERS))
    *_, found, last = match(pluck, network, budget_s=4.0, grid=grid)

    assert np.abs(grid.nearest(last.preset.normalized) - last.preset.normalized).max() < 1e-9
    rounded = Preset.from_normalized(grid.nearest(found.preset.normalized))
    scoring = Target(pluck)
    far, near = (
        scoring.compare(mss, replace(played, preset=preset).render())[0]
        for played, preset in ((found, rounded), (last, last.preset))
    )
    assert near == pytest.approx(last.distance, abs=1e-6)
    assert near < far
    assert abs(last.level_error_db) < 0.5


def test_with_no_time_to_search_the_last_match_is_rounded(network, pluck):
    grid = Grid.even([127] * len(PARAMETERS))
    first, last = match(pluck, network, budget_s=0, grid=grid)

    near = grid.nearest(first.preset.normalized)
    near[GAIN] = last.preset.normalized[GAIN]
    assert last.preset.normalized == pytest.approx(near, abs=1e-9)


def test_locked_parameters_are_not_put_on_the_grid(network, pluck):
    grid = Grid.even([127] * len(PARAMETERS))
    *_, last = match(pluck, network, budget_s=0.5, grid=grid, locked={"kFilterCutoff": 251.5})

    assert last.preset["kFilterCutoff"] == 251.5


def test_every_candidate_is_on_the_grid(network, pluck):
    grid = Grid.even([127] * len(PARAMETERS))
    running = match(pluck, network, budget_s=1.0, grid=grid)
    *_, last = running
    first, *others = running.candidates()

    assert first is last
    assert others
    for one in others:
        assert one.preset.normalized == pytest.approx(grid.nearest(one.preset.normalized), abs=1e-9)


@pytest.mark.parametrize(
    "pressed",
    [{"note": 200}, {"velocity": 0}, {"velocity": 200}, {"gate_s": -1.0}, {"gate_s": np.nan}],
    ids=str,
)
def test_a_key_that_nobody_can_press_is_refused_at_once(network, lead, pressed):
    with pytest.raises(RenderError, match=next(iter(pressed))):
        match(lead, network, budget_s=1.0, **pressed)
