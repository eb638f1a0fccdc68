"""The 38 knobs drawn where Mika Micro's panel has them, greyed as the panel greys them.

`LAYOUT` says where each control's centre is, in a field of 896 x 448 points like the panel's own
(y grows downwards), and how it is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from antithesis.parameters import BY_ID, WAVEFORMS, Parameter
from antithesis.preset import Preset
from antithesis.report.readings import reading
from antithesis.report.style import ACCENT, BAND, DIM, FAINT, INK, PANEL_FACE, TRACK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Points = npt.NDArray[np.float64]

WIDTH, HEIGHT = 896.0, 448.0


class Widget(StrEnum):
    """How a control looks."""

    KNOB = "knob"
    FADER = "fader"
    WAVE = "wave"
    CHOICE = "choice"


@dataclass(frozen=True)
class Control:
    """A control's centre, its look and its short name."""

    x: float
    y: float
    widget: Widget
    label: str


@dataclass(frozen=True)
class Stroke:
    """A line (n, 2) with its colour and its width in points."""

    points: Points
    colour: str
    width: float


_LEFT = (124.0, 190.0, 256.0, 322.0)
_FADERS = (500.0, 540.0, 580.0, 620.0, 660.0)
_RIGHT = (730.0, 792.0, 854.0)
_K, _F, _W, _C = Widget.KNOB, Widget.FADER, Widget.WAVE, Widget.CHOICE


def _row(y: float, xs: tuple[float, ...], *controls: tuple[str, Widget, str]) -> dict[str, Control]:
    pairs = zip(xs, controls, strict=False)
    return {id: Control(x, y, widget, label) for x, (id, widget, label) in pairs}


def _envelope(y: float, prefix: str) -> dict[str, Control]:
    stages = ((f"{prefix}{stage}", _F, stage) for stage in "ADSR")
    return _row(y, _FADERS, *stages, (f"{prefix}V", _F, "velocity"))


LAYOUT: Mapping[str, Control] = MappingProxyType(
    _row(
        56,
        _LEFT,
        ("kOsc1Wave", _W, "wave"),
        ("kOsc1Coarse", _K, "coarse"),
        ("kOsc1Fine", _K, "fine"),
        ("kOsc1Split", _K, "split"),
    )
    | _row(
        132,
        _LEFT,
        ("kOsc2Wave", _W, "wave"),
        ("kOsc2Coarse", _K, "coarse"),
        ("kOsc2Fine", _K, "fine"),
        ("kOsc2Split", _K, "split"),
    )
    | _row(94, (388.0,), ("kOscMix", _F, "mix 1 : 2"))
    | _row(
        214,
        _LEFT,
        ("kFmMode", _C, "mode"),
        ("kFmCoarse", _K, "coarse"),
        ("kFmFine", _K, "fine"),
    )
    | _row(
        296,
        _LEFT,
        ("kFilterEnabled", _C, "filter"),
        ("kFilterCutoff", _K, "cutoff"),
        ("kFilterResonance", _K, "resonance"),
        ("kFilterKeyTrack", _K, "key track"),
    )
    | _envelope(94, "kVolEnv")
    | _envelope(254, "kModEnv")
    | _row(
        76,
        _RIGHT,
        ("kLfoAmount", _K, "amount"),
        ("kLfoFrequency", _K, "speed"),
        ("kLfoDelay", _K, "delay"),
    )
    | _row(
        186,
        _RIGHT,
        ("kVolEnvFm", _K, "volume env"),
        ("kModEnvFm", _K, "mod env"),
        ("kLfoFm", _K, "vibrato"),
    )
    | _row(
        296,
        _RIGHT,
        ("kVolEnvCutoff", _K, "volume env"),
        ("kModEnvCutoff", _K, "mod env"),
        ("kLfoCutoff", _K, "vibrato"),
    )
    | _row(
        396,
        _LEFT,
        ("kVoiceMode", _C, "voices"),
        ("kGlideSpeed", _K, "glide"),
        ("kMasterVolume", _K, "volume"),
    )
)

# Right edge (or left, where it is beyond the middle), height and text of what names a group.
_LEFT_HEADINGS = ((56, "OSC 1"), (132, "OSC 2"), (214, "FM"), (296, "FILTER"), (396, "MASTER"))
_HEADINGS = (
    (_FADERS[0] - 14, 26, "VOLUME ENVELOPE"),
    (_FADERS[0] - 14, 186, "MODULATION ENVELOPE"),
    (_RIGHT[0] - 22, 26, "VIBRATO"),
    (_RIGHT[0] - 22, 136, "TO FM"),
    (_RIGHT[0] - 22, 246, "TO CUTOFF"),
)

_KNOB_RADIUS = 16.0
_KNOB_SWEEP = math.radians(270.0)
_FADER_HEIGHT = 72.0
_WAVE_SIZE = (36.0, 22.0)
_BAND_TOP = 346.0


def draw_panel(axes: Axes, preset: Preset) -> None:
    """Draw the panel with `preset` on it into axes of about 2 to 1."""
    from matplotlib.collections import LineCollection

    _prepare(axes)
    greyed = preset.greyed()
    strokes: list[Stroke] = []
    for id, control in LAYOUT.items():
        live = id not in greyed
        strokes.extend(_DRAWN[control.widget](preset, BY_ID[id], control, live))
        _write(axes, preset, id, control, live)
    axes.add_collection(
        LineCollection(
            [stroke.points for stroke in strokes],
            colors=[stroke.colour for stroke in strokes],
            linewidths=[stroke.width for stroke in strokes],
            capstyle="round",
        )
    )


