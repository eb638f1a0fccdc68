"""Make `.venv` with the pinned packages, with nothing but a Python of 3.11 or newer.

    python3 scripts/bootstrap.py [LOCK ...]

LOCK is the name of a file in scripts/requirements/ (default: runtime). run.py and test.py come
here first. Each lock has a stamp in `.venv`, a hash of what it was installed from, written last:
an interrupted install has none and is taken up again, a finished one costs a later start the
reading of a few small files.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 13)  # for newer ones some packages have no wheels yet
ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "scripts" / "requirements"
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
TEST_LOCKS = ("runtime", "train", "dev")
# What an environment must be able to do to be kept.
USABLE = f"import pip, sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"


class BootstrapError(Exception):
    """The environment cannot be made; the message says what to do."""


def say(text: str) -> None:
    """Tell the person at the terminal; standard output belongs to the program that follows."""
    print(f"antithesis: {text}", file=sys.stderr, flush=True)


def check_python(version: Sequence[int] = sys.version_info[:3]) -> None:
    """Raise BootstrapError if this Python is too old."""
    if tuple(version[:2]) < OLDEST_PYTHON:
        found = ".".join(str(number) for number in version)
        wanted = ".".join(str(number) for number in OLDEST_PYTHON)
        raise BootstrapError(
            f"this is Python {found} ({sys.executable}), Antithesis needs {wanted} or newer: get "
            f"one from your package manager or python.org and start the script with it, as in "
            f"`python3.12 {sys.argv[0]}`"
        )


def lock_file(name: str) -> Path:
    """Return the path of a lock, or raise BootstrapError naming those there are."""
    path = LOCKS / f"{name}.txt"
    if not path.exists():
        names = ", ".join(sorted(lock.stem for lock in LOCKS.glob("*.txt")))
        raise BootstrapError(f"there is no lock {name!r}: choose among {names}")
    return path


def fingerprint(lock: str) -> str:
    """Return the hash of all that an environment with `lock` is made from."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in (ROOT / "pyproject.toml", lock_file("build"), lock_file(lock)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def stamp(lock: str) -> Path:
    """Return where the fingerprint of an installed lock stands."""
    return VENV / f"installed-{lock}.stamp"


def is_ready(locks: Sequence[str]) -> bool:
    """Tell whether `.venv` holds all of `locks` as they are now."""
    return PYTHON.exists() and all(
        stamp(lock).exists() and stamp(lock).read_text("ascii") == fingerprint(lock)
        for lock in locks
    )


def prepare(locks: Sequence[str] = ("runtime",)) -> None:
    """Make `.venv` hold `locks` and the project itself, if it does not yet.

    Raises BootstrapError when that cannot be done.
    """
    check_python()
    if is_ready(locks):
        return
    started = time.monotonic()
    for old in VENV.glob("*.stamp"):
        old.unlink()
    install(locks)
    for lock in locks:
        stamp(lock).write_text(fingerprint(lock), encoding="ascii")
    say(f"ready after {time.monotonic() - started:.0f} s; from now on a start takes none of this")


def install(locks: Sequence[str]) -> None:
    """Install system parts, then `locks`, then the project as an editable without dependencies."""
    import system_parts  # needed by installs alone

    pins = [word for lock in ("build", *locks) for word in ("-r", str(lock_file(lock)))]
    count = len({line for lock in locks for line in lock_file(lock).read_text().splitlines()})
    system_parts.provide(say, for_tests="dev" in locks)
    make_venv()
    installer = find_installer()
    say(f"installing {count} packages ({', '.join(locks)}); the first time takes a minute or more")
    pip_install(installer, ["--no-deps", *pins])
    pip_install(installer, ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def make_venv() -> None:
    """Make `.venv`, also where an interrupted start left half of one."""
    if run_quietly([str(PYTHON), "-c", USABLE]):
        return
    say(f"making {VENV} with Python {sys.version.split()[0]}")
    if subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False).returncode:
        raise BootstrapError(
            f"could not make {VENV}: see above; on Debian and Ubuntu `sudo apt-get install "
            "python3-venv` brings what is missing"
        )


def find_installer() -> list[str]:
    """Return the words of a working `pip install`: uv's, many times faster, or pip's own."""
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]
    if run_quietly([*pip, "install", "--quiet", "--no-deps", "-r", str(lock_file("installer"))]):
        return [str(PYTHON), "-m", "uv", "pip"]
    say("uv is not to be had here; going on with pip, which takes longer")
    return pip


def pip_install(installer: Sequence[str], arguments: Sequence[str]) -> None:
    """Run one installation, and once more with pip if uv could not do it."""
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]
    for words in dict.fromkeys((tuple(installer), tuple(pip))):
        place = ["--python", str(PYTHON)] if words[-2:] == ("uv", "pip") else []
        if not subprocess.run([*words, "install", *place, *arguments], check=False).returncode:
            return
        say(f"`{' '.join(words[2:])} install` failed")
    raise BootstrapError(
        "could not install the packages: see above. Check the connection and the disk, then start "
        f"again; if it stays so, delete {VENV}{another_python()}"
    )


def another_python(version: Sequence[int] = sys.version_info[:2]) -> str:
    """What else to try where this Python is newer than what the packages were built for."""
    if tuple(version[:2]) <= NEWEST_PYTHON:
        return ""
    newest = ".".join(str(number) for number in NEWEST_PYTHON)
    return f" and start with Python {newest}, for which nothing has to be compiled"


def run_quietly(command: Sequence[str]) -> bool:
    """Run a command that may fail, and tell whether it went well."""
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def drop_stale_kernels() -> None:
    """Delete compiled kernels that are older than any source they may have been made from.

    Numba compares a kernel with its own file only, so one that calls a kernel of another file
    would go on with that file's old code.
    """
    folder = ROOT / "antithesis"
    sources = [path for path in folder.rglob("*.py") if "antithesis.jit" in path.read_text("utf-8")]
    newest = max((path.stat().st_mtime for path in sources), default=0.0)
    compiled = list(folder.rglob("__pycache__/*.nb[ci]"))
    if any(path.stat().st_mtime < newest for path in compiled):
        for path in compiled:
            path.unlink(missing_ok=True)


def hand_over(command: Sequence[str]) -> NoReturn:
    """Become `command`: its output, its answer to Ctrl-C and its exit status are ours."""
    drop_stale_kernels()
    if os.name != "nt":
        os.execv(command[0], list(command))
    # Windows cannot replace a process. Ctrl-C reaches the child too, whose word it is what to do.
    with subprocess.Popen(command) as child:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(child.wait())


def start(locks: Sequence[str], command: Sequence[str]) -> NoReturn:
    """Prepare `.venv` with `locks`, then hand over to a program of it."""
    prepare_or_exit(locks)
    program = BIN / (command[0] + PYTHON.suffix)
    hand_over([str(program), *command[1:]])


def prepare_or_exit(locks: Sequence[str]) -> None:
    """Prepare, or end this program with one line that says why not."""
    try:
        prepare(locks)
    except BootstrapError as error:
        say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        say("interrupted; the next start takes up where this one stopped")
        sys.exit(130)


if __name__ == "__main__":
    prepare_or_exit(sys.argv[1:] or ["runtime"])
