"""Numbers of the MIDI controllers, and how they are heard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antithesis.parameters import N_PARAMETERS, PARAMETERS
from daemon.controllers import CONTROLLERS, ControlChange, Ear, changes, numbered, released

indices = st.integers(0, N_PARAMETERS - 1)
normalized = st.floats(0, 1)
# Bank, wheel, breath, foot, glide, data entry, volume, balance, pan, expression; pedals; (N)RPN;
# channel modes; and the LSBs of the first ten.
TAKEN = {0, 1, 2, 4, 5, 6, 7, 8, 10, 11, *range(64, 70), *range(96, 102), *range(120, 128)}
TAKEN |= {number + 32 for number in TAKEN if number < 32}


def test_the_first_half_is_on_channel_16_and_the_rest_on_channel_15() -> None:
    assert [c.channel + 1 for c in CONTROLLERS] == [16] * 19 + [15] * 19


def test_no_two_parameters_share_a_controller_nor_one_an_lsb() -> None:
    used = [
        (c.channel, n)
        for index in range(N_PARAMETERS)
        for c in changes(index, 0.5, 14)
        for n in [c.number]
    ]
    assert len(set(used)) == 2 * N_PARAMETERS


def test_controllers_that_every_synth_understands_are_left_alone() -> None:
    used = {c.number for index in range(N_PARAMETERS) for c in changes(index, 0.5, 14)}
    assert not used & TAKEN


def test_the_pair_is_msb_then_lsb() -> None:
    # 0.75 of 16383 is 12287 = 95 * 128 + 127.
    assert changes(0, 0.75, 14) == (ControlChange(15, 3, 95), ControlChange(15, 35, 127))
    assert changes(37, 1.0, 14) == (ControlChange(14, 28, 127), ControlChange(14, 60, 127))
    assert changes(0, 0.75, 7) == (ControlChange(15, 3, 95),)


def test_an_nrpn_is_its_number_then_its_value() -> None:
    which = (ControlChange(15, 99, 0), ControlChange(15, 98, 13))
    assert numbered(13, 0.75, 14) == (*which, ControlChange(15, 6, 95), ControlChange(15, 38, 127))
    assert numbered(13, 0.75, 7) == (*which, ControlChange(15, 6, 95))
    assert released() == (ControlChange(15, 101, 127), ControlChange(15, 100, 127))


@given(indices, normalized, st.sampled_from([7, 14]), st.sampled_from([changes, numbered]))
def test_what_is_sent_is_heard_to_half_a_step(
    index: int, value: float, bits: int, said: Callable[..., tuple[ControlChange, ...]]
) -> None:
    ear = Ear()
    for change in said(index, value, bits):
        heard = ear.hear(change)

    assert heard is not None
    assert heard[0] == index
    assert abs(heard[1] - value) <= 0.5 / (2**bits - 1) + 1e-12


@given(indices, normalized)
def test_between_the_two_messages_the_value_is_off_by_less_than_a_coarse_step(
    index: int, value: float
) -> None:
    heard = Ear().hear(changes(index, value, 14)[0])

    assert heard is not None
    assert abs(heard[1] - value) < 1 / 127


@pytest.mark.parametrize(
    "between",
    [
        pytest.param(released(), id="released"),
        pytest.param((ControlChange(15, 101, 0), ControlChange(15, 100, 0)), id="bend range"),
        pytest.param((ControlChange(15, 98, 38),), id="another NRPN"),
        pytest.param((ControlChange(15, 99, 1),), id="an NRPN of another hundred"),
    ],
)
def test_data_entry_for_something_else_is_not_ours(between: tuple[ControlChange, ...]) -> None:
    ear = Ear()
    for change in (*numbered(13, 0.5, 14), *between):
        ear.hear(change)

    assert ear.hear(ControlChange(15, 6, 64)) is None
    assert ear.hear(ControlChange(15, 38, 64)) is None


def test_data_entry_before_any_number_and_on_other_channels_is_not_ours() -> None:
    ear = Ear()
    assert ear.hear(ControlChange(15, 6, 64)) is None
    for change in numbered(13, 0.5, 14):
        ear.hear(change)
    assert ear.hear(ControlChange(14, 6, 64)) is None


@pytest.mark.parametrize("bits", [7, 14])
def test_every_position_of_every_switch_survives(bits: int) -> None:
    for parameter in PARAMETERS:
        for step in range((parameter.steps or 0) + 1):
            plain = parameter.min + step
            ear = Ear()
            for change in changes(parameter.index, parameter.to_normalized(plain), bits):
                heard = ear.hear(change)
            assert heard is not None
            if parameter.steps:
                assert parameter.to_plain(heard[1]) == plain


def test_both_ends_are_exact_with_either_resolution() -> None:
    for bits in (7, 14):
        for end in (0.0, 1.0):
            ear = Ear()
            heard = [ear.hear(change) for change in changes(20, end, bits)]
            assert heard[-1] == (20, end)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(ControlChange(0, 3, 64), id="channel 1"),
        pytest.param(ControlChange(15, 1, 64), id="modulation wheel"),
        pytest.param(ControlChange(15, 31, 64), id="beyond the 19"),
        pytest.param(ControlChange(15, 123, 0), id="all notes off"),
    ],
)
def test_other_controllers_are_not_heard(change: ControlChange) -> None:
    assert Ear().hear(change) is None
