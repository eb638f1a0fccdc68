"""A JACK server without a sound card, and a client that plays into its outputs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

RATE, PERIOD = 44100, 1024

Samples = npt.NDArray[np.float32]


class NoServer(Exception):
    """There is no JACK here, or it does not start."""


@contextmanager
def server(*, realtime: bool = False) -> Iterator[str]:
    """A server under a name of its own, which clients of this process and its children find.

    Where it is `realtime`, its threads and its clients' go before all others, as musicians have it.
    """
    if shutil.which("jackd") is None:
        raise NoServer("no jackd: apt-get install jackd2")
    name = f"antithesis-bench-{os.getpid()}"
    os.environ |= {
        "JACK_DEFAULT_SERVER": name,
        "JACK_NO_START_SERVER": "1",
        "JACK_NO_AUDIO_RESERVATION": "1",
    }
    priority = "--realtime" if realtime else "--no-realtime"
    command = ["jackd", priority, "-n", name, "-t", "5000", "-d", "dummy"]
    command += ["-r", str(RATE), "-p", str(PERIOD)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            waited = subprocess.run(
                ["jack_wait", "-w", "-t", "10"], capture_output=True, check=False
            )
            if waited.returncode or process.poll() is not None:
                raise NoServer("jackd does not start here")
            yield name
        finally:
            process.terminate()


class Player:
    """A client that plays what it is given into the outputs."""

    def __init__(self, name: str) -> None:
        import jack

        self._client = jack.Client(name, no_start_server=True)
        self._port = self._client.outports.register("out")
        self._sound: Samples = np.zeros(0, np.float32)
        self._at = 0
        self._client.set_process_callback(self._process)

    def __enter__(self) -> Player:
        self._client.activate()
        for output in self._client.get_ports(is_audio=True, is_input=True, is_physical=True):
            self._client.connect(self._port, output)
        return self

    def __exit__(self, *_trouble: object) -> None:
        self._client.deactivate()
        self._client.close()

    def play(self, sound: Samples) -> None:
        """Play from the next period on."""
        self._sound, self._at = sound, 0

    def _process(self, count: int) -> None:
        block = np.zeros(count, np.float32)
        part = self._sound[self._at : self._at + count]
        block[: len(part)] = part
        self._at += count
        self._port.get_array()[:] = block
