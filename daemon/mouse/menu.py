"""The menu of the study's own build of the plug-in, which loads and saves values as text.

It pops up where the panel's corner is clicked, and is walked with the keyboard; then the system's
file dialogue takes a path.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from antithesis.errors import SendError
from antithesis.preset import Preset
from antithesis.presetfiles import format_text, parse_text
from daemon.mouse.panel import MENU
from daemon.mouse.pointer import Hand
from daemon.mouse.screens import Screen

SAVE: Final = 8  # "Save values as text only...", counted from 1, without what lies between groups
LOAD: Final = 9  # "Load from values as text..."
_PATIENCE_S: Final = 15.0
_LOOK_S: Final = 0.02
_LINES: Final = 38


class TextMenu:
    """Loads and saves all values by that menu, while the hand is taken.

    `settle_s` is how long a menu or a dialogue is given, once it is there, to listen to keys.

    Raises:
        SendError: no menu or dialogue appears, or it does not do what it should.
    """

    def __init__(self, hand: Hand, screen: Screen, settle_s: float) -> None:
        self._hand, self._screen, self._settle_s = hand, screen, settle_s

    def load(self, preset: Preset) -> None:
        """Have the plug-in take a preset."""
        with _new_path() as path:
            path.write_text(format_text(preset), encoding="ascii")
            self._choose(LOAD, path)

    def saved(self) -> Preset:
        """What the plug-in holds."""
        with _new_path() as path:
            self.save(path)
            return parse_text(path.read_text(encoding="ascii"), str(path))

    def save(self, path: Path) -> None:
        """Have the plug-in write what it holds into a file that is not there yet."""
        self._choose(SAVE, path)
        if not _until(lambda: path.exists() and path.read_text().count("\n") >= _LINES):
            raise SendError(f"the plug-in wrote no values into {path}: is it the study's build?")

    def _choose(self, item: int, path: Path) -> None:
        if not str(path).isascii():
            raise SendError(f"{path} has letters that no key has: set TMPDIR to another folder")
        before = self._tops()
        self._hand.press(MENU)
        self._appeared(before, "no menu appeared: only the study's build of Mika Micro has one")
        with_menu = self._tops()
        self._hand.keys(*["down"] * item, "enter")
        self._appeared(with_menu, "no file dialogue appeared")
        self._hand.type(str(path))
        self._hand.keys("enter")
        if not _until(lambda: self._tops() <= before):
            raise SendError(f"the file dialogue did not take {path}: close it")

    def _appeared(self, before: frozenset[int], otherwise: str) -> None:
        if not _until(lambda: bool(self._tops() - before)):
            raise SendError(otherwise)
        time.sleep(self._settle_s)

    def _tops(self) -> frozenset[int]:
        return frozenset(window.top for window in self._screen.windows())


@contextmanager
def _new_path() -> Iterator[Path]:
    """A file that is not there, in a folder that stays: dialogues open where they were last."""
    path = Path(tempfile.gettempdir()) / f"antithesis-{secrets.token_hex(8)}.txt"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _until(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_S)
    return True
