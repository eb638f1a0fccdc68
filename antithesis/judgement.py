"""What about a sound no preset can give, said in words: for when a match comes out far.

Mika Micro plays at most two pitches a key, has no envelope for pitch, and no room or hiss of its
own. Each finding compares the sound with its match, so that what the synth did reach is not blamed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from antithesis import pitch
from antithesis.fourier import SAMPLE_RATE
from antithesis.segments import MATCHED_S

if TYPE_CHECKING:
    from antithesis.matching import Match

Floats = npt.NDArray[np.float64]

_GOOD_DB: Final = 1.2  # MSS up to which there is nothing to explain
_FAR_DB: Final = 5.0
_QUIET_DB: Final = -1.0  # a level that the master volume could not reach

_FRAME: Final = SAMPLE_RATE // 20
_NOISE_DB: Final = -50.0  # of the quietest frames below the loudest: louder is background
_NOISE_GAP_DB: Final = 10.0  # by which the match is quieter there
_FLAT: Final = 0.1  # spectral flatness of background noise; tones stay below 0.02

_PITCHES: Final = 3
_PARTIAL_CENTS: Final = 45.0
_SHARE: Final = 0.05  # of the energy that a further pitch has
_SURE: Final = 0.5

_SLICE: Final = SAMPLE_RATE // 20
_SLICE_HOP: Final = SAMPLE_RATE // 100
_SLICES: Final = (8, 50)
_CLEAR: Final = 0.7  # of the autocorrelation at the period
_SLIDE_SEMITONES: Final = 3.0
_STRAIGHT: Final = 0.85  # the way from end to end, of the way gone


def similarity(distance_db: float) -> int:
    """A distance (MSS, dB) as per cent: 100 for the same, half for every 3 dB more."""
    return int(np.rint(100.0 * 0.5 ** (max(distance_db, 0.0) / 3.0)))


def remarks(target: npt.NDArray[np.floating], match: Match) -> tuple[str, ...]:
    """What of a sound (samples,) at 44.1 kHz its match could not give; empty if it comes close."""
    found = []
    if match.level_error_db < _QUIET_DB:
        found.append(
            f"louder than the synth at full volume by {-match.level_error_db:.0f} dB: "
            "raise the track's fader"
        )
    if match.distance <= _GOOD_DB:
        return tuple(found)
    sound = np.asarray(target[: round(MATCHED_S * SAMPLE_RATE)], np.float64)
    its = match.render(duration_s=len(sound) / SAMPLE_RATE)[: len(sound)]
    found += [words for finding, words in _FINDINGS if finding(sound, its)]
    if match.distance > _FAR_DB and not found:
        found.append("made in another way: no preset of this synth was found that comes close")
    return tuple(found)


def noisy(target: Floats, its: Floats) -> bool:
    """Whether the target's quiet moments are noise, and the match's are not."""
    quiet, spectrum = _quietest(target)
    if quiet < _NOISE_DB or _flatness(spectrum) < _FLAT:
        return False
    return quiet - _quietest(its)[0] > _NOISE_GAP_DB


def chord(target: Floats, its: Floats) -> bool:
    """Whether the target has more pitches than the match, and than the synth plays a key."""
    return _pitches(target) >= _PITCHES > _pitches(its)


def slides(target: Floats, its: Floats) -> bool:
    """Whether the target's pitch goes one way for long, and the match's does not."""
    return _slide(target) >= _SLIDE_SEMITONES > _slide(its)


_FINDINGS: Final[tuple[tuple[Callable[[Floats, Floats], bool], str], ...]] = (
    (noisy, "background noise: the synth has none under a tone; clean the recording"),
    (chord, "a chord: the synth plays two pitches a key; match one of its notes"),
    (slides, "its pitch slides: the synth has no pitch envelope; drums and risers stay apart"),
)


def _quietest(sound: Floats) -> tuple[float, Floats]:
    """Level in dB below the loudest frame of the tenth quietest share, and its power spectrum."""
    n = max(1, len(sound) // _FRAME)
    frames = np.resize(sound, (n, _FRAME))  # a sound shorter than that is repeated
    power = (frames**2).mean(axis=1)
    at = int(np.argsort(power)[n // 10])
    spectrum = np.abs(np.fft.rfft(frames[at] * np.hanning(_FRAME))) ** 2
    return float(10.0 * np.log10((power[at] + 1e-20) / (power.max() + 1e-20))), spectrum


def _flatness(spectrum: Floats) -> float:
    """Geometric over arithmetic mean between 100 Hz and 8 kHz."""
    hz = np.arange(len(spectrum)) * SAMPLE_RATE / _FRAME
    band = spectrum[(hz > 100.0) & (hz < 8000.0)] + 1e-30
    return float(np.exp(np.log(band).mean()) / band.mean())


def _pitches(sound: Floats) -> int:
    """How many pitches are in it: the clearest is taken out with its harmonics, and so on."""
    size = 1 << (2 * len(sound) - 1).bit_length()  # transformed fast, whatever the length
    tones = np.fft.rfft(sound, size)
    hz = np.arange(len(tones)) * SAMPLE_RATE / size
    whole = float((np.abs(tones) ** 2).sum())
    rest, count = sound, 0
    while whole and count < _PITCHES:
        heard = pitch.track(rest, SAMPLE_RATE)
        if not heard.f0_hz or heard.confidence < _SURE:
            return count
        harmonic = np.maximum(np.rint(hz / heard.f0_hz), 1.0) * heard.f0_hz
        off = 1200.0 * np.abs(np.log2(np.maximum(hz, 1.0) / harmonic))
        its = off < _PARTIAL_CENTS
        if float((np.abs(tones[its]) ** 2).sum()) < _SHARE * whole:
            return count
        count += 1
        tones[its] = 0.0
        rest = np.fft.irfft(tones, size)[: len(sound)]
    return count


def _slide(sound: Floats) -> float:
    """Semitones between the ends of a pitch that keeps going one way; 0 for any other."""
    track = np.array([hz for hz in map(_period_hz, _slices(sound)) if hz])
    if len(track) < _SLICES[0]:
        return 0.0
    steps = np.diff(np.log2(track)) * 12.0
    steps = steps[np.abs(steps) < 7.0]  # an octave mistaken is no slide
    way, length = abs(float(steps.sum())), float(np.abs(steps).sum())
    return way if way >= _STRAIGHT * length else 0.0


def _slices(sound: Floats) -> Floats:
    """Slices (n, samples) of the loud part, a hundred a second."""
    loud = np.flatnonzero(np.abs(sound) > 0.05 * np.abs(sound).max())
    part = sound[loud[0] : loud[-1] + 1] if len(loud) else sound
    if len(part) < _SLICE:
        return np.zeros((0, _SLICE))
    return np.lib.stride_tricks.sliding_window_view(part, _SLICE)[::_SLICE_HOP][: _SLICES[1]]


def _period_hz(part: Floats) -> float:
    """The frequency of a slice by its autocorrelation; 0 where it has none."""
    size = 2 * len(part)
    power = np.abs(np.fft.rfft(part - part.mean(), size)) ** 2
    like = np.fft.irfft(power, size)[: len(part) * 2 // 3]
    like = like / (
        np.arange(len(part), len(part) - len(like), -1) * max(like[0] / len(part), 1e-30)
    )
    below = np.flatnonzero(like < 0.0)
    if not len(below):
        return 0.0
    start = int(below[0])
    if like[start:].max() < _CLEAR:
        return 0.0
    near = np.flatnonzero(like[start:] >= 0.9 * like[start:].max())
    at = start + int(near[0])
    while at + 1 < len(like) and like[at + 1] > like[at]:
        at += 1
    if at + 1 >= len(like):
        return 0.0
    left, middle, right = like[at - 1 : at + 2]
    bend = left - 2.0 * middle + right
    return float(SAMPLE_RATE / (at + (0.5 * (left - right) / bend if bend else 0.0)))
