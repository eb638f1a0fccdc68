"""Sound files in and out: any common format, rate, width and channel count becomes mono float64.

A long file is scanned in blocks of a second, never loaded: what is kept is the stretch around its
first sound (`KEPT_S` seconds). Whatever cannot become a sound is an `AudioError` whose one line
says why and what to do.
"""

from __future__ import annotations

import io
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from antithesis.errors import AudioError, MissingSound
from antithesis.files import write_whole

if TYPE_CHECKING:
    import soundfile

FloatArray = npt.NDArray[np.float64]

KEPT_S = 12.0
"""A file up to this long is kept whole; of a longer one this much, from just before its sound."""

_LEAD_S = 0.5
_FRAME_S = 0.01
_BLOCK_FRAMES = 100  # a second is looked at together
_BLOCK_SAMPLES = 1 << 21  # less where so many channels come so fast: this bounds the memory
_SILENT_DBFS = -80.0  # two steps of 16 bits
_SHORTEST_S = 0.02
_LEAST_OFFSET = 1e-5  # less is under the step of 16 bits
_UNKNOWN_S = 1e9  # what a FLAC without a stated length reads as
_CANCELLED = 0.1  # of the loudest channel's power, left of the mean
LOUDEST = 1e4
"""+80 dBFS: no float file that holds audio gets there."""

_RATES_HZ = (8_000, 768_000)
_UNCUT_SIZE = 0xFFFF_0000  # chunk sizes near 2**32 say "until the end", as streams do
_CHUNK_SIZES = re.compile(r"^ *(?:data|SSND) : (\d+) \(should be (\d+)\)", re.MULTILINE)
_RINGING_S = 0.05  # of a resampler's filter, on either side
_EXPORT = "export it again as WAV, AIFF or FLAC"


@dataclass(frozen=True)
class Played:
    """The one key that a sound was played by: MIDI note, velocity, and how long it was held.

    `gate_s` is None for a key that was not let go of before the sound was cut.
    """

    note: int
    velocity: int
    gate_s: float | None = None


@dataclass(frozen=True, eq=False)
class Sound:
    """Mono samples (n,), where they come from, and where in the source they start.

    `played` is the key, where that is known for certain.
    """

    samples: FloatArray
    sample_rate: int
    source: str = ""
    start_s: float = 0.0
    played: Played | None = None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


def read_sound(
    path: str | os.PathLike[str],
    *,
    sample_rate: int | None = 44100,
    max_seconds: float = 3600.0,
) -> Sound:
    """The first sound of a WAV, AIFF, FLAC, MP3 or OGG file, with what surrounds it.

    Args:
        path: A file of 8 to 768 kHz, any sample width and channel count.
        sample_rate: What to resample to, in Hz; None for the file's own.
        max_seconds: Longer files are refused.

    Raises:
        AudioError: Missing, unreadable, not audio, empty, cut off, silent, too short or too long,
            or with samples that are no audio (NaN, infinite, beyond +80 dBFS).
    """
    path = Path(path)
    with _opened(path) as file:
        _check_header(file, path, max_seconds)
        start, stop = _excerpt(_levels_dbfs(file, path), file.samplerate)
        samples = _downmix(file, start, stop)
        if not len(samples):  # a damaged MP3 may be read once and not again
            raise AudioError(f"{path}: damaged; {_EXPORT}")
        rate = file.samplerate
    samples = samples - _offset(samples, rate)
    wanted = sample_rate or rate
    return Sound(_resample(samples, rate, wanted), wanted, str(path), start / rate)


def excerpt(sound: Sound, start: int, stop: int, *, sample_rate: int = 44100) -> Sound:
    """Samples `start` to `stop` of a sound at another rate, as if all of it had been resampled."""
    rate = sound.sample_rate
    # From where samples of both rates coincide: else what is cut out would be shifted.
    together = rate // math.gcd(rate, sample_rate)
    around = round(_RINGING_S * rate)
    first = max(0, start - around) // together * together
    samples = _resample(sound.samples[first : stop + around], rate, sample_rate)
    begin, end = (round((at - first) * sample_rate / rate) for at in (start, stop))
    start_s = sound.start_s + start / rate
    return replace(sound, samples=samples[begin:end], sample_rate=sample_rate, start_s=start_s)


def captured_sound(
    frames: npt.NDArray[np.floating], rate: int, *, sample_rate: int = 44100, source: str = ""
) -> Sound:
    """Make a sound of frames (n, channels) of a stream, mixed and resampled as those of a file are.

    Raises:
        AudioError: too short, silent, or with samples that are no audio.
    """
    seconds = len(frames) / rate
    highest = float(np.abs(frames).max(initial=0.0))
    if seconds < _SHORTEST_S:
        raise AudioError(f"{1000 * seconds:.1f} ms were captured, too short to match")
    if not highest < LOUDEST:  # NaN too
        raise AudioError(f"{highest:g} as a sample is no audio: see to the device")
    if highest < 10 ** (_SILENT_DBFS / 20):
        raise AudioError("only silence was captured")
    mono = mixed(frames)
    return Sound(_resample(mono - _offset(mono, rate), rate, sample_rate), sample_rate, source)


