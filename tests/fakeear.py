"""A device that a test plays into, in place of JACK, PortAudio or Windows."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np

from antithesis.errors import DeviceError
from daemon.capture import listener
from daemon.capture.contract import Device, OpenDevice

RATE = 44100


class FakeDevices:
    """What can be listened to: `plug` or `unplug` a device, and `play` into it."""

    def __init__(self, monkeypatch):
        self.there = {}
        self.opened = threading.Condition()
        self._hear = None
        self._device = None
        monkeypatch.setattr(
            listener, "sources", lambda _only, _enough: (list(self.there.values()), [])
        )
        monkeypatch.setattr(listener, "open_device", self._open)
        monkeypatch.setattr(listener, "RETRY_S", (0.01,))
        monkeypatch.setattr(listener, "TEND_S", 0.01)

    def plug(self, name="everything that plays", *, rate=RATE, channels=2, loopback=True):
        self.there[name] = Device(name, "fake", rate, channels, loopback, usual=True)

    def unplug(self, name="everything that plays"):
        del self.there[name]

    @contextmanager
    def _open(self, device, hear):
        if device.name not in self.there:
            raise DeviceError(f"{device.name} is gone")
        with self.opened:
            self._hear, self._device = hear, device
            self.opened.notify_all()
        try:
            yield _Opened(self, device)
        finally:
            with self.opened:
                self._hear = self._device = None
                self.opened.notify_all()

    def wait(self, *, open_=True):
        with self.opened:
            assert self.opened.wait_for(lambda: (self._hear is not None) == open_, 30)

    def play(self, samples, *, block=1024, lost=False):
        """Bring mono samples (n,), on all channels, block by block."""
        self.wait()
        for start in range(0, len(samples), block):
            mono = np.asarray(samples[start : start + block], np.float32)
            frames = np.repeat(mono[:, None], self._device.channels, axis=1)
            self._hear(frames, lost)
            lost = False


class _Opened(OpenDevice):
    def __init__(self, devices, device):
        self._devices = devices
        self._device = device

    def there(self):
        return self._devices.there.get(self._device.name) == self._device
