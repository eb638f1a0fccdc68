"""The user's own pointer, borrowed: moved by pyautogui, given back, and let go when it is taken."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, Final

from antithesis.errors import DeviceError, SendError
from daemon.mouse.panel import Point
from daemon.mouse.places import Place
from daemon.mouse.screens import Screen
from daemon.notices import Notices

_log: Final = logging.getLogger(__name__)

_NUDGE: Final = 3  # points that a pointer may be off what it was told, by rounding
_LOOK_S: Final = 0.05
_TOGETHER_S: Final = 0.3  # two presses within this are a double click on any system
_APART_S: Final = 0.7  # and with this between them, they are not
_TRIES: Final = 5
_STRIPE: Final = 10  # notches between two looks at what is under the pointer
# What one notch is to pyautogui, which hands the number on as it is.
_NOTCH: Final = 120 if sys.platform == "win32" else 1


class Hand:
    """Works the panel with the pointer, which is somebody's: before each move it looks.

    Raises:
        SendError: the user moved it, or put it into a corner of the screen; or another window is
            before the panel. Nothing is pressed any more then.
    """

    double_clicks: Final = sys.platform != "darwin"

    def __init__(
        self, screen: Screen, place: Callable[[], Place], countdown_s: float, *, gui: Any = None
    ) -> None:
        self._screen, self._place, self._countdown_s = screen, place, countdown_s
        self._gui = gui or _pyautogui()
        self._expected: Point | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take the pointer, after a while in which it rests, and put it back where it was."""
        with _plainly(self._gui):
            home = self._announce()
            try:
                yield
                self._look()
                self._move(home)
            except self._gui.FailSafeException:
                raise SendError("stopped: the pointer is in a corner of the screen") from None
            finally:
                self._expected = None

    def press(self, at: Point, times: int = 1) -> None:
        """The button down and up, at a point of the panel."""
        for _ in range(_TRIES):
            self._reach(at)
            began = time.monotonic()
            for _ in range(times):
                with self._button():
                    pass
            if times == 1 or time.monotonic() - began < _TOGETHER_S:
                return
            time.sleep(_APART_S)  # a machine so busy may have taken them for single ones

    def wheel(self, at: Point, notches: int, fine: bool) -> None:
        """Turn the wheel there, upwards where positive."""
        step = 1 if notches > 0 else -1
        with self._fine(fine):
            for number in range(abs(notches)):
                if number % _STRIPE == 0:
                    self._reach(at)
                self._look()
                self._gui.scroll(step * _NOTCH, _pause=False)

    def drag(self, start: Point, up: int, fine: bool) -> None:
        """The button down, a way, and up."""
        self._reach(start)
        end = self._place().screen((start[0], start[1] - up))
        with self._fine(fine), self._button():
            self._move(end, held=True)

    def keys(self, *names: str) -> None:
        """Keys, one after the other."""
        for name in names:
            self._look()
            self._gui.press(name, _pause=False)

    def chord(self, *names: str) -> None:
        """Keys held together."""
        self._look()
        self._gui.hotkey(*names, _pause=False)

    def type(self, text: str) -> None:
        """Text of the letters that a keyboard has."""
        self._look()
        self._gui.write(text, _pause=False)

    def _announce(self) -> Point:
        """Say that the pointer is about to be taken; where it is, if it rests meanwhile."""
        home = self._where()
        if self._countdown_s:
            said = f"setting Mika Micro's panel by mouse in {self._countdown_s:g} s"
            _log.info("%s; move the mouse to keep it", said)
            Notices().show(f"{said}. Move the mouse to keep it.")
        end = time.monotonic() + self._countdown_s
        while time.monotonic() < end:
            time.sleep(_LOOK_S)
            if self._where() != home:
                raise SendError("the mouse is in use: nothing was done")
        self._expected = home
        return home

    def _reach(self, at: Point) -> None:
        """Be over a point of the panel, and of nothing else."""
        place = self._place()
        target = place.screen(at)
        self._look()
        if target != self._expected:
            self._move(target)
        if not self._screen.reaches(place.window):
            self._look()  # it may be the user's hand that has led it elsewhere
            raise SendError(f"another window is before {place.window.title!r}: move it aside")

    def _move(self, target: Point, *, held: bool = False) -> None:
        if held and sys.platform == "darwin":  # where a plain move is none of a drag
            self._gui.dragTo(*target, mouseDownUp=False, _pause=False)
        else:
            self._gui.moveTo(*target, _pause=False)
        self._expected = target

    def _look(self) -> None:
        """Whether the pointer is still ours."""
        here = self._where()
        if here in self._gui.FAILSAFE_POINTS:
            raise SendError("stopped: the pointer is in a corner of the screen")
        wanted = self._expected or here
        if max(abs(here[0] - wanted[0]), abs(here[1] - wanted[1])) > _NUDGE:
            raise SendError("stopped: the mouse was moved")

    def _where(self) -> Point:
        position = self._gui.position()
        return int(position.x), int(position.y)

    @contextmanager
    def _button(self) -> Iterator[None]:
        self._gui.mouseDown(_pause=False)
        try:
            yield
        finally:
            self._let_go(self._gui.mouseUp)

    @contextmanager
    def _fine(self, fine: bool) -> Iterator[None]:
        if not fine:
            yield
            return
        self._look()
        self._gui.keyDown("ctrl", _pause=False)
        try:
            yield
        finally:
            self._let_go(self._gui.keyUp, "ctrl")

    def _let_go(self, release: Callable[..., None], *what: str) -> None:
        """Release a button or a key, also when the user has just said stop."""
        self._gui.FAILSAFE = False
        try:
            release(*what, _pause=False)
        finally:
            self._gui.FAILSAFE = True


def pointer_at() -> Point:
    """Where the pointer is."""
    position = _pyautogui().position()
    return int(position.x), int(position.y)


@contextmanager
def _plainly(gui: Any) -> Iterator[None]:
    """No pauses but ours, and corners that stop; afterwards as it was."""
    before = gui.FAILSAFE, gui.PAUSE
    gui.FAILSAFE, gui.PAUSE = True, 0.0
    try:
        yield
    finally:
        gui.FAILSAFE, gui.PAUSE = before


def _pyautogui() -> Any:
    try:
        # Of old syntax in it, and of what python-xlib does without, nobody needs to hear.
        with warnings.catch_warnings(), redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            import pyautogui
    except ImportError as error:
        raise DeviceError(
            "the mouse route needs pyautogui: pip install 'antithesis[mouse]'"
        ) from error
    except SystemExit as error:  # how one of its parts says that it misses another
        raise DeviceError(
            "pyautogui needs tkinter: install python3-tk, or your system's name for it"
        ) from error
    except Exception as error:
        # It reaches for the display as it is imported, and fails in as many ways as there are.
        raise DeviceError(f"pyautogui does not start here: {error!r}") from error
    return pyautogui
