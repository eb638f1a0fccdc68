"""One way of sending, on a host in memory that loses and changes what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from antithesis.errors import SendError
from antithesis.parameters import BY_ID, N_PARAMETERS, PARAMETERS, Kind
from antithesis.preset import Preset
from daemon.hosts import HOSTS, HostRow
from daemon.senders import Grade, Manner, Sender, open_sender
from daemon.senders.memory import MemoryRoute

MEMORY = HOSTS["memory"]
# As a host that may or may not answer.
QUIET = replace(MEMORY, answers=False)
PRESET = Preset.from_normalized(np.random.default_rng(1).random(N_PARAMETERS))
CUTOFF = BY_ID["kFilterCutoff"].index


def sender_of(route: MemoryRoute, row: HostRow = MEMORY) -> Sender:
    return Sender(row, route)


def losing(times: int, index: int = CUTOFF) -> Callable[[int, float], float | None]:
    """A way that loses the first writes of one parameter."""
    left = [times]

    def alter(written: int, value: float) -> float | None:
        if written == index and left[0]:
            left[0] -= 1
            return None
        return value

    return alter


def test_a_preset_arrives_whole_and_is_confirmed() -> None:
    route = MemoryRoute()

    delivery = sender_of(route).send(PRESET)

    assert delivery.grade is Grade.CONFIRMED
    assert (delivery.written, delivery.rounds, delivery.differing) == (N_PARAMETERS, 1, ())
    assert [route.values[p.index] for p in PARAMETERS] == pytest.approx(PRESET.normalized)


def test_switches_go_before_the_rest() -> None:
    route = MemoryRoute()

    sender_of(route).send(PRESET)

    kinds = [PARAMETERS[index].kind is Kind.DOUBLE for index in route.writes[0]]
    assert kinds == sorted(kinds)
    assert kinds.count(False) == sum(p.kind is not Kind.DOUBLE for p in PARAMETERS)


def test_only_what_changed_is_sent() -> None:
    route = MemoryRoute()
    sender = sender_of(route)
    sender.send(PRESET)

    delivery = sender.send(PRESET.replace(kFilterCutoff=1234.5, kOsc1Coarse=-7))

    assert list(route.writes[-1]) == [BY_ID["kOsc1Coarse"].index, CUTOFF]
    assert (delivery.grade, delivery.written) == (Grade.CONFIRMED, 2)


def test_the_same_preset_again_sends_nothing_and_is_still_confirmed() -> None:
    route = MemoryRoute()
    sender = sender_of(route)
    sender.send(PRESET)

    delivery = sender.send(PRESET)

    assert len(route.writes) == 1
    assert (delivery.grade, delivery.written) == (Grade.CONFIRMED, 0)


def test_the_smallest_change_is_sent_though_the_host_is_within_tolerance() -> None:
    route = MemoryRoute()
    sender = sender_of(route)
    start = Preset.init().normalized.copy()
    sender.send(Preset.from_normalized(start))
    start[CUTOFF] -= 1e-6

    sender.send(Preset.from_normalized(start))

    assert list(route.writes[-1]) == [CUTOFF]


def test_what_was_lost_is_sent_again_and_nothing_else() -> None:
    route = MemoryRoute(alter=losing(1))
    route.values = dict.fromkeys(range(N_PARAMETERS), 0.5)

    delivery = sender_of(route).send(PRESET)

    assert (delivery.grade, delivery.rounds) == (Grade.CONFIRMED, 2)
    assert [list(write) for write in route.writes[1:]] == [[CUTOFF]] * (len(route.writes) - 1)


def test_what_the_host_never_told_is_sent_again() -> None:
    delivery = sender_of(MemoryRoute(alter=losing(1))).send(PRESET)

    assert (delivery.grade, delivery.rounds) == (Grade.CONFIRMED, 2)


def test_a_host_that_keeps_another_value_fails_by_name_after_three_rounds() -> None:
    route = MemoryRoute(alter=lambda index, value: 0.9 if index == CUTOFF else value)

    delivery = sender_of(route).send(PRESET.replace(kFilterCutoff=100))

    assert (delivery.grade, delivery.rounds) == (Grade.FAILED, 3)
    assert delivery.differing == ("kFilterCutoff",)
    assert "other values" in delivery.reason


def test_what_failed_is_sent_again_next_time() -> None:
    route = MemoryRoute(alter=losing(10**6))
    sender = sender_of(route)
    assert sender.send(PRESET).differing == ("kFilterCutoff",)
    route.writes.clear()

    sender.send(PRESET)

    assert {index for write in route.writes for index in write} == {CUTOFF}


def test_a_knob_turned_by_hand_is_found_and_put_back() -> None:
    route = MemoryRoute()
    sender = sender_of(route)
    sender.send(PRESET)
    route.values[CUTOFF] = 1.0 - route.values[CUTOFF]

    delivery = sender.send(PRESET.replace(kOscMix=0.25))

    assert delivery.grade is Grade.CONFIRMED
    assert route.values[CUTOFF] == pytest.approx(PRESET.normalized[CUTOFF])


def test_an_answer_older_than_the_write_is_not_believed() -> None:
    class Late(MemoryRoute):
        """Answers first as things were before the write."""

        def write(self, values: Mapping[int, float]) -> None:
            self.before = dict.fromkeys(range(N_PARAMETERS), 0.123)
            super().write(values)

        def read(self) -> Mapping[int, float]:
            before, self.before = self.before, {}
            return before or super().read()

    route = Late()

    delivery = sender_of(route).send(PRESET)

    assert (delivery.grade, delivery.rounds) == (Grade.CONFIRMED, 1)
    assert len(route.writes) == 1


def test_a_switch_may_be_off_by_less_than_half_a_step() -> None:
    waves = BY_ID["kOsc1Wave"].index
    for error, grade in ((0.09, Grade.CONFIRMED), (0.11, Grade.FAILED)):
        route = MemoryRoute(alter=lambda i, v, e=error: v + e if i == waves else v)
        assert sender_of(route).send(Preset.init()).grade is grade


def test_a_continuous_parameter_may_be_off_by_the_rows_tolerance() -> None:
    for error, grade in ((0.9e-4, Grade.CONFIRMED), (1.1e-4, Grade.FAILED)):
        route = MemoryRoute(alter=lambda i, v, e=error: v - e if i == CUTOFF else v)
        assert sender_of(route).send(Preset.init()).grade is grade


def test_a_host_that_cannot_answer_is_told_twice_and_the_grade_is_sent() -> None:
    route = MemoryRoute(deaf=True)

    delivery = sender_of(route, QUIET).send(PRESET)

    assert (delivery.grade, delivery.differing, delivery.reason) == (Grade.SENT, (), "")
    assert route.writes[0] == route.writes[1]
    assert len(route.writes) == 2


def test_only_what_changed_is_told_twice() -> None:
    route = MemoryRoute(deaf=True)
    sender = sender_of(route, QUIET)
    sender.send(PRESET)

    sender.send(PRESET.replace(kFilterCutoff=1234.5))
    sender.send(PRESET.replace(kFilterCutoff=1234.5))

    assert [list(write) for write in route.writes[2:]] == [[CUTOFF], [CUTOFF]]


def test_a_silent_host_that_should_answer_fails_with_all_names() -> None:
    delivery = sender_of(MemoryRoute(deaf=True)).send(PRESET)

    assert (delivery.grade, delivery.rounds) == (Grade.FAILED, 3)
    assert delivery.differing == tuple(p.id for p in PARAMETERS)
    assert "does not answer" in delivery.reason


def test_a_host_that_tells_some_values_right_is_sent_and_some_wrong_is_failed() -> None:
    class Bank(MemoryRoute):
        """Tells its first 16 parameters, as REAPER's feedback does by default."""

        def read(self) -> Mapping[int, float]:
            return {i: v for i, v in super().read().items() if i < 16}

    assert sender_of(Bank(), QUIET).send(PRESET).grade is Grade.SENT

    delivery = sender_of(Bank(alter=losing(100)), QUIET).send(PRESET)
    assert delivery.grade is Grade.SENT  # never heard of, as if it were not in the bank
    route = Bank(alter=lambda index, value: 0.9 if index == CUTOFF else value)
    delivery = sender_of(route, QUIET).send(PRESET.replace(kFilterCutoff=100))
    assert (delivery.grade, delivery.differing) == (Grade.FAILED, ("kFilterCutoff",))


