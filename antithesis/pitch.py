"""Which note a sound is: tracked from its spectrum, or read from its file's name and header.

The tracker looks at one long spectrum of the loud part of a sound in bands of 120 cents, so that
the two copies of a split oscillator, two detuned ones or a vibrato make one partial, not many.
Every partial, and a half and a third of it, is tried as the fundamental; the one wins that is there
itself, explains the partials above it and has none below it. Its frequency is then the centre of
mass of those partials that agree with it.

`tonal_pitch` is the other side: the pitch that a preset sounds at, where it has one.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from antithesis.parameters import BY_ID
from antithesis.synth.live import note_frequency
from antithesis.synth.waves import SEMITONE

FloatArray = npt.NDArray[np.float64]

_OCTAVE = 1200.0  # cents
_LONGEST_S = 1.5
_LOUD_DB = 30.0  # the part within this of the loudest 10 ms is looked at
_GRID_HZ = 14.0 * 2 ** (np.arange(1220) * 10 / _OCTAVE)  # every 10 cents up to 16 kHz
_SAME_CENTS = 35.0
_HIGHEST_HZ = 8000.0  # of a fundamental
_PARTIALS = 24
_PARTIAL = 2 ** (60 / _OCTAVE)  # half the width of a partial's band
_AROUND = 2 ** (250 / _OCTAVE)  # and of its surroundings

# Fitted on sounds drawn from the musical, uniform, study and split distributions, the same without
# their fundamentals, and General MIDI instruments: a softmax over a sound's candidates. It is flat
# around the optimum, so round numbers do.
_WEIGHTS = np.array([5.3, 2.9, -2.1, -2.9])
_MARGIN = 5.0  # farther behind the best, hardly any candidate is right


@dataclass(frozen=True)
class Pitch:
    """What a sound's spectrum says about its pitch.

    Attributes:
        f0_hz: The fundamental; 0 for silence.
        confidence: 0 (noise) to 1 (one clear tone); noise stays under 0.3, 98 % of the synth's
            tonal notes are over 0.45.
        voiced: The share of the energy that its harmonics explain, 0 to 1.
        hypotheses: Fundamentals that it could be, the likeliest (`f0_hz`) first.
    """

    f0_hz: float
    confidence: float
    voiced: float
    hypotheses: tuple[float, ...]


def track(samples: npt.NDArray[np.floating], sample_rate: int) -> Pitch:
    """The pitch of one sound (n,), from 15 Hz to 8 kHz."""
    part = _loud_part(samples, sample_rate)
    if not part.any():
        return Pitch(0.0, 0.0, 0.0, ())
    spectrum = _Spectrum.of(part, sample_rate)
    candidates, scores = _fundamentals(spectrum)
    best = np.argsort(-scores)[:3]
    likely = best[scores[best] > scores[best[0]] - _MARGIN]
    hypotheses = _distinct(_refine(spectrum, float(candidates[i])) for i in likely)
    voiced = _explained(spectrum, hypotheses[0])
    # Noise scores below 3, nearly all tones above 4.
    certainty = float(np.clip((scores[best[0]] - 2.7) / 2.5, 0.0, 1.0))
    return Pitch(hypotheses[0], certainty * (0.5 + 0.5 * voiced), voiced, hypotheses)


def nearest_note(f0_hz: float) -> tuple[int, float]:
    """The MIDI note (0..127) nearest to a frequency, and what is left in the synth's semitones."""
    exact = 69 + np.log(f0_hz / 440) / np.log(SEMITONE)
    note = int(np.clip(np.round(exact), 0, 127))
    return note, float(exact - note)


def cents(f_hz: float, reference_hz: float) -> float:
    """The interval from a reference to a frequency."""
    return float(_OCTAVE * np.log2(f_hz / reference_hz))


def _distinct(frequencies: Iterable[float]) -> tuple[float, ...]:
    """Without those that came out as one named before: bands overlap, so two may be one tone."""
    found: list[float] = []
    for hz in frequencies:
        if all(abs(cents(hz, other)) > _SAME_CENTS for other in found):
            found.append(hz)
    return tuple(found)


