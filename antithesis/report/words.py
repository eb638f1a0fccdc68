"""A match in plain words."""

from __future__ import annotations

import os
from pathlib import Path

KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# Up to so many dB (MSS). Two renders of one preset are apart by 0.1 to 0.2 dB, since vibrato and
# drift run freely; two unrelated presets by 10 and more.
LIKENESS = (
    (0.4, "as good as the same"),
    (1.2, "very close"),
    (2.5, "close"),
    (5.0, "related"),
    (float("inf"), "far"),
)

_LONGEST_STEM = 200


def key_name(note: int) -> str:
    """A MIDI note's name, 60 being C4."""
    return f"{KEYS[note % 12]}{note // 12 - 1}"


def likeness(distance_db: float) -> str:
    """What a distance (MSS, dB) sounds like."""
    return next(words for limit, words in LIKENESS if distance_db <= limit)


def result_stem(source: str) -> str:
    """What the files of a source's results are called, before the suffix."""
    name = os.fsencode(Path(source).stem)[:_LONGEST_STEM]
    return os.fsdecode(name) if len(name) < _LONGEST_STEM else name.decode(errors="ignore")