def mixed(frames: npt.NDArray[np.floating]) -> FloatArray:
    """The mean (n,) of channels (n, channels), or the loudest where the others would cancel it."""
    samples = frames.astype(np.float64)
    mono, powers = _mean(samples), _powers(samples)
    cancelled = np.dot(mono, mono) < _CANCELLED * powers.max()
    return np.asarray(samples[:, int(np.argmax(powers))] if cancelled else mono)


def write_wav(path: str | os.PathLike[str], samples: npt.ArrayLike, sample_rate: int) -> None:
    """Write float samples (n,) or (n, channels) as a 32-bit float WAV, all of it or nothing.

    Full scale is 1 and more than that is kept, so that what is read back is what was written, to
    float32. A reader never meets half a file: it appears under its name when it is complete.
    """
    import soundfile

    path = Path(path)
    wav = io.BytesIO()
    soundfile.write(wav, np.asarray(samples), sample_rate, subtype="FLOAT", format="WAV")
    try:
        write_whole(path, wav.getvalue())
    except OSError as error:
        reason = f"cannot be written ({error.strerror})"
        raise AudioError(f"{path}: {reason}; check the folder and its free space") from error


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    import soundfile

    try:
        if path.stat().st_size == 0:
            raise AudioError(f"{path}: the file is empty; {_EXPORT}")
        if path.is_dir() or path.suffix.lower() == ".raw":  # headerless, so anybody's guess
            raise AudioError(f"{path}: not an audio file; {_EXPORT}")
        with path.open("rb"):  # its errors are clearer than libsndfile's
            pass
        # As bytes where names are bytes: soundfile takes no text that is not UTF-8.
        name = str(path) if os.name == "nt" else os.fsencode(path)
        with soundfile.SoundFile(name) as file:
            yield file
    except OSError as error:
        kind = MissingSound if isinstance(error, FileNotFoundError) else AudioError
        raise kind(f"{path}: cannot be opened ({error.strerror}); check the file") from error
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path}: damaged, or not an audio file; {_EXPORT}") from error


def _check_header(file: soundfile.SoundFile, path: Path, max_seconds: float) -> None:
    rate, seconds = file.samplerate, file.frames / file.samplerate
    if not _RATES_HZ[0] <= rate <= _RATES_HZ[1]:
        raise AudioError(f"{path}: its sample rate is {rate} Hz; export it at 44100 Hz")
    if file.frames == 0:
        raise AudioError(f"{path}: holds no audio; was its recording finished? {_EXPORT}")
    if seconds < _SHORTEST_S:
        raise AudioError(f"{path}: {1000 * seconds:.1f} ms long, too short to match; {_EXPORT}")
    if seconds > _UNKNOWN_S:
        raise AudioError(f"{path}: was streamed and states no length; {_EXPORT}")
    if seconds > max_seconds:
        longest = f"{seconds:.0f} s long, {max_seconds:.0f} s at most"
        raise AudioError(f"{path}: {longest}; cut it to the sound")
    sizes = _CHUNK_SIZES.search(file.extra_info)
    if sizes and int(sizes[2]) + 1 < int(sizes[1]) < _UNCUT_SIZE:
        share = int(sizes[2]) / int(sizes[1])
        raise AudioError(f"{path}: cut off, {share:.0%} of it is there; copy it anew or {_EXPORT}")


def _levels_dbfs(file: soundfile.SoundFile, path: Path) -> FloatArray:
    """RMS without DC of each 10 ms, all channels together, until the first sound is sure."""
    frame = max(1, round(file.samplerate * _FRAME_S))
    levels: list[FloatArray] = []
    quiet, loud, more_s = 0.0, -200.0, np.inf
    for block in _blocks(file, path, _block_size(file, frame)):
        level = _frame_levels(block, frame)
        levels.append(level)
        # A contrast of 20 dB is a sound in silence or noise; what follows tells where it began.
        quiet, loud = min(quiet, float(np.quantile(level, 0.1))), max(loud, float(level.max()))
        if loud > max(quiet + 20.0, -45.0):
            more_s = min(more_s, KEPT_S) - len(level) * _FRAME_S
        if more_s <= 0:
            break
    if loud < _SILENT_DBFS:
        raise AudioError(f"{path}: silent; turn it up or {_EXPORT}")
    return np.concatenate(levels)


def _block_size(file: soundfile.SoundFile, frame: int) -> int:
    fit: int = _BLOCK_SAMPLES // (frame * file.channels)
    return frame * max(1, min(_BLOCK_FRAMES, fit))


