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

from tests import jackd
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
    name = f"antithesis-{os.getpid()}"
    with jackd.serving(name, tmp_path_factory.mktemp("jack") / "jackd.txt"):
        yield name


@pytest.fixture
def jack_server(_jackd: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a running JACK server, which this test's JACK clients will find."""
    for variable, value in jackd.environment(_jackd).items():
        monkeypatch.setenv(variable, value)
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
