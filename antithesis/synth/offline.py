"""A preset and a list of events in, a sound out."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor

import numpy as np
import numpy.typing as npt

from antithesis.errors import RenderError
from antithesis.preset import Preset
from antithesis.synth.events import Event, EventKind
from antithesis.synth.live import Synth


def render(
    preset: Preset,
    events: Iterable[Event],
    duration_s: float,
    *,
    sample_rate: int = 44100,
    drift: bool = True,
    warmup_s: float = 0.0,
) -> npt.NDArray[np.float64]:
    """Render what Mika Micro plays, sample by sample.

    Parameters
    ----------
    preset
        What the knobs say at first.
    events
        In any order; those of one instant keep theirs. Later ones than the end are ignored.
    duration_s
        Length of the sound in seconds.
    sample_rate
        In Hz, 22050 to 192000.
    drift
        Whether the slow random detuning runs.
    warmup_s
        Seconds since the plug-in was loaded before time 0: they set the phase of vibrato and drift.

    Returns:
    -------
    float64 array (floor(duration_s * sample_rate),)
        Mono; the plug-in plays it on both channels.

    Raises:
    ------
    RenderError
        For a negative or unreasonable length, or a sample rate out of range.
    """
    for name, seconds in (("duration_s", duration_s), ("warmup_s", warmup_s)):
        if not 0.0 <= seconds <= 36000.0:
            raise RenderError(f"{name} = {seconds}: give seconds from 0 to 36000")
    synth = Synth(preset, sample_rate=sample_rate, drift=drift)
    synth.process(floor(warmup_s * sample_rate))
    out = np.zeros(floor(duration_s * sample_rate))
    position = 0
    for event in sorted(events, key=lambda event: event.time_s):
        start = min(floor(event.time_s * sample_rate), len(out))
        out[position:start] = synth.process(start - position)
        position = start
        _apply(synth, event)
    out[position:] = synth.process(len(out) - position)
    return out


def _apply(synth: Synth, event: Event) -> None:
    match event.kind:
        case EventKind.NOTE_OFF:
            synth.note_off(int(event.a))
        case EventKind.NOTE_ON:
            synth.note_on(int(event.a), int(event.b))
        case EventKind.PITCH_BEND:
            synth.bend(int(event.a))
        case EventKind.ALL_NOTES_OFF:
            synth.all_notes_off()
        case EventKind.PARAMETER:
            synth.set_plain(int(event.a), event.b)