def _blocks(file: soundfile.SoundFile, path: Path, size: int) -> Iterator[npt.NDArray[np.float32]]:
    """The whole file, (size, channels) at a time, each block finite and the last one as stated."""
    read, stated_s = 0, file.frames / file.samplerate  # an MP3's count changes at its end
    # Not `file.blocks`, which repeats its last block where a file is cut off.
    while len(block := file.read(size, always_2d=True, dtype="float32")):
        read_s = read / file.samplerate
        highest = float(np.abs(block).max())
        if not highest < LOUDEST:  # NaN too
            wrong = f"{highest:g} as a sample near {read_s:.0f} s is no audio"
            raise AudioError(f"{path}: {wrong}; {_EXPORT}")
        yield block
        read += len(block)
    read_s = read / file.samplerate
    # MP3 headers count the encoder's padding, so a tenth of a second is nothing.
    if stated_s - read_s > 0.1:
        there = f"{read_s:.1f} of {stated_s:.1f} s are there"
        raise AudioError(f"{path}: cut off, {there}; copy it anew or {_EXPORT}")


def _frame_levels(block: npt.NDArray[np.float32], frame: int) -> FloatArray:
    """RMS of each frame without its mean, in dBFS, from a block (samples, channels)."""
    whole = max(frame, len(block) // frame * frame)
    frames = np.resize(block.T, (block.shape[1], whole)) if len(block) < whole else block.T
    frames = np.ascontiguousarray(frames[:, :whole]).reshape(len(frames), -1, frame)
    power = np.einsum("cfs,cfs->cf", frames, frames) / frame - frames.mean(axis=2) ** 2
    return np.asarray(10 * np.log10(np.maximum(power.mean(axis=0), 1e-20)), dtype=np.float64)


def _excerpt(levels_dbfs: FloatArray, rate: int) -> tuple[int, int]:
    """First and last frame to keep, from levels of 10 ms each."""
    frame, kept = max(1, round(rate * _FRAME_S)), round(KEPT_S * rate)
    if len(levels_dbfs) * frame <= kept:
        return 0, kept
    start = max(0, first_loud(levels_dbfs) * frame - round(_LEAD_S * rate))
    return start, start + kept


def first_loud(levels_dbfs: FloatArray, range_db: float = 40.0) -> int:
    """Index of the first level that stands out: near the loudest, clear of the quietest.

    Three in a row have to, so that a click is passed over, unless nothing but clicks is there.
    """
    loudest, quietest = levels_dbfs.max(), np.quantile(levels_dbfs, 0.02)
    threshold = max(loudest - range_db, min(quietest + 12.0, loudest - 6.0))
    loud = levels_dbfs >= threshold
    sustained = loud[:-2] & loud[1:-1] & loud[2:]
    return int(np.argmax(sustained) if sustained.any() else np.argmax(loud))


def _downmix(file: soundfile.SoundFile, start: int, stop: int) -> FloatArray:
    """The channels' mean from `start` to `stop`, or the loudest where the others would cancel it.

    By blocks: a second of 64 channels at 768 kHz takes 400 MB.
    """
    size = _block_size(file, max(1, round(file.samplerate * _FRAME_S)))
    means, powers = [np.empty(0)], np.zeros(file.channels)
    for block in _stretch(file, start, stop, size):
        means.append(_mean(block))
        powers += _powers(block)
    mono = np.concatenate(means)
    loudest = int(np.argmax(powers))
    if np.dot(mono, mono) >= _CANCELLED * powers[loudest]:
        return mono
    return np.concatenate([block[:, loudest] for block in _stretch(file, start, stop, size)])


def _mean(block: FloatArray) -> FloatArray:
    """Mean (samples,) of channels; numpy's along so short an axis takes ten times as long."""
    if block.shape[1] == 1:
        return block[:, 0]
    return np.asarray(block @ np.full(block.shape[1], 1.0 / block.shape[1]))


def _powers(block: FloatArray) -> FloatArray:
    """The power of each channel."""
    return np.array([np.dot(channel, channel) for channel in block.T])


def _stretch(file: soundfile.SoundFile, start: int, stop: int, size: int) -> Iterator[FloatArray]:
    """Blocks (samples, channels) from `start` to `stop`, or to the end of the file."""
    file.seek(start)
    while start < stop and len(block := file.read(min(size, stop - start), always_2d=True)):
        yield block
        start += len(block)


def _offset(samples: FloatArray, rate: int) -> float:
    """The constant that a converter added, 0 if there is none.

    A pulse wave has a mean of its own, which comes and goes with the note and belongs to it: only
    what is the same from beginning to end is an offset.
    """
    frame = min(len(samples), rate // 10)
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    window = np.hanning(frame + 2)[1:-1]
    means = frames @ window / window.sum()
    middle = float(np.median(means))
    steady = np.ptp(means) < 0.25 * abs(middle)
    return middle if steady and abs(middle) > _LEAST_OFFSET else 0.0


def _resample(samples: FloatArray, rate: int, wanted: int) -> FloatArray:
    if rate == wanted:
        return np.ascontiguousarray(samples)
    import soxr

    return np.asarray(soxr.resample(samples, rate, wanted, quality="VHQ"), dtype=np.float64)
