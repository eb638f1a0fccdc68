"""Events, and the renderer that plays a list of them."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis.errors import RenderError
from antithesis.preset import Preset
from antithesis.synth import Event, EventKind, render

pytestmark = pytest.mark.timeout(300)  # the first one compiles


def test_an_event_reads_its_row() -> None:
    assert Event.from_row([0.5, 1, 60, 100]) == Event(0.5, EventKind.NOTE_ON, 60, 100)
    assert Event.from_row((1, 4, 13, 440.5)) == Event(1.0, EventKind.PARAMETER, 13, 440.5)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([0.5, 1, 60], "give .time_s, kind, a, b."),
        ([0.5, 5, 60, 100], "event kind 5"),
        ([0.5, 1.5, 60, 100], "event kind 1.5"),
        ([-0.1, 1, 60, 100], "event time is -0.1"),
        ([np.nan, 1, 60, 100], "event time is nan"),
        ([0.5, 1, 128, 100], "NOTE_ON event with a = 128: give 0 to 127"),
        ([0.5, 1, 60, 128], "NOTE_ON event with b = 128"),
        ([0.5, 0, -1, 0], "NOTE_OFF event with a = -1"),
        ([0.5, 2, 16384, 0], "PITCH_BEND event with a = 16384"),
        ([0.5, 4, 38, 0], "PARAMETER event with a = 38"),
        ([0.5, 4, 3, np.inf], "PARAMETER event with b = inf"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(row: list[float], said: str) -> None:
    with pytest.raises(RenderError, match=said):
        Event.from_row(row)


def test_events_come_in_any_order() -> None:
    events = [
        Event(0.05, EventKind.NOTE_OFF, 60),
        Event(0.02, EventKind.PARAMETER, 0, 3),
        Event(0.0, EventKind.NOTE_ON, 60, 100),
    ]
    straight = render(Preset.init(), sorted(events, key=lambda event: event.time_s), 0.1)
    assert straight.any()
    assert np.array_equal(render(Preset.init(), events, 0.1), straight)


def test_events_of_one_instant_keep_their_order() -> None:
    on, off = Event(0.0, EventKind.NOTE_ON, 60, 100), Event(0.0, EventKind.NOTE_OFF, 60)
    assert not render(Preset.init(), [on, off], 0.1)[:100].any()
    assert render(Preset.init(), [off, on], 0.1).any()


def test_an_event_acts_before_the_sample_it_falls_on() -> None:
    sample = 1000
    out = render(Preset.init(), [Event((sample + 0.5) / 44100, EventKind.NOTE_ON, 60, 100)], 0.1)
    assert not out[:sample].any()
    assert out[sample] != 0.0


def test_events_past_the_end_are_ignored() -> None:
    assert not render(Preset.init(), [Event(0.1, EventKind.NOTE_ON, 60, 100)], 0.1).any()


@pytest.mark.parametrize("seconds", [-0.1, np.nan, 36001.0])
def test_lengths_beyond_reason_are_refused(seconds: float) -> None:
    with pytest.raises(RenderError, match="duration_s"):
        render(Preset.init(), [], seconds)
    with pytest.raises(RenderError, match="warmup_s"):
        render(Preset.init(), [], 0.1, warmup_s=seconds)