@dataclass(frozen=True)
class _Spectrum:
    """A power spectrum as two running sums, so that any band's energy and centre cost O(1)."""

    bin_hz: float
    energy: FloatArray
    moment: FloatArray
    resolution_hz: float

    @classmethod
    def of(cls, part: FloatArray, sample_rate: int) -> _Spectrum:
        n = len(part)
        size = 5 * 2 ** max(13, int(np.ceil(np.log2(1.2 * n / 5))))
        shaped = (part - part.mean()) * _hann(n)
        tones = np.fft.rfft(shaped, size)
        power = tones.real**2 + tones.imag**2
        bin_hz = sample_rate / size
        power[: int(12 / bin_hz)] = 0.0  # the envelope, not the tone
        return cls(
            bin_hz,
            np.concatenate([[0.0], np.cumsum(power)]),
            np.concatenate([[0.0], np.cumsum(power * np.arange(len(power)))]),
            1.5 * sample_rate / n,
        )

    def bands(self, low_hz: FloatArray, high_hz: FloatArray) -> FloatArray:
        """The energy of each band."""
        return self._between(self.energy, low_hz, high_hz)

    def centres(self, low_hz: FloatArray, high_hz: FloatArray) -> FloatArray:
        """The centre of mass of each band in Hz."""
        moment = self._between(self.moment, low_hz, high_hz)
        return self.bin_hz * moment / np.maximum(self.bands(low_hz, high_hz), 1e-30)

    def _between(self, sums: FloatArray, low_hz: FloatArray, high_hz: FloatArray) -> FloatArray:
        return self._until(sums, high_hz) - self._until(sums, low_hz)

    def _until(self, sums: FloatArray, hz: FloatArray) -> FloatArray:
        position = np.clip(hz / self.bin_hz + 0.5, 0, len(sums) - 2)
        whole = position.astype(np.intp)
        return np.asarray(sums[whole] + (position - whole) * (sums[whole + 1] - sums[whole]))


@lru_cache(maxsize=2)  # most sounds are as long as is looked at
def _hann(n: int) -> FloatArray:
    return np.hanning(n + 2)[1:-1]


