"""Memory that is no longer used, given back to the system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_MAPS: Final = Path("/proc/self/maps")
_COMPILER: Final = "libllvmlite"
_CODE: Final = "r-xp"  # never written, so that it can be read from its file again
_DONTNEED: Final = 4  # of madvise, in <sys/mman.h>


def give_back() -> None:
    """Return what was freed, and the compiler, of which nothing is needed once kernels are loaded.

    glibc keeps some 30 MB of a match for the next one, which may be far; other C libraries do so by
    themselves, or cannot be asked. LLVM holds 50 MB that loading kernels from their cache has
    touched: where it is called again, the system reads it from its file.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            library = ctypes.CDLL(None)
            library.malloc_trim(0)
            for start, size in _code_of(_COMPILER):
                library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), _DONTNEED)


def _code_of(library: str) -> Iterator[tuple[int, int]]:
    """Where a library's code lies in this process: start and size in bytes."""
    for line in _MAPS.read_text("utf-8", "replace").splitlines():
        where, access, *_, name = line.split(None, 5)
        if access == _CODE and library in name:
            start, stop = (int(end, 16) for end in where.split("-"))
            yield start, stop - start
