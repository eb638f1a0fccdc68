"""Antithesis: the Mika Micro preset that sounds like the file you dropped.

The names below are the library's front door. They are imported from their modules when first used,
so that `import antithesis` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antithesis.audio import Sound, read_sound, write_wav
    from antithesis.errors import AntithesisError
    from antithesis.matching import Match, match
    from antithesis.parameters import PARAMETERS
    from antithesis.preset import Preset
    from antithesis.presetfiles import read_preset, write_preset
    from antithesis.synth import Event, EventKind, Synth, render, render_notes

_HOMES = {
    "PARAMETERS": "parameters",
    "AntithesisError": "errors",
    "Event": "synth",
    "EventKind": "synth",
    "Match": "matching",
    "Preset": "preset",
    "Sound": "audio",
    "Synth": "synth",
    "match": "matching",
    "read_preset": "presetfiles",
    "read_sound": "audio",
    "render": "synth",
    "render_notes": "synth",
    "write_preset": "presetfiles",
    "write_wav": "audio",
}

__all__ = [
    "PARAMETERS",
    "AntithesisError",
    "Event",
    "EventKind",
    "Match",
    "Preset",
    "Sound",
    "Synth",
    "match",
    "read_preset",
    "read_sound",
    "render",
    "render_notes",
    "write_preset",
    "write_wav",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
