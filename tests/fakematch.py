"""A match and a matcher that need no network: what the daemon's tests drive it with."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path

from antithesis.preset import Preset
from antithesis.synth import render_notes


@dataclass(frozen=True)
class FakeMatch:
    """What `antithesis.matching.Match` has that others use."""

    preset: Preset = field(default_factory=Preset.init)
    note: int = 57
    velocity: int = 100
    gate_s: float = 0.3
    distance: float = 3.0
    elapsed_s: float = 0.25
    evaluations: int = 17
    level_error_db: float = 0.0

    def render(self, *, duration_s=2.0):
        preset = self.preset.normalized[None]
        return render_notes(
            preset, self.note, self.velocity, self.gate_s, duration_s=duration_s, threads=1
        )[0]


def at_distance(distance):
    """A match whose preset is another for every distance."""
    return FakeMatch(Preset.init().replace(kFilterCutoff=100 + 100 * distance), distance=distance)


class FakeSearch:
    """What a generator of matches finds; its candidates are these, nearest first."""

    def __init__(self, matches):
        self._matches = matches
        self._found = []

    def __iter__(self):
        for match in self._matches:
            self._found.insert(0, match)
            yield match

    def close(self):
        self._matches.close()

    def candidates(self):
        return self._found


def searching(generate):
    """A matcher of a function that generates matches."""
    return wraps(generate)(lambda *sound, **how: FakeSearch(generate(*sound, **how)))


class FakeMatcher:
    """Yields matches at given distances; so many searches end by themselves, the first ones.

    Those after them go on in vain until they are told to stop; `searching` is set meanwhile.
    `heard` is the files it was asked about, `locked` what was to be kept.
    """

    def __init__(self, *distances, ends=math.inf):
        self.distances = distances or (3.0,)
        self.ends = ends
        self.heard = []
        self.locked = []
        self.searching = threading.Event()

    @searching
    def __call__(self, sound, *, budget_s, locked, stop):
        self.heard.append(Path(sound.source).name)
        self.locked.append(dict(locked))
        for distance in self.distances:
            yield at_distance(distance)
        while len(self.heard) > self.ends and not stop():
            self.searching.set()
            threading.Event().wait(0.01)
        self.searching.clear()
