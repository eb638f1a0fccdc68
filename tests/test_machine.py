"""The machine is shared: others are seen to need it, and we step back behind them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import namedtuple
from contextlib import contextmanager
from types import SimpleNamespace

import psutil
import pytest

from daemon import machine
from daemon.machine import Machine

STEP_BACK = """
import os, threading
from daemon.machine import step_back
step_back()
told = []
thread = threading.Thread(target=lambda: told.append(os.getpriority(os.PRIO_PROCESS, 0)))
thread.start(); thread.join()
print(os.getpriority(os.PRIO_PROCESS, 0), told[0], flush=True)
os.execvp("nice", ["nice"])
"""


@contextmanager
def burning():
    """Processes that keep every core busy."""
    command = [sys.executable, "-c", "while True: pass"]
    burners = [subprocess.Popen(command) for _ in range(os.cpu_count())]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def busy_within(measured, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if measured.busy():
            return True
        time.sleep(0.05)
    return False


def test_others_that_take_every_core_are_seen():
    if hasattr(os, "nice") and os.nice(0) > 0:
        pytest.skip("started at a low priority, like those who are not in the way")
    with burning():
        before = sum(psutil.cpu_times())
        time.sleep(0.2)
        if sum(psutil.cpu_times()) == before:
            pytest.skip("this system does not count what its cores do")
        # Not 50: a group of polite ones takes half of the cores from them, at times.
        assert busy_within(Machine(20), 20)


@pytest.fixture
def told(monkeypatch):
    """What the system says of a second of four cores, by what they did, and of ours."""
    Cores = namedtuple("Cores", "user nice system idle iowait steal guest guest_nice")
    Ours = namedtuple("Ours", "user system")

    def tell(ours=(0.0, 0.0), our_nice=0, **seconds):
        now = [0.0]
        before = dict.fromkeys(Cores._fields, 0.0)
        monkeypatch.setattr(machine.time, "monotonic", lambda: now[0])
        monkeypatch.setattr(machine.psutil, "cpu_times", lambda: Cores(**before))
        process = SimpleNamespace(cpu_times=lambda: Ours(0.0, 0.0), nice=lambda: our_nice)
        monkeypatch.setattr(machine.psutil, "Process", lambda: process)
        measured = Machine(50)
        now[0] = 1.0
        before.update(seconds)
        process.cpu_times = lambda: Ours(*ours)
        return measured.busy()

    return tell


def test_half_of_all_cores_is_the_limit(told):
    assert told(user=2.1, idle=1.9)
    assert told(user=1.0, system=1.1, idle=1.9)
    assert not told(user=1.9, idle=2.1)


def test_those_that_step_back_as_we_do_do_not_count(told):
    assert not told(nice=3.0, user=0.5, idle=0.5)


def test_waiting_for_a_disk_is_not_being_busy(told):
    assert not told(iowait=3.0, user=0.5, idle=0.5)


def test_time_that_other_virtual_machines_took_is_not_idle(told):
    assert told(steal=2.5, user=0.5, idle=1.0)
    assert not told(steal=1.0, user=0.5, idle=2.5)


def test_system_that_counts_nothing_is_not_busy(told):
    assert not told()


def test_guests_of_a_virtual_machine_count_once(told):
    assert not told(user=1.5, guest=1.5, idle=2.5)


def test_what_we_take_ourselves_does_not_count(told):
    assert not told(ours=(1.5, 0.5), user=2.0, system=1.0, idle=1.0)
    assert not told(ours=(1.5, 0.5), our_nice=10, nice=1.5, user=1.5, system=0.5, idle=0.5)
    assert told(ours=(1.5, 0.5), our_nice=10, nice=1.5, user=2.2, system=0.5, idle=0.0)


def test_it_is_measured_over_a_second(told, monkeypatch):
    monkeypatch.setattr(machine, "_MEASURED_S", 2.0)
    assert not told(user=4.0)


def test_100_percent_is_never():
    with burning():
        assert not busy_within(Machine(100), 1)


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="this system has other priorities")
def test_stepping_back_holds_for_threads_and_processes_that_come_later():
    told = subprocess.run(
        [sys.executable, "-c", STEP_BACK], capture_output=True, text=True, check=True
    )
    ours, thread, child = map(int, told.stdout.split())
    assert ours == thread == child == 10
