"""Presets that sound alike get one form: each rule is confirmed by rendering both."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis import sampling
from antithesis.canonical import Notes, canonical, moved
from antithesis.distances import mss
from antithesis.parameters import BY_ID, to_normalized
from antithesis.preset import Preset
from antithesis.synth import render_notes

ALIKE_DB = 0.3
GATE_S = 0.6
TONAL = {"kVolEnvS": 0.7, "kVolEnvR": 990.0, "kVoiceMode": 0}


def plain(**knobs: float) -> np.ndarray:
    return Preset.init().replace(**{**TONAL, **knobs}).plain[None]


def sound(presets: np.ndarray, note, velocity) -> np.ndarray:
    normalized = np.clip(to_normalized(presets), 0.0, 1.0)
    return render_notes(normalized, note, velocity, GATE_S, duration_s=1.0, drift=False)


def assert_alike(before: np.ndarray, note: int, velocity: int, after: Notes) -> None:
    first = sound(before, note, velocity)[0]
    second = sound(after.plain, after.note, 100)[0]
    assert mss(first, second) < ALIKE_DB


RULES = {
    "velocity goes into level": (plain(kVolEnvV=1.0), {"kVolEnvV": 0.0}),
    "velocity goes into amounts": (
        plain(kFilterEnabled=1, kFilterCutoff=300, kModEnvCutoff=4000, kModEnvV=1.0, kModEnvA=900),
        {"kModEnvV": 0.0},
    ),
    "key tracking goes into cutoff": (
        plain(kFilterEnabled=1, kFilterCutoff=500, kFilterKeyTrack=1.0),
        {"kFilterKeyTrack": 0.0},
    ),
    "oscillator 2 alone is oscillator 1": (
        plain(kOscMix=0.0, kOsc2Wave=3, kOsc2Split=0.01, kLfoAmount=0.02),
        {"kOscMix": 1.0, "kOsc1Wave": 3.0, "kOsc1Split": 0.01, "kLfoAmount": -0.02},
    ),
    "the lower oscillator comes first": (
        plain(kOscMix=0.3, kOsc1Coarse=7, kOsc1Wave=0, kOsc2Coarse=-5, kOsc2Wave=4),
        {"kOsc1Wave": 4.0, "kOsc2Wave": 0.0, "kOsc2Coarse": 12.0, "kOsc1Coarse": 0.0},
    ),
    "noise comes last": (
        plain(kOscMix=0.5, kOsc1Wave=5, kOsc2Wave=2),
        {"kOsc1Wave": 2.0, "kOsc2Wave": 5.0},
    ),
    "fine carries into coarse": (
        plain(kOsc1Coarse=4, kOsc1Fine=0.9),
        {"kOsc1Coarse": 0.0, "kOsc1Fine": -0.1},
    ),
    "FM fine carries into coarse": (
        plain(kFmMode=1, kFmCoarse=10, kFmFine=-0.8),
        {"kFmCoarse": 9.0, "kFmFine": 0.2},
    ),
    "a mode without depth is off": (plain(kFmMode=1), {"kFmMode": 0.0}),
    "what is unheard stands at its default": (
        plain(kFilterCutoff=200, kModEnvA=900, kOsc2Wave=5, kLfoFrequency=9),
        {"kFilterCutoff": 8000.0, "kModEnvA": 998.0, "kOsc2Wave": 2.0, "kLfoFrequency": 4.0},
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule_changes_the_form_and_not_the_sound(rule):
    before, expected = RULES[rule]
    after = canonical(before, 60, 70)
    for id, value in expected.items():
        assert after.plain[0, BY_ID[id].index] == pytest.approx(value, abs=1e-9), id
    assert_alike(before, 60, 70, after)


def test_the_key_is_that_of_the_lowest_pitch():
    after = canonical(plain(kOsc1Coarse=-9), 60, 100)
    assert after.note[0] == 51
    assert after.plain[0, BY_ID["kOsc1Coarse"].index] == 0.0


def test_fm_keeps_the_order_of_the_oscillators():
    before = plain(kOscMix=0.5, kFmMode=2, kFmCoarse=12, kOsc1Coarse=12, kOsc2Wave=0)
    after = canonical(before, 60, 100)
    assert after.plain[0, BY_ID["kFmMode"].index] == 2
    assert after.plain[0, BY_ID["kOsc2Wave"].index] == 0
    assert_alike(before, 60, 100, after)


@pytest.mark.parametrize("name", ["musical", "uniform", "neighbours", "nine"])
def test_canonical_presets_sound_like_their_originals(name):
    drawn = sampling.DISTRIBUTIONS[name](np.random.default_rng(3), 24)
    after = canonical(drawn.plain, drawn.note, drawn.velocity)
    first = sound(drawn.plain, drawn.note, drawn.velocity)
    second = sound(after.plain, after.note, 100)
    # A saturating filter hears the level that velocity sets before it; the rest is alike.
    distances = [mss(a, b) for a, b in zip(first, second, strict=True) if np.abs(a).max() > 1e-3]
    assert np.median(distances) < 0.05
    assert max(distances) < 2.0


def test_canonical_form_of_a_canonical_form_is_itself():
    drawn = sampling.musical(np.random.default_rng(4), 64)
    once = canonical(drawn.plain, drawn.note, drawn.velocity)
    twice = canonical(once.plain, once.note, 100)
    assert np.allclose(once.plain, twice.plain, atol=1e-9)
    assert (once.note == twice.note).all()


@pytest.mark.parametrize("semitones", [-12, 5, 19, 60])
def test_moved_to_another_key_it_sounds_alike(semitones):
    drawn = sampling.musical(np.random.default_rng(5), 12)
    here = canonical(drawn.plain, drawn.note, drawn.velocity)
    there = moved(here, semitones)
    first, second = (sound(notes.plain, notes.note, 100) for notes in (here, there))
    assert max(mss(a, b) for a, b in zip(first, second, strict=True)) < ALIKE_DB
    assert (there.note != here.note).any()


def test_input_is_left_alone():
    before = plain(kOscMix=0.2, kVolEnvV=1.0)
    kept = before.copy()
    canonical(before, 60, 64)
    assert (before == kept).all()
