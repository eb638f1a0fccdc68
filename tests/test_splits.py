"""Other splits: all over the range, as loud as none, and what a search makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from antithesis.candidates import Candidate, Fixed, Scored, Stage
from antithesis.canonical import canonical
from antithesis.encoding import HEADS, MIDDLE, PLACE, encode
from antithesis.preset import Preset
from antithesis.search import Chain, stepped
from antithesis.splits import resplit
from antithesis.synth import Event, render
from tests.test_search import around, found

NOTE = 50
RATE = 44100
FREE = ~Fixed().heads
BOTH = Preset.init().replace(kVoiceMode=0, kOsc2Coarse=19, kOscMix=0.4, kVolEnvS=0.6)


def sound(preset: Preset) -> np.ndarray:
    return render(preset, [Event.from_row([0, 1, NOTE, 100])], 1.0)


def scored(preset: Preset) -> tuple[Stage, Scored]:
    places, _ = encode(canonical(preset.plain, NOTE, 100), [2.0])
    stage = Stage(sound(preset))
    return stage, stage.score([Candidate(places[0], NOTE)])[0]


def splits(candidates: list[Candidate], name: str) -> np.ndarray:
    """In plain units."""
    head = PLACE[f"{name}Split"]
    return np.array([float(HEADS[head].plain(c.places[head])) for c in candidates])


def test_splits_of_either_sign_and_every_size_are_tried():
    first, second = resplit(scored(BOTH)[1], FREE)
    for candidates, name, other in ((first, "kOsc1", "kOsc2"), (second, "kOsc2", "kOsc1")):
        tried = splits(candidates, name)
        assert (tried < -0.02).any()
        assert (tried > 0.02).any()
        assert np.abs(tried).min() < 1e-4
        assert (tried != 0).all()
        assert (splits(candidates, other) == 0).all()


def test_the_split_that_is_there_is_not_tried_again():
    (candidates,) = resplit(scored(Preset.init().replace(kOsc1Split=0.0095))[1], FREE)
    tried = splits(candidates, "kOsc1")
    assert np.abs(tried - 0.0095).min() > 0.001
    assert np.abs(tried + 0.0095).min() < 0.001  # its mirror image is


def test_noise_has_none_and_neither_has_an_oscillator_that_is_not_heard():
    assert resplit(scored(BOTH.replace(kOsc1Wave=5, kOsc2Wave=5))[1], FREE) == []
    for knobs in ({"kOsc2Wave": 5}, {"kOscMix": 1.0}):
        (candidates,) = resplit(scored(BOTH.replace(**knobs))[1], FREE)
        assert (splits(candidates, "kOsc2") == 0).all()


def test_what_is_locked_is_left_alone():
    locked = Fixed({"kOsc1Split": 0.0})
    (candidates,) = resplit(scored(BOTH)[1], ~locked.heads)
    assert (splits(candidates, "kOsc1") == 0).all()
    whole = scored(BOTH)[1]
    mix = PLACE["kOscMix"]
    for row in resplit(whole, ~Fixed({"kOscMix": 0.4}).heads):
        assert all(c.places[mix] == whole.candidate.places[mix] for c in row)


@pytest.mark.parametrize("name", ["kOsc1", "kOsc2"])
def test_an_oscillator_is_as_loud_with_a_split_as_it_was_without(name):
    stage, whole = scored(BOTH.replace(kOsc1Wave=0, kOsc2Wave=0))
    candidates = resplit(whole, FREE)[("kOsc1", "kOsc2").index(name)]
    before = _balance_db(stage.render([whole.candidate])[0])
    tried = splits(candidates, name)
    smallest = np.where(tried > 0, tried, np.inf).argmin()
    for candidate in (candidates[k] for k in (smallest, tried.argmin(), tried.argmax())):
        assert abs(_balance_db(stage.render([candidate])[0]) - before) < 1.5


def _balance_db(sound: np.ndarray) -> float:
    """How much louder the second oscillator is than the first, 19 semitones below."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    hz = np.fft.rfftfreq(len(sound), 1.0 / RATE)
    low = 440.0 * 1.0595 ** (NOTE - 69)
    bands = [power[np.abs(hz / f - 1.0) < 0.06].sum() for f in (low, low * 1.0595**19)]
    return float(10.0 * np.log10(bands[1] / bands[0]))


def test_a_split_of_less_than_one_beat_is_found():
    preset = Preset.init().replace(kVoiceMode=0, kOsc1Split=0.0003, kVolEnvS=0.7, kVolEnvD=990)
    stage, truth = scored(preset)
    places = truth.candidate.places.copy()
    places[PLACE["kOsc1Split"]] = MIDDLE
    none = replace(truth.candidate, places=places)
    chain = Chain(stage, stage.score([none])[0], blurred_steps=4)
    while not chain.exhausted:
        stepped(stage, [chain])
    assert chain.best.distance > 2.0  # an envelope alone comes no nearer
    nearest = min(found(stage, none, 100, expected=around(none, 1.0)), key=lambda s: s.distance)
    assert nearest.distance < 0.2
    assert splits([nearest.candidate], "kOsc1")[0] == pytest.approx(0.0003, rel=0.05)
