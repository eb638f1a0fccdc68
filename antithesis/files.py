"""Files that appear whole or not at all."""

from __future__ import annotations

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
        aside.replace(path)
    finally:
        with suppress(OSError, ValueError):
            aside.unlink()
