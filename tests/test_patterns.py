"""OSC messages with holes."""

from __future__ import annotations

import pytest

from daemon.hosts import ARDOUR_DESCRIPTOR
from daemon.osc import OscMessage
from daemon.senders.patterns import fill, holes, match, parse_message


def test_holes_are_filled_and_keep_their_types() -> None:
    pattern = OscMessage("/track/{track}/x", ("{track}", "{value}", 3, "word"))

    filled = fill(pattern, {"track": 2, "value": 0.5, "more": "unused"})

    assert filled == OscMessage("/track/2/x", (2, 0.5, 3, "word"))
    assert [type(argument) for argument in filled.arguments] == [int, float, int, str]


def test_holes_within_a_text_are_filled_as_text() -> None:
    assert fill(OscMessage("/run", ("set {id}={value:.2f};",)), {"id": "a", "value": 0.5}) == (
        "/run",
        ("set a=0.50;",),
    )


def test_what_fills_the_holes_is_found() -> None:
    pattern = OscMessage("/track/{track}/{what}", ("{value}",))

    assert match(pattern, OscMessage("/track/12/pan", (0.25,))) == {
        "track": 12,
        "what": "pan",
        "value": 0.25,
    }


@pytest.mark.parametrize(
    "message",
    [
        OscMessage("/track/12", (0.25,)),
        OscMessage("/track/12/pan/more", (0.25,)),
        OscMessage("/track/12/pan", ()),
        OscMessage("/track/12/pan", (0.25, 1)),
        OscMessage("/Xtrack/12/pan", (0.25,)),
    ],
    ids=str,
)
def test_another_message_does_not_match(message: OscMessage) -> None:
    assert match(OscMessage("/track/{track}/{what}", ("{value}",)), message) is None


def test_an_argument_that_is_no_hole_must_be_the_same() -> None:
    pattern = OscMessage("/x", ("now", "{value}"))

    assert match(pattern, OscMessage("/x", ("now", 1.0))) == {"value": 1.0}
    assert match(pattern, OscMessage("/x", ("then", 1.0))) is None


def test_a_hole_that_comes_twice_holds_the_same() -> None:
    pattern = OscMessage("/{n}/x", ("{n}",))

    assert match(pattern, OscMessage("/3/x", (3,))) == {"n": 3}
    assert match(pattern, OscMessage("/3/x", (4,))) is None


def test_the_rest_may_be_many_or_none() -> None:
    pattern = OscMessage("/x", ("{first}", "{rest...}"))

    assert match(pattern, OscMessage("/x", (1, 2.0, "3"))) == {"first": 1, "rest": (2.0, "3")}
    assert match(pattern, OscMessage("/x", (1,))) == {"first": 1, "rest": ()}


def test_what_says_nothing_is_skipped_up_to_what_is_behind_it() -> None:
    pattern = OscMessage("/x", ("{first}", "...", "{last}"))

    for between in ((), (7,), ("a", 8.0, None)):
        message = OscMessage("/x", (1, *between, 9))
        assert match(pattern, message) == {"first": 1, "last": 9}
    assert match(pattern, OscMessage("/x", (1,))) is None


@pytest.mark.parametrize("digits", [10, 5000])
def test_a_number_that_is_too_long_to_be_one_is_text(digits: int) -> None:
    pattern = OscMessage("/track/{track}/name", ("{name}",))
    long = digits * "9"

    assert match(pattern, OscMessage(f"/track/{long}/name", ("x",))) == {"track": long, "name": "x"}
    assert match(pattern, OscMessage("/track/999999999/name", ("x",))) == {
        "track": 999999999,
        "name": "x",
    }


def test_what_stands_in_braces_is_told() -> None:
    assert holes("/x/{id} {value} {values...} 3") == ["id", "value", "values..."]
    assert holes("/x/{value:.3f}/{}") == ["value:.3f", ""]
    for text in ("/x/{id", "/x/id}", "/x/{{id}}"):
        with pytest.raises(ValueError, match="a brace lacks the other one"):
            holes(text)


def test_a_hole_within_a_longer_text_is_none_in_what_is_heard() -> None:
    assert match(OscMessage("/x", ("{value}s",)), OscMessage("/x", (1.0,))) is None
    assert match(OscMessage("/x", ("all{values...}",)), OscMessage("/x", (1.0,))) is None
    assert fill(OscMessage("/x", ("{value}s",)), {"value": 1.0}) == ("/x", ("1.0s",))


def test_addresses_are_no_regular_expressions() -> None:
    assert match(OscMessage("/a.b"), OscMessage("/aXb")) is None
    assert match(OscMessage("/a(b"), OscMessage("/a(b")) == {}


def test_ardours_line_of_a_switch_is_read_past_its_scale_points() -> None:
    line = (2, 1, 10, "FM mode", 131, "NOTHING", 0.0, 2.0, "", 3, 0.0, "off", 1.0, "a", 2.0, "b")
    found = match(ARDOUR_DESCRIPTOR, OscMessage(ARDOUR_DESCRIPTOR.address, (*line, 1.0)))

    assert found
    assert (found["number"], found["name"], found["high"], found["value"]) == (
        10,
        "FM mode",
        2.0,
        1.0,
    )


def test_a_user_writes_a_message_in_words() -> None:
    assert parse_message("/synth/{id} {value} 3 0.5 on") == OscMessage(
        "/synth/{id}", ("{value}", 3, 0.5, "on")
    )
