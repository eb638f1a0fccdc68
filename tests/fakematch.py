"""A match and a matcher that need no network: what the daemon's tests drive it with."""

from __future__ import annotations

from dataclasses import dataclass

from antithesis.preset import Preset
from antithesis.synth import render_notes


@dataclass(frozen=True)
class FakeMatch:
    """What `antithesis.matching.Match` has that others use."""

    preset: Preset
    note: int = 57
    velocity: int = 100
    gate_s: float = 0.3
    distance: float = 3.0
    elapsed_s: float = 0.25
    evaluations: int = 17

    def render(self, *, duration_s=2.0):
        preset = self.preset.normalized[None]
        return render_notes(
            preset, self.note, self.velocity, self.gate_s, duration_s=duration_s, threads=1
        )[0]
