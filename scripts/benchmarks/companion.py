"""The daemon as its user starts it: how soon it is ready, what it takes at rest, how fast it sends.

It runs in a process of its own and starts the built-in synth, which plays into a file; both are
measured from outside, by the clock and by what Linux counts of a process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import soundfile

from antithesis.sampling import musical
from antithesis.synth import render_notes
from benchmarks.measure import Effort, Missing, Row
from daemon import child, config
from daemon.outcomes import MATCHED
from daemon.ports import free_port

READY_GOAL_S, SHARE_GOAL, MEMORY_GOAL_MB, FIRST_GOAL_MS = 3.0, 1.0, 250.0, 250.0
STARTS = 5
SETTLE_S = 0.3
LONGEST_S = 10.0
SEARCH_S = 2.0
PATIENCE_S = 60.0
PICTURE_S = 1.0  # with nobody waiting for it, it takes what others leave
SEED = 4

# What is imported or loaded, one after the other, so that each can be told its share of memory.
STAGES = {
    "Python": "import sys",
    "numpy": "import numpy",
    "numba and LLVM": "import antithesis.jit",
    "onnxruntime": "import onnxruntime",
    "our modules": "import daemon.companion, daemon.matchers, antithesis.matching",
    "weights, kernels, tables": "matcher = daemon.matchers.load_matcher()",
}
_RESIDENT = """
def resident_kb():
    return next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmRSS"))
"""

Floats = npt.NDArray[np.float64]


def rows(effort: Effort) -> Iterator[Row | Missing]:
    """Readiness, rest, and the way of files to the synth."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        yield _ready(home / "ready", effort)
        with _started(home / "waiting", budget_s=0.0) as daemon:
            yield from _at_rest(daemon.pid, effort)
            yield from _first_presets("waiting", home / "waiting", daemon, effort)
            yield from _memory(daemon.pid)
        with _started(home / "searching", budget_s=SEARCH_S) as daemon:
            yield from _first_presets("searching", home / "searching", daemon, effort)


@contextmanager
def _started(home: Path, budget_s: float) -> Iterator[subprocess.Popen[str]]:
    """A daemon that is ready."""
    settings: dict[str, dict[str, object]] = {
        "watch": {"folder": str(home / "drops"), "settle_s": SETTLE_S},
        "match": {"budget_s": budget_s},
        "host": {"route": "builtin"},
        "synth": {"port": free_port(), "wav": str(home / "synth.wav")},
        "state": {"folder": str(home / "state")},
    }
    home.mkdir(exist_ok=True)
    path = home / "config.toml"
    path.write_text(config.as_toml(config.changed(config.Config(), settings)), "utf-8")
    environment = {
        config.ENVIRONMENT_VARIABLE: str(path),
        "PYTHONDONTWRITEBYTECODE": "",  # compiled modules are a part of a warm cache
    }
    with child.running("start", environment=environment, stderr=subprocess.STDOUT) as daemon:
        child.hear(daemon, "watching")
        yield daemon


def _ready(home: Path, effort: Effort) -> Row:
    """The first of all starts fills the caches and is not counted."""
    taken = []
    for _ in range(1 + min(effort.rounds, STARTS)):
        began = time.perf_counter()
        with _started(home, budget_s=0.0):
            taken.append(time.perf_counter() - began)
    note = f"{len(taken) - 1} starts with warm caches, {max(taken[1:]):.2f} s at most"
    return Row("ready after the start", median(taken[1:]), "s", READY_GOAL_S, note)


def _at_rest(pid: int, effort: Effort) -> Iterator[Row | Missing]:
    """What the daemon and its synth take of a core while nothing happens."""
    if not Path("/proc").exists():
        yield Missing("at rest", "this system has no /proc to count by")
        return
    pids = {"the daemon at rest": pid, "its synth at rest": _synth_of(pid)}
    time.sleep(min(1.0, effort.seconds))
    before = {name: _processor_s(pid) for name, pid in pids.items()}
    time.sleep(effort.seconds)
    for name, pid in pids.items():
        share = (_processor_s(pid) - before[name]) / effort.seconds * 100
        yield Row(name, share, "%", SHARE_GOAL, f"of a core, over {effort.seconds:g} s")


