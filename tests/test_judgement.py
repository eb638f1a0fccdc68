"""What a match could not give: blamed where it is so, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from antithesis import judgement, sampling
from antithesis.judgement import chord, noisy, remarks, similarity, slides
from antithesis.synth import render_notes

RATE = 44100
TIME = np.arange(2 * RATE) / RATE
RNG = np.random.default_rng(6)


def saw(hz: float) -> np.ndarray:
    return sum(np.sin(2 * np.pi * hz * k * TIME) / k for k in range(1, 12))


def kick() -> np.ndarray:
    hz = 45.0 + 180.0 * np.exp(-TIME / 0.06)
    return np.sin(2 * np.pi * np.cumsum(hz) / RATE) * np.exp(-TIME / 0.25)


TONE = saw(220.0) * np.exp(-3.0 * TIME)
CHORD = saw(220.0) + saw(277.2) + saw(329.6)
HISS = TONE + 0.02 * RNG.normal(size=len(TIME))


@dataclass(frozen=True)
class Found:
    """A match with a sound of its own."""

    sound: np.ndarray
    distance: float
    level_error_db: float = 0.0

    def render(self, *, duration_s: float) -> np.ndarray:
        return self.sound[: round(duration_s * RATE)]


@pytest.mark.parametrize(
    ("sound", "finding"),
    [(HISS, noisy), (CHORD, chord), (kick(), slides)],
    ids=["hiss", "chord", "kick"],
)
def test_what_the_synth_lacks_is_found(sound, finding):
    assert finding(sound, TONE)
    assert not finding(TONE, TONE)
    assert not finding(sound, sound)  # a match that has it, too, is not blamed


def test_two_pitches_are_no_chord():
    assert not chord(saw(220.0) + saw(330.0), TONE)


def test_vibrato_is_no_slide():
    phase = 2 * np.pi * (300.0 * TIME + 3.0 * np.sin(2 * np.pi * 5.0 * TIME))
    assert not slides(np.sin(phase), TONE)


def test_remarks_come_with_a_far_match_and_not_with_a_close_one():
    assert remarks(kick(), Found(TONE, 4.0)) == (judgement._FINDINGS[2][1],)
    assert remarks(kick(), Found(TONE, 0.8)) == ()
    assert "another way" in remarks(TONE, Found(TONE, 9.0))[0]
    assert "8 dB" in remarks(TONE, Found(TONE, 0.5, level_error_db=-8.0))[0]


def test_few_of_the_synths_own_sounds_are_blamed():
    drawn = sampling.musical(np.random.default_rng(3), 80)
    sounds = render_notes(drawn.normalized, drawn.note, drawn.velocity, drawn.gate_s)
    others = np.roll(sounds, 1, axis=0)
    pairs = list(zip(sounds, others, strict=True))
    for finding in (noisy, chord, slides):
        blamed = np.mean([finding(sound, other) for sound, other in pairs])
        assert blamed <= 0.05, finding.__name__


def test_similarity_halves_every_three_decibels():
    assert [similarity(d) for d in (0.0, 3.0, 6.0, 30.0)] == [100, 50, 25, 0]
