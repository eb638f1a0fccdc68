"""The tracker finds the note to a few cents; names and headers give it where they hold it."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antithesis.parameters import BY_ID
from antithesis.pitch import (
    cents,
    nearest_note,
    note_from_chunks,
    note_from_name,
    tonal_pitch,
    track,
)
from antithesis.synth.live import note_frequency
from evaluation.targets import read_targets, rendered

FloatArray = npt.NDArray[np.float64]
RATE = 44100
T = np.arange(RATE) / RATE


def saw(hz: float, seconds: float = 1.0, rate: int = RATE) -> FloatArray:
    t = np.arange(round(seconds * rate)) / rate
    harmonics = np.arange(1, max(2, int(15_000 / hz) + 1))
    return np.sum([np.sin(2 * np.pi * hz * k * t) / k for k in harmonics[:60]], axis=0)


def error(samples: FloatArray, hz: float, rate: int = RATE) -> float:
    return abs(cents(track(samples, rate).f0_hz, hz))


def test_tonal_development_targets_are_in_tune() -> None:
    pitches = {target: tonal_pitch(target.preset.plain, target.note) for target in read_targets()}
    tonal = {target: hz for target, hz in pitches.items() if hz is not None}
    assert len(tonal) == 298
    sounds = zip(rendered(tonal), tonal.values(), strict=True)
    errors = np.array([cents(track(sound, RATE).f0_hz, hz) for sound, hz in sounds])
    octaves = np.abs(errors) > 600
    octaves &= np.abs(errors - 1200 * np.round(errors / 1200)) < 50
    assert np.median(np.abs(errors)) < 1.0
    assert np.mean(np.abs(errors) < 5) > 0.92
    assert np.mean(np.abs(errors) < 50) > 0.96
    assert octaves.mean() < 0.01


@settings(max_examples=40, deadline=None)
@given(note=st.floats(22, 110), seconds=st.floats(0.4, 2.0))
def test_a_steady_tone_is_found_within_a_cent_and_a_half(note: float, seconds: float) -> None:
    hz = note_frequency(note)
    assert error(saw(hz, seconds), hz) < 1.5
    assert error(np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE), hz) < 1.5


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 96000])
def test_the_sample_rate_changes_nothing(rate: int) -> None:
    assert error(saw(197.0, 1.0, rate), 197.0, rate) < 0.5


@settings(max_examples=10, deadline=None)
@given(gain=st.floats(1e-4, 100))
def test_gain_changes_nothing(gain: float) -> None:
    assert track(gain * saw(311.0), RATE).f0_hz == pytest.approx(track(saw(311.0), RATE).f0_hz)


@pytest.mark.parametrize("hz", [41.0, 82.0, 220.0, 660.0])
@pytest.mark.parametrize("split", [0.003, 0.012, 0.025])
def test_two_copies_split_apart_make_one_pitch_between_them(hz: float, split: float) -> None:
    both = saw(hz * (1 + split), 2.0) + saw(hz / (1 + split), 2.0)
    assert error(both, hz) < 4


@pytest.mark.parametrize("depth", [0.003, 0.02])
def test_a_vibrato_is_averaged_over(depth: float) -> None:
    t = np.arange(2 * RATE) / RATE
    phase = 2 * np.pi * 330 * np.cumsum(1 + depth * np.sin(2 * np.pi * 5 * t)) / RATE
    assert error(np.sin(phase) + 0.5 * np.sin(2 * phase), 330) < 5


def test_a_square_wave_without_even_harmonics_is_no_octave_off() -> None:
    assert error(np.sign(np.sin(2 * np.pi * 110.3 * T)), 110.3) < 2


def test_a_fundamental_20_db_below_its_harmonics_is_found() -> None:
    harmonics = np.sum([np.sin(2 * np.pi * 120 * k * T) for k in (2, 3, 4, 5, 6, 7)], axis=0)
    assert error(harmonics + 0.1 * np.sin(2 * np.pi * 120 * T), 120) < 2


def test_of_two_tones_an_octave_apart_the_lower_one_counts() -> None:
    assert error(0.5 * saw(146.8) + saw(2 * 147.5), 146.8) < 10


def test_of_a_fifth_the_lower_tone_counts_and_not_their_common_divisor() -> None:
    assert error(saw(200.0) + saw(200.0 * 1.0595**7), 200.0) < 10


def test_a_short_pluck_is_found() -> None:
    assert error(saw(220.0, 0.5) * np.exp(-T[: RATE // 2] / 0.03), 220.0) < 20


def test_silence_around_the_note_does_not_matter() -> None:
    padded = np.pad(saw(262.0, 0.6), (RATE, RATE // 2))
    assert error(padded, 262.0) < 1


def test_noise_beside_the_tone_does_not_matter() -> None:
    noise = 0.1 * np.random.default_rng(0).normal(size=RATE)
    assert error(saw(262.0) + noise, 262.0) < 2


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("colour", ["white", "pink"])
def test_noise_has_no_confident_pitch(seed: int, colour: str) -> None:
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=RATE))
    if colour == "pink":
        spectrum /= np.sqrt(np.arange(1, len(spectrum) + 1))
    assert track(np.fft.irfft(spectrum), RATE).confidence < 0.3


def test_a_clear_tone_is_confident_and_all_voiced() -> None:
    pitch = track(saw(220.0), RATE)
    assert pitch.confidence > 0.9
    assert pitch.voiced > 0.95


def test_hypotheses_start_with_the_answer_and_hold_the_octave_that_it_could_be() -> None:
    # A tone an octave below at -30 dB: the first harmonic of the lower note, or a hum beside it.
    pitch = track(saw(300.0) + 0.02 * np.sin(2 * np.pi * 150 * T), RATE)
    assert pitch.hypotheses[0] == pitch.f0_hz
    assert {round(hz / 150) for hz in pitch.hypotheses} >= {1, 2}


@settings(max_examples=20, deadline=None)
@given(note=st.floats(30, 90), split=st.floats(0.005, 0.06))
def test_no_two_hypotheses_are_the_same_tone(note: float, split: float) -> None:
    hz = note_frequency(note)
    both = saw(hz, 0.5) + saw(hz * (1 + split), 0.5)
    found = np.sort(track(both, RATE).hypotheses)
    assert np.all(np.diff(np.log2(found)) * 1200 > 35)


@pytest.mark.parametrize("n", [0, 1, 10, 1000])
def test_silence_has_no_pitch(n: int) -> None:
    pitch = track(np.zeros(n), RATE)
    assert (pitch.f0_hz, pitch.confidence, pitch.hypotheses) == (0.0, 0.0, ())


@pytest.mark.parametrize("n", [1, 2, 30, 441])
def test_a_sound_too_short_for_a_pitch_is_no_error(n: int) -> None:
    assert np.isfinite(track(np.ones(n), RATE).f0_hz)


@given(note=st.integers(0, 127), remainder=st.floats(-0.49, 0.49))
def test_the_nearest_note_is_by_the_synths_own_semitone(note: int, remainder: float) -> None:
    found, rest = nearest_note(440 * 1.0595 ** (note + remainder - 69))
    assert found == note
    assert rest == pytest.approx(remainder, abs=1e-9)


def test_a_frequency_beyond_the_keys_leaves_the_rest_to_tuning() -> None:
    assert nearest_note(note_frequency(130.25)) == (127, pytest.approx(3.25))


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("Lead_A#2.wav", 46),
        ("bass C3 dry.aiff", 48),
        ("Eb4", 63),
        ("C4.wav", 60),
        ("C-1.wav", 0),
        ("pad_G9.flac", 127),
        ("PianoC4.wav", 60),
        ("C4v10.wav", 60),
        ("Piano.ff.Db5.aiff", 73),
        ("Fs3_loop.ogg", 54),
        ("bb2.wav", 46),
        ("F♯3.wav", 54),
        ("B♭1.wav", 34),
        ("folder C2/lead E3.wav", 52),
        ("A1 Lead - C#3.wav", 49),
        ("vox (D4).wav", 62),
        ("kick-60-f1.wav", 29),
    ],
)
def test_a_name_tells_its_note(name: str, note: int) -> None:
    assert note_from_name(name) == note


@pytest.mark.parametrize(
    "name",
    [
        "Bass2.wav",
        "E-piano.wav",
        "D50 pad.wav",
        "C64 lead.wav",
        "TB303.wav",
        "C3PO.wav",
        "take 4.wav",
        "Am 120.wav",
        "G10.wav",
        "A-4 lead.wav",
        "808_C.wav",
        "mp3.mp3",
        "H2.wav",
        "a" * 300 + ".wav",
        "",
    ],
)
def test_a_name_without_a_note_tells_none(name: str) -> None:
    assert note_from_name(name) is None


@given(st.text())
def test_any_name_gives_a_midi_note_or_none(name: str) -> None:
    assert note_from_name(name) in {None, *range(128)}


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        id + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for id, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def smpl(note: int) -> tuple[bytes, bytes]:
    return b"smpl", struct.pack("<9I", 0, 0, 22675, note, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (riff((b"fmt ", bytes(16)), (b"data", bytes(999)), smpl(57)), 57),
        (riff((b"data", bytes(10)), (b"inst", bytes([43, 0, 0, 0, 127, 1, 127]))), 43),
        (riff(smpl(300), (b"inst", bytes([43, 0, 0, 0, 127, 1, 127]))), 43),
        (b"FORM\0\0\0\x24AIFFINST" + struct.pack(">I", 20) + bytes([64, *19 * [0]]), 64),
        (riff((b"data", bytes(10))), None),
        (riff((b"smpl", bytes(3))), None),
        (riff(smpl(60))[:25], None),
        (b"RIFF\xff\xff\xff\xffWAVEdata\xff\xff\xff\xff" + bytes(50), None),
        (b"RIFF\0\0\0\0WAVE" + 5000 * (b"junk" + bytes(4)) + smpl(60)[0], None),
        (b"ID3 not a riff at all", None),
        (b"", None),
    ],
    ids=[
        "smpl",
        "inst",
        "out of range",
        "aiff",
        "none",
        "short",
        "cut",
        "huge",
        "many",
        "mp3",
        "empty",
    ],
)
def test_a_header_tells_its_note_or_none(tmp_path: Path, data: bytes, note: int | None) -> None:
    (tmp_path / "a.wav").write_bytes(data)
    assert note_from_chunks(tmp_path / "a.wav") == note


def test_a_missing_file_tells_no_note(tmp_path: Path) -> None:
    assert note_from_chunks(tmp_path / "a.wav") is None


@settings(max_examples=50)
@given(data=st.binary(max_size=300))
def test_any_bytes_give_a_note_or_none(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("chunks") / "a.wav"
    path.write_bytes(b"RIFF\0\0\0\0WAVE" + data)
    assert note_from_chunks(path) in {None, *range(128)}


def preset(**plain_by_id: float) -> FloatArray:
    values = np.array([parameter.default for parameter in BY_ID.values()])
    for id, value in plain_by_id.items():
        values[BY_ID[id].index] = value
    return values


@pytest.mark.parametrize(
    ("changes", "semitones"),
    [
        ({}, 0.0),
        ({"kOsc1Coarse": -12, "kOsc1Fine": 0.25}, -11.75),
        ({"kOscMix": 0, "kOsc2Coarse": 7}, 7.0),
        ({"kOscMix": 0.5, "kOsc2Coarse": 12}, 0.0),
        ({"kOscMix": 0.5, "kOsc1Coarse": 24, "kOsc2Coarse": 12}, 12.0),
        ({"kOscMix": 0.5, "kOsc2Fine": 0.4}, 0.2),
        ({"kOscMix": 0.96, "kOsc2Coarse": -12}, 0.0),
        ({"kOscMix": 0.6, "kOsc2Wave": 5}, 0.0),
        ({"kFmMode": 2, "kFmCoarse": 24}, 0.0),
        ({"kLfoAmount": 0.01}, 0.0),
    ],
)
def test_a_preset_sounds_at_its_lowest_heard_oscillator(
    changes: dict[str, float], semitones: float
) -> None:
    assert tonal_pitch(preset(**changes), 60) == pytest.approx(note_frequency(60 + semitones))


@pytest.mark.parametrize(
    "changes",
    [
        {"kOsc1Wave": 5},
        {"kOscMix": 0.4, "kOsc2Wave": 5},
        {"kFmMode": 1, "kFmCoarse": 2},
        {"kFmMode": 1, "kModEnvFm": -3},
        {"kLfoAmount": -0.01, "kLfoFrequency": 1},
    ],
)
def test_a_preset_without_a_clear_pitch_has_none(changes: dict[str, float]) -> None:
    assert tonal_pitch(preset(**changes), 60) is None
