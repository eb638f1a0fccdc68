"""Files that appear whole or not at all, and stay through a power cut."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write aside, then rename, so that no reader ever meets half a file.

    Raises:
        OSError: the folder or its disk does not take it; nothing is left behind.
        ValueError: the path holds a character that no file system takes.
    """
    # The name does not grow with the file's, so that a long one fits the file system too.
    aside = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        aside.write_bytes(data)
        bring_to_disk(aside)  # renamed first, an empty file could be what a power cut leaves
        aside.replace(path)
        bring_to_disk(path.parent)
    finally:
        with suppress(OSError, ValueError):
            aside.unlink()


def bring_to_disk(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, would outlive a power cut.

    Raises:
        OSError: the disk does not take it.
    """
    folder = path.is_dir()
    if folder and os.name == "nt":  # which lets nobody ask, and writes names at once
        return
    descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def bring_all_to_disk(folder: Path) -> None:
    """Do so for every file of a folder, not of those in it, and for the folder.

    Raises:
        OSError: the disk does not take it.
    """
    for path in folder.iterdir():
        bring_to_disk(path)
    bring_to_disk(folder)