def _loud_part(samples: npt.NDArray[np.floating], sample_rate: int) -> FloatArray:
    """From the first to the last loud 10 ms, at most `_LONGEST_S`."""
    hop = max(1, sample_rate // 100)
    padded = np.pad(samples.astype(np.float64), (0, -len(samples) % hop))
    power = (padded.reshape(-1, hop) ** 2).mean(axis=1)
    loud = np.flatnonzero(power >= power.max(initial=0.0) * 10 ** (-_LOUD_DB / 10))
    if not len(loud):
        return padded
    start, stop = loud[0] * hop, (loud[-1] + 1) * hop
    return padded[start : min(stop, start + int(_LONGEST_S * sample_rate))]


def _fundamentals(spectrum: _Spectrum) -> tuple[FloatArray, FloatArray]:
    """What could be the fundamental, in Hz, and how well each does."""
    level, contrast = _bands_db(spectrum)
    inner = level[1:-1]
    peak = (inner > level[:-2]) & (inner >= level[2:]) & (inner > -40) & (contrast[1:-1] > 3)
    at = np.flatnonzero(peak) + 1 if peak.any() else np.array([np.argmax(level)])
    partials = _GRID_HZ[at]
    weight = (level[at] + 40) / 40 * np.clip((contrast[at] - 3) / 9, 0, 1)
    low = partials[partials < _HIGHEST_HZ]
    # A fundamental may be missing: then a half or a third of the first partials is it.
    candidates = np.sort(np.concatenate([low[:14], low[:5] / 2, low[:4] / 3]))
    candidates = candidates[candidates > 15] if (candidates > 15).any() else partials[:1]
    apart = np.diff(np.log2(candidates), prepend=0.0) * _OCTAVE > _SAME_CENTS
    candidates = candidates[apart]
    features = np.stack(
        [
            *_presence(level, contrast, candidates),
            *_other_partials(partials, weight, candidates),
        ],
        axis=1,
    )
    return candidates, features @ _WEIGHTS


def _bands_db(spectrum: _Spectrum) -> tuple[FloatArray, FloatArray]:
    """The level of each band of the grid below the highest, and its contrast to what is around it.

    Both in dB.
    """
    res = spectrum.resolution_hz
    low, high = _around(_GRID_HZ, _PARTIAL, res)
    wide_low, wide_high = _around(_GRID_HZ, _AROUND, 3 * res)
    inside, all_of_it = spectrum.bands(low, high), spectrum.bands(wide_low, wide_high)
    density = inside / (high - low)
    outside = (all_of_it - inside) / ((wide_high - wide_low) - (high - low))
    level = 10 * np.log10(inside + 1e-20)
    return level - level.max(), 10 * np.log10((density + 1e-20) / (np.abs(outside) + 1e-20))


def _around(
    centre_hz: FloatArray, factor: float, at_least_hz: float
) -> tuple[FloatArray, FloatArray]:
    low = np.minimum(centre_hz / factor, centre_hz - at_least_hz)
    return np.maximum(low, 5.0), np.maximum(centre_hz * factor, centre_hz + at_least_hz)


def _presence(
    level: FloatArray, contrast: FloatArray, candidates: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """How much of the fundamental, and of harmonics 2 to 8, is there; each 0..1."""
    position = np.rint(_OCTAVE / 10 * np.log2(candidates[:, None] * np.arange(1, 9) / _GRID_HZ[0]))
    near = position[..., None].astype(int) + np.arange(-3, 4)
    outside = near[..., 3] >= len(level)
    near = np.clip(near, 0, len(level) - 1)
    there = np.clip((contrast[near].max(axis=-1) - 3) / 9, 0, 1)
    there *= np.clip((level[near].max(axis=-1) + 50) / 15, 0, 1) * ~outside
    return there[:, 0], there[:, 1:].mean(axis=1)


def _other_partials(
    partials: FloatArray, weight: FloatArray, candidates: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The share of the partials that are no harmonics, and the strongest below; each 0..1."""
    ratio = partials / candidates[:, None]
    off = np.abs(_OCTAVE * np.log2(ratio / np.maximum(np.rint(ratio), 1)))
    stray = (weight * ((off >= 45) & (ratio < 8.5))).sum(axis=1) / (weight.sum() + 1e-9)
    return stray, np.where(ratio < 0.94, weight, 0.0).max(axis=1)


def _refine(spectrum: _Spectrum, f0_hz: float) -> float:
    """The centre of mass of the harmonics, in ever narrower bands around the last estimate."""
    for width in (110, 75, 60):
        harmonics = f0_hz * np.arange(1, _PARTIALS + 1)
        harmonics = harmonics[harmonics < _GRID_HZ[-1]]
        half = np.maximum(harmonics * (2 ** (width / _OCTAVE) - 1), 1.3 * spectrum.resolution_hz)
        half = np.minimum(half, 0.45 * f0_hz)
        low, high = harmonics - half, harmonics + half
        energy = spectrum.bands(low, high)
        off = _OCTAVE * np.log2(np.maximum(spectrum.centres(low, high), 1e-3) / harmonics)
        weight = np.sqrt(np.maximum(energy, 0.0))
        # The other oscillator's partials lie near some of these harmonics. The fundamental's own
        # centre says which to trust, or, where it is weak, the middle one of all.
        heard = energy[0] > energy.max() * 10**-2.5
        middle = off[0] if heard else _weighted_median(off, weight)
        tolerance = max(6.0, 430 * spectrum.resolution_hz / f0_hz)
        near = np.abs(off - middle) <= tolerance
        shift = float((off * weight)[near].sum() / max(weight[near].sum(), 1e-30))
        f0_hz *= 2 ** (shift / _OCTAVE)
    return f0_hz


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    order = np.argsort(values)
    running = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(running, running[-1] / 2)])


def _explained(spectrum: _Spectrum, f0_hz: float) -> float:
    """How much of the energy below nine fundamentals is harmonic, beyond what noise would give."""
    harmonics = f0_hz * np.arange(1, 9)
    half = np.minimum(np.maximum(harmonics * (_PARTIAL - 1), spectrum.resolution_hz), 0.45 * f0_hz)
    everything = np.array([5.0]), np.array([8.5 * f0_hz])
    share = spectrum.bands(harmonics - half, harmonics + half).sum()
    share /= spectrum.bands(*everything)[0] + 1e-30
    by_chance = 2 * half.sum() / (8.5 * f0_hz)
    return float(np.clip((share - by_chance) / (1 - by_chance), 0.0, 1.0))


_NAMED_NOTE = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?<=[a-z])(?=[A-G]))"  # a word of its own, or "BassC2"
    r"([A-Ga-g])(#|\u266f|s|b|\u266d)?(-?\d)"
    r"(?=v\d|[^A-Za-z0-9#]|$)"  # "C4v10" is a note with its velocity
)
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"#": 1, "\u266f": 1, "s": 1, "b": -1, "\u266d": -1, "": 0}


def note_from_name(name: str) -> int | None:
    """The MIDI note (0..127) that a file name ends up naming, where C4 is 60; None for none.

    A note is a letter, an accidental (`#`, `s`, `b`) if any, and one digit, standing by themselves:
    `Lead_A#2.wav`, `bass C3 dry.aiff`, `PianoEb4.flac`, `C-1.wav`. Of several the last counts. Some
    makers call note 60 C3 or C5, so that the octave is a hint where the letter is a fact.
    """
    named = [_midi_note(*found) for found in _NAMED_NOTE.findall(Path(name).name)]
    return next((note for note in reversed(named) if 0 <= note <= 127), None)


def _midi_note(letter: str, accidental: str, octave: str) -> int:
    return 12 * (int(octave) + 1) + _LETTERS[letter.upper()] + _ACCIDENTALS[accidental]


def note_from_chunks(path: str | os.PathLike[str]) -> int | None:
    """The root note (0..127) in a file's header: `smpl` or `inst` of a WAV, `INST` of an AIFF.

    A hint: some programs write 60 into every file. None if there is none, or nothing to read.
    """
    try:
        with Path(path).open("rb") as file:
            notes = [_ROOT_NOTES[id](data) for id, data in _chunks(file) if id in _ROOT_NOTES]
    except (OSError, IndexError, struct.error):  # unreadable, or shorter than it says
        return None
    return next((note for note in notes if 0 <= note <= 127), None)


_ROOT_NOTES: Mapping[bytes, Callable[[bytes], int]] = {
    b"smpl": lambda data: int(struct.unpack_from("<I", data, 12)[0]),
    b"inst": lambda data: data[0],
    b"INST": lambda data: data[0],
}
_FORMS = {b"RIFF": "<I", b"RF64": "<I", b"FORM": ">I"}
_MOST_CHUNKS = 1000


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The first 64 bytes of each chunk of a RIFF or AIFF file."""
    size_format = _FORMS.get(file.read(12)[:4])
    if size_format is None:
        return
    for _ in range(_MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            return
        (size,) = struct.unpack(size_format, header[4:])
        data = file.read(min(size, 64))
        yield header[:4], data
        file.seek(size + size % 2 - len(data), os.SEEK_CUR)


def tonal_pitch(plain: FloatArray, note: float) -> float | None:
    """The pitch in Hz that a preset (38,) sounds at; None where it has no clear one.

    The rule: of the oscillators within 12 dB of the louder one (by the mix), the lowest that is not
    noise; one less than a semitone above it shares in it, by power. There is no clear pitch if
    noise is louder than that, if FM of more than a semitone bends a heard oscillator, or if a
    vibrato of more than 5 cents is too slow (under 2 Hz) to be averaged over.
    """
    value = {id: float(plain[parameter.index]) for id, parameter in BY_ID.items()}
    second = 1.0 - value["kOscMix"]
    power = {1: 1.0 - second if second < 0.99 else 0.0, 2: second if second > 0.01 else 0.0}
    heard = [i for i in power if power[i] >= max(power.values()) / 16]
    tonal = [i for i in heard if value[f"kOsc{i}Wave"] != _NOISE]
    noisy = sum(power[i] for i in heard if i not in tonal)
    if not tonal or noisy > max(power[i] for i in tonal):
        return None
    if _fm_depth(value) > 1.0 and value["kFmMode"] in tonal:
        return None
    if 1731 * _vibrato(value, 2 in tonal) > 5.0 and value["kLfoFrequency"] < 2.0:
        return None
    pitches = {i: note + value[f"kOsc{i}Coarse"] + value[f"kOsc{i}Fine"] for i in tonal}
    lowest = min(pitches.values())
    together = [i for i in tonal if pitches[i] - lowest < 1.0]
    shares = [power[i] for i in together]
    return note_frequency(float(np.average([pitches[i] for i in together], weights=shares)))


_NOISE = 5.0


def _fm_depth(value: dict[str, float]) -> float:
    """The deepest deviation in semitones."""
    targets = ("kVolEnvFm", "kModEnvFm", "kLfoFm")
    return abs(value["kFmCoarse"] + value["kFmFine"]) + sum(abs(value[id]) for id in targets)


def _vibrato(value: dict[str, float], second_heard: bool) -> float:
    """The deviation as a frequency ratio; a positive amount reaches oscillator 2 alone."""
    amount = value["kLfoAmount"]
    return abs(amount) if amount < 0 or second_heard else 0.0
