"""What the study of 2019 left open: which view hears which knob, and what sounds the same.

    python scripts/study.py --keep DIR --picture alike.png    all, an hour or two on two cores
    python scripts/study.py views --sounds 32000 --minutes 60     whichever is nearer its end
    python scripts/study.py alike --presets 200
    python scripts/study.py --read DIR                        the tables again, nothing is run
    python scripts/study.py --quick                           seconds, for CI

`views` trains networks that differ in what they look at alone, side by side on the same fresh
sounds, and asks all of them of the same others. `leans` asks the network that ships, also with one
view of another sound. `alike` turns one knob at a time of fresh presets, and counts what stays
within the synth's own chance. The tables are Markdown, progress goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

# One core each for those who render; before numpy and numba read it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from studies import alike, asking, leaning, listening, presets, tables, telling
from studies.alike import Turned
from studies.asking import Answers
from studies.telling import Told
from studies.turning import STEPS
from studies.views import AGAIN, EARS

QUESTIONS = ("views", "leans", "tells", "alike")
CORES = os.cpu_count() or 1
T = TypeVar("T")


def main(arguments: list[str] | None = None) -> None:
    """Run or read, keep what was asked for, print the tables."""
    options = parse(arguments)
    print("\n\n".join(answers(options)))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Options, with those that --quick stands for filled in."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "question",
        nargs="*",
        metavar="QUESTION",
        help="views, leans, tells, alike; all unless said",
    )
    ears = [ear.name for ear in (*EARS, AGAIN)]
    add("--ears", nargs="+", choices=ears, default=ears, help="ways of looking")
    add("--sounds", type=int, default=32_000, help="to train on, the same for each ear")
    add("--passes", type=int, default=1, help="over those sounds")
    add("--minutes", type=float, default=math.inf, help="of training at most")
    add("--width", type=float, default=0.5, help="channels, as a multiple of those that ship")
    add("--asked", type=int, default=2048, help="sounds of the mixture that all are asked of")
    add("--presets", type=int, default=200, help="of each set, whose knobs are turned")
    add("--step", type=float, choices=STEPS, default=STEPS[0], help="of a knob's way, to be told")
    add("--phases", type=int, choices=(1, 2, 3), default=3, help="of vibrato to judge those at")
    add("--seed", type=int, default=0, help="of the presets whose knobs are turned")
    add("--jobs", type=int, default=CORES, help="processes that render")
    add("--keep", type=Path, metavar="DIR", help="keep all answers there")
    add("--read", type=Path, metavar="DIR", help="make tables of kept answers")
    add("--picture", type=Path, help="draw how far knobs go unheard into this file (.png)")
    add("--quick", action="store_true", help="one ear and a preset of each set, in seconds")
    options = parser.parse_args(arguments)
    if unknown := set(options.question) - set(QUESTIONS):
        parser.error(f"no question {', '.join(unknown)}: ask {' or '.join(QUESTIONS)}")
    return _filled(options)


def _filled(options: argparse.Namespace) -> argparse.Namespace:
    options.question = options.question or list(QUESTIONS)
    if options.quick:
        options.ears = ["fine"]
        options.sounds, options.asked, options.presets, options.phases = 64, 64, 1, 1
        options.jobs = 1
    return options


def answers(options: argparse.Namespace) -> Iterator[str]:
    """The tables of all questions asked, each kept before the next begins."""
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    if "views" in options.question:
        yield from tables.views(_views(options))
    if "leans" in options.question:
        yield from tables.leans(_leans(options))
    if "tells" in options.question:
        yield from tables.tells(_tells(options))
    if "alike" in options.question:
        turned = _alike(options)
        yield from tables.alike(turned, options.seed)
        if options.picture:
            from studies import picture

            picture.draw(turned, options.picture)


def _views(options: argparse.Namespace) -> Answers:
    if options.read:
        return asking.read(options.read / "views.npz")
    plan = listening.Plan(
        ears=tuple(ear for ear in (*EARS, AGAIN) if ear.name in options.ears),
        sounds=options.sounds,
        passes=options.passes,
        minutes=options.minutes,
        asked=options.asked,
        width=options.width,
        jobs=options.jobs,
    )
    found = listening.study(plan)
    if options.keep:
        asking.write(found, options.keep / "views.npz")
    return found


def _leans(options: argparse.Namespace) -> Answers:
    if options.read:
        return asking.read(options.read / "leans.npz")
    found = leaning.study(options.asked, options.jobs)
    if options.keep:
        asking.write(found, options.keep / "leans.npz")
    return found


def _tells(options: argparse.Namespace) -> list[Told]:
    work = partial(telling.tell, options.seed, options.step)
    return _of_presets(options, "tells.json", Told, work, telling.SETS)


def _alike(options: argparse.Namespace) -> list[Turned]:
    work = partial(alike.turn, options.seed, options.phases)
    return _of_presets(options, "alike.json", Turned, work, alike.SETS)


def _of_presets(
    options: argparse.Namespace,
    name: str,
    kind: Callable[..., T],
    work: Callable[[tuple[str, int]], list[T]],
    sets: Iterable[str],
) -> list[T]:
    """What was kept, or else what is found of presets of each set, and kept."""
    if options.read:
        return [kind(**each) for each in _read(options.read / name)]
    found = presets.run_all(work, sets, options.presets, options.jobs)
    return _kept(found, options.keep, name)


def _read(path: Path) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _kept(found: list[T], folder: Path | None, name: str) -> list[T]:
    if folder:
        text = json.dumps([vars(each) for each in found])
        (folder / name).write_text(text, encoding="utf-8")
    return found


if __name__ == "__main__":
    main()
