"""Always listening: devices that come and go and change, and what is known of them meanwhile."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from antithesis.audio import write_wav
from antithesis.errors import DeviceError
from daemon.capture import contract, jackserver, listener, portaudio
from daemon.capture.contract import Device, choose, is_meant
from daemon.capture.listener import Listener, Take
from daemon.jackclients import load_library
from tests import jackd
from tests.fakeear import RATE, FakeDevices
from tests.jackplayer import Program

PATIENCE_S = 30


@pytest.fixture
def devices(monkeypatch):
    return FakeDevices(monkeypatch)


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.005)


def noise(seconds, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * RATE)).astype(np.float32)


def test_what_is_played_is_in_the_ring_sample_by_sample(devices):
    devices.plug()
    sound = noise(1.0)
    with Listener(seconds=3.0) as ear:
        devices.play(sound, block=333)
        _, frames = ear.take.ring.read(0, len(sound))
    assert np.array_equal(frames, np.repeat(sound[:, None], 2, axis=1))


def test_level_silence_and_dropped_blocks_are_known(devices):
    devices.plug()
    with Listener(seconds=3.0) as ear:
        devices.play(0.5 * np.ones(1000))
        until(lambda: ear.condition.level_dbfs == pytest.approx(-6.02, abs=0.01))
        devices.play(np.zeros(1000), lost=True)
        until(lambda: ear.condition.silent_s > 0.05)
        assert ear.condition.level_dbfs == -math.inf
        assert ear.condition.dropped == 1
        assert list(ear.take.gaps) == [1000]


def test_device_that_is_unplugged_is_heard_again_when_it_is_back(devices, caplog):
    devices.plug()
    with caplog.at_level(logging.INFO), Listener(seconds=3.0) as ear:
        devices.play(noise(0.5))
        devices.unplug()
        devices.wait(open_=False)
        until(lambda: "nothing here hears" in ear.condition.trouble)
        devices.plug()
        devices.play(noise(0.5, seed=1))
        until(lambda: not ear.condition.trouble)
        _, frames = ear.take.ring.read(0, RATE)
        assert np.array_equal(frames[:, 0], np.concatenate([noise(0.5), noise(0.5, seed=1)]))
        assert list(ear.take.gaps) == [RATE // 2]
    assert sum("listening to everything" in message for message in caplog.messages) == 2
    assert sum("nothing here hears" in message for message in caplog.messages) == 1  # said once


def test_device_that_comes_back_at_another_rate_begins_another_take(devices):
    devices.plug()
    with Listener(seconds=3.0) as ear:
        devices.play(noise(0.1))
        before = ear.take
        devices.plug(rate=48000, channels=1)
        until(lambda: ear.take is not before)
        devices.play(noise(0.1))
        until(lambda: ear.condition.level_dbfs > -10)
        assert ear.take.device.sample_rate == 48000
        assert ear.take.ring.read(0, 100)[1].shape == (100, 1)


def test_listening_ends_at_once_also_while_there_is_nothing_to_listen_to(devices):
    with Listener() as ear:
        until(lambda: ear.condition.trouble)
    assert ear.take is None


def test_a_bug_is_told_in_full_once_and_the_device_is_heard_again(devices, monkeypatch, caplog):
    tries = []

    @contextmanager
    def failing(device, hear):
        tries.append(device)
        if len(tries) <= 3:
            raise RuntimeError("nobody has thought of this")
        with devices._open(device, hear) as opened:
            yield opened

    monkeypatch.setattr(listener, "open_device", failing)
    devices.plug()
    with caplog.at_level(logging.INFO), Listener(seconds=3.0) as ear:
        devices.play(noise(0.1))
        until(lambda: ear.condition.device)
    assert len(tries) == 4
    (told,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "not listening: internal error: RuntimeError('nobody has thought" in told.getMessage()
    assert told.exc_info[0] is RuntimeError


def test_a_bug_is_the_condition_while_it_lasts(devices, monkeypatch):
    monkeypatch.setattr(listener, "open_device", lambda _device, _hear: 1 / 0)
    devices.plug()
    with Listener(seconds=3.0) as ear:
        until(lambda: "internal error: ZeroDivisionError" in ear.condition.trouble)


@pytest.mark.parametrize("step", ["activate", "set_port_connect_callback"])
def test_jack_that_refuses_amid_opening_is_a_device_that_cannot_be_had(
    jack_server, monkeypatch, step
):
    jack = load_library()

    def refuse(*_arguments):
        raise jack.JackError("its server has gone")

    (everything, *_) = jackserver.devices()
    with monkeypatch.context() as going:
        going.setattr(jack.Client, step, refuse)
        with (
            pytest.raises(DeviceError, match="JACK refuses: its server has gone"),
            jackserver.opened(everything, lambda *_: None),
        ):
            pass
    with jackserver.opened(everything, lambda *_: None) as opened:
        assert opened.there()


def test_jack_that_refuses_to_list_its_ports_is_a_trouble_of_it_alone(jack_server, monkeypatch):
    jack = load_library()

    def refuse(*_arguments, **_settings):
        raise jack.JackError("one went meanwhile")

    monkeypatch.setattr(jack.Client, "get_ports", refuse)
    found, troubles = contract.sources("jack")
    assert not found
    assert "JACK refuses: one went meanwhile" in troubles[0]


@pytest.mark.parametrize("step", ["_terminate", "_initialize"])
def test_portaudio_that_cannot_begin_anew_is_a_trouble_until_it_can(tmp_path, monkeypatch, step):
    sounddevice = pytest.importorskip("sounddevice")

    def refuse():
        raise sounddevice.PortAudioError("Internal PortAudio error", -9986)

    monkeypatch.setattr(portaudio, "_ALSA", tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(sounddevice, step, refuse)
        for _ in range(2):
            found, troubles = contract.sources("portaudio")
            assert not found
            assert "PortAudio does not begin (Internal PortAudio error" in troubles[0]
    assert contract.sources("portaudio")[1] == []


def test_time_and_position_are_two_names_of_one_moment():
    take = Take(Device("a", "fake", RATE, 1), 3.0)
    take.hear(np.zeros((RATE, 1), np.float32), False)
    now = time.monotonic()
    assert take.position(now + 5) == RATE
    assert take.position(take.time(RATE // 2)) == RATE // 2
    assert take.time(0) == pytest.approx(now - 1.0, abs=0.05)


def test_what_was_heard_before_a_pause_keeps_its_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(listener.time, "monotonic", lambda: now[0])
    take = Take(Device("a", "fake", RATE, 1), 30.0)
    for began in (101.0, 112.0):  # a second each; between them the device was away
        for block in range(10):
            now[0] = began + 0.1 * (block + 1)
            take.hear(np.zeros((RATE // 10, 1), np.float32), False)
    for at, position in ((101.5, 0.5), (102.0, 1.0), (107.0, 1.0), (112.25, 1.25), (120.0, 2.0)):
        assert take.position(at) == round(position * RATE)
    assert take.time(RATE // 2) == pytest.approx(101.5)
    assert take.time(RATE) == pytest.approx(112.0)
    assert take.time(round(1.25 * RATE)) == pytest.approx(112.25)


def test_jack_server_that_comes_back_at_another_rate_is_heard_again(tmp_path, monkeypatch):
    name = f"antithesis-back-{os.getpid()}"
    for word, value in jackd.environment(name).items():
        monkeypatch.setenv(word, value)
    with Listener(backend="jack") as ear:
        for rate in (44100, 48000):
            with jackd.serving(name, tmp_path / "jackd.txt", rate):
                until(lambda rate=rate: ear.take and ear.take.device.sample_rate == rate)
                until(lambda: not ear.condition.trouble)
                write_wav(tmp_path / "noise.wav", noise(1.0), rate)
                with Program("sound", "player") as player:
                    player.say(str(tmp_path / "noise.wav"))
                    until(lambda: ear.condition.silent_s == 0.0 and ear.condition.level_dbfs > -10)
            until(lambda: "no JACK server answers" in ear.condition.trouble)


LOOPBACK = Device("Speakers [Loopback]", "wasapi", 48000, 2, loopback=True)
USUAL = Device("Headphones [Loopback]", "wasapi", 48000, 2, loopback=True, usual=True)
MICROPHONE = Device("Microphone", "portaudio", 44100, 1, usual=True)


def test_without_a_wish_it_is_what_the_computer_plays_by_its_usual_device():
    assert choose("", [MICROPHONE, LOOPBACK, USUAL]) == USUAL
    assert choose("", [MICROPHONE, LOOPBACK]) == LOOPBACK


def test_a_microphone_is_never_listened_to_unasked():
    assert choose("", [MICROPHONE]) is None
    assert choose("micro", [USUAL, MICROPHONE]) == MICROPHONE


def test_a_device_is_found_by_a_part_of_its_name():
    assert choose("phones [", [USUAL, LOOPBACK]) == USUAL
    assert choose("nothing", [USUAL, LOOPBACK]) is None


def test_a_wish_that_is_not_there_is_told_with_what_there_is(devices):
    devices.plug("Speakers")
    with Listener("Fireface") as ear:
        until(lambda: ear.condition.trouble)
        assert ear.condition.trouble == (
            "capture.device 'Fireface' is not there; there is: 'Speakers'"
        )


def test_back_ends_are_asked_until_one_has_what_is_meant(monkeypatch):
    def here(name):
        assert name != "portaudio", "asked for what a server before it has"
        return SimpleNamespace(devices=lambda: [MICROPHONE, USUAL])

    monkeypatch.setattr(contract, "backend", here)
    for wanted in ("", "Microphone"):
        found, troubles = contract.sources("", partial(is_meant, wanted))
        assert choose(wanted, found) in (USUAL, MICROPHONE)
        assert not troubles
