"""What a route cannot say, told in words before it is sent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from antithesis.parameters import BY_ID, N_PARAMETERS
from antithesis.preset import Preset
from daemon.config import parse
from daemon.doctor import Verdict, reach
from daemon.hosts import HOSTS, HostRow, find_host
from daemon.limits import limits, rounded
from daemon.mouse.turning import Method
from daemon.senders import Router, Sender
from daemon.senders.history import History
from daemon.senders.memory import MemoryRoute

SEVEN = find_host("midi", bits=7)
ENVELOPES = (
    "volume envelope attack, volume envelope decay, volume envelope release, modulation envelope"
    " attack, modulation envelope decay, modulation envelope release"
)


def test_seven_bits_leave_out_short_times_low_cutoffs_and_centres() -> None:
    said = limits(SEVEN)

    assert f"{ENVELOPES} between 2.4 ms and 21 ms cannot be sent" in said
    assert "vibrato delay between 2.4 ms and 486 ms cannot be sent" in said
    cutoff = "filter cutoff between 20 Hz and 271 Hz can be sent as 83 Hz, 146 Hz, 209 Hz only"
    assert cutoff in said
    assert said[-1].startswith("exactly 0 cannot be sent: nearest are oscillator 1 fine ±0.8 ct,")
    assert said[-1].endswith("vibrato to filter cutoff ±0.50 Hz")


def test_fourteen_bits_leave_out_less() -> None:
    assert limits(find_host("midi")) == (
        f"{ENVELOPES} between 2.4 ms and 11 ms cannot be sent",
        "vibrato delay between 2.4 ms and 246 ms cannot be sent",
        "glide speed between 1.0 ms and 1.6 ms cannot be sent",
    )


def test_what_is_told_cannot_be_sent_and_its_ends_can() -> None:
    attack = BY_ID["kVolEnvA"]
    levels = SEVEN.link.rounded(np.full(N_PARAMETERS, 0.5 / 127 + 1e-9))

    one_step = attack.to_plain(levels[attack.index])

    assert np.log(11) / (attack.max + attack.min - one_step) == pytest.approx(0.021, abs=5e-4)


@pytest.mark.parametrize(
    "row", [row for row in HOSTS.values() if row.link.grid() is None], ids=lambda row: row.name
)
def test_routes_that_say_everything_have_no_limits(row: HostRow) -> None:
    assert limits(row) == ()
    assert list(rounded(Preset.init(), row)) == []


@pytest.mark.parametrize("method", [Method.WHEEL, Method.DRAG])
def test_the_mouse_has_its_own(method: Method) -> None:
    said = limits(find_host("mouse", method=method))

    assert any(line.startswith(f"{ENVELOPES} between 2.4 ms and") for line in said)
    assert not any("exactly 0" in line for line in said)  # a double click is exact


def test_a_parameter_that_was_not_learned_is_told_once() -> None:
    cutoff = BY_ID["kFilterCutoff"].index

    said = limits(replace(SEVEN, unmapped=frozenset({cutoff})))

    assert said[0] == "no controller was learned for filter cutoff"
    assert not any("filter cutoff between" in line for line in said)


SHORT = Preset.init().replace(kVolEnvA=800, kFilterEnabled=1, kFilterCutoff=50)


def test_what_of_a_preset_will_be_heard_to_be_rounded_is_told() -> None:
    said = list(rounded(SHORT, SEVEN))

    assert "volume envelope attack 12 ms goes as 2.4 ms" in said
    assert "filter cutoff 50 Hz goes as 20 Hz" in said
    assert "oscillator 1 fine 0 ct goes as +0.8 ct" in said
    assert "volume envelope to filter cutoff 0 Hz goes as +63 Hz" in said
    assert not any("modulation envelope attack" in line for line in said[:2])


def test_what_cannot_be_heard_is_not_told() -> None:
    said = list(rounded(SHORT.replace(kFilterEnabled=0), SEVEN))

    assert not any("cutoff" in line for line in said)


def test_a_delivery_says_what_went_rounded_and_nothing_where_nothing_went() -> None:
    with Sender(replace(SEVEN, wait_s=0.0), MemoryRoute(deaf=True)) as sender:
        first, again = sender.send(SHORT), sender.send(SHORT)

    assert "filter cutoff 50 Hz goes as 20 Hz" in first.rounded
    assert (again.written, again.rounded) == (0, ())


def test_what_was_not_learned_is_not_sent() -> None:
    route = MemoryRoute(deaf=True)
    row = replace(SEVEN, wait_s=0.0, unmapped=frozenset({0, 13}))
    with Sender(row, route) as sender:
        assert sender.send(SHORT).written == 36

    assert route.values.keys() == set(range(N_PARAMETERS)) - {0, 13}


def test_the_matcher_is_asked_for_the_grid_of_the_route_that_works(tmp_path) -> None:
    deaf = Sender(SEVEN, MemoryRoute(deaf=True))
    everything = Sender(HOSTS["memory"], MemoryRoute())
    with Router([deaf, everything], History(tmp_path / "before.json")) as router:
        assert router.grid() is SEVEN.link.grid()
    with Router([everything, deaf], History(tmp_path / "before.json")) as router:
        assert router.grid() is None


def test_doctor_tells_the_limits_and_what_to_do_about_them() -> None:
    seven = '[host]\nroute = "midi"\n[midi]\nresolution = 7\n'

    row = reach(parse(seven))
    assert row.verdict is Verdict.WARN
    assert "MIDI: vibrato delay between 2.4 ms and 486 ms cannot be sent" in row.finding
    assert "on_grid = true" in row.remedy
    assert reach(parse(f"{seven}[match]\non_grid = true\n")).verdict is Verdict.OK
    assert reach(parse("")).finding == "every value of every knob can be sent"
