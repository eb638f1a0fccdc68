"""Collect pairs of preset and sound from the real plug-in, by mouse, as the study of 2019 did.

    python scripts/collect.py data/real --export "key ctrl+r; window; type {wav}; key enter; gone"
    python scripts/collect.py data/real --count 5000 --prior musical --export "..." --dry-run

Needs the study's own build of Mika Micro, whose menu loads and saves values as text, its window
open in a host, and pip install 'antithesis[mouse]'. For each pair a preset is drawn and loaded (or
the host draws one, by --randomise), what the plug-in then holds is saved, and the host exports its
sound. Pairs are 000001.txt and 000001.wav and so on; what is there stays, so that a run that was
stopped, by moving the mouse for one, is taken up again by the same command.

Steps, with semicolons in between: `key NAME` or `key ctrl+r`, `type TEXT` with {wav} for the file,
`panel X Y` (a click on the panel), `window` and `gone` (wait for another window, and for its end),
`wait SECONDS`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from antithesis import sampling  # noqa: E402
from antithesis.errors import AntithesisError, ConfigError, SendError  # noqa: E402
from antithesis.preset import Preset  # noqa: E402
from daemon.mouse.menu import TextMenu  # noqa: E402
from daemon.mouse.places import Place, Shown, find_place, look_again  # noqa: E402
from daemon.mouse.pointer import Hand  # noqa: E402
from daemon.mouse.screens import Screen, open_screen  # noqa: E402
from daemon.mouse.sight import Eyes  # noqa: E402

PRIORS = {"uniform": sampling.uniform, "nine": sampling.nine, "musical": sampling.musical}
LOOK_S = 0.02


@dataclass(frozen=True)
class Step:
    """One word of a recipe, and what it is given."""

    word: str
    given: str = ""

    def __str__(self) -> str:
        return f"{self.word} {self.given}".rstrip()


class Studio:
    """The plug-in's window and its host, as they are worked."""

    def __init__(self, screen: Screen, place: Place, patience_s: float, countdown_s: float) -> None:
        self._screen, self._found, self._patience_s = screen, place, patience_s
        self.hand = Hand(screen, lambda: look_again(screen, place), countdown_s)
        self.menu = TextMenu(self.hand, screen, settle_s=0.2)
        self._before: frozenset[int] = frozenset()

    def follow(self, steps: list[Step], wav: Path) -> None:
        """Do what a recipe says."""
        self._before = self._tops()
        for step in steps:
            WORDS[step.word](self, step.given.replace("{wav}", str(wav)))

    def press_keys(self, given: str) -> None:
        """Press `r`, or `ctrl+r`."""
        self.hand.chord(*given.split("+"))

    def click_panel(self, given: str) -> None:
        """Click at `X Y` of the panel."""
        x, y = map(int, given.split())
        self.hand.press((x, y))

    def another_window(self, _given: str) -> None:
        """Wait for a window that was not there."""
        self._wait(lambda: bool(self._tops() - self._before), "no window appeared")
        time.sleep(0.2)  # until it listens to keys

    def no_more_window(self, _given: str) -> None:
        """Wait until all of those are gone."""
        self._wait(lambda: self._tops() <= self._before, "a window stayed open")

    def written(self, wav: Path) -> None:
        """Wait for the sound: a file that can be read whole, and rests."""
        sizes = [-1, -2]

        def rests() -> bool:
            sizes[:] = [sizes[1], wav.stat().st_size if wav.exists() else -1]
            return sizes[0] == sizes[1] > 0 and _readable(wav)

        self._wait(rests, f"the host wrote no sound into {wav}")

    def _wait(self, true: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + self._patience_s
        while not true():
            if time.monotonic() > deadline:
                raise SendError(f"{otherwise} in {self._patience_s:g} s: look at the host's window")
            time.sleep(LOOK_S)

    def _tops(self) -> frozenset[int]:
        return frozenset(window.top for window in self._screen.windows())


WORDS: dict[str, Callable[[Studio, str], None]] = {
    "key": Studio.press_keys,
    "type": lambda studio, text: studio.hand.type(text),
    "panel": Studio.click_panel,
    "window": Studio.another_window,
    "gone": Studio.no_more_window,
    "wait": lambda _studio, seconds: time.sleep(float(seconds)),
}


def recipe(text: str) -> list[Step]:
    """Steps from their text; ConfigError for a word that is none."""
    steps = [Step(*part.strip().split(maxsplit=1)) for part in text.split(";") if part.strip()]
    for step in steps:
        if step.word not in WORDS:
            raise ConfigError(f"{step.word!r} is no step: choose among {', '.join(WORDS)}")
    return steps


def main() -> None:
    """Collect until there are as many pairs as were asked for."""
    options = parse()
    try:
        steps, randomise = recipe(options.export), recipe(options.randomise)
        missing = [number for number in range(1, options.count + 1) if not done(options, number)]
        with open_screen() as screen:
            place = find_place(screen, Eyes(), Shown(options.window))
            if options.dry_run:
                show(options, place, missing, randomise, steps)
                return
            studio = Studio(screen, place, options.patience, options.countdown)
            collect(options, studio, missing, randomise, steps)
    except AntithesisError as error:
        sys.exit(f"collect: {error}")


def parse() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("folder", type=Path, help="where the pairs go")
    add("--count", type=int, default=1000, help="pairs in all (1000)")
    add("--prior", choices=PRIORS, default="uniform", help="what presets are drawn from")
    add("--seed", type=int, default=0, help="of the presets (0)")
    add("--export", required=True, help="steps that have the host write {wav}")
    add("--randomise", default="", help="steps that have the host draw a preset instead")
    add("--window", default="mika", help="a part of the window's title (mika)")
    add("--patience", type=float, default=30.0, help="seconds to wait for the host (30)")
    add("--countdown", type=float, default=3.0, help="seconds before the mouse is taken (3)")
    add("--dry-run", action="store_true", help="say what would be done, and touch nothing")
    return parser.parse_args()


def show(
    options: argparse.Namespace,
    place: Place,
    missing: list[int],
    randomise: list[Step],
    steps: list[Step],
) -> None:
    """Tell what would be done."""
    print(f"window: {place.window.title!r} at {place.box}, {place.scale:.3g} times its size")
    print(f"there are {options.count - len(missing)} of {options.count} pairs")
    for number in missing[:1]:
        drawn = randomise or [Step("load", f"a preset drawn from {options.prior!r}, by the menu")]
        kept = [Step("save", f"{pair(options, number)[0]}, by the menu"), *steps]
        print(f"pair {number}, and so on:")
        for step in (*drawn, *kept):
            print(f"    {str(step).replace('{wav}', str(pair(options, number)[1]))}")


def collect(
    options: argparse.Namespace,
    studio: Studio,
    missing: list[int],
    randomise: list[Step],
    steps: list[Step],
) -> None:
    """Make the missing pairs; each is there whole or not at all."""
    options.folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as working:
        progress = working.enter_context(
            tqdm(missing, total=options.count, initial=options.count - len(missing), unit="pair")
        )
        working.enter_context(studio.hand.taken())
        for number in progress:
            with unfinished(options.folder) as (text, wav):
                if randomise:
                    studio.follow(randomise, wav)
                else:
                    studio.menu.load(drawn(options, number))
                studio.menu.save(text)
                studio.follow(steps, wav)
                studio.written(wav)
                for made, kept in zip((wav, text), reversed(pair(options, number)), strict=True):
                    made.replace(kept)


def drawn(options: argparse.Namespace, number: int) -> Preset:
    """The preset of a pair: the same whenever it is made."""
    sample = PRIORS[options.prior](np.random.default_rng((options.seed, number)), 1)
    return Preset.from_normalized(sample.normalized[0])


def pair(options: argparse.Namespace, number: int) -> tuple[Path, Path]:
    """Preset and sound of that number."""
    stem = options.folder.resolve() / f"{number:06d}"
    return stem.with_suffix(".txt"), stem.with_suffix(".wav")


def done(options: argparse.Namespace, number: int) -> bool:
    """Whether a pair is there."""
    return all(path.exists() for path in pair(options, number))


@contextmanager
def unfinished(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Names for a pair in the making, of which nothing is left if it is broken off.

    In the folder itself: a file dialogue opens where it was last, and stumbles where that is gone.
    """
    paths = folder.resolve() / "unfinished.txt", folder.resolve() / "unfinished.wav"
    try:
        for path in paths:
            path.unlink(missing_ok=True)  # of a run that was killed
        yield paths
    finally:
        for path in paths:
            path.unlink(missing_ok=True)


def _readable(wav: Path) -> bool:
    try:
        return bool(soundfile.info(wav).frames)
    except soundfile.LibsndfileError:
        return False


if __name__ == "__main__":
    main()
