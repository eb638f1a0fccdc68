"""REAPER: a simulator of its OSC surface, in its own process, over real UDP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antithesis.parameters import BY_ID, N_PARAMETERS
from antithesis.preset import Preset
from daemon.hosts import HostRow, find_host
from daemon.ports import free_port
from daemon.senders import Grade, History, Router, open_sender
from tests.oscpeer import OscPeer
from tests.simulators import Simulated

LEAD, PAD = 3, 4
CUTOFF = BY_ID["kFilterCutoff"].index


def preset_of(seed: int) -> Preset:
    return Preset.from_normalized(np.random.default_rng(seed).random(N_PARAMETERS))


def holds(preset: Preset) -> Any:
    return pytest.approx(list(preset.normalized), abs=1e-7)


@contextmanager
def reaper(**settings: Any) -> Iterator[tuple[Simulated, HostRow]]:
    reply_port = free_port()
    with Simulated("reaper", reply_port=reply_port, **settings) as host:
        yield host, find_host("reaper", port=host.port, reply_port=reply_port)


# The documentation's own datagrams ---------------------------------------------------------------


def test_a_literal_datagram_of_the_documentation_sets_a_parameter() -> None:
    # /track/3/fxinstparam/14/value f 0.25
    datagram = b"/track/3/fxinstparam/14/value\0\0\0,f\0\0" + b"\x3e\x80\x00\x00"
    with reaper() as (host, _), OscPeer(host.port) as peer:
        peer.socket.sendto(datagram, peer.target)
        while host.held(LEAD)[CUTOFF] != 0.25:
            pass


def test_what_we_send_is_what_the_documentation_says() -> None:
    with reaper() as (host, row), open_sender(row) as sender:
        sender.look()
        host.tell("forget_heard")
        sender.send(preset_of(1))
        heard = host.tell("messages_heard")

    written = [m for m in heard if m[0].endswith("/value")]
    assert {m[0] for m in written} == {
        f"/track/3/fxinstparam/{number}/value" for number in range(1, 39)
    }
    assert all(isinstance(m[1], float) for m in written)
    assert ["/device/track/select", 3] in heard
    assert ["/action", 41743] in heard


# Finding -----------------------------------------------------------------------------------------


def test_the_track_is_found_by_the_instruments_names() -> None:
    with reaper() as (_, row), open_sender(row) as sender:
        sender.look()

        assert sender.where == "Mika Micro (Tesselode) on track 3"


def test_a_track_that_is_configured_is_the_one() -> None:
    with reaper() as (host, row), open_sender(row_on(row, PAD)) as sender:
        sender.look()

        assert sender.send(preset_of(1)).grade is Grade.CONFIRMED
        assert host.held(PAD) == holds(preset_of(1))
        assert host.held(LEAD) != holds(preset_of(1))


def row_on(row: HostRow, track: int) -> HostRow:
    link: Any = row.link
    return find_host("reaper", port=link.port, reply_port=link.reply_port, track=track)


def test_tracks_that_were_moved_are_found_again_for_the_next_sound(tmp_path: Path) -> None:
    with reaper() as (host, row):
        with Router([open_sender(row)], History(tmp_path / "before.json")) as router:
            router.apply(preset_of(1))
            host.tell("move_first_to_the_end")

            assert router.apply(preset_of(2)).grade is Grade.CONFIRMED
        assert host.held(2) == holds(preset_of(2))


# Sending -----------------------------------------------------------------------------------------


def test_all_38_are_set_and_confirmed_though_the_first_feedback_is_stale() -> None:
    with reaper() as (host, row), open_sender(row) as sender:
        sender.look()
        for seed in range(4):
            assert sender.send(preset_of(seed)).grade is Grade.CONFIRMED
            assert host.held(LEAD) == holds(preset_of(seed))


def test_only_what_changed_is_sent() -> None:
    with reaper() as (host, row), open_sender(row) as sender:
        sender.look()
        sender.send(preset_of(1))
        host.tell("forget_heard")

        delivery = sender.send(preset_of(1).replace(kFilterCutoff=333.0))

        written = [m[0] for m in host.tell("messages_heard") if m[0].endswith("/value")]
    assert (delivery.grade, delivery.written) == (Grade.CONFIRMED, 1)
    assert written == ["/track/3/fxinstparam/14/value"]


@pytest.mark.parametrize("line", [{"lose": 0.2}, {"lose": 0.05, "trouble": 0.2}], ids=str)
def test_a_bad_line_still_ends_in_confirmed(line: dict[str, float]) -> None:
    with reaper(**line) as (host, row), open_sender(row) as sender:
        sender.look()
        for seed in range(3):
            assert sender.send(preset_of(seed)).grade is Grade.CONFIRMED
            assert host.held(LEAD) == holds(preset_of(seed))


def test_a_knob_turned_by_hand_is_put_right_and_comes_back_by_undo(tmp_path: Path) -> None:
    with reaper() as (host, row):
        with Router([open_sender(row)], History(tmp_path / "before.json")) as router:
            router.apply(preset_of(1))
            host.tell("turn", LEAD, CUTOFF + 1, 0.125)
            assert router.apply(preset_of(1), fresh=False).grade is Grade.CONFIRMED
            assert host.held(LEAD) == holds(preset_of(1))
            host.tell("turn", LEAD, CUTOFF + 1, 0.25)
            router.apply(preset_of(2))

            assert router.undo().grade is Grade.CONFIRMED
        assert host.held(LEAD)[CUTOFF] == 0.25


def test_a_knob_that_the_plug_in_ignores_fails_by_its_name() -> None:
    with reaper(deaf_to=CUTOFF + 1) as (_, row), open_sender(row) as sender:
        sender.look()
        delivery = sender.send(preset_of(1))

    assert (delivery.grade, delivery.differing) == (Grade.FAILED, ("kFilterCutoff",))


def test_without_feedback_it_is_sent_to_the_track_that_was_configured() -> None:
    with reaper(feedback=False) as (host, row), open_sender(row_on(row, LEAD)) as sender:
        sender.look()
        delivery = sender.send(preset_of(1))

        assert (delivery.grade, delivery.differing) == (Grade.SENT, ())
        assert host.held(LEAD) == holds(preset_of(1))


def test_without_feedback_nothing_is_sent_to_nobody_knows_which_track(tmp_path: Path) -> None:
    with reaper(feedback=False) as (host, row):
        with Router([open_sender(row)], History(tmp_path / "before.json")) as router:
            delivery = router.apply(preset_of(1))

        assert delivery.grade is Grade.FAILED
        assert "it does not answer; run `antithesis install reaper`" in delivery.reason
        assert not [m for m in host.tell("messages_heard") if m[0].endswith("/value")]
