"""The command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from antithesis.errors import DeviceError

# The working folder is not looked into (-P), whatever lies there.
COMMAND: Final = (sys.executable, "-P", "-m", "daemon")
# Where this package comes from.
_HOME: Final = str(Path(__file__).parent.parent)
_END_S: Final = 5.0


@contextmanager
def running(
    *words: str, environment: Mapping[str, str] | None = None, stderr: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run the command line with `words`; what it prints comes on its `stdout`.

    Its standard error is ours, unless `stderr` says otherwise; its standard input is a pipe that
    ends with us. It is asked to end on leaving, and ended if it does not.
    """
    child = subprocess.Popen(
        [*COMMAND, *words],
        env=inherited() | dict(environment or {}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        errors="replace",
    )
    with child:
        try:
            yield child
        finally:
            _end(child)


def inherited() -> dict[str, str]:
    """The environment in which a child finds this package."""
    path = os.pathsep.join(filter(None, (_HOME, os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path}


def hear(child: subprocess.Popen[str], *words: str) -> str:
    """The next line that holds one of `words`.

    Raises:
        DeviceError: the child ended before it said so; the message has its last line.
    """
    assert child.stdout is not None
    line = ""
    for line in child.stdout:
        if any(word in line for word in words):
            return line.rstrip("\n")
    raise DeviceError(f"a part of Antithesis ended early: {line.strip() or 'no word'}")


def _end(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.communicate(timeout=_END_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
