"""Decoding in a worker: real processes that hang, crash and eat, and what is left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from antithesis.audio import read_sound
from antithesis.errors import AudioError
from antithesis.segments import first_sound_of
from daemon.decoding import Decoder, Limits
from daemon.ending import ENDING_SIGNALS

RATE = 44100
not_utf8 = pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="names here are Unicode")


@pytest.fixture(scope="module")
def bad():
    """A worker that obeys the names of `badreaders`, within narrow limits."""
    with Decoder(Limits(seconds=60.0, megabytes=400), "tests.badreaders:read") as decoder:
        yield decoder


def tone(path, seconds=0.3, rate=RATE):
    samples = 0.5 * np.sin(2 * np.pi * 220.0 * np.arange(int(seconds * rate)) / rate)
    soundfile.write(path, samples, rate, format="WAV")
    return path


def ends(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_sound_is_the_same_as_without_a_worker(tmp_path):
    path = tone(tmp_path / "größer\n音.wav", rate=48000)
    with Decoder() as decoder:
        sound = decoder.read(path)
    here = first_sound_of(path)
    assert np.array_equal(sound.samples, here.samples)
    assert (sound.sample_rate, sound.source, sound.start_s) == (RATE, str(path), here.start_s)


def test_refusal_is_the_same_as_without_a_worker(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF, but no more")
    with Decoder() as decoder, pytest.raises(AudioError) as there:
        decoder.read(tmp_path / "a.wav")
    with pytest.raises(AudioError) as here:
        read_sound(tmp_path / "a.wav")
    assert str(there.value) == str(here.value)


def test_one_worker_serves_many_files(tmp_path, bad):
    pids = set()
    for number in range(5):
        assert bad.read(tone(tmp_path / f"{number}.wav")) is not None
        pids.add(bad.pid)
    assert len(pids) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("hang.wav", "decoding takes over 1 s; cut it"),
        ("spin.wav", "decoding takes over 1 s; cut it"),
        ("eat.wav", "decoding takes over 400 MB of memory; export it again"),
        ("crash.wav", r"its decoder died of it \(status .*; export it again"),
        ("bug.wav", "its decoder died of it"),
        ("dying.wav", r"its decoder died of it \(status 7\); export it again"),
    ],
)
def test_decoder_that_fails_is_told_and_the_next_file_is_read(
    tmp_path, monkeypatch, bad, name, reason
):
    path = tone(tmp_path / name)
    before = bad.pid
    with monkeypatch.context() as patched:
        if name in ("hang.wav", "spin.wav"):
            by_the_clock = 1.0 if name == "hang.wav" else 60.0
            patched.setattr(bad, "limits", Limits(seconds=1.0, patience_s=by_the_clock))
        with pytest.raises(AudioError, match=reason) as caught:
            bad.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert ends(before)
    assert bad.read(tone(tmp_path / "next.wav")) is not None


@not_utf8
def test_sound_whose_name_is_no_utf8_is_read(tmp_path, bad):
    path = tone(tmp_path / "a.wav").rename(tmp_path / os.fsdecode(b"\xffbad.wav"))
    assert bad.read(path).source == str(path)


@not_utf8
def test_name_that_a_decoder_cannot_take_is_refused_and_costs_no_worker(tmp_path, bad):
    path = tone(tmp_path / "a.wav").rename(tmp_path / os.fsdecode(b"\xffstrict.wav"))
    before = bad.pid
    with pytest.raises(AudioError, match=r"cannot be decoded \(.*surrogates.*\); export it again"):
        bad.read(path)
    assert bad.pid == before


def test_decoder_that_is_kept_waiting_by_others_is_given_the_time(tmp_path):
    with Decoder(Limits(seconds=2.0), "tests.badreaders:read") as decoder:
        assert decoder.read(tone(tmp_path / "starved.wav")) is not None


def test_what_a_library_prints_is_no_answer(tmp_path, bad):
    assert bad.read(tone(tmp_path / "chatter.wav")) is not None


def test_whoever_cannot_wait_leaves(tmp_path):
    tone(tmp_path / "hang.wav")
    leave = threading.Event()
    with Decoder(Limits(), "tests.badreaders:read") as decoder:
        threading.Timer(0.3, leave.set).start()
        assert decoder.read(tmp_path / "hang.wav", leave=leave.is_set) is None
        assert decoder.read(tone(tmp_path / "next.wav")) is not None


def test_worker_that_died_while_idle_is_replaced(tmp_path):
    with Decoder() as decoder:
        psutil.Process(decoder.pid).kill()
        decoder._worker.wait()
        assert decoder.read(tone(tmp_path / "a.wav")) is not None


@pytest.mark.skipif(os.name == "nt", reason="there is no sh")
def test_daemon_without_standard_error_has_its_decoder(tmp_path):
    program = "from tests.test_decoding import read_one; read_one()"
    command = [sys.executable, "-c", program, str(tone(tmp_path / "a.wav"))]
    closed = ["sh", "-c", 'exec "$@" 2>&-', "sh", *command]
    done = subprocess.run(closed, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "no standard error, and a sound\n")


def read_one():
    """Read the file that the command line names, in a process that has no standard error."""
    assert sys.stderr is None
    with Decoder() as decoder:
        assert decoder.read(Path(sys.argv[1])) is not None
    sys.stdout.write("no standard error, and a sound\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process at once")
@pytest.mark.parametrize("number", ENDING_SIGNALS)
def test_signal_that_a_terminal_sends_to_all_is_for_the_daemon(tmp_path, bad, number):
    assert bad.read(tone(tmp_path / "a.wav")) is not None
    before = bad.pid
    os.kill(before, number)
    assert bad.read(tone(tmp_path / "b.wav")) is not None
    assert bad.pid == before


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="there is no alarm that could go off")
def test_worker_that_has_answered_is_not_to_be_ended_by_its_alarm(tmp_path):
    path = tone(tmp_path / "idle.wav")
    with Decoder(Limits(patience_s=30.0), "tests.badreaders:read") as decoder:
        assert decoder.read(path) is not None
        while not path.with_suffix(".unhurried").exists():
            assert not ends(decoder.pid)


def test_worker_ends_with_whoever_started_it(tmp_path):
    with Decoder() as decoder:
        pid = decoder.pid
    assert ends(pid)


# Files that are meant to break a decoder.


def sparse(path, size, head):
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
    return path


def wav_head(rate, channels, data_bytes):
    block = 2 * channels
    form = np.array([16, 1 | channels << 16, rate, rate * block, block | 16 << 16], "<u4")
    sizes = (b"RIFF\xff\xff\xff\xffWAVEfmt ", form.tobytes(), b"data")
    return b"".join(sizes) + min(data_bytes, 2**32 - 1).to_bytes(4, "little")


def test_enormous_file_is_refused_within_the_limits(tmp_path, bad):
    hour_of_64_channels = 3500 * 768_000 * 64 * 2
    try:
        path = sparse(tmp_path / "a.wav", hour_of_64_channels, wav_head(768_000, 64, 2**32 - 1))
    except OSError:
        pytest.skip("this file system takes no file of 300 GB, even an empty one")
    with pytest.raises(AudioError, match=r"cut|silent|long"):
        bad.read(path)


def test_an_hour_of_silence_that_fits_in_a_megabyte_is_refused_within_the_limits(tmp_path, bad):
    """A decompression bomb: FLAC writes 4096 samples of silence in a dozen bytes."""
    path = tmp_path / "bomb.flac"
    with soundfile.SoundFile(path, "w", 96_000, 8, "PCM_16") as file:
        for _ in range(120):
            file.write(np.zeros((96_000, 8), np.int16))
    assert path.stat().st_size < 1e6
    with pytest.raises(AudioError, match=r"silent|decoding takes over 1 s"):
        bad.read(path)


def test_64_channels_at_768_khz_are_read_within_the_limits(tmp_path):
    path = tmp_path / "a.wav"
    second = 0.5 * np.sin(2 * np.pi * 440 * np.arange(768_000) / 768_000)
    with soundfile.SoundFile(path, "w", 768_000, 64, "PCM_16") as file:
        for block in np.split(second, 10):
            file.write(np.repeat(block[:, None], 64, axis=1))
    with Decoder(Limits(megabytes=400)) as decoder:
        assert decoder.read(path).duration_s == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("rate", [1, 7999, 768_001])
def test_rates_that_no_sound_has_are_refused(tmp_path, bad, rate):
    path = tmp_path / "a.wav"
    path.write_bytes(wav_head(rate, 1, 200_000) + os.urandom(200_000))
    with pytest.raises(AudioError, match=f"its sample rate is {rate} Hz; export it at 44100 Hz"):
        bad.read(path)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff", "a.m4a"])
def test_encrypted_looking_bytes_are_refused(tmp_path, bad, name):
    (tmp_path / name).write_bytes(np.random.default_rng(0).bytes(1 << 20))
    with pytest.raises(AudioError, match=r"export it (again|at)|silent|cut"):
        bad.read(tmp_path / name)


@pytest.mark.parametrize("inner", ["flac", "ogg", "mp3", "aiff"])
def test_wrongly_named_sound_is_read_for_what_it_is(tmp_path, bad, inner):
    samples = 0.5 * np.sin(2 * np.pi * 220.0 * np.arange(RATE // 2) / RATE)
    soundfile.write(tmp_path / f"a.{inner}", samples, RATE)
    (tmp_path / f"a.{inner}").rename(tmp_path / "a.wav")
    assert bad.read(tmp_path / "a.wav").duration_s == pytest.approx(0.5, abs=0.1)


def test_link_to_a_sound_is_read_and_one_to_nothing_or_to_itself_is_refused(tmp_path, bad):
    for name, goal in (("to.wav", "sound.wav"), ("none.wav", "gone.wav"), ("self.wav", "self.wav")):
        try:
            (tmp_path / name).symlink_to(tmp_path / goal)
        except OSError:
            pytest.skip("this system lets nobody make links")
    tone(tmp_path / "sound.wav")
    assert bad.read(tmp_path / "to.wav") is not None
    for name in ("none.wav", "self.wav"):
        with pytest.raises(AudioError, match=r"cannot be opened .*; check the file"):
            bad.read(tmp_path / name)


def test_unreadable_file_is_refused(tmp_path):
    path = tone(tmp_path / "a.wav")
    path.chmod(0)
    if os.name == "nt":
        pytest.skip("Windows keeps no file from its owner by a mode")
    root = os.geteuid() == 0
    if root:  # whom no mode keeps out
        os.seteuid(65534)
    try:
        with pytest.raises(AudioError, match=r"cannot be opened \(Permission denied\)"):
            read_sound(path)
    finally:
        if root:
            os.seteuid(0)


def test_pipe_that_nobody_writes_to_keeps_nobody_waiting(tmp_path, bad):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(AudioError, match=r"empty|not an audio file|takes over"):
        bad.read(Path(tmp_path / "a.wav"))
