"""The frozen development targets, rendered note by note as a host would."""

from __future__ import annotations

from antithesis.synth import Event, EventKind, render
from evaluation.targets import DURATION_S, Floats, read_targets

Key = tuple[str, int]


def rendered_exactly(key: Key) -> Floats:
    """The target of a set and number, down to the last bit of a tail that has long died away."""
    target = next(target for target in read_targets() if (target.set, target.id) == key)
    events = [
        Event(0.0, EventKind.NOTE_ON, target.note, target.velocity),
        Event(target.gate_s, EventKind.NOTE_OFF, target.note, 0),
    ]
    return render(target.preset, events, DURATION_S, warmup_s=target.warmup_s)
