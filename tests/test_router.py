"""Choosing among routes, falling over, and putting back what was there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from antithesis.errors import DeviceError, SendError
from antithesis.parameters import BY_ID, N_PARAMETERS, PARAMETERS
from antithesis.preset import Preset
from daemon.hosts import HOSTS, HostRow
from daemon.senders import Grade, History, Manner, Router, Sender
from daemon.senders.memory import MemoryRoute

FIRST = replace(HOSTS["memory"], name="ardour", lasting=True)
SECOND = replace(HOSTS["memory"], name="midi", lasting=True, answers=False)
CUTOFF = BY_ID["kFilterCutoff"].index

Open = Callable[..., Router]


def preset_of(seed: int) -> Preset:
    return Preset.from_normalized(np.random.default_rng(seed).random(N_PARAMETERS))


class Host(MemoryRoute):
    """In memory, with a port that may be taken and a plug-in that may be gone."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self.values = dict.fromkeys(range(N_PARAMETERS), 0.5)
        self.taken = self.gone = self.entered = False

    def __enter__(self) -> Host:
        if self.taken:
            raise DeviceError("UDP port 9000 is taken")
        self.entered = True
        return self

    def __exit__(self, *_error: object) -> None:
        self.entered = False

    def find(self) -> str:
        if self.gone:
            raise SendError("no Mika Micro is found there")
        return "here"


@pytest.fixture
def router(tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as opened:

        def enter(*routes: MemoryRoute, manner: Manner | None = None) -> Router:
            rows: list[HostRow] = [FIRST, SECOND]
            senders = [Sender(row, route, manner) for row, route in zip(rows, routes, strict=False)]
            return opened.enter_context(Router(senders, History(tmp_path / "before.json")))

        yield enter


def held(route: MemoryRoute) -> list[float]:
    return [route.values[index] for index in range(N_PARAMETERS)]


# Which route -------------------------------------------------------------------------------------


def test_the_first_route_that_works_is_taken(router: Open) -> None:
    first, second = Host(), Host()

    delivery = router(first, second).apply(preset_of(1))

    assert (delivery.grade, delivery.route) == (Grade.CONFIRMED, "ardour")
    assert held(first) == pytest.approx(list(preset_of(1).normalized))
    assert not second.writes


@pytest.mark.parametrize("trouble", ["gone", "taken"])
def test_when_the_first_fails_the_next_takes_over(router: Open, trouble: str) -> None:
    first, second = Host(), Host(deaf=True)
    setattr(first, trouble, True)

    delivery = router(first, second).apply(preset_of(1))

    assert (delivery.grade, delivery.route) == (Grade.SENT, "midi")
    assert held(second) == pytest.approx(list(preset_of(1).normalized))


def test_a_route_that_fails_amid_refinement_hands_over_everything(router: Open) -> None:
    first, second = Host(), Host()
    sending = router(first, second)
    sending.apply(preset_of(1))
    first.gone = True
    first.values.clear()
    first._deaf = True

    delivery = sending.apply(preset_of(1).replace(kFilterCutoff=123.0), fresh=False)

    assert (delivery.route, delivery.written) == ("midi", N_PARAMETERS)


def test_the_next_sound_tries_the_first_route_again(router: Open) -> None:
    first, second = Host(), Host()
    first.gone = True
    sending = router(first, second)
    sending.apply(preset_of(1))
    first.gone = False

    assert sending.apply(preset_of(2), fresh=False).route == "midi"
    assert sending.apply(preset_of(2)).route == "ardour"


def test_when_all_fail_each_reason_is_told(router: Open) -> None:
    first, second = Host(), Host()
    first.gone = second.taken = True

    delivery = router(first, second).apply(preset_of(1))

    assert delivery.grade is Grade.FAILED
    assert "ardour: no Mika Micro is found there" in delivery.reason
    assert "; midi: UDP port 9000 is taken" in delivery.reason


def test_a_route_that_failed_leaves_its_ports_to_others(router: Open) -> None:
    host = Host()
    sending = router(host)
    assert host.entered
    host.gone = True

    sending.apply(preset_of(1))

    assert not host.entered
    host.gone = False
    assert sending.apply(preset_of(1)).grade is Grade.CONFIRMED
    assert host.entered


def test_the_only_route_without_its_port_is_an_error_on_entering(router: Open) -> None:
    host = Host()
    host.taken = True

    with pytest.raises(DeviceError, match="9000"):
        router(host)


def test_all_routes_are_closed_on_leaving(router: Open, tmp_path: Path) -> None:
    first, second = Host(), Host()
    rows = zip((FIRST, SECOND), (first, second), strict=True)

    with Router([Sender(*pair) for pair in rows], History(tmp_path / "h.json")) as sending:
        assert [sender.row.name for sender in sending.found()] == ["ardour", "midi"]

    assert not first.entered
    assert not second.entered


def test_while_refining_only_the_differences_travel(router: Open) -> None:
    host = Host(deaf=True)
    sending = router(Host(), host)
    sending.senders[0].route.gone = True  # type: ignore[attr-defined]
    sending.apply(preset_of(1))
    host.writes.clear()

    sending.apply(preset_of(1).replace(kFilterCutoff=123.0), fresh=False)
    assert [set(write) for write in host.writes] == [{CUTOFF}, {CUTOFF}]
    host.writes.clear()

    sending.apply(preset_of(1).replace(kFilterCutoff=123.0))
    assert len(host.writes[0]) == N_PARAMETERS  # by hand it may be anything by now


@pytest.mark.parametrize("hopeful", [False, True])
def test_a_route_that_never_worked_is_missed_aloud_unless_it_was_only_hoped_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, hopeful: bool
) -> None:
    first, second = Host(), Host()
    first.gone = True
    senders = [Sender(FIRST, first), Sender(SECOND, second)]

    with Router(senders, History(tmp_path / "before.json"), hopeful=hopeful) as sending:
        sending.apply(preset_of(1))
        assert ("no Mika Micro" in caplog.text) is not hopeful
        first.gone = False
        sending.apply(preset_of(2))
        first.gone = True
        sending.apply(preset_of(3))

    assert "no Mika Micro" in caplog.text


