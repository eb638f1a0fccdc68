"""Where the built-in synth's sound goes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from antithesis.errors import DeviceError
from daemon import outputs
from daemon.outputs import DeviceOutput, WavOutput, choose_output, wav_header

RATE = 44100
NOISE = np.random.default_rng(1).uniform(-1.5, 1.5, 4 * 128)


def test_what_is_written_is_read_back_and_not_clipped(tmp_path: Path) -> None:
    with WavOutput(tmp_path / "a.wav", 48000) as output:
        for block in NOISE.reshape(4, 128):
            output.write(block)

    samples, rate = soundfile.read(tmp_path / "a.wav")
    assert rate == 48000
    assert np.array_equal(samples, NOISE.astype(np.float32))


def test_the_header_counts_every_byte() -> None:
    data = NOISE.astype("<f4").tobytes()

    file = soundfile.SoundFile(io.BytesIO(wav_header(len(data), RATE) + data))

    assert (file.frames, file.channels, file.subtype) == (len(NOISE), 1, "FLOAT")
    assert (file.samplerate, file.format) == (RATE, "WAV")


def test_an_unfinished_file_is_readable(tmp_path: Path) -> None:
    with WavOutput(tmp_path / "a.wav", 8000) as output:
        for _ in range(70):
            output.write(np.full(128, 0.5))
        samples, _ = soundfile.read(tmp_path / "a.wav")

    assert len(samples) >= 8000
    assert set(samples) == {0.5}


def test_a_file_without_samples_is_a_file(tmp_path: Path) -> None:
    with WavOutput(tmp_path / "a.wav", RATE):
        pass

    assert soundfile.info(tmp_path / "a.wav").frames == 0


def test_a_file_that_is_full_ends_and_the_clock_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "_MAX_DATA_BYTES", 3 * 128 * 4)
    with WavOutput(tmp_path / "a.wav", RATE) as output:
        for block in NOISE.reshape(4, 128):
            output.write(block)

    assert soundfile.info(tmp_path / "a.wav").frames == 3 * 128


def test_a_full_disk_is_an_error_that_names_the_file() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(DeviceError, match="cannot write /dev/full"), WavOutput(full, RATE):
        pass


def test_a_file_is_chosen_when_it_is_given(tmp_path: Path) -> None:
    assert str(choose_output(tmp_path / "a.wav", "anything", RATE)) == str(tmp_path / "a.wav")


def test_a_device_is_chosen_when_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "output_devices", lambda: ["loudspeaker"])

    assert isinstance(choose_output(None, None, RATE), DeviceOutput)


def test_a_new_file_is_chosen_where_there_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "output_devices", list)

    chosen = choose_output(None, None, RATE)

    assert isinstance(chosen, WavOutput)
    assert chosen.path.name.startswith("antithesis-synth-")
    assert not chosen.path.exists()


def test_an_unknown_device_is_an_error_with_a_remedy() -> None:
    output = DeviceOutput("no such loudspeaker", RATE)

    with pytest.raises(DeviceError, match=r"cannot play on no such loudspeaker.*outputs: "), output:
        pass