def _prepare(axes: Axes) -> None:
    from matplotlib.patches import Rectangle

    axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0), aspect="equal")
    axes.axis("off")
    axes.add_patch(Rectangle((0, 0), WIDTH, HEIGHT, color=PANEL_FACE, lw=0))
    axes.add_patch(Rectangle((0, _BAND_TOP), WIDTH, HEIGHT - _BAND_TOP, color=BAND, lw=0))
    axes.plot([446, 446], [18, _BAND_TOP - 18], color=TRACK, lw=1)
    for y, text in _LEFT_HEADINGS:
        axes.text(84, y, text, color=INK, size=11, ha="right", va="center", weight="bold")
    for x, y, text in _HEADINGS:
        axes.text(x, y, text, color=INK, size=11, va="center", weight="bold")
    axes.text(WIDTH - 24, 398, "MIKA MICRO", color=INK, size=22, ha="right", va="center", alpha=0.9)


def _write(axes: Axes, preset: Preset, id: str, control: Control, live: bool) -> None:
    half = _FADER_HEIGHT / 2 if control.widget is Widget.FADER else _KNOB_RADIUS
    on_band = control.y > _BAND_TOP
    ink, dim, faint = (INK, INK, "#c77fa6") if on_band else (INK, DIM, FAINT)
    label, value = (dim, ink) if live else (faint, faint)
    axes.text(control.x, control.y - half - 9, control.label, color=label, size=8, ha="center")
    axes.text(
        control.x, control.y + half + 12, reading(preset, id), color=value, size=9, ha="center"
    )


def _draw_knob(preset: Preset, p: Parameter, at: Control, live: bool) -> Iterator[Stroke]:
    position = p.to_normalized(preset[p.id])
    zero = p.to_normalized(0.0) if p.min < 0 else 0.0
    centre = np.array([at.x, at.y])
    yield Stroke(centre + _arc(0.0, 1.0), _track(at), 3.0)
    colour = ACCENT if live else _faint(at)
    if live and position != zero:
        yield Stroke(centre + _arc(zero, position), _accent(at), 3.0)
    tip = _arc(position, position)[-1]
    yield Stroke(centre + np.array([0.3 * tip, 0.78 * tip]), INK if live else colour, 2.0)


def _draw_fader(preset: Preset, p: Parameter, at: Control, live: bool) -> Iterator[Stroke]:
    top, bottom = at.y - _FADER_HEIGHT / 2, at.y + _FADER_HEIGHT / 2
    level = bottom - p.to_normalized(preset[p.id]) * (bottom - top)
    yield Stroke(np.array([[at.x, top], [at.x, bottom]]), _track(at), 4.0)
    if live:
        yield Stroke(np.array([[at.x, level], [at.x, bottom]]), ACCENT, 4.0)
    handle = np.array([[at.x - 9, level], [at.x + 9, level]])
    yield Stroke(handle, INK if live else FAINT, 4.0)


def _draw_wave(preset: Preset, p: Parameter, at: Control, live: bool) -> Iterator[Stroke]:
    period = _PERIODS[WAVEFORMS[int(preset[p.id])]]
    shape = np.array([at.x, at.y]) + period * np.array(_WAVE_SIZE) / 2 * [1, -1]
    yield Stroke(shape, ACCENT if live else FAINT, 2.0)


def _draw_choice(preset: Preset, p: Parameter, at: Control, live: bool) -> Iterator[Stroke]:
    """A column of lamps, the chosen one lit."""
    chosen, count = int(preset[p.id]), int(p.max - p.min) + 1
    for lamp in range(count):
        y = at.y + 9.0 * (lamp - (count - 1) / 2)
        lit = lamp == chosen
        colour = (_accent(at) if live else _faint(at)) if lit else _track(at)
        yield Stroke(np.array([[at.x - 8, y], [at.x + 8, y]]), colour, 5.0 if lit else 3.0)


_DRAWN: Mapping[Widget, Callable[[Preset, Parameter, Control, bool], Iterator[Stroke]]] = {
    Widget.KNOB: _draw_knob,
    Widget.FADER: _draw_fader,
    Widget.WAVE: _draw_wave,
    Widget.CHOICE: _draw_choice,
}


def _track(at: Control) -> str:
    return "#6b0f41" if at.y > _BAND_TOP else TRACK


def _accent(at: Control) -> str:
    return "#ffd3e8" if at.y > _BAND_TOP else ACCENT


def _faint(at: Control) -> str:
    return "#c77fa6" if at.y > _BAND_TOP else FAINT


def _arc(start: float, stop: float) -> Points:
    """Points (n, 2) of a knob's rim between two normalized positions, clockwise from below left."""
    angle = _KNOB_SWEEP * (np.linspace(start, stop, 40) - 0.5)
    return _KNOB_RADIUS * np.stack([np.sin(angle), -np.cos(angle)], axis=1)


def _period(x: npt.ArrayLike, y: npt.ArrayLike) -> Points:
    return np.stack([np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)], axis=1)


_SPAN = np.linspace(-1.0, 1.0, 49)
_PERIODS: Mapping[str, Points] = {
    "sine": _period(_SPAN, np.sin(np.pi * (_SPAN + 1.0))),
    "triangle": _period([-1, -0.5, 0.5, 1], [0, 1, -1, 0]),
    "saw": _period([-1, -1, 1, 1], [0, 1, -1, 0]),
    "square": _period([-1, -1, 0, 0, 1, 1], [0, 1, 1, -1, -1, 0]),
    "pulse": _period([-1, -1, 0.5, 0.5, 1, 1], [0, 1, 1, -1, -1, 0]),
    "noise": _period(_SPAN, 2.0 * np.modf(np.abs(np.sin(np.arange(49) ** 2.0) * 43.7))[0] - 1.0),
}
