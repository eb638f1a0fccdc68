"""Where the first sound of a recording begins and ends, and where its key was released."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antithesis.audio import Sound, excerpt, first_loud, read_sound

FloatArray = npt.NDArray[np.float64]

LONGEST_S = 2.0
"""What of a sound is matched."""

_FRAMES_PER_S = 100
_ATTACK_FRAMES = 100  # the slowest attack takes a second
_CLEAR_DB = 10.0  # what stands out of noise
_INAUDIBLE_DB = 80.0  # below the loudest


@dataclass(frozen=True)
class Segment:
    """From sample `start` up to, not including, sample `stop`."""

    start: int
    stop: int


def first_sound(sound: Sound) -> Sound:
    """The first sound in a recording, from its onset on, at 44.1 kHz."""
    found = find_sound(sound.samples, sound.sample_rate)
    return excerpt(sound, found.start, found.stop)


def first_sound_of(path: str | os.PathLike[str]) -> Sound:
    """The first sound of a file, from its onset on, at 44.1 kHz.

    It is found at the file's own rate: of minutes, two seconds have to be resampled.

    Raises:
        AudioError: as :func:`antithesis.audio.read_sound` does.
    """
    return first_sound(read_sound(path, sample_rate=None))


def find_sound(
    samples: npt.NDArray[np.floating], sample_rate: int, *, longest_s: float = LONGEST_S
) -> Segment:
    """The first sound of a recording (n,): from its onset until it is over, at most `longest_s`.

    It is over when it has sunk into the noise (or 80 dB below its peak), or when the next note is
    struck out of quiet. In silence the onset is exact to the sample; in noise it is where the sound
    first leaves it. Silence gives everything there is, up to `longest_s`.
    """
    hop = max(1, sample_rate // _FRAMES_PER_S)
    longest = round(longest_s * sample_rate)
    levels = _levels_db(samples, hop)
    if not len(levels) or np.isneginf(levels.max()):
        return Segment(0, min(len(samples), longest))
    frame, floor = _first_frame(levels)
    start = _onset(samples, frame * hop, hop)
    heard = levels[start // hop : -(-(start + longest) // hop)]
    stop = start // hop * hop + _length(heard, floor) * hop
    return Segment(start, min(len(samples), start + longest, stop))


def _levels_db(samples: npt.NDArray[np.floating], hop: int) -> FloatArray:
    """RMS of each `hop` samples, -inf for digital silence."""
    whole = len(samples) // hop * hop
    frames, rest = samples[:whole].reshape(-1, hop), samples[whole:]
    energy = np.einsum("ij,ij->i", frames, frames)
    if len(rest):
        energy = np.append(energy, rest @ rest)
    with np.errstate(divide="ignore"):
        return np.asarray(10 * np.log10(energy / hop))


def _first_frame(levels: FloatArray) -> tuple[int, float]:
    """The frame in which the first sound leaves what was before it, and the level of that."""
    clear = first_loud(np.maximum(levels, -200.0))
    before = levels[max(0, clear - _ATTACK_FRAMES) : clear + 1]
    floor = max(float(before.min()), levels.max() - _INAUDIBLE_DB - _CLEAR_DB)
    quiet = np.flatnonzero(before <= floor + _CLEAR_DB)
    return clear - len(before) + 1 + (int(quiet[-1]) + 1 if len(quiet) else 0), floor


def _onset(samples: npt.NDArray[np.floating], at: int, hop: int) -> int:
    """The sample at which the sound that is clear `at` leaves the noise before it."""
    first = max(0, at - 2 * hop)
    noise = np.abs(samples[max(0, first - 10 * hop) : first]).max(initial=0.0)
    near = np.abs(samples[first : at + hop])
    clear = int(np.argmax(near > max(1.5 * noise, 1e-3 * near.max())))
    within = np.flatnonzero(near[:clear] <= noise)
    return first + (int(within[-1]) + 1 if len(within) else 0)


def _length(levels: FloatArray, floor: float) -> int:
    """How many frames of a sound that begins with `levels` belong to it."""
    levels = levels[: _next_note(levels)]
    audible = np.flatnonzero(levels > max(levels.max() - _INAUDIBLE_DB, floor + 3.0))
    return int(audible[-1]) + 1 if len(audible) else len(levels)


def _next_note(levels: FloatArray) -> int:
    """The frame in which another note is struck; the number of frames if none is.

    Struck: out of 50 ms that are 30 dB below the sound so far, up by 20 dB within 20 ms, to
    nearly the loudness of the sound so far. Less than that is tremolo, or a filter that swings.
    """
    loudest = np.maximum.accumulate(levels)
    for i in range(10, len(levels) - 2):
        peak = loudest[i - 1]
        quiet = levels[i - 5 : i].max() <= peak - 30
        if quiet and levels[i : i + 2].max() >= max(levels[i - 1] + 20, peak - 12):
            return i
    return len(levels)


def find_gate(samples: npt.NDArray[np.floating], sample_rate: int) -> float | None:
    """When the key of one note (n,), struck at its first sample, was released, in seconds.

    A release is a kink in the RMS envelope from which the note falls for good; of several the last,
    since what comes before is the decay's. None if no such kink is seen: the note is held to the
    end, or was over before. An estimate: a note that decays to nothing looks released at its peak.
    """
    hop = max(1, sample_rate // _KINK_FRAMES_PER_S)
    envelope = _envelope(samples, hop)
    if len(envelope) <= 2 * _KINK_FRAMES or not envelope.max() > 0:
        return None
    envelope = envelope / envelope.max()
    kinks = _kinks(envelope, _KINK_FRAMES)
    inner = kinks[1:-1]
    peaks = (inner >= kinks[:-2]) & (inner > kinks[2:])
    clear = np.flatnonzero(peaks & (inner >= max(0.3 * kinks.max(), _LEAST_KINK))) + 1
    if not len(clear):
        return None
    first, last = max(0, clear[-1] - _KINK_FRAMES // 2), clear[-1] + _KINK_FRAMES
    near = _kinks(envelope, _KINK_FRAMES // 4)[first:last]
    frame = first + int(np.argmax(near)) if near.max() > 0 else int(clear[-1])
    return frame * hop / sample_rate


_KINK_FRAMES_PER_S = 200
_KINK_FRAMES = 20  # of envelope on either side of a kink
_LEAST_KINK = 0.15  # of the level, over that time
_OVER = 0.08  # of the peak: quieter than this, nobody hears a release


def _envelope(samples: npt.NDArray[np.floating], hop: int) -> FloatArray:
    """RMS in windows of 5 hops around every hop."""
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    centres = np.arange(0, len(samples), hop)
    low = np.maximum(centres - 5 * hop // 2, 0)
    high = np.minimum(centres + 5 * hop // 2, len(samples))
    return np.asarray(np.sqrt((energy[high] - energy[low]) / np.maximum(high - low, 1)))


def _kinks(envelope: FloatArray, width: int) -> FloatArray:
    """How far the slope falls at each frame, by the level there; -1 where no release can be."""
    ramp = np.arange(width + 1) - width / 2
    slopes = np.convolve(envelope, -ramp / (ramp**2).sum(), "valid")
    before, after = slopes[:-width], slopes[width:]
    level = envelope[width:-width]
    loudest_later = np.maximum.accumulate(envelope[::-1])[::-1]
    for_good = loudest_later[width + 3 :][: len(level)] <= 1.1 * level
    falls = (after < 0) & for_good & (envelope[-1] < 0.5 * level) & (level > _OVER)
    kinks = np.full(len(envelope), -1.0)
    kinks[width:-width] = np.where(falls, (before - after) * width / np.maximum(level, _OVER), -1.0)
    return kinks
