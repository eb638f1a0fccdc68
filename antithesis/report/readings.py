"""Knobs as a producer reads them: times, cents, percentages and decibels, not plain units."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from antithesis.parameters import BY_ID, Kind, Parameter
from antithesis.preset import Preset

# Attack and release aim a tenth beyond where they end, so that each takes ln(11) of its times tau.
# A decay aims at the sustain itself: what is told is the time to an eleventh of the way from it.
_STAGE = math.log(11.0)


def reading(preset: Preset, id: str) -> str:
    """A knob's position in a few characters, such as `+12 st`, `35 ms` or `1.25 kHz`."""
    text = _reader(BY_ID[id])(preset[id])
    return text.replace("-", "\N{MINUS SIGN}")


def _reader(p: Parameter) -> Callable[[float], str]:
    if p.id in _OWN:
        return _OWN[p.id]
    if p.kind is Kind.BOOL:
        return _on_or_off
    if p.choices:
        return lambda plain: p.choices[int(plain)]
    return _BY_UNIT[p.unit]


def _on_or_off(plain: float) -> str:
    return "on" if plain else "off"


def _semitones(plain: float) -> str:
    if abs(plain) < 0.05:
        return "0 st"
    return f"{plain:+.0f} st" if plain.is_integer() else f"{plain:+.1f} st"


def _cents_of_semitones(plain: float) -> str:
    return _cents(100.0 * plain)


def _cents_of_ratio(plain: float) -> str:
    return _cents(1200.0 * math.log2(1.0 + abs(plain)) * math.copysign(1.0, plain))


def _cents(cents: float) -> str:
    digits = 1 if abs(cents) < 9.95 and abs(cents - round(cents)) >= 0.05 else 0
    return f"{cents:+.{digits}f} ct" if abs(cents) >= 0.05 else "0 ct"


def _percent(plain: float) -> str:
    return f"{100.0 * plain:.0f} %"


def _signed_percent(plain: float) -> str:
    return f"{100.0 * plain:+.0f} %" if abs(plain) >= 0.005 else "0 %"


def _mix(plain: float) -> str:
    return f"{100.0 * plain:.0f} : {100.0 - round(100.0 * plain):.0f}"


def _hertz(plain: float) -> str:
    if abs(plain) >= 1000.0:
        return f"{plain / 1000.0:.2f} kHz"
    return f"{plain:.0f} Hz" if abs(plain) >= 10.0 or plain == 0 else f"{plain:.2f} Hz"


def _signed_hertz(plain: float) -> str:
    return f"+{_hertz(plain)}" if plain > 0 else _hertz(plain)


def _squared_hertz(plain: float) -> str:
    """The vibrato's reach to the cutoff, whose knob is squared."""
    return _signed_hertz(math.copysign((plain / 8000.0) ** 2 * 8000.0, plain) + 0.0)


def _seconds(seconds: float) -> str:
    if seconds >= 1.0:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.0f} s"
    return f"{1000.0 * seconds:.0f} ms" if seconds >= 0.00995 else f"{1000.0 * seconds:.1f} ms"


def _stage_time(p: Parameter) -> Callable[[float], str]:
    return lambda plain: _seconds(_STAGE / (p.min + p.max - plain))


def _glide_time(plain: float) -> str:
    p = BY_ID["kGlideSpeed"]
    return _seconds(1.0 / (p.min + p.max - plain))


def _decibels(plain: float) -> str:
    return f"{20.0 * math.log10(plain):.1f} dB" if plain > 0 else "silent"


_BY_UNIT: Mapping[str, Callable[[float], str]] = MappingProxyType(
    {"semitones": _semitones, "frequency ratio - 1": _cents_of_ratio, "Hz": _hertz, "": _percent}
)
_OWN: Mapping[str, Callable[[float], str]] = MappingProxyType(
    {
        "kFilterKeyTrack": _signed_percent,
        "kGlideSpeed": _glide_time,
        "kLfoAmount": _cents_of_ratio,
        "kLfoCutoff": _squared_hertz,
        "kMasterVolume": _decibels,
        "kModEnvCutoff": _signed_hertz,
        "kOscMix": _mix,
        "kVolEnvCutoff": _signed_hertz,
    }
    | dict.fromkeys(("kOsc1Fine", "kOsc2Fine", "kFmFine"), _cents_of_semitones)
    | {
        p.id: _stage_time(p)
        for p in BY_ID.values()
        if p.unit == "reversed rate" and p.id != "kGlideSpeed"
    }
)
