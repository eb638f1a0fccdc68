"""The model equals the plug-in's own sources, from first sample to last."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis.synth import EventKind, render, render_notes
from tests.golden import Case, cases

ONE_NOTE = [case for case in cases() if case.is_one_note]


def named(case: Case) -> str:
    return case.name.replace("factory:Tesselode | ", "")


def test_the_file_holds_what_it_is_said_to_hold() -> None:
    assert len(cases()) == 72
    assert {case.sample_rate for case in cases()} == {22050, 44100, 48000, 96000}
    assert {event.kind for case in cases() for event in case.events} == set(EventKind)
    assert {case.preset["kVoiceMode"] for case in cases()} == {0, 1, 2}
    assert all(len(case.expected) * case.stride > 0.4 * case.sample_rate for case in cases())
    assert len(ONE_NOTE) > 40


@pytest.mark.parametrize("case", cases(), ids=named)
def test_render_equals_the_plug_in(case: Case) -> None:
    out = render(
        case.preset,
        case.events,
        case.duration_s,
        sample_rate=case.sample_rate,
        drift=case.drift,
        warmup_s=case.warmup_s,
    )[:: case.stride]
    assert len(out) == len(case.expected)
    assert np.abs(out - case.expected).max() < 1e-6


@pytest.mark.parametrize("case", ONE_NOTE, ids=named)
def test_render_notes_equals_the_plug_in(case: Case) -> None:
    pressed, released = case.events
    out = render_notes(
        case.preset.normalized[None],
        pressed.a,
        pressed.b,
        released.time_s,
        duration_s=case.duration_s,
        sample_rate=case.sample_rate,
        drift=case.drift,
        warmup_s=case.warmup_s,
    )[0, :: case.stride]
    assert np.abs(out - case.expected).max() < 1e-6
