"""The panel's laws on paper: every control reached from everywhere, greyed ones in their order."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis.parameters import BY_ID, N_PARAMETERS, PARAMETERS
from antithesis.preset import Preset
from antithesis.rules import greyed
from daemon.hosts import MouseLink
from daemon.mouse.order import OPENING, steps
from daemon.mouse.panel import CONTROLS, HEIGHT, WIDTH, Widget
from daemon.mouse.places import Place
from daemon.mouse.screens import Box, Window
from daemon.mouse.turning import Drag, Method, Press, Wheel, gestures
from daemon.mouse.windows import BUTTON, CONTROL, DOUBLE, DOWN, MOVE, UP, WHEEL, MessageHand
from tests.screens import TOLERANCES

panel = pytest.importorskip("tests.simulators.panel", reason="this Python has no tkinter")

BY_HAND = [Method.WHEEL, Method.DRAG]


class PaperHand:
    """Works a simulated panel without a screen, and never leaves it."""

    def __init__(self, panel) -> None:
        self.panel = panel
        self._now = 0.0

    def obey(self, gesture) -> None:
        self._now += 0.1
        match gesture:
            case Press(at, times):
                for _ in range(times):
                    self._press(at)
                    self.panel.release()
            case Wheel((x, y), notches, fine):
                for _ in range(abs(notches)):
                    self.panel.wheel(x, y, 1 if notches > 0 else -1, fine)
            case Drag((x, y), up, fine):
                self._press((x, y))
                assert 0 <= y - up < HEIGHT
                self.panel.drag(y - up, fine)
                self.panel.release()

    def _press(self, at) -> None:
        assert Box(0, 0, WIDTH, HEIGHT).holds(*at)
        self._now += 0.01
        self.panel.press(*at, self._now)


def set_by_laws(shown, target, method, *, double_clicks=True):
    """What the route does, with the switches' states known."""
    hand = PaperHand(shown)
    for index, value in steps(dict(enumerate(target)), {}):
        control = CONTROLS[index]
        if control.widget is Widget.SWITCH:
            turns = round((value - shown.positions[index]) * (control.states - 1))
            hand.obey(Press(control.centre, turns % control.states))
            continue
        for gesture in gestures(control, value, method, double_clicks=double_clicks):
            hand.obey(gesture)


def rounded(target, method):
    return MouseLink(method=method).rounded(target)


def drawn(rng):
    return Preset.from_normalized(rng.random(N_PARAMETERS)).normalized


def held(shown):
    return np.array([shown._position(i, shown.plain(i)) for i in range(N_PARAMETERS)])


@pytest.mark.parametrize("double_clicks", [True, False])
@pytest.mark.parametrize("method", BY_HAND)
def test_every_control_goes_from_anywhere_to_anywhere(method, double_clicks):
    rng = np.random.default_rng(3)
    for _ in range(40 if method is Method.DRAG else 15):
        shown = panel.Panel()
        shown.positions = list(drawn(rng))
        target = drawn(rng)

        on_grid = rounded(target, method) if double_clicks else target
        set_by_laws(shown, on_grid, method, double_clicks=double_clicks)

        wrong = abs(held(shown) - target)
        steps_of = np.array([p.steps or 0 for p in PARAMETERS])
        assert wrong[steps_of > 0].max() < 1e-9
        assert wrong[steps_of == 0].max() <= TOLERANCES[method]


@pytest.mark.parametrize("method", BY_HAND)
@pytest.mark.parametrize("double_clicks", [True, False])
def test_ends_and_centres_are_exact(method, double_clicks):
    rng = np.random.default_rng(4)
    centred = [p.index for p in PARAMETERS if p.min < 0 and not p.steps]
    for end in (0.0, 1.0):
        shown = panel.Panel()
        shown.positions = list(drawn(rng))
        target = np.full(N_PARAMETERS, end)
        target[centred] = 0.5

        set_by_laws(shown, target, method, double_clicks=double_clicks)

        assert list(held(shown)) == list(target)


@pytest.mark.parametrize("method", list(Method))
def test_what_is_said_to_be_reachable_is_reached(method):
    rng = np.random.default_rng(5)
    target = drawn(rng)
    near = rounded(target, method)
    assert abs(near - target).max() <= TOLERANCES[method]
    assert abs(rounded(near, method) - near).max() < 1e-12


