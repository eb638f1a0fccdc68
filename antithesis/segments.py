"""Where the first sound of a recording begins and ends."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antithesis.audio import Sound, excerpt, first_loud, read_sound

FloatArray = npt.NDArray[np.float64]

MATCHED_S = 2.0
"""What of a sound is matched; a key that is held longer is not seen to be let go."""

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
    samples: npt.NDArray[np.floating], sample_rate: int, *, longest_s: float = MATCHED_S
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