def test_a_route_that_breaks_is_a_failed_delivery_and_everything_goes_next_time() -> None:
    class Breaking(MemoryRoute):
        broken = False

        def write(self, values: Mapping[int, float]) -> None:
            if self.broken:
                raise SendError("port 'x' is gone: plug it in")
            super().write(values)

    route = Breaking()
    sender = sender_of(route)
    sender.send(PRESET)
    route.broken = True
    delivery = sender.send(PRESET.replace(kOscMix=0.25))

    assert (delivery.grade, delivery.reason) == (Grade.FAILED, "port 'x' is gone: plug it in")
    route.broken = False
    assert sender.send(PRESET).written == N_PARAMETERS


def test_a_look_at_a_host_that_cannot_answer_has_everything_sent_again() -> None:
    sender = sender_of(MemoryRoute(deaf=True), QUIET)
    sender.send(PRESET)

    known = sender.look()

    assert known == pytest.approx(dict(enumerate(PRESET.normalized)))
    assert sender.send(PRESET).written == N_PARAMETERS


def test_a_look_at_a_host_that_answers_keeps_what_it_still_holds() -> None:
    route = MemoryRoute()
    sender = sender_of(route)
    sender.send(PRESET)
    route.values[CUTOFF] = 1.0 - route.values[CUTOFF]

    assert sender.look()[CUTOFF] == route.values[CUTOFF]
    assert sender.send(PRESET).written == 1


