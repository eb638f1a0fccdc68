"""Mika Micro's 38 parameters: the one table that everything else derives from.

Mika Micro is Andrew Minnich's free subtractive synth (MIT licence). A parameter has a *plain*
value `v` (what the knob shows and the preset file holds) and a *normalized* one `u` in 0..1 (what
hosts and MIDI carry), by the plug-in's own law `v = min + u**shape * (max - min)`, where integers,
enumerations and booleans are `floor(v + 0.5)`.

The curved parameters (envelope times, vibrato delay, glide) crowd at one end: much of their plain
range has no normalized number at all. As float64 nothing of the vibrato delay between 0.1 and about
475 has one; as float32, which is what hosts keep, nothing between 0.1 and about 900.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from antithesis.errors import PresetError

Floats = npt.NDArray[np.float64]

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_BOOLEANS = {"true": 1.0, "false": 0.0}


class Kind(StrEnum):
    """How a parameter counts."""

    ENUM = "enum"
    INT = "int"
    DOUBLE = "double"
    BOOL = "bool"


@dataclass(frozen=True)
class Parameter:
    """One row of the table; `min`, `max` and `default` are plain."""

    index: int
    id: str
    name: str
    kind: Kind
    min: float
    max: float
    default: float
    shape: float
    unit: str
    choices: tuple[str, ...] = ()

    @property
    def host_name(self) -> str:
        """The name as VST2 hosts show it.

        A name that fills IPlug's 32 bytes leaves no room for the end mark, so that the unit, which
        lies behind it, is read as its continuation.
        """
        return self.name if len(self.name) < 32 else self.name[:32] + self.unit.lower()

    @property
    def steps(self) -> int | None:
        """Steps from one end to the other (5 for six waveforms); None for a continuous one."""
        return None if self.kind is Kind.DOUBLE else round(self.max - self.min)

    def to_plain(self, normalized: float) -> float:
        """Normalized to plain, clamped to the range as the plug-in does."""
        curved = min(max(normalized, 0.0), 1.0) ** self.shape
        return self.quantize(self.min + curved * (self.max - self.min))

    def to_normalized(self, plain: float) -> float:
        """Plain to normalized; 0 where float64 has nothing nearer."""
        position = (self.quantize(plain) - self.min) / (self.max - self.min)
        return float(position ** (1.0 / self.shape))

    def quantize(self, plain: float) -> float:
        """The value the plug-in would hold: whole unless it is a double, and within the range."""
        whole = plain if self.kind is Kind.DOUBLE else math.floor(plain + 0.5)
        return min(max(whole, self.min), self.max) + 0.0  # no negative zero

    def check(self, plain: object) -> float:
        """`quantize` for a value from outside; PresetError if it is no number or out of range."""
        value = number(self.id, plain)
        if not self.min <= value <= self.max:  # NaN too
            raise PresetError(
                f"{self.id} is {value}; choose a value from {self.min:g} to {self.max:g}"
            )
        return self.quantize(value)

    def format(self, plain: float) -> str:
        """As the plug-in prints it: `%d`, `true` or `false`, or `%.6f`."""
        if self.kind is Kind.BOOL:
            return "true" if plain >= 0.5 else "false"
        if self.kind is Kind.DOUBLE:
            return f"{round(plain, 6) + 0.0:.6f}"  # no "-0.000000"
        return str(math.floor(plain + 0.5))

    def parse(self, text: str) -> float:
        """Text to a checked plain value: a number, a choice's name, `true` or `false`."""
        word = text.strip()
        if _NUMBER.fullmatch(word):
            return self.check(word)
        if word.lower() in self.choices:
            return float(self.choices.index(word.lower()))
        if self.kind is Kind.BOOL and word.lower() in _BOOLEANS:
            return _BOOLEANS[word.lower()]
        raise PresetError(f"{self.id} is {shorten(text)}; write {self._expected()}")

    def _expected(self) -> str:
        if self.kind is Kind.BOOL:
            return "true or false"
        names = f", or {', '.join(self.choices)}" if self.choices else ""
        return f"a number from {self.min:g} to {self.max:g}{names}"


