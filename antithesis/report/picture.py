"""A match as a picture: both spectrograms, both envelopes, and the knobs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from antithesis.files import write_whole
from antithesis.preset import Preset
from antithesis.report.panel import draw_panel
from antithesis.report.style import (
    COLOUR_MAP,
    DIM,
    FACE,
    FAINT,
    INK,
    MATCH_COLOUR,
    TARGET_COLOUR,
    TRACK,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

Floats = npt.NDArray[np.float64]

RANGE_DB = 80.0
ENVELOPE_RANGE_DB = 60.0
_INCHES, _DPI = (12.8, 12.0), 100
_LOWEST_HZ, _HIGHEST_HZ, _ROWS = 40.0, 18_000.0, 192
_WINDOW_S, _HOP_S = 0.046, 0.01
_TICKS_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10_000)


@dataclass(frozen=True)
class Picture:
    """What is drawn: two sounds (n,) of one length and rate, the preset, and two lines above."""

    target: Floats
    match: Floats
    sample_rate: int
    preset: Preset
    title: str
    subtitle: str

    @property
    def sides(self) -> tuple[tuple[str, Floats, str], ...]:
        """Name, samples and colour of both sounds."""
        return (
            ("target", self.target, TARGET_COLOUR),
            ("match", self.match, MATCH_COLOUR),
        )

    @property
    def duration_s(self) -> float:
        """Length of both sounds."""
        return len(self.target) / self.sample_rate


def draw(picture: Picture, path: Path) -> None:
    """Write `picture` as PNG, which appears when it is complete."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor=FACE)
    for y, text, size, colour in (
        (0.972, picture.title, 17, INK),
        (0.945, picture.subtitle, 11.5, DIM),
    ):
        figure.text(0.05, y, text, size=size, color=colour, va="center", parse_math=False)
    _draw_spectrograms(figure, picture)
    _draw_envelopes(figure.add_axes((0.05, 0.555, 0.9, 0.105)), picture)
    draw_panel(figure.add_axes((0.05, 0.02, 0.9, 0.48)), picture.preset)
    with _any_script():
        # Hardest compression takes four times as long for a tenth less.
        figure.savefig(png := BytesIO(), format="png", pil_kwargs={"compress_level": 3})
    write_whole(path, png.getvalue())


def _draw_spectrograms(figure: Figure, picture: Picture) -> None:
    sides = (
        (0.05, "target", picture.target, TARGET_COLOUR),
        (0.49, "match", picture.match, MATCH_COLOUR),
    )
    for left, name, samples, colour in sides:
        axes = figure.add_axes((left, 0.7, 0.425, 0.2))
        image = _draw_spectrogram(axes, samples, picture)
        axes.set_title(name, color=colour, loc="left", size=11.5, weight="bold", pad=5)
        if name == "match":
            axes.tick_params(labelleft=False)
    bar = figure.colorbar(image, cax=figure.add_axes((0.925, 0.7, 0.009, 0.2)))
    ticks, labels = _levels(RANGE_DB)
    bar.set_ticks(ticks, labels=labels)
    bar.ax.tick_params(colors=DIM, labelsize=8, length=0)
    bar.outline.set_visible(False)


def _draw_spectrogram(axes: Axes, samples: Floats, picture: Picture) -> AxesImage:
    from matplotlib.ticker import MaxNLocator

    level = spectrogram(samples, picture.sample_rate)
    low, high = np.log2([_LOWEST_HZ, _HIGHEST_HZ])
    image = axes.imshow(
        level,
        aspect="auto",
        origin="lower",
        cmap=COLOUR_MAP,
        vmin=-RANGE_DB,
        vmax=0.0,
        interpolation="bilinear",
        extent=(0.0, picture.duration_s, low, high),
    )
    labels = [f"{hz // 1000} kHz" if hz >= 1000 else f"{hz} Hz" for hz in _TICKS_HZ]
    axes.set_yticks(np.log2(_TICKS_HZ), labels=labels)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], prune="upper"))
    axes.set_facecolor("black")
    _dress(axes, picture.duration_s)
    return image


def _draw_envelopes(axes: Axes, picture: Picture) -> None:
    for name, samples, colour in picture.sides:
        level = envelope(samples, picture.sample_rate)
        times = np.arange(len(level)) * _HOP_S
        axes.plot(times, level, color=colour, lw=1.8, label=name)
        axes.fill_between(times, level, -ENVELOPE_RANGE_DB, color=colour, alpha=0.12, lw=0)
    axes.set_ylim(-ENVELOPE_RANGE_DB, 3.0)
    ticks, labels = _levels(ENVELOPE_RANGE_DB)
    axes.set_yticks(ticks, labels)
    axes.grid(axis="y", color=TRACK, lw=0.6)
    axes.set_title("level", color=INK, loc="left", size=11.5, weight="bold", pad=5)
    axes.set_xlabel("seconds", color=DIM, size=9, labelpad=1)
    axes.legend(loc="upper right", frameon=False, labelcolor="linecolor", fontsize=9.5, ncols=2)
    axes.set_facecolor(FACE)
    _dress(axes, picture.duration_s)


def _levels(range_db: float) -> tuple[list[float], list[str]]:
    """Ticks every 20 dB, and what they are called."""
    steps = range(0, round(range_db) + 1, 20)
    labels = [f"\N{MINUS SIGN}{step}" if step else "0 dB" for step in steps]
    return [-float(step) for step in steps], labels


def _dress(axes: Axes, duration_s: float) -> None:
    axes.set_xlim(0.0, duration_s)
    axes.tick_params(colors=DIM, labelsize=8.5, length=3)
    for side in axes.spines.values():
        side.set_color(FAINT)


@contextmanager
def _any_script() -> Iterator[None]:
    """Names come in every script; what the font lacks is drawn as a box, and that is all."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def spectrogram(samples: Floats, sample_rate: int) -> Floats:
    """Levels (rows, frames) in dB below the sound's maximum, rows spread evenly by octaves."""
    window = int(_WINDOW_S * sample_rate)
    power = np.abs(np.fft.rfft(_frames(samples, window, sample_rate) * np.hanning(window))) ** 2
    return _decibels(power @ _octave_rows(window, sample_rate), RANGE_DB).T


def envelope(samples: Floats, sample_rate: int) -> Floats:
    """RMS (frames,) in dB below its maximum."""
    frames = _frames(samples, int(0.02 * sample_rate), sample_rate)
    return _decibels((frames**2).mean(axis=1), ENVELOPE_RANGE_DB)


def _frames(samples: Floats, window: int, sample_rate: int) -> Floats:
    """Centred frames (n, window), one each hop."""
    padded = np.pad(samples, window // 2 + 1)
    return np.lib.stride_tricks.sliding_window_view(padded, window)[:: int(_HOP_S * sample_rate)]


def _decibels(power: Floats, range_db: float) -> Floats:
    level = 10.0 * np.log10(np.maximum(power, 1e-20) / max(float(power.max()), 1e-20))
    return np.maximum(level, -range_db)


def _octave_rows(window: int, sample_rate: int) -> Floats:
    """Triangles (bins, rows) around frequencies spread evenly by octaves, at least a bin wide."""
    centres = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _ROWS)
    bin_hz = sample_rate / window
    width = np.maximum(centres * (centres[1] / centres[0] - 1.0), bin_hz)
    away = np.abs(np.fft.rfftfreq(window, 1.0 / sample_rate)[:, None] - centres)
    rows = np.maximum(0.0, 1.0 - away / width)
    return np.asarray(rows / rows.sum(axis=0))
