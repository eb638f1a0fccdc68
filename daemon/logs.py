"""What the daemon tells: a line for each thing a user would want to know, kept in a file too."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final, TextIO

from antithesis.errors import ConfigError

NAME: Final = "antithesis.log"
_BYTES: Final = 1_000_000
_OLDER_FILES: Final = 4
_FORM: Final = logging.Formatter("%(asctime)s  %(message)s", datefmt="%Y-%m-%d %H:%M:%S")


@contextmanager
def telling(folder: Path, level: str) -> Iterator[None]:
    """Tell on standard error, and in a file of `folder` that begins anew at 1 MB; 4 are kept.

    Raises:
        ConfigError: the file cannot be had.
    """
    try:
        file = RotatingFileHandler(
            folder / NAME,
            maxBytes=_BYTES,
            backupCount=_OLDER_FILES,
            encoding="utf-8",
            errors="backslashreplace",  # a file's name need not be UTF-8
            delay=False,
        )
    except OSError as error:
        raise ConfigError(
            f"cannot write into {folder} ({error.strerror}): set state.folder to another folder"
        ) from error
    told = logging.getLogger(__package__)
    before = told.level, logging.raiseExceptions
    told.setLevel(level.upper())
    logging.raiseExceptions = False  # a full disk is told once, not with every line
    with _own_stderr() as stderr:
        handlers: tuple[logging.Handler, ...] = (file, logging.StreamHandler(stderr))
        for handler in handlers:
            handler.setFormatter(_FORM)
            told.addHandler(handler)
        try:
            yield
        finally:
            for handler in handlers:
                told.removeHandler(handler)
                handler.close()
            told.level, logging.raiseExceptions = before


@contextmanager
def _own_stderr() -> Iterator[TextIO | None]:
    """Standard error, by a descriptor of our own.

    While sounddevice looks for devices it shuts the usual one, so that PortAudio's complaints are
    not seen, and with them whatever other threads say.
    """
    try:
        descriptor = os.dup(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):  # none, or no file: a service's, a test's
        yield None
        return
    with os.fdopen(descriptor, "w", buffering=1, errors="backslashreplace") as stream:
        yield stream