def number(id: str, value: object) -> float:
    """A parameter's value from outside as a float, or a PresetError."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise PresetError(f"{id} is {shorten(str(value))}; give a number") from None


def shorten(text: str) -> str:
    """Foreign text, quoted for a message: one line, and not a long one."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


WAVEFORMS = ("sine", "triangle", "saw", "square", "pulse", "noise")
FM_MODES = ("off", "oscillator 1", "oscillator 2")
VOICE_MODES = ("poly", "mono", "legato")

_E, _I, _D, _B = Kind.ENUM, Kind.INT, Kind.DOUBLE, Kind.BOOL
_ROWS: tuple[tuple[str, str, Kind, float, float, float, float, str, tuple[str, ...]], ...] = (
    ("kOsc1Wave", "Oscillator 1 waveform", _E, 0, 5, 2, 1, "", WAVEFORMS),
    ("kOsc1Coarse", "Oscillator 1 coarse", _I, -24, 24, 0, 1, "semitones", ()),
    ("kOsc1Fine", "Oscillator 1 fine", _D, -1, 1, 0, 1, "semitones", ()),
    ("kOsc1Split", "Oscillator 1 split", _D, -0.025, 0.025, 0, 1, "frequency ratio - 1", ()),
    ("kOsc2Wave", "Oscillator 2 waveform", _E, 0, 5, 2, 1, "", WAVEFORMS),
    ("kOsc2Coarse", "Oscillator 2 coarse", _I, -24, 24, 0, 1, "semitones", ()),
    ("kOsc2Fine", "Oscillator 2 fine", _D, -1, 1, 0, 1, "semitones", ()),
    ("kOsc2Split", "Oscillator 2 split", _D, -0.025, 0.025, 0, 1, "frequency ratio - 1", ()),
    ("kOscMix", "Oscillator mix", _D, 0, 1, 1, 1, "share of oscillator 1", ()),
    ("kFmMode", "FM mode", _E, 0, 2, 0, 1, "", FM_MODES),
    ("kFmCoarse", "FM coarse", _I, 0, 48, 0, 1, "semitones", ()),
    ("kFmFine", "FM fine", _D, -1, 1, 0, 1, "semitones", ()),
    ("kFilterEnabled", "Filter enabled", _B, 0, 1, 0, 1, "", ()),
    ("kFilterCutoff", "Filter cutoff", _D, 20, 8000, 8000, 1, "Hz", ()),
    ("kFilterResonance", "Filter resonance", _D, 0, 1, 0, 1, "", ()),
    ("kFilterKeyTrack", "Filter key tracking", _D, -1, 1, 0, 1, "Hz per Hz of pitch", ()),
    ("kVolEnvA", "Volume envelope attack", _D, 0.5, 1000, 0.5, 0.025, "reversed rate", ()),
    ("kVolEnvD", "Volume envelope decay", _D, 0.5, 1000, 998, 0.025, "reversed rate", ()),
    ("kVolEnvS", "Volume envelope sustain", _D, 0, 1, 1, 1, "", ()),
    ("kVolEnvR", "Volume envelope release", _D, 0.5, 1000, 925, 0.025, "reversed rate", ()),
    ("kVolEnvV", "Volume envelope velocity sensitivity", _D, 0, 1, 0, 1, "", ()),
    ("kModEnvA", "Modulation envelope attack", _D, 0.5, 1000, 998, 0.025, "reversed rate", ()),
    ("kModEnvD", "Modulation envelope decay", _D, 0.5, 1000, 998, 0.025, "reversed rate", ()),
    ("kModEnvS", "Modulation envelope sustain", _D, 0, 1, 0.5, 1, "", ()),
    ("kModEnvR", "Modulation envelope release", _D, 0.5, 1000, 998, 0.025, "reversed rate", ()),
    ("kModEnvV", "Modulation envelope velocity sensitivity", _D, 0, 1, 0, 1, "", ()),
    ("kLfoAmount", "Vibrato amount", _D, -0.1, 0.1, 0, 1, "frequency ratio", ()),
    ("kLfoFrequency", "Vibrato frequency", _D, 0.1, 10, 4, 2, "Hz", ()),
    ("kLfoDelay", "Vibrato delay", _D, 0.1, 1000, 0.1, 0.001, "reversed rate", ()),
    ("kVolEnvFm", "Volume envelope to FM amount", _D, -24, 24, 0, 1, "semitones", ()),
    ("kVolEnvCutoff", "Volume envelope to filter cutoff", _D, -8000, 8000, 0, 1, "Hz", ()),
    ("kModEnvFm", "Modulation envelope to FM amount", _D, -24, 24, 0, 1, "semitones", ()),
    ("kModEnvCutoff", "Modulation envelope to filter cutoff", _D, -8000, 8000, 0, 1, "Hz", ()),
    ("kLfoFm", "Vibrato to FM amount", _D, -24, 24, 0, 1, "semitones", ()),
    ("kLfoCutoff", "Vibrato to filter cutoff", _D, -8000, 8000, 0, 1, "Hz", ()),
    ("kVoiceMode", "Voice mode", _E, 0, 2, 2, 1, "", VOICE_MODES),
    ("kGlideSpeed", "Glide speed", _D, 1, 1000, 1, 0.1, "reversed rate", ()),
    ("kMasterVolume", "Master volume", _D, 0, 0.5, 0.25, 1, "", ()),
)