def test_panel_of_the_table_is_the_simulated_one():
    for control, (left, top, kind, *_) in zip(CONTROLS, panel.ROWS, strict=True):
        assert (control.left, control.top) == (left, top)
        assert control.states == (kind if isinstance(kind, int) else 1)
        assert (control.widget is Widget.FADER) == (kind == "fader")


def test_grey_rules_of_the_simulated_panel_are_those_of_the_library():
    rng = np.random.default_rng(6)
    for _ in range(300):
        shown = panel.Panel()
        coarse = np.where(rng.random(N_PARAMETERS) < 0.3, 0.5, rng.integers(0, 2, N_PARAMETERS))
        shown.positions = list(Preset.from_normalized(coarse).normalized)
        live = [shown.live(index) for index in range(N_PARAMETERS)]
        assert live == list(~greyed([shown.plain(i) for i in range(N_PARAMETERS)]))


def test_what_is_locked_is_not_touched():
    locked = BY_ID["kOscMix"].index
    values = {p.index: 0.3 for p in PARAMETERS if p.index != locked}
    assert locked not in dict(steps(values, {}))


def test_what_was_moved_out_of_the_way_is_put_back():
    resonance = BY_ID["kFilterResonance"].index
    known = dict(enumerate(np.linspace(0, 1, N_PARAMETERS)))
    done = dict(steps({resonance: 0.7}, known))
    assert done == {resonance: 0.7} | {BY_ID[id].index: known[BY_ID[id].index] for id in OPENING}


def test_what_nothing_greys_out_is_set_alone():
    volume = BY_ID["kMasterVolume"].index
    assert list(steps({volume: 0.7}, {0: 0.4})) == [(volume, 0.7)]


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5, 2.0])
def test_points_of_a_scaled_panel_are_meant_for_it(scale):
    window = Window(1, 1, 1, "", Box(10, 20, 2000, 1000))
    place = Place(window, Box(3, 4, round(scale * WIDTH), round(scale * HEIGHT)))
    for at in ((0, 0), (1, 7), (311, 222), (895, 447)):
        x, y = place.screen(at)
        assert (int((x - 13) / scale), int((y - 24) / scale)) == at
        assert place.box.holds(x, y)


class PaperUser:
    """Obeys the documented messages of Windows as IPlug's window does, on a panel at (100, 50)."""

    def __init__(self, shown) -> None:
        self._shown, self._now = shown, 0.0

    def IsWindow(self, handle) -> bool:  # noqa: N802
        return handle == 7

    def SendMessageW(self, handle, message, keys, where) -> int:  # noqa: N802
        assert handle == 7
        x, y = where & 0xFFFF, where >> 16
        self._now += 0.1
        if message in (DOWN, DOUBLE):
            assert keys & BUTTON
            self._shown.press(x, y, self._now)
        elif message == MOVE:
            self._shown.drag(y, bool(keys & CONTROL))
        elif message == UP:
            self._shown.release()
        else:
            assert message == WHEEL
            notches = ((keys >> 16) ^ 0x8000) - 0x8000
            self._shown.wheel(x - 100, y - 50, notches // 120, bool(keys & CONTROL))
        return 0


def test_windows_messages_do_what_the_pointer_does():
    shown = panel.Panel()
    place = Place(Window(7, 7, 7, "", Box(100, 50, WIDTH, HEIGHT)), Box(0, 0, WIDTH, HEIGHT))
    hand = MessageHand(lambda: place, PaperUser(shown))
    cutoff, mix, wave = (CONTROLS[BY_ID[id].index] for id in ("kVolEnvFm", "kOscMix", "kOsc1Wave"))
    shown.set_plain(BY_ID["kFmMode"].index, 1)

    hand.press(wave.centre, times=2)
    hand.wheel(mix.centre, -101, fine=False)
    hand.wheel(mix.centre, 37, fine=True)
    hand.press(wave.centre)
    hand.drag((cutoff.centre[0], cutoff.top + 60), 32, fine=False)

    assert shown.plain(wave.index) == 5
    assert shown.positions[mix.index] == pytest.approx(0.037)
    assert shown.positions[cutoff.index] == 0.5  # noise: greyed
    hand.press(mix.centre, times=2)
    assert shown.positions[mix.index] == 1.0
