"""Feed every parser of outside bytes with what a coverage-guided fuzzer thinks of.

    python scripts/fuzz.py                       each target for a minute
    python scripts/fuzz.py osc audio --seconds 600

An input that raises anything but an AntithesisError, takes over a second, or over 512 MB, ends its
target; the fuzzer keeps it as a file and says where. Needs atheris, which has wheels for Linux:
pip install atheris. What is guided is our own code; decoders in C are fed, but not watched.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOUND = ROOT / "build" / "fuzz"
MEMORY = Path("/dev/shm")
WATCHED = ("antithesis", "daemon", "mido")


def main() -> None:
    """Fuzz the named targets, each in a process of its own; the status is 1 for a find."""
    options = parse()
    if importlib.util.find_spec("atheris") is None:
        print("skipped: no atheris here (pip install atheris; it has wheels for Linux alone)")
        return
    sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
    if options.inside:
        fuzz(options.targets[0], options.corpus, options.seconds)
        return
    from fuzzing.targets import TARGETS

    failed = [name for name in options.targets or TARGETS if not survives(name, options.seconds)]
    print(f"found in: {', '.join(failed)}; inputs in {FOUND}" if failed else "nothing found")
    sys.exit(1 if failed else 0)


def parse() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("targets", nargs="*", help="such as osc, audio, preset.fxp; all of them without")
    add("--seconds", type=int, default=60, help="for each target (60)")
    add("--inside", action="store_true", help=argparse.SUPPRESS)
    add("--corpus", help=argparse.SUPPRESS)
    return parser.parse_args()


def survives(name: str, seconds: int) -> bool:
    """Whether a target takes all that it is fed for so long."""
    FOUND.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        words = [name, "--inside", "--corpus", corpus, "--seconds", str(seconds)]
        done = subprocess.run(
            [sys.executable, __file__, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    last = [line for line in done.stdout.splitlines() if line.startswith(("#", "Done"))][-1:]
    print(f"{name:14} {'ok' if done.returncode == 0 else 'FOUND':6} {' '.join(last)}", flush=True)
    if done.returncode:
        print(done.stdout[-4000:])
    return done.returncode == 0


def fuzz(name: str, corpus: str, seconds: int) -> None:
    """Fuzz one target in this process, which does not come back from it."""
    import atheris

    with atheris.instrument_imports(include=list(WATCHED), exclude=list(compiled())):
        from fuzzing.targets import MEGABYTES, SECONDS, TARGETS, feed

    if MEMORY.is_dir():  # a disk's own pauses are no finding
        tempfile.tempdir = str(MEMORY)
    for number, seed in enumerate(TARGETS[name].seeds()):
        Path(corpus, str(number)).write_bytes(seed)
        feed(name, seed)  # compilers and libraries are loaded before anything is timed
    limits = (f"-max_total_time={seconds}", f"-timeout={SECONDS:.0f}", f"-rss_limit_mb={MEGABYTES}")
    places = (f"-artifact_prefix={FOUND / name}-", "-max_len=65536", corpus)
    atheris.Setup([sys.argv[0], *limits, *places], lambda data: feed(name, data))
    atheris.Fuzz()


def compiled() -> Iterator[str]:
    """Modules with kernels, which numba compiles from the bytecode that Python made of them."""
    for path in sorted((ROOT / "antithesis").rglob("*.py")):
        if "antithesis.jit" in path.read_text("utf-8"):
            module = path.relative_to(ROOT).with_suffix("")
            yield ".".join(module.parts).removesuffix(".__init__")


if __name__ == "__main__":
    main()
