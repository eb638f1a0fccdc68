"""Every expected trouble, as one tree; anything else that is raised is a bug.

    AntithesisError
    ├── PresetError (also a ValueError)     a parameter's value, or its id
    │   └── PresetFileError                 a preset file that cannot be read or written
    ├── RenderError (also a ValueError)     notes, times or rates that cannot be rendered
    ├── AudioError                          a sound that cannot be decoded or matched
    │   └── MissingSound                    a sound file that is not there
    ├── ModelError                          trained weights: missing, or of another table
    ├── ConfigError                         a configuration, with all its mistakes at once
    ├── SendError                           a route to a synth that failed
    └── DeviceError                         a port or an audio device that is not there

The daemon derives its own from the root, in daemon/choices.py, osc.py and journal.py.

A message is one line: what is wrong, the value, and what to do about it.
"""

from __future__ import annotations


class AntithesisError(Exception):
    """Root of everything that a user can meet without a bug being involved."""


class PresetError(AntithesisError, ValueError):
    """A parameter has an impossible value, or there is no such parameter."""


class PresetFileError(PresetError):
    """A preset file is malformed: `source`, `line` or byte `offset`, and `field` say where."""

    def __init__(
        self,
        problem: str,
        source: str = "",
        line: int | None = None,
        field: str = "",
        offset: int | None = None,
    ) -> None:
        # All of them go to Exception.args, so that the error survives a process boundary.
        super().__init__(problem, source, line, field, offset)
        self.problem = problem
        self.source = source
        self.line = line
        self.field = field
        self.offset = offset

    def __str__(self) -> str:
        where = (
            self.source,
            f"line {self.line}" if self.line is not None else "",
            f"byte {self.offset}" if self.offset is not None else "",
            self.field if self.field not in self.problem else "",
        )
        place = ", ".join(part if part.isprintable() else repr(part) for part in where if part)
        return f"{place}: {self.problem}" if place else self.problem


class RenderError(AntithesisError, ValueError):
    """The notes, times or rates asked for cannot be rendered."""


class AudioError(AntithesisError):
    """A sound cannot be decoded, or is not one that can be matched."""


class MissingSound(AudioError):
    """A sound file is not there, or not any more."""


class ModelError(AntithesisError):
    """Trained weights are missing, or belong to another parameter table."""


class ConfigError(AntithesisError):
    """A configuration is wrong; the message names all of its mistakes."""


class SendError(AntithesisError):
    """A preset did not reach its synth by this route."""


class DeviceError(AntithesisError):
    """A MIDI port or an audio device is not there, or was lost."""