def test_a_locked_parameter_is_neither_written_nor_judged() -> None:
    route = MemoryRoute()
    route.values = dict.fromkeys(range(N_PARAMETERS), 0.5)
    sender = Sender(MEMORY, route, Manner(locked=frozenset({CUTOFF})))

    delivery = sender.send(PRESET.replace(kFilterCutoff=100))

    assert (delivery.grade, delivery.written) == (Grade.CONFIRMED, N_PARAMETERS - 1)
    assert route.values[CUTOFF] == 0.5


def test_some_values_alone_can_be_brought() -> None:
    route = MemoryRoute()

    delivery = sender_of(route).bring({CUTOFF: 0.25})

    assert (delivery.grade, route.values) == (Grade.CONFIRMED, {CUTOFF: 0.25})


def test_a_glide_goes_from_the_old_to_the_new_and_switches_jump_before_it() -> None:
    route = MemoryRoute()
    sender = Sender(MEMORY, route, Manner(glide_s=0.1))
    start = dict.fromkeys(range(N_PARAMETERS), 0.0)
    sender.bring(start)
    route.writes.clear()

    delivery = sender.bring(dict.fromkeys(range(N_PARAMETERS), 1.0))

    switches, *steps, last = route.writes
    on_the_way = [step[CUTOFF] for step in steps]
    assert delivery.grade is Grade.CONFIRMED
    assert set(switches) == {p.index for p in PARAMETERS if p.steps}
    assert set(switches.values()) == {1.0}
    assert all(set(step).isdisjoint(switches) for step in steps)
    assert on_the_way == sorted(on_the_way)
    assert 0.0 < on_the_way[-1] < 1.0
    assert set(last.values()) == {1.0}


def test_nothing_glides_from_nobody_knows_where() -> None:
    route = MemoryRoute()

    Sender(MEMORY, route, Manner(glide_s=5.0)).send(PRESET)

    assert CUTOFF not in route.writes[0]
    assert len(route.writes) == 2


def test_the_dry_run_host_confirms() -> None:
    with open_sender(HOSTS["memory"]) as sender:
        delivery = sender.send(PRESET)

    assert (delivery.grade, delivery.route) == (Grade.CONFIRMED, "memory")
