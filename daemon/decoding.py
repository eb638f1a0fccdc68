"""Sound files are decoded in a process of their own, within limits on time and memory.

What is dropped comes from anywhere, and decoders have holes: one that crashes, hangs or eats the
memory takes this worker with it and nothing else. It is started once, so that a file finds it warm,
and anew after it was ended. A request is a line of JSON; the answer is one more, and samples after
it.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Final

import numpy as np

from antithesis.audio import Sound, write_wav
from antithesis.errors import AntithesisError, AudioError, DeviceError, MissingSound
from antithesis.segments import first_sound_of
from daemon import child
from daemon.ending import ENDING_SIGNALS
from daemon.living import Living, working

_POLL_S: Final = 0.02
_COME_UP_S: Final = 120.0
_ALONE_S: Final = 5
_DYING_S: Final = 2.0
_READY: Final = b"ready\n"
_EXPORT: Final = "export it again as WAV, AIFF or FLAC"
_SERVE: Final = "import sys; from daemon.decoding import serve; serve(*sys.argv[1:])"
# One thread is what a decoder needs; the room that others would take counts as its memory.
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Limits:
    """What decoding one file may take: seconds of a core, memory, and seconds by the clock.

    By the clock it is far longer: a machine that others have to themselves makes no file a bad one.
    """

    seconds: float = 30.0  # an hour of FLAC takes ten
    megabytes: float = 1024.0
    patience_s: float = 120.0


class Decoder(Living):
    """A worker that finds the first sound in files; it runs while this is entered.

    `reading` names the function that it calls with a path, as `module:function`.
    """

    def __init__(
        self, limits: Limits | None = None, reading: str = "antithesis.segments:first_sound_of"
    ) -> None:
        self.limits = limits or Limits()
        self._reading = reading
        self._ready = False

    def _life(self) -> Iterator[None]:
        self._start()
        try:
            yield
        finally:
            self._end()

    @property
    def pid(self) -> int:
        """The worker's process."""
        return self._worker.pid

    def read(self, path: Path, *, leave: Callable[[], bool] = lambda: False) -> Sound | None:
        """The first sound of a file; None if `leave` said so before it was found.

        Raises:
            AudioError: there is none to match, or finding it takes more than the limits.
            DeviceError: the worker does not start.
        """
        if not self._comes_up(leave):
            return None
        with _Guard(self._worker, self.limits, leave) as guard:
            answer = self._ask(path)
        if answer is not None:
            return _sound(answer, path)
        status = self._restart()
        if guard.left:
            return None
        reason = guard.reason or f"its decoder died of it (status {status}); {_EXPORT}"
        raise AudioError(f"{path}: {reason}")

    def _comes_up(self, leave: Callable[[], bool]) -> bool:
        """Wait until the worker is ready; False if `leave` said so before."""
        if self._worker.poll() is not None:  # it died while nobody asked anything
            self._restart()
        if self._ready:
            return True
        assert self._worker.stdout is not None
        with _Guard(self._worker, Limits(patience_s=_COME_UP_S), leave) as guard:
            self._ready = self._worker.stdout.readline() == _READY
        if self._ready:
            return True
        status = self._restart()
        if guard.left:
            return False
        raise DeviceError(f"the decoder does not start (status {status}): see what it printed")

    def _ask(self, path: Path) -> tuple[dict[str, Any], bytes] | None:
        """The worker's answer; None if it ended instead."""
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        try:
            self._worker.stdin.write(json.dumps(str(path)).encode() + b"\n")
            self._worker.stdin.flush()
            head = json.loads(self._worker.stdout.readline() or "null")
        except (OSError, ValueError):
            return None
        if head is None:
            return None
        size = head.get("bytes", 0)
        samples = self._worker.stdout.read(size)
        return (head, samples) if len(samples) == size else None

    def _start(self) -> None:
        self._ready = False
        try:
            self._worker: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVE, self._reading, str(self.limits.patience_s)],
                env=child.inherited() | _ONE_THREAD,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Where there is none, it would have none to send its libraries' words to.
                stderr=subprocess.DEVNULL if sys.stderr is None else None,
            )
        except OSError as error:  # no more processes, say
            raise DeviceError(
                f"the decoder does not start ({error.strerror}): end what you do not need"
            ) from error

    def _end(self) -> None:
        self._worker.kill()
        with contextlib.suppress(OSError):  # what was never flushed to it
            self._worker.__exit__(None, None, None)

    def _restart(self) -> int:
        """Have another worker; the status that the last one ended with."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # its own, where it is ending
            self._worker.wait(_DYING_S)
        self._end()
        status: int = self._worker.returncode
        self._start()
        return status


class _Guard(Living):
    """Ends a worker that takes too much time or memory, or that nobody waits for any more."""

    def __init__(
        self, worker: subprocess.Popen[bytes], limits: Limits, leave: Callable[[], bool]
    ) -> None:
        self.reason = ""
        self.left = False
        self._worker = worker
        self._limits = limits
        self._leave = leave
        self._done = threading.Event()

    def _life(self) -> Iterator[None]:
        with working(self._watch, "decoder's guard", self._done.set):
            yield

    def _watch(self) -> None:
        end = time.monotonic() + self._limits.patience_s
        spent = _worked_s(self._worker.pid) + self._limits.seconds
        while not self._done.wait(_POLL_S):
            self.left = self._leave()
            if _worked_s(self._worker.pid) > spent or time.monotonic() > end:
                self.reason = f"decoding takes over {self._limits.seconds:g} s; cut it to the sound"
            elif _megabytes(self._worker.pid) > self._limits.megabytes:
                over = f"over {self._limits.megabytes:g} MB of memory"
                self.reason = f"decoding takes {over}; {_EXPORT}"
            if self.left or self.reason:
                self._worker.kill()
                return


def _megabytes(pid: int) -> float:
    import psutil

    try:
        return float(psutil.Process(pid).memory_info().rss / 1e6)
    except psutil.Error:  # it has just ended
        return 0.0


def _worked_s(pid: int) -> float:
    """Seconds of a core that a process has taken."""
    import psutil

    try:
        return float(sum(psutil.Process(pid).cpu_times()[:2]))
    except psutil.Error:  # it has just ended
        return 0.0


def _sound(answer: tuple[dict[str, Any], bytes], path: Path) -> Sound:
    head, samples = answer
    if refused := head.get("refused"):
        raise (MissingSound if head["missing"] else AudioError)(refused)
    return Sound(np.frombuffer(samples), head["sample_rate"], str(path), head["start_s"])


# In the worker.


def serve(reading: str, patience_s: str) -> None:
    """Answer requests until there are no more."""
    read: Callable[[Path], Sound] = resolve_name(reading)
    for number in ENDING_SIGNALS:  # meant for the daemon, which ends us
        signal.signal(number, signal.SIG_IGN)
    # Whatever a decoder's library prints is no answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _warm_up()
    answers.write(_READY)
    answers.flush()
    for request in sys.stdin.buffer:
        with _ending_after(math.ceil(float(patience_s)) + _ALONE_S):
            for part in _answer(read, Path(json.loads(request))):
                answers.write(part)
            answers.flush()


@contextlib.contextmanager
def _ending_after(seconds: int) -> Iterator[None]:
    """End this process where work takes longer and the daemon that would end it was killed."""
    alarm = getattr(signal, "alarm", lambda _seconds: None)
    alarm(seconds)
    yield
    alarm(0)  # it is to be there, warm, however late the next file comes


def _warm_up() -> None:
    """Decode a sound that nobody hears, so that the first file finds the libraries loaded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tone.wav"
        write_wav(path, np.sin(np.arange(4800) / 20), 48000)
        first_sound_of(path)


def _answer(read: Callable[[Path], Sound], path: Path) -> Iterator[bytes]:
    try:
        sound = read(path)
    except AntithesisError as error:
        told = {"refused": str(error), "missing": isinstance(error, MissingSound)}
        yield json.dumps(told).encode() + b"\n"
        return
    except ValueError as error:  # a name, or samples, that a library cannot take
        reason = f"{path}: cannot be decoded ({error}); {_EXPORT}"
        yield json.dumps({"refused": reason, "missing": False}).encode() + b"\n"
        return
    samples = sound.samples.tobytes()
    head = {"bytes": len(samples), "sample_rate": sound.sample_rate, "start_s": sound.start_s}
    yield json.dumps(head).encode() + b"\n"
    yield samples
