"""Memory that is no longer used, given back to the system."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress


def give_back() -> None:
    """Return what was freed: glibc keeps some 30 MB of a match for the next one, which may be far.

    Other C libraries do so by themselves, or cannot be asked.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
