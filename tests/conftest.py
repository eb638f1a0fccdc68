"""What all tests share."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.xserver import XServer, XServerError

if TYPE_CHECKING:
    from daemon.synthserver import BuiltInSynth

# A busy machine is slow at times: tests are about behaviour, never about the clock.
settings.register_profile(
    "antithesis", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("antithesis")


@pytest.fixture(scope="session")
def _jackd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JACK server with the dummy driver, under a name of its own."""
    for program in ("jackd", "jack_wait"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing: apt-get install jackd2")
    name = f"antithesis-{os.getpid()}"
    environment = os.environ | {
        "JACK_NO_AUDIO_RESERVATION": "1",
        "JACK_DEFAULT_SERVER": name,
        "JACK_NO_START_SERVER": "1",
    }
    said = tmp_path_factory.mktemp("jack") / "jackd.txt"
    # A long period: a server that a busy machine starves drops what comes too late.
    command = [
        "jackd",
        "--no-realtime",
        "-n",
        name,
        "-t",
        "5000",
        "-d",
        "dummy",
        "-r",
        "44100",
        "-p",
        "1024",
    ]
    with said.open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        waiting = ["jack_wait", "-w", "-t", "10"]
        waited = subprocess.run(waiting, env=environment, capture_output=True, check=False)
        if waited.returncode != 0 or server.poll() is not None:
            pytest.skip(f"jackd does not start here: {said.read_text()[-300:]}")
        yield name
    finally:
        server.terminate()  # killed, it would keep one of the system's eight places
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture
def jack_server(_jackd: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a running JACK server, which this test's JACK clients will find."""
    monkeypatch.setenv("JACK_DEFAULT_SERVER", _jackd)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    # After a client that went without a word, the server turns the next one away: this one.
    subprocess.run(["jack_wait", "-w", "-t", "10"], capture_output=True, check=False)
    return _jackd


@pytest.fixture
def built_in_synth(tmp_path: Path) -> Iterator[BuiltInSynth]:
    """A built-in synth on a free port, without drift, playing into `synth.wav` of `tmp_path`."""
    from daemon.synthserver import BuiltInSynth  # not for the tests that play nothing

    with BuiltInSynth(osc_port=0, wav=tmp_path / "synth.wav", drift=False) as synth:
        yield synth


@pytest.fixture(scope="session")
def x_server() -> Iterator[XServer]:
    """What reaches an X display without a screen."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is missing: apt-get install xvfb")
    for module, package in (("_tkinter", "python3-tk"), ("Xlib", "pyautogui")):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"this Python has no {module}: install {package}")
    with ExitStack() as opening:
        try:
            server = opening.enter_context(XServer())
        except XServerError as error:
            pytest.skip(str(error))
        yield server


@pytest.fixture
def x_display(x_server: XServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of an X display that this test's programs and its pyautogui will find."""
    if why := x_server.revived():
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn(why, stacklevel=1)
    for name, value in x_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return x_server.display