PARAMETERS: tuple[Parameter, ...] = tuple(
    Parameter(
        i, id, name, kind, float(low), float(high), float(default), float(shape), unit, choices
    )
    for i, (id, name, kind, low, high, default, shape, unit, choices) in enumerate(_ROWS)
)
BY_ID: Mapping[str, Parameter] = MappingProxyType({p.id: p for p in PARAMETERS})
N_PARAMETERS = len(PARAMETERS)

# These enter the sound as `min + max - v`: rates in 1/s, and a mix that is 0 for oscillator 1.
REVERSED: tuple[int, ...] = tuple(
    p.index for p in PARAMETERS if p.unit == "reversed rate" or p.id == "kOscMix"
)


def _column(values: list[float]) -> Floats:
    column = np.array(values)
    column.flags.writeable = False
    return column


MINIMUM = _column([p.min for p in PARAMETERS])
MAXIMUM = _column([p.max for p in PARAMETERS])
DEFAULT = _column([p.default for p in PARAMETERS])
SHAPE = _column([p.shape for p in PARAMETERS])

_CURVED = np.flatnonzero(SHAPE != 1.0)
_WHOLE = np.array([p.index for p in PARAMETERS if p.kind is not Kind.DOUBLE])


def quantize(plain: npt.ArrayLike) -> Floats:
    """Plain values (..., 38) as the plug-in would hold them: whole where they count, in range."""
    held = np.array(plain, dtype=np.float64)
    held[..., _WHOLE] = np.floor(held[..., _WHOLE] + 0.5)
    return np.clip(held, MINIMUM, MAXIMUM) + 0.0  # no negative zero


def to_plain(normalized: npt.ArrayLike) -> Floats:
    """Normalized (..., 38) to plain (..., 38), clamped to the range; NaN stays NaN."""
    position = np.clip(np.asarray(normalized, dtype=np.float64), 0.0, 1.0)
    position[..., _CURVED] **= SHAPE[_CURVED]
    return quantize(MINIMUM + position * (MAXIMUM - MINIMUM))


def to_normalized(plain: npt.ArrayLike) -> Floats:
    """Plain (..., 38) to normalized (..., 38); `to_plain` gives back what has a normalized number.

    Normalized, plain and normalized again differ by at most 1e-12 (5e-9 for kLfoFrequency, whose
    square root is steep at 0).
    """
    position = (quantize(plain) - MINIMUM) / (MAXIMUM - MINIMUM)
    position[..., _CURVED] **= 1.0 / SHAPE[_CURVED]
    return position


def fingerprint() -> str:
    """12 hexadecimal digits that change with the meaning of a vector of 38 values."""
    law = [(p.id, p.kind, p.min, p.max, p.shape, p.choices) for p in PARAMETERS]
    return hashlib.sha256(json.dumps(law).encode()).hexdigest()[:12]
