"""Our own system exclusive messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antithesis.parameters import N_PARAMETERS
from daemon.sysex import HIGHEST, Command, Frame, parameters

normalized = st.floats(0, 1)
seven = st.integers(0, 127)


def test_the_bytes_are_those_of_the_description() -> None:
    # 0.5 of 2^21 - 1 is 1048576 (half to even), which is 64, 0, 0 in sevens.
    frame = Frame(Command.SET, parameters({13: 0.5}), sequence=5)

    said = (1, 2, 5, 13, 64, 0, 0)
    assert frame.encode() == (0x7D, 0x41, 0x54, *said, -sum(said) % 128)


def test_all_38_fit_where_windows_and_fl_studio_take_little() -> None:
    frame = Frame(Command.VALUES, parameters(dict.fromkeys(range(N_PARAMETERS), 1.0)))

    assert len(frame.encode()) + 2 == 161


@given(st.dictionaries(st.integers(0, N_PARAMETERS - 1), normalized), seven)
def test_what_is_encoded_is_decoded(values: dict[int, float], sequence: int) -> None:
    frame = Frame(Command.SET, parameters(values), sequence)

    data = frame.encode()

    assert all(0 <= byte < 128 for byte in data)
    assert Frame.decode(data) == frame
    assert dict(frame.values()) == pytest.approx(values, abs=0.5 / HIGHEST + 1e-12)


@given(st.lists(seven, max_size=40), st.integers(0, 20), seven)
def test_whatever_comes_is_understood_or_is_not_ours(
    data: list[int], at: int, changed: int
) -> None:
    Frame.decode(data)
    ours = list(Frame(Command.SET, parameters({1: 0.25, 2: 0.75})).encode())
    before = ours[at % len(ours)]
    ours[at % len(ours)] = changed

    assert (Frame.decode(ours) is None) == (before != changed)


@given(st.lists(seven, max_size=40).map(bytes))
def test_parameters_that_are_cut_or_not_ours_are_left_out(payload: bytes) -> None:
    values = dict(Frame(Command.SET, payload).values())

    assert all(0 <= index < N_PARAMETERS and 0 <= v <= 1 for index, v in values.items())
