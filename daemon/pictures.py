"""Pictures of matches, drawn by a process of their own while the daemon goes on.

Matplotlib takes a second to import, a second for a picture and 50 MB to keep: none of these is to
stand between a dropped file and its preset.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from daemon import child
from daemon.living import Living

_PROGRAM: Final = """
import os, sys
from pathlib import Path
if hasattr(os, "nice"):
    os.nice(10)
if os.path.exists("/proc/self/autogroup"):  # where niceness is among those of a session alone
    with open("/proc/self/autogroup", "w") as group:
        group.write("10")
from antithesis.report import draw_match
for folder in sys.stdin.buffer.read().split(b"\\0"):
    draw_match(Path(os.fsdecode(folder)))
"""

_log: Final = logging.getLogger(__name__)


class Pictures(Living):
    """Draws one picture after the other; works while it is entered.

    On leaving, whatever is not drawn yet is left to a process that outlives this one: nobody waits.
    """

    def __init__(self) -> None:
        self._folders: SimpleQueue[Path | None] = SimpleQueue()

    def _life(self) -> Iterator[None]:
        threading.Thread(target=self._work, name="pictures", daemon=True).start()
        try:
            yield
        finally:
            self._leave()

    def draw(self, folder: Path) -> None:
        """Have `match.png` drawn into the folder of a match; comes back at once."""
        self._folders.put(folder)

    def _leave(self) -> None:
        left = []
        try:
            while folder := self._folders.get_nowait():
                left.append(folder)
        except Empty:
            self._folders.put(None)
        if left:
            try:
                threading.Thread(target=_drawing(*left).wait, daemon=True).start()
            except OSError as error:
                _log.warning("%d pictures could not be drawn (%s)", len(left), error.strerror)

    def _work(self) -> None:
        while folder := self._folders.get():
            try:
                if _drawing(folder).wait():
                    _log.warning("%s: its picture could not be drawn", folder)
            except OSError as error:  # no more processes, say; there may be by the next one
                _log.warning("%s: its picture could not be drawn (%s)", folder, error.strerror)


def _drawing(*folders: Path) -> subprocess.Popen[bytes]:
    """A process that draws into `folders`; OSError where it does not start.

    It reads them from a file: a command line takes only so many, and a pipe keeps us waiting.
    """
    with tempfile.TemporaryFile() as listed:
        listed.write(b"\0".join(map(os.fsencode, folders)))
        listed.seek(0)
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            env=child.inherited(),
            stdin=listed,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # else who reads ours to its end would wait for the picture
            start_new_session=True,  # Ctrl-C in the terminal is for the daemon
        )
