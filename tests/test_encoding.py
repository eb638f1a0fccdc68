"""Heads of the network: what goes in comes out, and masks follow the rules of hearing."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis import sampling
from antithesis.canonical import canonical
from antithesis.encoding import (
    CONTINUOUS,
    GATE,
    HEADS,
    LIVE,
    PLACE,
    SIZES,
    WIDTH,
    decode,
    draw,
    encode,
    likeliest,
    off,
    probabilities,
)
from antithesis.parameters import BY_ID, MAXIMUM, MINIMUM
from antithesis.preset import Preset

PARAMETER_HEADS = [head for head in HEADS if head is not GATE]
NOT_TOLD_BY_A_NOTE = {
    *("kFilterKeyTrack", "kVolEnvV", "kModEnvV"),
    *("kVoiceMode", "kGlideSpeed", "kMasterVolume"),
}


def distributions(places: np.ndarray) -> np.ndarray:
    """Distributions (n, heads, WIDTH) whose means are ``places``."""
    shares = np.maximum(0.0, 1.0 - np.abs(np.arange(WIDTH) - places[..., None]))
    return shares / shares.sum(-1, keepdims=True)


def canonical_draws(n: int):
    drawn = sampling.musical(np.random.default_rng(0), n)
    return canonical(drawn.plain, drawn.note, drawn.velocity), drawn.gate_s


def test_every_parameter_a_note_can_tell_has_one_head():
    assert len({head.id for head in HEADS}) == len(HEADS)
    told = {id for head in PARAMETER_HEADS for id in (head.id, head.fine) if id}
    assert told == set(BY_ID) - NOT_TOLD_BY_A_NOTE


@pytest.mark.parametrize("head", PARAMETER_HEADS, ids=lambda head: head.id)
def test_ends_of_the_range_are_the_first_and_last_bin(head):
    parts = [BY_ID[id].index for id in (head.id, head.fine) if id]
    ends = head.position(np.array([MINIMUM[parts].sum(), MAXIMUM[parts].sum()]))
    assert sorted(ends) == pytest.approx([0.0, head.size - 1])


@pytest.mark.parametrize("head", PARAMETER_HEADS, ids=lambda head: head.id)
def test_position_and_plain_are_inverse(head):
    places = np.linspace(0, head.size - 1, 3 * head.size - 2)
    assert np.allclose(head.position(head.plain(places)), places, atol=1e-6)


def test_attack_times_spread_evenly_from_1_ms_to_1_s():
    head = next(head for head in HEADS if head.id == "kVolEnvA")
    rates = np.array([1000.0, 100.0, 10.0, 1.0])
    steps = np.diff(head.position(1000.5 - rates))
    assert np.allclose(steps, steps[0])


def test_encoded_and_decoded_presets_are_the_same_where_heard():
    notes, gates = canonical_draws(64)
    places, heard = encode(notes, gates)
    plain, decoded_gates = decode(places)
    assert np.allclose(decoded_gates, gates, atol=1e-9)
    for k, head in enumerate(PARAMETER_HEADS):
        for id in (head.id, head.fine):
            if id:
                index = BY_ID[id].index
                wanted, got = notes.plain[heard[:, k], index], plain[heard[:, k], index]
                assert np.allclose(got, wanted, atol=1e-6 * (MAXIMUM[index] - MINIMUM[index])), id


def test_depths_of_fm_between_two_semitones_are_one_place():
    fm = Preset.init().replace(kVoiceMode=0, kFmMode=1, kFmCoarse=10, kFmFine=-0.8)
    places, _ = encode(canonical(fm.plain[None], 60, 100), [2.0])
    assert HEADS[PLACE["kFmCoarse"]].plain(places[0, PLACE["kFmCoarse"]]) == pytest.approx(9.2)
    plain, _ = decode(places)
    assert plain[0, BY_ID["kFmCoarse"].index] == 9
    assert plain[0, BY_ID["kFmFine"].index] == pytest.approx(0.2)


def test_what_a_preset_cannot_let_hear_weighs_nothing():
    alone = Preset.init().replace(kVoiceMode=0).plain[None]
    _, heard = encode(canonical(alone, 60, 100), [0.5])
    live = {head.id for head, flag in zip(HEADS, heard[0], strict=True) if flag}
    assert "kOsc1Wave" in live
    assert not live & {"kOsc2Wave", "kFilterCutoff", "kModEnvA", "kFmCoarse", "kLfoFrequency"}


def test_a_gate_beyond_the_end_weighs_nothing():
    notes, _ = canonical_draws(2)
    _, heard = encode(notes, [0.5, 5.0])
    assert heard[:, HEADS.index(GATE)].tolist() == [True, False]


def test_likeliest_gives_back_sharp_distributions():
    notes, gates = canonical_draws(16)
    places, _ = encode(notes, gates)
    # An amount a sixth of a bin from off counts as off.
    assert np.abs(likeliest(distributions(places)) - places).max() < 0.15
    assert np.median(np.abs(likeliest(distributions(places)) - places)) < 1e-9


def test_off_stays_exactly_off():
    notes = canonical(Preset.init().replace(kVoiceMode=0).plain[None], 60, 100)
    places, _ = encode(notes, [0.5])
    table = 0.9 * distributions(places) + 0.1 / WIDTH
    amount = next(k for k, head in enumerate(HEADS) if head.id == "kModEnvCutoff")
    assert off(likeliest(table))[0, amount]
    assert decode(likeliest(table))[0][0, BY_ID["kModEnvCutoff"].index] == 0.0


def test_draws_follow_the_distribution():
    table = np.zeros((len(HEADS), WIDTH))
    table[:, 0], table[:, 1] = 0.25, 0.75
    drawn = draw(table, np.random.default_rng(0), 4000, 1.0)
    choices = drawn[:, ~CONTINUOUS]
    assert np.mean(choices == 1) == pytest.approx(0.75, abs=0.02)
    sharper = draw(table, np.random.default_rng(0), 4000, 2.0)[:, ~CONTINUOUS]
    assert np.mean(sharper == 1) == pytest.approx(0.9, abs=0.02)


def test_draws_stay_in_range_and_repeat_with_their_seed():
    rng = np.random.default_rng(1)
    table = probabilities(rng.normal(size=(1, len(HEADS), WIDTH)).astype(np.float32))[0]
    first, second = (draw(table, np.random.default_rng(2), 500, 1.3) for _ in range(2))
    assert (first == second).all()
    assert (first >= 0).all()
    assert (first <= SIZES - 1).all()


def test_classes_that_do_not_exist_have_no_probability():
    logits = np.random.default_rng(0).normal(size=(3, len(HEADS), WIDTH)).astype(np.float32)
    table = probabilities(logits)
    assert table[:, ~LIVE].max() == 0.0
    assert np.allclose(table.sum(-1), 1.0)
