"""The mouse, for real: a pointer on an X display, and a window with the panel's places and laws."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from antithesis.errors import DeviceError, SendError
from antithesis.parameters import BY_ID, N_PARAMETERS, PARAMETERS
from antithesis.preset import Preset
from daemon import config
from daemon.mouse.screens import Box
from daemon.mouse.turning import Method
from daemon.senders import Grade, History, Manner, Router, Sender, open_sender
from tests.screens import TOLERANCES, row, window
from tests.simulators import Simulated
from tests.xserver import XServer

# python-xlib and pyscreeze leave files and pipes for the garbage collector to close.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <_io:pytest.PytestUnraisableExceptionWarning"
    ),
]

STEPPED = np.array([p.steps is not None for p in PARAMETERS])


@pytest.fixture(autouse=True)
def pointer_at_rest(request: pytest.FixtureRequest) -> None:
    if "x_display" in request.fixturenames:
        request.getfixturevalue("x_display")
        with user_moves((1300, 700), 0.0):
            time.sleep(0.05)


def preset_of(seed: int) -> Preset:
    return Preset.from_normalized(np.random.default_rng(seed).random(N_PARAMETERS))


def randomise(shown: Simulated, seed: int) -> None:
    shown.tell("set", list(preset_of(seed).normalized))


def assert_holds(shown: Simulated, preset: Preset, tolerance: float) -> None:
    wrong = abs(np.array(shown.held()) - preset.normalized)
    assert wrong[STEPPED].max() < 1e-9, [p.id for p in PARAMETERS if wrong[p.index] >= 1e-9]
    assert wrong.max() <= tolerance, PARAMETERS[int(wrong.argmax())].id


@contextmanager
def sending(method: Method = Method.WHEEL, **settings: Any) -> Iterator[Sender]:
    with open_sender(row(method, **settings)) as sender:
        sender.look()
        yield sender


def position() -> tuple[int, int]:
    import pyautogui

    return tuple(pyautogui.position())


@contextmanager
def user_moves(to: tuple[int, int], after_s: float) -> Iterator[None]:
    """Somebody who takes the mouse after a while, and keeps pushing it."""
    from Xlib import X, display
    from Xlib.ext.xtest import fake_input

    mine = display.Display()  # here, so that it is the test that fails where there is none
    done = threading.Event()

    def push() -> None:
        done.wait(after_s)
        while not done.wait(0.002):
            fake_input(mine, X.MotionNotify, x=to[0], y=to[1])
            mine.sync()

    pushing = threading.Thread(target=push)
    pushing.start()
    try:
        yield
    finally:
        done.set()
        pushing.join()
        mine.close()


@pytest.mark.parametrize("method", list(Method))
def test_random_panel_becomes_a_random_preset(x_display: str, method: Method) -> None:
    with window() as shown, sending(method) as sender:
        randomise(shown, 1)
        home = position()

        delivery = sender.send(preset_of(2))

        assert_holds(shown, preset_of(2), TOLERANCES[method])
        assert delivery.grade is (Grade.CONFIRMED if method is Method.TEXT else Grade.SENT)
        assert position() == home
        assert shown.tell("elsewhere") == 0


def test_fader_pressed_where_it_was_pressed_just_before_is_not_reset(x_display: str) -> None:
    middle = preset_of(3).replace(kOscMix=0.5)
    with window() as shown, sending(Method.DRAG) as sender:
        sender.send(middle)  # whose last press is where the next one's first is
        sender.send(middle.replace(kOsc2Coarse=7.0, kOscMix=0.25))

        assert_holds(shown, middle.replace(kOsc2Coarse=7.0, kOscMix=0.25), TOLERANCES[Method.DRAG])


def test_switches_are_read_back_and_mended(x_display: str) -> None:
    with window() as shown, sending(Method.DRAG) as sender:
        sender.send(preset_of(3))
        known = sender.look()
        assert known[BY_ID["kFmMode"].index] == preset_of(3).normalized[BY_ID["kFmMode"].index]
        randomise(shown, 4)

        sender.look()
        sender.send(preset_of(3))

        assert_holds(shown, preset_of(3), TOLERANCES[Method.DRAG])


def test_window_of_half_more_that_moves_in_between(x_display: str) -> None:
    with window(scale=1.5, x=30, y=20) as shown, sending(Method.DRAG) as sender:
        assert "1.5 times its size" in sender.where
        randomise(shown, 5)
        shown.tell("move_at_event", 60, 81, 97)

        sender.send(preset_of(6))

        assert_holds(shown, preset_of(6), TOLERANCES[Method.DRAG])


def test_window_that_is_partly_covered_comes_to_the_front(x_display: str) -> None:
    with window() as shown, sending(Method.DRAG) as sender:
        shown.tell("cover", 200, 100, 400, 300, False)

        sender.send(preset_of(7))

        assert_holds(shown, preset_of(7), TOLERANCES[Method.DRAG])
        assert shown.tell("elsewhere") == 0


def test_what_stays_in_front_is_not_clicked(x_display: str) -> None:
    with window() as shown, sending(Method.DRAG) as sender:
        before = shown.held()
        shown.tell("cover", 60, 40, 896, 448, True)

        delivery = sender.send(preset_of(8))

        assert delivery.grade is Grade.FAILED
        assert "another window is before 'Mika Micro'" in delivery.reason
        assert shown.tell("elsewhere") == 0
        assert shown.held() == before


@pytest.mark.parametrize(("to", "why"), [((0, 0), "stopped"), ((700, 600), "stopped")])
def test_hand_on_the_mouse_stops_it_within_one_action(
    x_display: str, to: tuple[int, int], why: str
) -> None:
    with window() as shown, sending() as sender:
        with user_moves(to, after_s=1.0):
            delivery = sender.send(preset_of(9))
            stopped_at = shown.tell("seen_events")
        assert (delivery.grade, why in delivery.reason) == (Grade.FAILED, True), delivery.reason
        assert delivery.written == 0
        time.sleep(0.3)
        assert shown.tell("seen_events") == stopped_at
        assert position() == to


def test_pointer_in_a_corner_from_the_start_touches_nothing(x_display: str) -> None:
    import pyautogui

    with window() as shown, sending() as sender:
        pyautogui.FAILSAFE = False
        try:
            pyautogui.moveTo(0, 0)
        finally:
            pyautogui.FAILSAFE = True

        delivery = sender.send(preset_of(9))

        assert "corner of the screen" in delivery.reason
        assert shown.tell("seen_events") == 0


def test_mouse_in_use_at_the_countdown_is_left_alone(x_display: str) -> None:
    with window() as shown, sending() as sender:
        sender.route._hand._countdown_s = 5.0  # type: ignore[attr-defined]
        with user_moves((500, 600), 0.2):
            delivery = sender.send(preset_of(9))
        assert "in use" in delivery.reason
        assert shown.tell("seen_events") == 0


def test_panel_is_found_by_its_looks_in_a_window_of_any_name(x_display: str) -> None:
    with window(title="FX: Track 1", scale=1.25, x=100, y=60), sending(Method.DRAG) as sender:
        assert sender.where == "in the window 'FX: Track 1', 1.25 times its size"


def test_panel_is_where_the_user_showed_it(x_display: str) -> None:
    settings = config.parse('[host]\nroute="mouse"\n[mouse]\nwindow="rack"\npanel=[0,0,896,448]')
    (found,) = config.host_rows(settings)
    with window(title="The Rack"), open_sender(found) as sender:
        sender.look()
        assert "'The Rack', 1 times its size" in sender.where


def test_two_windows_are_one_too_many(x_display: str) -> None:
    with window(), window(x=200), pytest.raises(SendError, match="2 windows may be"), sending():
        pass


def test_no_window_is_said_with_the_remedy(x_display: str) -> None:
    with pytest.raises(SendError, match="antithesis learn window"), sending():
        pass


def test_another_window_of_that_name_and_size_is_found_out(x_display: str) -> None:
    with window() as shown, sending() as sender:
        shown.tell("cover", 340, 80, 64, 64, True)  # what the first waveform greys out
        delivery = sender.send(preset_of(1))
        assert "kOsc1Wave greys out nothing: this is not Mika Micro's" in delivery.reason


def test_locked_controls_keep_their_values(x_display: str) -> None:
    locked = frozenset({BY_ID["kMasterVolume"].index, BY_ID["kVoiceMode"].index})
    manner = Manner(locked, glide_s=5.0)  # a glide is not for the mouse
    with window() as shown, open_sender(row(Method.TEXT), manner) as sender:
        randomise(shown, 1)
        before = shown.held()
        sender.look()
        sender.send(preset_of(2))
        wanted = preset_of(2).normalized
        whole = [before[i] if i in locked else wanted[i] for i in range(N_PARAMETERS)]
        assert shown.held() == pytest.approx(whole, abs=1e-4)


def test_pointer_waits_for_the_last_match(x_display: str, tmp_path: Any) -> None:
    with window() as shown, open_sender(row(Method.TEXT)) as sender:
        with Router([sender], History(tmp_path / "before.json")) as router:
            first = router.apply(preset_of(1), last=False)
            better = router.apply(preset_of(2), fresh=False, last=False)
            assert (first.grade, better.grade) == (Grade.WAITING, Grade.WAITING)
            assert shown.tell("seen_events") == 0

            assert router.apply(preset_of(3), fresh=False).grade is Grade.CONFIRMED
            assert router.apply(preset_of(4)).grade is Grade.CONFIRMED
            assert router.undo().grade is Grade.CONFIRMED
        assert_holds(shown, preset_of(3), TOLERANCES[Method.TEXT])


def test_display_that_died_is_started_anew_and_it_is_said(
    x_display: str, x_server: XServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with window():
        position()
    x_server._server.kill()
    x_server._server.wait()

    assert "ended with status -9" in x_server.revived()

    monkeypatch.setenv("DISPLAY", x_server.display)
    with window(), sending(Method.DRAG) as sender:
        assert "'Mika Micro'" in sender.where
    assert x_server.revived() == ""


def test_wayland_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    with pytest.raises(DeviceError, match="Wayland, where no program may"), sending():
        pass


def test_mouse_is_never_taken_unasked() -> None:
    assert all(
        not row.link.route.endswith("MouseRoute") for row in config.host_rows(config.Config())
    )


def test_panel_of_three_numbers_is_refused() -> None:
    from antithesis.errors import ConfigError

    settings = config.parse('[host]\nroute = "mouse"\n[mouse]\npanel = [1, 2, 3]')
    with pytest.raises(ConfigError, match="four numbers"):
        config.host_rows(settings)


def test_user_points_at_it_once(
    x_display: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from daemon.cli import cli

    monkeypatch.setenv("ANTITHESIS_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").write_text('[host]\nroute = "mouse"\n')
    corners = iter([(60, 40), (60 + 895, 40 + 447)])

    def point(_said: str) -> None:
        with user_moves(next(corners), 0.0):
            time.sleep(0.1)

    monkeypatch.setattr("click.pause", point)
    with window(title="Rack 1"):
        said = CliRunner().invoke(cli, ["learn", "window"])
    assert (said.exit_code, "896 x 448 in 'Rack 1'" in said.output) == (0, True), said.output
    (found,) = config.host_rows(config.load())
    assert (found.link.title, found.link.panel) == ("Rack 1", Box(0, 0, 896, 448))
