"""What is no longer used is given back, and is there again when it is."""

from __future__ import annotations

import sys
from pathlib import Path

import numba
import pytest

from daemon.memory import give_back

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody can be asked")


def compiled(constant: int) -> int:
    return int(numba.njit(lambda x: x + constant)(1))


def compiler_mb() -> float:
    """What of LLVM's code this process holds."""
    resident, ours = 0, False
    for line in Path("/proc/self/smaps").read_text("utf-8", "replace").splitlines():
        if "-" in line.split(" ")[0]:
            ours = "libllvmlite" in line and " r-xp " in line
        elif ours and line.startswith("Rss:"):
            resident += int(line.split()[1])
    return resident / 1024


def test_the_compiler_is_not_held_while_nothing_is_compiled():
    compiled(1)
    before = compiler_mb()
    give_back()
    assert compiler_mb() < 0.5 * before


def test_the_compiler_works_after_it_was_given_back():
    give_back()
    assert compiled(2) == 3
