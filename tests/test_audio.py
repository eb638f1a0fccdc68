"""Every kind of file becomes the same sound, or is refused in one line that says why."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from antithesis.audio import KEPT_S, read_sound, write_wav
from antithesis.errors import AudioError

FloatArray = npt.NDArray[np.float64]
RATE = 44100


def tone(hz: float = 440.0, seconds: float = 0.5, rate: int = RATE) -> FloatArray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def silence(seconds: float, rate: int = RATE) -> FloatArray:
    return np.zeros(round(seconds * rate))


def peak_hz(samples: FloatArray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 20))
    return float(np.argmax(spectrum) * rate / (1 << 20))


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize(
    ("suffix", "subtype", "tolerance"),
    [
        ("wav", "PCM_U8", 0.01),
        ("wav", "PCM_16", 1e-4),
        ("wav", "PCM_24", 1e-6),
        ("wav", "PCM_32", 1e-6),
        ("wav", "FLOAT", 1e-6),
        ("wav", "DOUBLE", 1e-12),
        ("wav", "ULAW", 0.02),
        ("aiff", "PCM_16", 1e-4),
        ("aiff", "PCM_24", 1e-6),
        ("flac", "PCM_16", 1e-4),
        ("flac", "PCM_24", 1e-6),
        ("ogg", "VORBIS", 0.05),
        ("mp3", "MPEG_LAYER_III", 0.05),
    ],
)
def test_every_format_gives_the_same_sound(
    tmp_path: Path, suffix: str, subtype: str, tolerance: float
) -> None:
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone(), RATE, subtype=subtype)
    sound = read_sound(path)
    assert (sound.sample_rate, sound.source, sound.start_s) == (RATE, str(path), 0.0)
    assert sound.samples.dtype == np.float64
    assert len(sound.samples) == len(tone())
    middle = slice(4000, -4000)  # lossy formats smear the ends
    assert sound.samples[middle] == pytest.approx(tone()[middle], abs=tolerance)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 48000, 96000, 192000, 768000])
def test_every_rate_keeps_pitch_length_and_level(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(441.0, 0.5, rate), rate, subtype="FLOAT")
    samples = read_sound(path).samples
    assert len(samples) == pytest.approx(0.5 * RATE, abs=2)
    assert peak_hz(samples, RATE) == pytest.approx(441.0, abs=0.1)
    assert np.abs(samples[4000:-4000]).max() == pytest.approx(0.5, abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(hz=st.floats(100, 3500), rate=st.integers(8000, 200_000), wanted=st.integers(22050, 96000))
def test_resampling_keeps_pitch(
    tmp_path_factory: pytest.TempPathFactory, hz: float, rate: int, wanted: int
) -> None:
    path = tmp_path_factory.mktemp("rates") / "tone.wav"
    soundfile.write(path, tone(hz, 0.3, rate), rate, subtype="FLOAT")
    sound = read_sound(path, sample_rate=wanted)
    assert peak_hz(sound.samples, wanted) == pytest.approx(hz, abs=0.5)


def test_resampling_removes_what_the_new_rate_cannot_hold(tmp_path: Path) -> None:
    soundfile.write(
        tmp_path / "high.wav", tone(30_000, 0.5, 96_000) + tone(500, 0.5, 96_000), 96_000
    )
    samples = read_sound(tmp_path / "high.wav").samples
    assert samples[4000:-4000] == pytest.approx(tone(500)[4000:-4000], abs=1e-3)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_equal_channels_give_the_sound_of_one(tmp_path: Path, channels: int) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([tone()] * channels, axis=1), RATE, "FLOAT")
    assert read_sound(tmp_path / "a.wav").samples == pytest.approx(tone(), abs=1e-6)


def test_stereo_in_opposite_phase_survives(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([tone(), -0.99 * tone()], axis=1), RATE, "FLOAT")
    assert read_sound(tmp_path / "a.wav").samples == pytest.approx(tone(), abs=1e-6)


def test_one_sounding_channel_of_six_survives(tmp_path: Path) -> None:
    channels = np.zeros((len(tone()), 6))
    channels[:, 4] = tone()
    soundfile.write(tmp_path / "a.wav", channels, RATE, "FLOAT")
    assert read_sound(tmp_path / "a.wav").samples == pytest.approx(tone(), abs=1e-6)


def test_a_converters_offset_is_removed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.pad(tone(), (9000, 9000)) + 0.2, RATE, "FLOAT")
    assert read_sound(tmp_path / "a.wav").samples == pytest.approx(
        np.pad(tone(), (9000, 9000)), abs=1e-3
    )


def test_the_mean_of_a_plucked_pulse_wave_is_its_own(tmp_path: Path) -> None:
    t = np.arange(RATE) / RATE
    pulse = np.where((110 * t) % 1 < 0.75, 0.5, -0.5) * np.exp(-4 * t)
    soundfile.write(tmp_path / "a.wav", pulse, RATE, "FLOAT")
    assert read_sound(tmp_path / "a.wav").samples == pytest.approx(pulse, abs=1e-6)


def test_a_short_file_is_kept_whole(tmp_path: Path) -> None:
    samples = np.concatenate([silence(2), tone(), silence(3)])
    soundfile.write(tmp_path / "a.wav", samples, RATE, "FLOAT")
    sound = read_sound(tmp_path / "a.wav")
    assert sound.duration_s == pytest.approx(5.5)
    assert sound.start_s == 0


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg"])
def test_of_a_long_file_the_stretch_around_its_first_sound_is_kept(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"long.{suffix}"
    hiss = 1e-3 * np.random.default_rng(0).normal(size=80 * RATE)
    hiss[60 * RATE : 61 * RATE] += tone(seconds=1)
    hiss[75 * RATE : 76 * RATE] += tone(seconds=1)
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for block in hiss.reshape(80, RATE):  # libsndfile's Vorbis dies of longer ones
            file.write(block)
    sound = read_sound(path)
    assert sound.duration_s == pytest.approx(KEPT_S)
    assert sound.start_s == pytest.approx(59.5, abs=0.06)
    at = round((60 - sound.start_s) * RATE)
    assert np.abs(sound.samples[: at - 2000]).max() < 0.01
    assert np.abs(sound.samples[at : at + 1000]).max() > 0.4


def test_a_click_before_the_sound_is_passed_over(tmp_path: Path) -> None:
    samples = np.concatenate([silence(8), tone(seconds=1), silence(8)])
    samples[RATE : RATE + 3] = 0.9
    soundfile.write(tmp_path / "a.wav", samples, RATE)
    assert read_sound(tmp_path / "a.wav").start_s == pytest.approx(7.5, abs=0.02)


def test_an_hour_is_read_and_a_second_more_refused(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.wav", "w", 8000, 1, "PCM_U8") as file:
        file.write(tone(seconds=1, rate=8000))
        file.write(np.zeros(3599 * 8000))
    assert read_sound(tmp_path / "a.wav").duration_s == pytest.approx(KEPT_S)
    with soundfile.SoundFile(tmp_path / "a.wav", "r+") as file:
        file.seek(0, soundfile.SEEK_END)
        file.write(np.zeros(8000))
    with pytest.raises(AudioError, match="3601 s long, 3600 s at most; cut it"):
        read_sound(tmp_path / "a.wav")


def test_a_wav_of_unstated_length_is_read(tmp_path: Path) -> None:
    path = tmp_path / "streamed.wav"
    soundfile.write(path, tone(), RATE, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert len(read_sound(path).samples) == len(tone())


def refusal(path: Path) -> str:
    with pytest.raises(AudioError) as caught:
        read_sound(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_no_audio_are_refused(tmp_path: Path, value: float) -> None:
    samples = tone(seconds=3)
    samples[2 * RATE + 5] = value
    soundfile.write(tmp_path / "a.wav", samples, RATE, "DOUBLE")
    assert "as a sample near 2 s is no audio" in refusal(tmp_path / "a.wav")


@pytest.mark.parametrize(
    "samples",
    [silence(1), np.full(RATE, 0.3), 2**-15 * np.random.default_rng(0).choice([0, 1], RATE)],
    ids=["zeros", "offset", "dither"],
)
def test_silence_is_refused(tmp_path: Path, samples: FloatArray) -> None:
    soundfile.write(tmp_path / "a.wav", samples, RATE)
    assert "silent" in refusal(tmp_path / "a.wav")


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "mp3", "ogg"])
def test_a_file_cut_off_in_the_middle_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tone(seconds=2), RATE)
    message = refusal(cut(path, 0.5))
    assert "cut off" in message or "damaged" in message


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg", "a.aiff", "a"])
@pytest.mark.parametrize("data", [b"RIFF", b"no sound at all" * 99], ids=["header", "text"])
def test_what_is_no_audio_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert "damaged, or not an audio file" in refusal(tmp_path / name)


def test_a_headerless_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(bytes(1000))
    assert "not an audio file" in refusal(tmp_path / "a.raw")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    assert "the file is empty" in refusal(tmp_path / "a.wav")


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", silence(0), RATE)
    assert "holds no audio" in refusal(tmp_path / "a.wav")


def test_too_short_a_file_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(seconds=0.01), RATE)
    assert "10.0 ms long, too short" in refusal(tmp_path / "a.wav")


def test_too_low_a_rate_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(100, 1, 4000), 4000)
    assert "its sample rate is 4000 Hz" in refusal(tmp_path / "a.wav")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be opened" in refusal(tmp_path / "nothing.wav")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "not an audio file" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["größer 音.wav", "a b.wav", "#[x].wav"])
def test_names_of_all_kinds_are_read(tmp_path: Path, name: str) -> None:
    write_wav(tmp_path / name, tone(), RATE)
    assert len(read_sound(tmp_path / name).samples) == len(tone())


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="names here are Unicode")
def test_a_name_that_is_no_utf8_is_read(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xffbad.wav")
    write_wav(path, tone(), RATE)
    assert len(read_sound(path).samples) == len(tone())


def test_what_is_written_is_read_back_to_float32_beyond_full_scale_too(tmp_path: Path) -> None:
    samples = 3 * tone()
    write_wav(tmp_path / "a.wav", samples, 48000)
    assert soundfile.info(tmp_path / "a.wav").subtype == "FLOAT"
    back, rate = soundfile.read(tmp_path / "a.wav")
    assert rate == 48000
    assert np.array_equal(back, samples.astype(np.float32))


def test_writing_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for hz in (220, 330):
        write_wav(tmp_path / "a.wav", tone(hz), RATE)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    assert peak_hz(read_sound(tmp_path / "a.wav").samples, RATE) == pytest.approx(330, abs=0.1)


def test_a_write_that_fails_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(AudioError, match="cannot be written"):
        write_wav(tmp_path / "a.wav", tone(), RATE)
    with pytest.raises(AudioError, match="cannot be written"):
        write_wav(tmp_path / "nowhere" / "a.wav", tone(), RATE)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
