"""The daemon's kernels are compiled by a process of its own, once."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from daemon import matchers

PATIENCE_S = 60.0


@pytest.fixture
def stamp(tmp_path, monkeypatch):
    """Where it is remembered for which machine kernels were compiled."""
    monkeypatch.setattr("antithesis.jit.kept_in", lambda _kernel: tmp_path)
    return tmp_path / matchers.STAMP


@pytest.fixture
def compilers(monkeypatch):
    """Counts processes that compile; each ends with the status that is set."""
    begun = []

    class Compiler(subprocess.Popen):
        status = 0

        def __init__(self, _command, **how):
            begun.append(self)
            super().__init__([sys.executable, "-c", f"raise SystemExit({self.status})"], **how)

    monkeypatch.setattr(matchers.subprocess, "Popen", Compiler)
    Compiler.begun = begun
    return Compiler


def test_kernels_are_compiled_once_for_a_machine(stamp, compilers):
    for _ in range(3):
        matchers._have_kernels()
    assert len(compilers.begun) == 1
    assert stamp.exists()


def test_other_sources_or_another_processor_have_them_compiled_again(stamp, compilers, monkeypatch):
    matchers._have_kernels()
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_name", lambda: "another")
    matchers._have_kernels()
    assert len(compilers.begun) == 2


def test_compiler_that_dies_is_not_remembered_as_done(stamp, compilers):
    compilers.status = 1
    matchers._have_kernels()
    assert not stamp.exists()
    compilers.status = 0
    matchers._have_kernels()
    assert len(compilers.begun) == 2
    assert stamp.exists()


def test_compiler_ends_with_a_daemon_that_is_killed():
    endless = matchers._PROGRAM.replace("compile_kernels()", "threading.Event().wait()")
    program = (
        "import antithesis.jit, pathlib; from daemon import matchers\n"
        "antithesis.jit.kept_in = lambda _: pathlib.Path('/nowhere')\n"
        f"matchers._PROGRAM = {endless!r}\n"
        "matchers._have_kernels()"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as daemon:
        try:
            while not (compilers := psutil.Process(daemon.pid).children()):
                assert daemon.poll() is None
        finally:
            daemon.kill()
    assert psutil.wait_procs(compilers, PATIENCE_S)[1] == []


def test_every_kernel_that_a_search_needs_is_among_those_compiled():
    said = subprocess.run(
        [sys.executable, "-c", SEARCHES], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["[]"]


# A search of a sound unlike the one that is compiled with, and what it needed in addition.
SEARCHES = """
import gc
import numpy as np
from numba.core.dispatcher import Dispatcher
from antithesis.audio import Sound
from daemon import matchers
def forms():
    found = (each for each in gc.get_objects() if isinstance(each, Dispatcher))
    return {(each.py_func.__qualname__, form) for each in found for form in each.signatures}
matchers.compile_kernels()
before = forms()
noise = np.random.default_rng(0).normal(size=30_000) * np.exp(-np.arange(30_000) / 5_000)
search = matchers._matcher(matchers.say_all)
for _ in search(Sound(noise, 44100, "a"), budget_s=1.0, locked={}, stop=lambda: False): pass
print([name for name, _ in forms() - before])
"""
