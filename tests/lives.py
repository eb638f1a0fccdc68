"""Lives of a daemon: processes that begin within milliseconds, so that many can be cut short.

A process that has everything imported forks one for each life. What a life runs is the daemon
itself, with a matcher that is quick and reports without their picture.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil

PATIENCE_S = 60.0


class Life:
    """A daemon that lives until it is killed or asked to end; `said` are its lines so far."""

    def __init__(self, pid, status, log):
        self.pid = pid
        self._status = status
        self._log = log

    @property
    def said(self):
        return self._log.read_text("utf-8", "replace").splitlines()

    def wait_for(self, word, count=1):
        """Wait until it said `word` that often; the lines."""
        end = time.monotonic() + PATIENCE_S
        while len(lines := [line for line in self.said if word in line]) < count:
            last = self.said[-20:]
            assert time.monotonic() < end, f"{word!r} was said {len(lines)} times; {last}"
            time.sleep(0.005)
        return lines

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        return self.ended()

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        return self.ended()

    def ended(self):
        """Its exit status, once it has one."""
        return json.loads(self._status.readline())


class Lives:
    """Begins one life after another; runs while it is entered."""

    def __init__(self, folder):
        self._folder = folder
        self._count = 0

    def __enter__(self):
        command = [sys.executable, "-c", "from tests.lives import breed; breed()"]
        self._breeder = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_exception):
        with self._breeder:
            for left in psutil.Process(self._breeder.pid).children():  # by a test that failed
                left.kill()

    def begin(self, config, *, matches=math.inf):
        """A daemon with this configuration, that watches its folder when this comes back.

        So many matches end; one after them would last as long as the daemon lives.
        """
        self._count += 1
        log = self._folder / f"life-{self._count}.txt"
        log.touch()
        words = {"config": config.model_dump(mode="json"), "log": str(log), "matches": matches}
        self._breeder.stdin.write(json.dumps(words) + "\n")
        self._breeder.stdin.flush()
        life = Life(json.loads(self._breeder.stdout.readline()), self._breeder.stdout, log)
        life.wait_for("watching")
        return life


def breed():
    """Fork a life for each line of standard input; tell its process, and its status at its end."""
    from daemon import companion
    from daemon.config import Config, changed
    from tests.fakematch import FakeMatcher
    from tests.test_companion import write_little

    companion.Decoder = DecoderHere
    companion.write_files = write_little
    companion.Pictures = NoPictures
    companion.remarks = lambda *_arguments: ()  # they render, which a first time compiles for
    companion.DEATHS_AT_MOST = 1000  # it is not the files that these lives die of
    companion.RETRY_S = 0.2
    for line in sys.stdin:
        words = json.loads(line)
        if pid := os.fork():
            os.write(1, b"%d\n" % pid)
            os.write(1, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            continue
        log = os.open(words["log"], os.O_WRONLY | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        matcher = FakeMatcher(3.0, 2.0, ends=words["matches"])
        companion.run_companion(changed(Config(), words["config"]), matcher=matcher)
        os._exit(0)


class DecoderHere:
    """A decoder without a process of its own, which would take longer to begin than a life."""

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        pass

    def read(self, path, *, leave):
        from daemon.decoding import first_sound_of

        return first_sound_of(path)


class NoPictures:
    """Draws nothing: a picture takes a second."""

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        pass

    def draw(self, folder):
        pass


@contextmanager
def mounted(place, *words):
    """A file system mounted at `place`; it is gone on leaving, if it is there at all then."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", *words, str(place)], check=True, capture_output=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


def may_mount():
    """Whether this process may mount file systems; the reason if it may not."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "only root on Linux may mount the file system that this needs"
    probe = Path(os.path.realpath("/tmp")) / f"antithesis-mount-{os.getpid()}"
    try:
        with mounted(probe, "-t", "tmpfs", "-o", "size=64k", "tmpfs"):
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        return f"this system mounts nothing for us: {error}"
    finally:
        probe.rmdir()