def test_the_host_that_has_the_preset_plays_the_note(router: Open) -> None:
    class Instrument(Host):
        played: tuple[int, int, float] | None = None

        def play(self, note: int, velocity: int, gate_s: float) -> None:
            self.played = (note, velocity, gate_s)

    first, second = Instrument(), Instrument()
    first.gone = True
    sending = router(first, second)
    sending.apply(preset_of(1))

    sending.play(57, 100, 0.5)

    assert (first.played, second.played) == (None, (57, 100, 0.5))


# The way back ------------------------------------------------------------------------------------


def test_undo_puts_back_what_was_there_before_the_sound(router: Open) -> None:
    host = Host()
    before = held(host)
    sending = router(host)
    sending.apply(preset_of(1))
    sending.apply(preset_of(2), fresh=False)

    delivery = sending.undo()

    assert delivery.grade is Grade.CONFIRMED
    assert held(host) == before


def test_undo_again_goes_further_back_until_there_is_nothing(router: Open) -> None:
    host = Host()
    before = held(host)
    sending = router(host)
    sending.apply(preset_of(1))
    host.values[CUTOFF] = 0.125  # by hand
    sending.apply(preset_of(2))

    sending.undo()
    assert host.values[CUTOFF] == 0.125
    sending.undo()
    assert held(host) == before
    with pytest.raises(SendError, match="nothing to undo"):
        sending.undo()


def test_undo_outlives_the_daemon(router: Open) -> None:
    host = Host()
    before = held(host)
    router(host).apply(preset_of(1))

    assert router(host).undo().grade is Grade.CONFIRMED
    assert held(host) == before


def test_a_host_that_cannot_answer_gets_back_what_it_was_sent_before(router: Open) -> None:
    host = Host(deaf=True)
    gone = Host()
    gone.gone = True
    sending = router(gone, host)
    sending.apply(preset_of(1))
    sending.apply(preset_of(2))

    assert sending.undo().grade is Grade.SENT
    assert held(host) == pytest.approx(list(preset_of(1).normalized))


def test_an_undo_that_fails_can_be_tried_again(router: Open) -> None:
    host = Host()
    before = held(host)
    sending = router(host)
    sending.apply(preset_of(1))
    host.gone = True
    assert sending.undo().grade is Grade.FAILED
    host.gone = False

    assert sending.undo().grade is Grade.CONFIRMED
    assert held(host) == before


def test_what_is_locked_stays_on_the_way_back(router: Open) -> None:
    host = Host()
    sending = router(host, manner=Manner(locked=frozenset({CUTOFF})))
    sending.apply(preset_of(1))
    host.values[CUTOFF] = 0.75

    sending.undo()

    assert host.values[CUTOFF] == 0.75


def test_what_is_locked_is_told_as_the_first_host_that_is_there_holds_it(router: Open) -> None:
    away, host = Host(), Host()
    sending = router(away, host, manner=Manner(locked=frozenset({CUTOFF})))
    assert sending.locked() == {"kFilterCutoff": PARAMETERS[CUTOFF].to_plain(0.5)}
    away.gone = True
    host.values[CUTOFF] = 1.0

    assert sending.locked() == {"kFilterCutoff": 8000.0}
    del host.values[CUTOFF]
    assert router(host).locked() == {}


def test_where_nothing_is_locked_no_host_is_asked(router: Open) -> None:
    host = Host()
    sending = router(host)
    host.find = pytest.fail  # type: ignore[method-assign]

    assert sending.locked() == {}


def test_undo_of_a_route_that_is_not_configured_any_more_names_it(
    router: Open, tmp_path: Path
) -> None:
    router(Host()).apply(preset_of(1))

    other = Router([Sender(SECOND, Host())], History(tmp_path / "before.json"))
    with other, pytest.raises(SendError, match=r"set host\.route to it"):
        other.undo()


@pytest.mark.parametrize("content", ["", "{", "[3]", "{}", '[{"route": 1}]', "\udcff"])
def test_a_history_that_cannot_be_understood_is_an_empty_one(tmp_path: Path, content: str) -> None:
    path = tmp_path / "before.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))

    assert History(path).pop() is None


def test_values_that_are_none_are_left_out_of_the_history(tmp_path: Path) -> None:
    path = tmp_path / "before.json"
    values = {"kOscMix": 0.5, "kNone": 0.5, "kGlideSpeed": 2.0, "kFmFine": "x", "kFmMode": None}
    path.write_text(json.dumps([{"route": "ardour", "values": values}]))

    before = History(path).pop()

    assert before is not None
    assert before.values == {BY_ID["kOscMix"].index: 0.5}


def test_a_history_that_cannot_be_written_does_not_hold_up_the_preset(
    router: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "before.json").mkdir()

    assert router(Host()).apply(preset_of(1)).grade is Grade.CONFIRMED
    assert "cannot remember" in caplog.text
