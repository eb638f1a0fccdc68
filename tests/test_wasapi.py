"""Windows' loopback, against a stand-in of PyAudioWPatch that follows its documentation."""

from __future__ import annotations

import sys
import types
from dataclasses import replace

import numpy as np
import pytest

from antithesis.errors import DeviceError
from daemon.capture import wasapi
from daemon.capture.contract import backends

SPEAKERS = {
    "index": 7,
    "name": "Speakers (Realtek) [Loopback]",
    "defaultSampleRate": 48000.0,
    "maxInputChannels": 8,
}
HEADPHONES = SPEAKERS | {"index": 9, "name": "Headphones [Loopback]"}


class Stream:
    def __init__(self, settings):
        self.settings = settings
        self.active = True

    def is_active(self):
        return self.active

    def close(self):
        self.active = False


class PyAudio:
    """What `pyaudiowpatch.PyAudio` does for a loopback; 7 is of the usual output."""

    opened = None

    def __enter__(self):
        return self

    def __exit__(self, *_trouble):
        return None

    def get_default_wasapi_loopback(self):
        return SPEAKERS

    def get_loopback_device_info_generator(self):
        yield from (HEADPHONES, SPEAKERS)

    def open(self, **settings):
        if settings["rate"] != 48000:
            raise OSError("[Errno -9997] Invalid sample rate")
        if settings["channels"] != SPEAKERS["maxInputChannels"]:
            raise OSError("[Errno -9998] Invalid number of channels")
        PyAudio.opened = Stream(settings)
        return PyAudio.opened


@pytest.fixture(autouse=True)
def library(monkeypatch):
    module = types.SimpleNamespace(PyAudio=PyAudio, paFloat32=1, paContinue=0)
    monkeypatch.setitem(sys.modules, "pyaudiowpatch", module)


@pytest.fixture
def heard():
    return []


def opened(heard, device=None):
    device = device or wasapi.devices()[1]
    return wasapi.opened(device, lambda frames, lost: heard.append((frames.copy(), lost)))


def test_loopbacks_are_listed_with_the_usual_one_marked():
    headphones, speakers = wasapi.devices()
    assert speakers.usual
    assert not headphones.usual
    assert speakers.loopback
    assert (speakers.sample_rate, speakers.channels) == (48000, 2)


def test_blocks_come_as_frames_and_overflows_as_losses(heard):
    block = np.arange(32, dtype=np.float32)  # four frames of eight channels
    with opened(heard) as loopback:
        settings = PyAudio.opened.settings
        assert (settings["input_device_index"], settings["format"]) == (7, 1)
        assert settings["stream_callback"](block.tobytes(), 4, None, 0) == (None, 0)
        settings["stream_callback"](block.tobytes(), 4, None, 2)
        assert loopback.there()
    assert np.array_equal(heard[0][0], block.reshape(4, 8)[:, :2])
    assert [lost for _, lost in heard] == [False, True]


def test_while_nothing_plays_no_block_comes_and_the_silence_is_put_in(heard, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(wasapi.time, "monotonic", lambda: now[0])
    block = np.ones(32, np.float32).tobytes()
    with opened(heard) as loopback:
        hear = PyAudio.opened.settings["stream_callback"]
        hear(block, 4, None, 0)
        now[0] += 0.5
        hear(block, 4, None, 0)
        now[0] += 3600.0
        hear(block, 4, None, 0)
        assert loopback.there()
        now[0] += 3600.0
        assert not loopback.there()  # it is seen whether the computer plays elsewhere by now
    assert [len(frames) for frames, _ in heard] == [4, 24000 - 4, 4, 48000, 4]
    assert not heard[1][0].any()


def test_loopback_that_was_named_may_be_silent_for_ever(heard, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(wasapi.time, "monotonic", lambda: now[0])
    with opened(heard, replace(wasapi.devices()[1], usual=False)) as loopback:
        now[0] += 3600.0
        assert loopback.there()


def test_device_that_was_pulled_out_is_no_longer_there(heard):
    with opened(heard) as loopback:
        PyAudio.opened.active = False
        assert not loopback.there()


def test_device_that_is_held_is_told_with_the_remedy(heard):
    device = wasapi.devices()[0]
    wrong = replace(device, sample_rate=44100)
    with pytest.raises(DeviceError, match="exclusive mode"), opened(heard, wrong):
        pass


def test_only_windows_is_asked_for_it(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert "wasapi" in list(backends())
    assert "pulse" not in list(backends())
    monkeypatch.setattr(sys, "platform", "linux")
    assert "wasapi" not in list(backends())


def test_without_its_library_the_command_to_type_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyaudiowpatch", None)
    with pytest.raises(DeviceError, match="pip install PyAudioWPatch"):
        wasapi.devices()
