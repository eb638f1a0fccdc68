"""What all tests share."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

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
def _xvfb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What reaches an X display without a screen."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is missing: apt-get install xvfb")
    for module, package in (("_tkinter", "python3-tk"), ("Xlib", "pyautogui")):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"this Python has no {module}: install {package}")
    authority = tmp_path_factory.mktemp("x") / "authority"
    authority.touch()
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1440x800x24"]
    server = subprocess.Popen(
        [*command, "-nolisten", "tcp"], pass_fds=[writing], stderr=subprocess.DEVNULL
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        if not number:
            pytest.skip("Xvfb does not start here")
        where = {"DISPLAY": f":{number}", "XAUTHORITY": str(authority)}
        yield where | {"XDG_SESSION_TYPE": "x11"}
        if "pyautogui" in sys.modules:  # it keeps its connections for as long as it is imported
            sys.modules["pyautogui._pyautogui_x11"]._display.close()
            sys.modules["mouseinfo"]._display.close()
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def x_display(_xvfb: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of an X display that this test's programs and its pyautogui will find."""
    for name, value in _xvfb.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return _xvfb["DISPLAY"]
