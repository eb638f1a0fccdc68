"""Decoders that go wrong in ways that a damaged file can bring about, for the worker to run."""

from __future__ import annotations

import os
import signal
import threading
import time

from daemon.decoding import first_sound_of


def read(path):
    """The first sound of a file, unless its name asks for a fault."""
    while "hang" in path.name or "spin" in path.name:
        time.sleep(0.01 if "hang" in path.name else 0.0)
    time.sleep(3.0 if "starved" in path.name else 0.0)
    if "eat" in path.name:
        eaten = []
        while True:
            eaten.append(b"\1" * 10_000_000)
            time.sleep(0.001)
    if "chatter" in path.name:
        os.write(1, b"decoder: warning: odd chunk\n")
    if "bug" in path.name:
        raise ZeroDivisionError("a bug")
    if "strict" in path.name:
        path.name.encode()
    _end(path)
    if "idle" in path.name:
        threading.Thread(target=_tell_when_nothing_ends_us, args=[path], daemon=True).start()
    return first_sound_of(path)


def _end(path):
    """End this process where a name asks for it."""
    if "crash" in path.name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "dying" in path.name:
        os.closerange(3, 256)  # whoever waits for the answer sees its end before ours
        time.sleep(0.2)
        os._exit(7)


def _tell_when_nothing_ends_us(path):
    """Write a file beside this one once no alarm is set."""
    while signal.getitimer(signal.ITIMER_REAL)[0]:
        time.sleep(0.01)
    path.with_suffix(".unhurried").touch()
