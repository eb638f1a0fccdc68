"""Setting controls on a panel that can be seen: gestures, and a look at what came of them.

How each state of a switch looks is learned from the screen: pressed all the way round, a switch
greys out another control in one of its states and no other, and from there on they are counted.
That also proves that it is Mika Micro's panel.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from antithesis.errors import SendError
from antithesis.parameters import BY_ID, PARAMETERS
from antithesis.rules import NOISE, OFF, POLY
from daemon.mouse.panel import CONTROLS, FADER_TRAVEL, WIDTH, Control, Point, Widget
from daemon.mouse.places import Place
from daemon.mouse.sight import Eyes, Picture, alike, contrast, handle
from daemon.mouse.turning import Drag, Method, Press, Wheel, gestures

_log: Final = logging.getLogger(__name__)

TRIES: Final = 3
_PATIENCE_S: Final = 5.0  # for a panel to show what was done to it, on a busy machine too
_LOOK_S: Final = 0.01
_TOGETHER: Final = 8  # points: so near, two presses may count as a double click
_APART_S: Final = 0.7  # and after so long, they do not
_GREYED: Final = 0.6  # of its contrast: less than so much is left of a greyed control
_NEAR: Final = 1.5 / FADER_TRAVEL
_MIX: Final = BY_ID["kOscMix"].index

# What each switch greys out, and in which of its states, once oscillators and mix are open.
WITNESSES: Final = {
    BY_ID[switch].index: (BY_ID[witness].index, state)
    for switch, witness, state in (
        ("kOsc1Wave", "kOsc1Split", NOISE),
        ("kOsc2Wave", "kOsc2Split", NOISE),
        ("kFmMode", "kFmCoarse", OFF),
        ("kFilterEnabled", "kFilterCutoff", 0),
        ("kVoiceMode", "kGlideSpeed", POLY),
    )
}


class Works(Protocol):
    """Something that works a panel, at points of it."""

    def press(self, at: Point, times: int = 1) -> None:
        """The button down and up, so many times."""

    def wheel(self, at: Point, notches: int, fine: bool) -> None:
        """The wheel, upwards where positive; `fine` with Ctrl."""

    def drag(self, start: Point, up: int, fine: bool) -> None:
        """The button down, a way upwards, and up."""


class Panel:
    """Sets controls and sees what they show."""

    def __init__(
        self,
        hand: Works,
        eyes: Eyes,
        place: Callable[[], Place],
        method: Method,
        *,
        double_clicks: bool = True,
    ) -> None:
        self._hand, self._eyes, self._place = hand, eyes, place
        self._method = method
        self._doubles: bool | None = None if double_clicks else False
        self._looks: dict[int, list[Picture]] = {}
        self._pressed: tuple[Point, float] = ((0, 0), 0.0)  # where, when: but for switches

    def set(self, index: int, normalized: float) -> None:
        """Bring one control to a value.

        Raises:
            SendError: it does not follow, as far as can be seen.
        """
        control = CONTROLS[index]
        work = self._switch if control.widget is Widget.SWITCH else self._turn
        for _ in range(TRIES):
            before = self._place()
            if work(control, normalized) and self._place().box == before.box:
                return
            _log.debug("%s: once more", PARAMETERS[index].id)
        raise SendError(
            f"{PARAMETERS[index].id} does not follow the mouse: see that nothing covers"
            " Mika Micro's window, and that its program takes input from others"
        )

    def seen(self) -> dict[int, float]:
        """Normalized values of the switches that can be told."""
        view = self._view()
        states = {index: self._state(CONTROLS[index], view) for index in self._looks}
        return {
            index: state / (CONTROLS[index].states - 1)
            for index, state in states.items()
            if state is not None
        }

    def _turn(self, control: Control, normalized: float) -> bool:
        doubles = self._double_clicks(control)
        for gesture in gestures(control, normalized, self._method, double_clicks=doubles):
            match gesture:
                case Press(at, times):
                    self._keep_apart(at)
                    self._hand.press(at, times)
                    self._pressed = at, time.monotonic()
                case Wheel(at, notches, fine):
                    self._hand.wheel(at, notches, fine)
                case Drag(start, up, fine):
                    self._hand.drag(start, up, fine)
        if control.widget is not Widget.FADER:
            return True
        return _until(lambda: self._shows(control, normalized))

    def _keep_apart(self, at: Point) -> None:
        """Wait where this press and the one before it would be taken for a double click."""
        (x, y), when = self._pressed
        if max(abs(at[0] - x), abs(at[1] - y)) <= _TOGETHER:
            time.sleep(max(0.0, when + _APART_S - time.monotonic()))

    def _double_clicks(self, control: Control) -> bool:
        """Whether two presses reset a control: proved on the mix, which is the first of them."""
        if self._doubles is None and control.index == _MIX:
            self._hand.press(control.centre, times=2)
            self._doubles = _until(lambda: handle(self._cut(self._view(), control)) == 1.0)
        return bool(self._doubles)

    def _shows(self, fader: Control, normalized: float) -> bool:
        """Whether a fader's handle is there, or cannot be told from its surroundings."""
        seen = handle(self._cut(self._view(), fader))
        return seen is None or abs(seen - normalized) < _NEAR

    def _switch(self, control: Control, normalized: float) -> bool:
        target = round(normalized * (control.states - 1))
        if self._state(control, self._view()) is None:
            self._learn(control)
        if (state := self._state(control, self._view())) is None:
            return False
        for _ in range((target - state) % control.states):
            self._hand.press(control.centre)
        return _until(lambda: self._state(control, self._view()) == target)

    def _state(self, control: Control, view: Picture) -> int | None:
        now = self._cut(view, control)
        looks = enumerate(self._looks.get(control.index, ()))
        return next((state for state, look in looks if alike(look, now)), None)

    def _learn(self, control: Control) -> None:
        index, greying = WITNESSES[control.index]
        view, pictures, contrasts = self._view(), [], []
        for _ in range(control.states):
            pictures.append(self._cut(view, control))
            contrasts.append(contrast(self._cut(view, CONTROLS[index])))
            self._hand.press(control.centre)
            view = self._changed(view, control)
        darkest = contrasts.index(min(contrasts))
        others = contrasts[:darkest] + contrasts[darkest + 1 :]
        if min(others) * _GREYED <= contrasts[darkest]:
            raise SendError(
                f"{PARAMETERS[control.index].id} greys out nothing: this is not Mika Micro's"
                " panel, or what that depends on is locked"
            )
        first = (greying - darkest) % control.states
        by_state = {(first + number) % control.states: p for number, p in enumerate(pictures)}
        self._looks[control.index] = [by_state[state] for state in range(control.states)]

    def _changed(self, before: Picture, control: Control) -> Picture:
        """The panel once a switch looks different and nothing moves any more."""
        views = [before, before]

        def rests() -> bool:
            views[:] = [views[1], self._view()]
            moved = not alike(self._cut(before, control), self._cut(views[1], control))
            return moved and alike(*views)

        _until(rests)
        return views[1]

    def _view(self) -> Picture:
        return self._eyes.at(self._place().box)

    def _cut(self, view: Picture, control: Control) -> Picture:
        scale = view.shape[1] / WIDTH
        width, height = control.size
        left, top = round(scale * control.left), round(scale * control.top)
        right, bottom = left + round(scale * width), top + round(scale * height)
        return view[top:bottom, left:right]


def _until(true: Callable[[], bool]) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_S)
    return True