def _memory(pid: int) -> Iterator[Row]:
    """What both hold after their work, and what takes it."""
    if not Path("/proc").exists():
        return
    told = subprocess.run(
        [sys.executable, "-c", "\n".join([_RESIDENT, *map(_stage, STAGES.values())])],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    sizes = np.diff([0, *map(int, told.stdout.split())])
    parts = ", ".join(f"{name} {kb / 1024:.0f}" for name, kb in zip(STAGES, sizes, strict=True))
    note = f"resident after all files; at its start {parts}"
    yield Row("the daemon's memory", _resident_mb(pid), "MB", MEMORY_GOAL_MB, note)
    yield Row("its synth's memory", _resident_mb(_synth_of(pid)), "MB", None, "resident")


def _stage(code: str) -> str:
    return f"{code}\nprint(resident_kb())"


def _first_presets(
    state: str, home: Path, daemon: subprocess.Popen[str], effort: Effort
) -> Iterator[Row]:
    """From when a file has rested to when its first preset was sent and read back."""
    dropped: dict[Path, float] = {}
    for path in _sounds(home, effort.files):
        dropped[path] = time.time()
        path.rename(home / "drops" / path.name)
        child.hear(daemon, "dB away")
        if state == "waiting":
            _wait_for(home / f"{path.name}{MATCHED}" / "match.png", PICTURE_S)
    taken = [1e3 * (_first_sent(home, path) - at - SETTLE_S) for path, at in dropped.items()]
    note = f"{len(taken)} files of up to {LONGEST_S:g} s, {max(taken):.0f} ms at most"
    name = f"file at rest to preset confirmed, daemon {state}"
    yield Row(f"{name}: median", median(taken), "ms", None, note)
    yield Row(f"{name}: 95 %", float(np.quantile(taken, 0.95)), "ms", FIRST_GOAL_MS)


def _first_sent(folder: Path, path: Path) -> float:
    """When the first preset for a file had arrived, in seconds since 1970."""
    told = folder / f"{path.name}{MATCHED}" / f"{path.stem}.json"
    _wait_for(told, PATIENCE_S)
    return float(json.loads(told.read_text("utf-8"))["first_sent"]["at"])


def _wait_for(path: Path, longest_s: float) -> None:
    end = time.monotonic() + longest_s
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)


def _sounds(folder: Path, count: int) -> Iterator[Path]:
    """Files of notes, some at 44.1 kHz and mono, some at 48 kHz, in stereo and compressed."""
    rng = np.random.default_rng(SEED)
    drawn = musical(rng, count)
    for i in range(count):
        rate = (44100, 48000)[i % 2]
        sounds = render_notes(
            drawn.normalized[i : i + 1],
            drawn.note[i],
            drawn.velocity[i],
            drawn.gate_s[i],
            duration_s=float(rng.uniform(1.0, LONGEST_S)),
            sample_rate=rate,
        )
        path = folder / f"{i:03d}.{('wav', 'flac')[i % 2]}"
        peak = max(float(np.abs(sounds).max()), 1e-9)
        soundfile.write(path, np.tile(0.5 / peak * sounds, (1 + i % 2, 1)).T, rate)
        yield path


def _synth_of(pid: int) -> int:
    """The child of a daemon that is its synth."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()
    return int(next(c for c in children if b"synth" in Path(f"/proc/{c}/cmdline").read_bytes()))


def _processor_s(pid: int) -> float:
    """Processor time of all threads of a process so far."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((t / "schedstat").read_text("utf-8").split()[0]) for t in threads) / 1e9


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))
