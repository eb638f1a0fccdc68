"""Write the lock files in scripts/requirements/ from pyproject.toml.

    python scripts/lock.py [PACKAGE ...]

Resolves once for CPython 3.11 and newer on Linux, macOS and Windows, all extras together, so that
the files agree with one another; each is the full closure of what it is named after. What is
pinned now stays, save the packages named on the command line. Needs `uv`, so run it by the Python
of `.venv`, which has it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "scripts" / "requirements"
PYPROJECT = ROOT / "pyproject.toml"
SELECTIONS = {
    "runtime": [str(PYPROJECT)],
    "train": [str(PYPROJECT), "--extra", "train"],
    "dev": [str(PYPROJECT), "--extra", "dev"],
    "build": ["--group", f"{PYPROJECT}:build"],
    "installer": ["--group", f"{PYPROJECT}:installer"],
}


def resolve(selection: list[str], constraints: Path) -> str:
    """Return the pinned closure of `selection`, one `name==version [; marker]` a line."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal"]
    command += ["--python-version", "3.11"]
    command += ["--no-annotate", "--no-header", "--constraint", str(constraints), *selection]
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    # An index or a link of this machine's configuration has no place in a file for everybody.
    pins = [line for line in output.splitlines() if "==" in line and "://" not in line]
    return "\n".join(pins) + "\n"


def kept(renewed: set[str]) -> str:
    """Return today's pins without the packages to renew."""
    lines = {line for path in LOCKS.glob("*.txt") for line in path.read_text("utf-8").splitlines()}
    return "\n".join(sorted(line for line in lines if line.split("==")[0] not in renewed))


def main() -> None:
    """Resolve everything together, then cut it into the files."""
    everything = [str(PYPROJECT), "--all-extras", *SELECTIONS["build"], *SELECTIONS["installer"]]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text(kept(set(sys.argv[1:])), encoding="utf-8")
        constraints.write_text(resolve(everything, constraints), encoding="utf-8")
        for name, selection in SELECTIONS.items():
            pins = resolve(selection, constraints)
            (LOCKS / f"{name}.txt").write_text(pins, encoding="utf-8", newline="\n")
            print(f"scripts/requirements/{name}.txt: {len(pins.splitlines())} packages")


if __name__ == "__main__":
    main()
