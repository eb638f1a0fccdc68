"""The table of 38 parameters, and the law between plain and normalized."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antithesis.errors import PresetError
from antithesis.parameters import (
    BY_ID,
    DEFAULT,
    MAXIMUM,
    MINIMUM,
    N_PARAMETERS,
    PARAMETERS,
    REVERSED,
    Kind,
    Parameter,
    fingerprint,
    quantize,
    to_normalized,
    to_plain,
)

# The column "default n" of the plug-in's documentation, to six decimals.
DEFAULT_NORMALIZED = [
    *(0.4, 0.5, 0.5, 0.5, 0.4, 0.5, 0.5, 0.5, 1, 0, 0, 0.5, 0, 1, 0, 0.5),
    *(0, 0.923005, 1, 0.044153, 0, 0.923005, 0.923005, 0.5, 0.923005, 0),
    *(0.5, 0.627645, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 0, 0.5),
]
CUT_NAMES = {
    20: "Volume envelope velocity sensiti",
    25: "Modulation envelope velocity sen",
    30: "Volume envelope to filter cutoffhz",
    31: "Modulation envelope to FM amountsemitones",
    32: "Modulation envelope to filter cuhz",
}

cube = st.lists(st.floats(0, 1), min_size=N_PARAMETERS, max_size=N_PARAMETERS).map(np.array)
positions = st.floats(0, 1)
rows = st.sampled_from(PARAMETERS)
LFO_FREQUENCY = BY_ID["kLfoFrequency"].index
CONTINUOUS = np.array([p.kind is Kind.DOUBLE for p in PARAMETERS])


def test_there_are_38_parameters_numbered_in_order_with_ids_of_their_own() -> None:
    assert [p.index for p in PARAMETERS] == list(range(38))
    assert N_PARAMETERS == len(BY_ID) == 38
    assert [BY_ID[id].id for id in BY_ID] == [p.id for p in PARAMETERS]


def test_every_default_lies_in_its_range_and_is_one_the_plug_in_can_hold() -> None:
    assert np.all((MINIMUM <= DEFAULT) & (DEFAULT <= MAXIMUM))
    assert np.array_equal(quantize(DEFAULT), DEFAULT)


def test_choices_are_as_many_as_the_steps_of_an_enumeration_say() -> None:
    for p in PARAMETERS:
        assert len(p.choices) == (0 if p.kind is not Kind.ENUM else int(p.max) + 1)


def test_steps_count_from_end_to_end_and_continuous_ones_have_none() -> None:
    steps = {id: BY_ID[id].steps for id in ("kOsc1Coarse", "kOsc1Wave", "kFilterEnabled")}
    assert steps == {"kOsc1Coarse": 48, "kOsc1Wave": 5, "kFilterEnabled": 1}
    assert BY_ID["kOscMix"].steps is None


def test_host_names_are_cut_at_32_and_run_into_the_unit() -> None:
    for p in PARAMETERS:
        assert p.host_name == CUT_NAMES.get(p.index, p.name)


def test_reversed_parameters_are_the_rates_and_the_mix() -> None:
    assert REVERSED == (8, 16, 17, 19, 21, 22, 24, 28, 36)


def test_normalized_defaults_are_those_of_the_plug_in() -> None:
    assert np.allclose(to_normalized(DEFAULT), DEFAULT_NORMALIZED, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("id", "normalized", "plain"),
    [
        ("kVolEnvA", 1 / 16383, 784.7),
        ("kVolEnvA", 0.5, 982.8),
        ("kVolEnvA", 0.9, 997.4),
        ("kGlideSpeed", 0.001, 501.7),
        ("kLfoDelay", 1 / 127, 995.2),
        ("kLfoDelay", 1e-38, 916),
        ("kLfoFrequency", 0.5, 2.575),
        ("kOscMix", 0.25, 0.25),
    ],
)
def test_plain_values_are_those_measured_in_the_plug_in(
    id: str, normalized: float, plain: float
) -> None:
    assert BY_ID[id].to_plain(normalized) == pytest.approx(plain, rel=1e-3)


def test_ends_and_middle_are_met_exactly() -> None:
    assert np.array_equal(to_plain(np.zeros(38)), MINIMUM)
    assert np.array_equal(to_plain(np.ones(38)), MAXIMUM)
    assert np.array_equal(to_normalized(MINIMUM), np.zeros(38))
    assert np.array_equal(to_normalized(MAXIMUM), np.ones(38))
    bipolar = (MINIMUM == -MAXIMUM) & CONTINUOUS
    assert not to_plain(np.full(38, 0.5))[bipolar].any()


@given(cube)
def test_normalized_survives_the_way_through_plain(normalized: np.ndarray) -> None:
    error = np.abs(to_normalized(to_plain(normalized)) - normalized)[CONTINUOUS]
    frequency = int(np.flatnonzero(np.flatnonzero(CONTINUOUS) == LFO_FREQUENCY)[0])
    assert error[frequency] <= 5e-9
    error[frequency] = 0
    assert error.max() <= 1e-12


@given(cube)
def test_plain_that_has_a_normalized_number_survives_the_way_through_it(
    normalized: np.ndarray,
) -> None:
    plain = to_plain(normalized)
    error = np.abs(to_plain(to_normalized(plain)) - plain) / (MAXIMUM - MINIMUM)
    assert error.max() <= 1e-15


@given(rows, positions)
def test_a_row_and_the_table_agree(p: Parameter, normalized: float) -> None:
    plain = to_plain(np.full(38, normalized))
    assert p.to_plain(normalized) == pytest.approx(plain[p.index], rel=1e-14, abs=1e-14)
    back = to_normalized(plain)[p.index]
    assert p.to_normalized(plain[p.index]) == pytest.approx(back, rel=1e-12, abs=1e-300)


def test_a_batch_equals_its_rows() -> None:
    normalized = np.random.default_rng(1).random((3, 4, 38))
    assert np.array_equal(to_plain(normalized)[1, 2], to_plain(normalized[1, 2]))
    plain = to_plain(normalized)
    assert np.array_equal(to_normalized(plain)[1, 2], to_normalized(plain[1, 2]))


def test_converting_leaves_its_argument_alone() -> None:
    normalized = np.full(38, 0.3)
    to_plain(normalized)
    to_normalized(normalized)
    assert np.all(normalized == 0.3)


@given(rows, st.floats(-30, 60))
def test_whole_parameters_are_rounded_half_up_and_kept_in_range(p: Parameter, plain: float) -> None:
    held = p.quantize(plain)
    assert held == quantize(np.full(38, plain))[p.index]
    assert p.min <= held <= p.max
    if p.kind is not Kind.DOUBLE and p.min <= plain <= p.max:
        assert held == math.floor(plain + 0.5)


def test_what_lies_outside_is_clamped_as_the_plug_in_does() -> None:
    assert np.array_equal(to_plain(np.full(38, -0.1)), MINIMUM)
    assert np.array_equal(to_plain(np.full(38, 1.1)), MAXIMUM)


def test_the_holes_of_the_curved_parameters_are_where_they_are_said_to_be() -> None:
    delay, attack = BY_ID["kLfoDelay"], BY_ID["kVolEnvA"]
    least = 5e-324
    assert 470 < delay.to_plain(least) < 480
    assert delay.to_normalized(400) == 0
    smallest_float32 = float(np.finfo(np.float32).smallest_subnormal)
    assert 70 < attack.to_plain(smallest_float32) < 80
    assert 900 < delay.to_plain(smallest_float32) < 910


@given(rows, positions)
def test_a_printed_value_is_read_back_to_its_six_decimals(p: Parameter, normalized: float) -> None:
    plain = p.to_plain(normalized)
    text = p.format(plain)
    assert p.parse(text) == pytest.approx(plain, abs=5.1e-7)
    assert p.format(p.parse(text)) == text


@pytest.mark.parametrize(
    ("id", "plain", "text"),
    [
        ("kOsc1Wave", 2, "2"),
        ("kOsc1Coarse", -24, "-24"),
        ("kFilterEnabled", 1, "true"),
        ("kFilterEnabled", 0, "false"),
        ("kOsc1Split", -0.0015625, "-0.001563"),
        ("kFilterCutoff", 8000, "8000.000000"),
        ("kOsc1Fine", -1e-9, "0.000000"),
    ],
)
def test_values_print_as_in_the_plug_in(id: str, plain: float, text: str) -> None:
    assert BY_ID[id].format(plain) == text


@pytest.mark.parametrize(
    ("id", "text", "plain"),
    [
        ("kOsc1Wave", "noise", 5),
        ("kOsc1Wave", " Saw ", 2),
        ("kFmMode", "oscillator 2", 2),
        ("kFilterEnabled", "TRUE", 1),
        ("kFilterEnabled", "0", 0),
        ("kFilterCutoff", "1.5e3", 1500),
        ("kOsc1Coarse", "-11.5", -11),
    ],
)
def test_choices_booleans_and_numbers_are_read(id: str, text: str, plain: float) -> None:
    assert BY_ID[id].parse(text) == plain


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "1_0", "0,5", "\u0660", "0x1", "saw", "1e999", "-1"]
)
def test_what_is_no_number_in_range_is_refused_by_name(text: str) -> None:
    with pytest.raises(PresetError, match="kOscMix") as refusal:
        BY_ID["kOscMix"].parse(text)
    assert "\n" not in str(refusal.value)


def test_the_fingerprint_is_short_and_the_same_every_time() -> None:
    assert fingerprint() == fingerprint()
    assert len(fingerprint()) == 12
    assert int(fingerprint(), 16) > 0
