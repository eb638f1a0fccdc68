"""C of ours, compiled on the spot where a C compiler is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


class NoCompiler(Exception):
    """There is no C compiler, or it does not compile this; the message says which."""


def find_compiler() -> str:
    """Its path; NoCompiler without one."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if sys.platform == "win32" or not compiler:
        raise NoCompiler("no C compiler (cc): install one")
    return compiler


def compiled(source: Path, made: Path, *flags: str) -> Path:
    """The program or library ``made`` of one file of C.

    Raises:
        NoCompiler: there is none, or it does not compile this.
    """
    compiler = find_compiler()
    command = [compiler, *flags, "-o", str(made), str(source), "-lm"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode:
        raise NoCompiler(f"{compiler} does not compile {source.name}: {said.stderr}")
    return made
