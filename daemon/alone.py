"""One daemon at a time for what it remembers: a lock that ends with the process that holds it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from antithesis.errors import ConfigError

NAME: Final = "daemon.lock"
_PID_BYTES: Final = 20
# Windows keeps others from reading what is locked, so the lock lies behind the process's number.
_LOCKED_BYTE: Final = 1000


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`, which is made if it is not there.

    Raises:
        ConfigError: another process holds it, or the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(
            f"cannot write into {folder} ({error.strerror}): set state.folder to another folder"
        ) from error
    try:
        if not _locked(descriptor):
            raise ConfigError(
                f"Antithesis runs already (process {_read(descriptor)}) with {folder}: end that"
                " one, or give this one another state.folder"
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def runs(folder: Path) -> int | None:
    """The process that holds the lock of `folder`; None if there is none."""
    with suppress(FileNotFoundError):
        descriptor = os.open(folder / NAME, os.O_RDWR)
        try:
            return None if _locked(descriptor) else int(_read(descriptor) or 0)
        finally:
            os.close(descriptor)
    return None


def _read(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _PID_BYTES).decode("ascii", "replace")


if sys.platform == "win32":
    import msvcrt

    def _locked(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _locked(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
