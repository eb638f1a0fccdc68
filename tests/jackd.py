"""JACK servers with the dummy driver, each under a name of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def environment(name: str) -> dict[str, str]:
    """What lets clients find a server of this name, and no other."""
    return {
        "JACK_NO_AUDIO_RESERVATION": "1",
        "JACK_DEFAULT_SERVER": name,
        "JACK_NO_START_SERVER": "1",
    }


@contextmanager
def serving(name: str, log: Path, rate: int = 44100) -> Iterator[None]:
    """A server that runs; the test is skipped where there is none."""
    for program in ("jackd", "jack_wait"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing: apt-get install jackd2")
    # A long period: a server that a busy machine starves drops what comes too late.
    command = ["jackd", "--no-realtime", "-n", name, "-t", "5000"]
    command += ["-d", "dummy", "-r", str(rate), "-p", "1024"]
    around = os.environ | environment(name)
    with log.open("ab") as said:
        server = subprocess.Popen(command, env=around, stdout=said, stderr=said)
    try:
        waiting = ["jack_wait", "-w", "-t", "10"]
        waited = subprocess.run(waiting, env=around, capture_output=True, check=False)
        if waited.returncode != 0 or server.poll() is not None:
            pytest.skip(f"jackd does not start here: {log.read_text()[-300:]}")
        yield
    finally:
        server.terminate()  # killed, it would keep one of the system's eight places
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
