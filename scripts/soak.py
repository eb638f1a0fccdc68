"""Leave the daemon running under steady work, and see that it stays as small as it was.

    python scripts/soak.py                             an hour
    python scripts/soak.py --minutes 2 --every 2       as the tests do
    python scripts/soak.py --picture soak.png --json soak.json

A daemon of its own, with the built-in synth and a folder for it alone, is dropped a fresh sound
every few seconds. Each second its memory, threads and open files are counted, and those of its
synth and its decoder. After a third of the time, in which it warms up, all of them are to stay
flat, and small: the status is 1 where they grow or are too large, or where a sound has no outcome
at the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from antithesis import sampling  # noqa: E402
from antithesis.audio import write_wav  # noqa: E402
from antithesis.synth import render_notes  # noqa: E402
from daemon import child, config  # noqa: E402
from daemon.ports import free_port  # noqa: E402

MAY_GROW = {"megabytes": 12.0, "threads": 0.5, "files": 0.5}
"""Between the middle third and the last one, by their medians: less is noise of the allocator."""

PARTS = {"daemon": "start", "synth": "synth", "decoder": "daemon.decoding"}
"""Processes that live as long as the daemon, by a word of their command lines."""

AT_MOST_MB = {"daemon": 400.0, "synth": 300.0, "decoder": 150.0}
"""What each takes at the end; a daemon that kept a compiler would take more."""

READY_S = 300.0


@dataclass(frozen=True)
class Count:
    """What a part of the daemon takes, so many seconds after it was ready."""

    seconds: float
    part: str
    megabytes: float
    threads: int
    files: int


def main() -> None:
    """Soak, print what was found, draw what was asked for."""
    options = parse()
    with tempfile.TemporaryDirectory(prefix="antithesis-soak-") as folder:
        counts, dropped, done = soak(Path(folder), 60 * options.minutes, options.every)
    growth = {part: grown(counts, part) for part in PARTS}
    for part, by in growth.items():
        end = last(counts, part)
        takes = f"{end.megabytes:6.1f} MB, {end.threads:2} threads, {end.files:3} files"
        print(f"{part:8} {takes};  grew by {told(by)}")
    print(f"{done} of {dropped} sounds have their outcome")
    if options.json:
        rows = {"counts": list(map(asdict, counts)), "growth": growth, "dropped": dropped}
        options.json.write_text(json.dumps(rows), "utf-8")
    if options.picture:
        draw(counts, options.picture)
        print(f"picture: {options.picture}")
    flat = all(by[unit] <= most for by in growth.values() for unit, most in MAY_GROW.items())
    print("flat" if flat else f"NOT flat: more than {told(MAY_GROW)}")
    small = all(last(counts, part).megabytes <= most for part, most in AT_MOST_MB.items())
    print("small" if small else f"NOT small: more megabytes than {AT_MOST_MB}")
    sys.exit(0 if flat and small and done == dropped else 1)


def parse() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--minutes", type=float, default=60.0, help="how long (60)")
    add("--every", type=float, default=5.0, help="seconds between sounds (5)")
    add("--picture", type=Path, metavar="FILE", help="draw what was counted (.png)")
    add("--json", type=Path, metavar="FILE", help="keep what was counted")
    return parser.parse_args()


def soak(home: Path, seconds: float, every_s: float) -> tuple[list[Count], int, int]:
    """Counts, how many sounds were dropped, and how many have their outcome."""
    counts: list[Count] = []
    with running(home, every_s) as daemon:
        dropping = threading.Event()
        dropper = threading.Thread(target=drop, args=(home, every_s, dropping))
        start = time.monotonic()
        dropper.start()
        while (now := time.monotonic() - start) < seconds and daemon.poll() is None:
            counts += count(daemon.pid, now)
            time.sleep(1.0)
        dropping.set()
        dropper.join()
        dropped = len(list((home / "drops").iterdir()))
        done = wait_for(home / "results", dropped)
    return counts, dropped, done


@contextmanager
def running(home: Path, every_s: float) -> Iterator[subprocess.Popen[str]]:
    """A daemon that watches `drops` of a folder, from when it is ready on."""
    (home / "drops").mkdir()
    sections = {
        "watch": {"folder": str(home / "drops"), "output": str(home / "results")},
        "match": {"budget_s": every_s / 3},
        "host": {"route": "builtin"},
        "synth": {"port": free_port(), "wav": str(home / "synth.wav")},
        "orders": {"port": free_port()},
        "capture": {"listen": False},
        "machine": {"busy_percent": 100.0},
        "state": {"folder": str(home / "state")},
        "log": {"notify": False},
    }
    path = home / "config.toml"
    path.write_text(config.as_toml(config.changed(config.Config(), sections)), "utf-8")
    environment = {config.ENVIRONMENT_VARIABLE: str(path)}
    with (
        (home / "said.txt").open("w+") as said,
        child.running("start", environment=environment, stderr=said.fileno()) as daemon,
    ):
        end = time.monotonic() + READY_S
        while "watching" not in (home / "said.txt").read_text():
            if daemon.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"no daemon: {(home / 'said.txt').read_text()}")
            time.sleep(0.1)
        yield daemon


def drop(home: Path, every_s: float, ended: threading.Event) -> None:
    """Drop a sound that nobody has heard before, again and again."""
    rng, number = np.random.default_rng(0), 0
    while not ended.wait(every_s):
        preset = sampling.musical(rng, 1).normalized
        sound = render_notes(preset, int(rng.integers(36, 84)), 100, 0.5, duration_s=1.0, threads=1)
        write_wav(home / f"{number}.wav", sound[0] + 1e-3 * rng.normal(size=len(sound[0])), 44100)
        (home / f"{number}.wav").rename(home / "drops" / f"{number:05}.wav")
        number += 1


def count(pid: int, now: float) -> Iterator[Count]:
    """What the parts take at this moment."""
    ours = psutil.Process(pid)
    for process in (ours, *ours.children()):
        try:
            words = process.cmdline()
            part = next(name for name, word in PARTS.items() if word in " ".join(words[2:]))
            with process.oneshot():
                megabytes = process.memory_info().rss / 1e6
                files = process.num_handles() if psutil.WINDOWS else process.num_fds()
                yield Count(now, part, megabytes, process.num_threads(), files)
        except (psutil.Error, StopIteration):  # a picture, or it has just ended
            continue


def wait_for(results: Path, outcomes: int) -> int:
    """How many outcomes there are, once all are there or a minute has brought no more."""
    done, since = 0, time.monotonic()
    while done < outcomes and time.monotonic() - since < 60:
        time.sleep(0.1)
        if (now := len(list(results.glob("[!.]*")))) > done:
            done, since = now, time.monotonic()
    return done


def grown(counts: list[Count], part: str) -> dict[str, float]:
    """By how much a part grew from the middle third to the last."""
    ours = [each for each in counts if each.part == part]
    third = len(ours) // 3
    return {
        unit: float(
            np.median([getattr(each, unit) for each in ours[2 * third :]])
            - np.median([getattr(each, unit) for each in ours[third : 2 * third]])
        )
        if third
        else float("inf")  # it was not there
        for unit in MAY_GROW
    }


def last(counts: list[Count], part: str) -> Count:
    """What a part takes at the end."""
    ours = [each for each in counts if each.part == part]
    return ours[-1] if ours else Count(0, part, 0, 0, 0)


def told(by: dict[str, float]) -> str:
    """Amounts in words."""
    return ", ".join(f"{value:+.1f} {unit}" for unit, value in by.items())


def draw(counts: list[Count], path: Path) -> None:
    """Write memory, threads and files over time as a picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 7), layout="constrained")
    for axes, unit in zip(figure.subplots(len(MAY_GROW), 1, sharex=True), MAY_GROW, strict=True):
        for part in PARTS:
            ours = [each for each in counts if each.part == part]
            minutes = [each.seconds / 60 for each in ours]
            axes.plot(minutes, [getattr(each, unit) for each in ours], label=part, lw=1)
        axes.set_ylabel(unit)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    axes.set_xlabel("minutes")
    figure.axes[0].legend()
    figure.savefig(path)


if __name__ == "__main__":
    main()
