"""A preset: what it accepts, what it refuses, and that it is a value."""

from __future__ import annotations

import dataclasses
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antithesis.errors import AntithesisError, PresetError
from antithesis.parameters import BY_ID, DEFAULT, PARAMETERS, to_normalized, to_plain
from antithesis.preset import Preset

cube = st.lists(st.floats(0, 1), min_size=38, max_size=38)


def refusal(make: object) -> str:
    assert callable(make)
    with pytest.raises(PresetError) as caught:
        make()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_init_is_the_default_of_every_parameter() -> None:
    assert Preset.init().values == tuple(DEFAULT)
    assert Preset.init().name == "Init"


def test_a_sequence_an_array_and_a_mapping_make_the_same_preset() -> None:
    plain = list(DEFAULT)
    backwards = {p.id: p.default for p in reversed(PARAMETERS)}
    assert Preset.from_plain(plain) == Preset.from_plain(DEFAULT) == Preset.from_plain(backwards)


def test_presets_of_equal_values_are_equal_and_hash_alike_whatever_their_names() -> None:
    a, b = Preset.from_plain(DEFAULT, "a"), Preset.from_plain(DEFAULT, "b")
    assert a == b
    assert len({a, b}) == 1
    assert a != a.replace(kOscMix=0.5)


def test_negative_zero_is_zero() -> None:
    preset = Preset.init().replace(kOsc1Fine=-0.0, kOsc1Coarse=-0.2)
    assert preset == Preset.init()
    assert math.copysign(1, preset["kOsc1Fine"]) == math.copysign(1, preset["kOsc1Coarse"]) == 1


def test_a_preset_cannot_be_changed() -> None:
    preset = Preset.init()
    with pytest.raises(dataclasses.FrozenInstanceError):
        preset.name = "other"  # type: ignore[misc]
    for view in (preset.plain, preset.normalized):
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 1


def test_changing_the_array_it_came_from_changes_nothing() -> None:
    plain = np.array(DEFAULT)
    preset = Preset.from_plain(plain)
    plain[8] = 0
    assert preset["kOscMix"] == 1


def test_views_are_float64_in_plain_and_normalized_units() -> None:
    preset = Preset.init()
    assert preset.plain.dtype == preset.normalized.dtype == np.float64
    assert np.array_equal(preset.plain, DEFAULT)
    assert np.array_equal(preset.normalized, to_normalized(DEFAULT))


@given(cube)
def test_normalized_to_preset_is_the_law_of_the_table(normalized: list[float]) -> None:
    preset = Preset.from_normalized(normalized)
    assert preset.plain == pytest.approx(to_plain(normalized), rel=1e-14, abs=1e-14)
    again = Preset.from_normalized(preset.normalized)
    assert np.allclose(again.normalized, preset.normalized, rtol=0, atol=5e-9)


@given(cube)
def test_what_a_host_keeps_comes_back_to_the_bit(normalized: list[float]) -> None:
    # Where a float32 says more than the plug-in's own double does, very near an end, it may not.
    kept = np.array(normalized, dtype=np.float32)
    kept[kept < 1e-4] = 0
    held = Preset.from_normalized(kept)
    continuous = [p.index for p in PARAMETERS if p.steps is None]
    assert np.array_equal(held.normalized.astype(np.float32)[continuous], kept[continuous])


@given(cube)
def test_plain_values_are_stored_untouched(normalized: list[float]) -> None:
    plain = to_plain(normalized)
    assert np.array_equal(Preset.from_plain(plain).plain, plain)


def test_whole_parameters_are_rounded_as_in_the_plug_in() -> None:
    preset = Preset.init().replace(kOsc1Coarse=-11.5, kOsc1Wave=3.49, kFilterEnabled=True)
    assert (preset["kOsc1Coarse"], preset["kOsc1Wave"], preset["kFilterEnabled"]) == (-11, 3, 1)


def test_values_between_the_normalized_numbers_are_kept() -> None:
    # No host can set this; it still is a plain value that a file may hold.
    assert Preset.init().replace(kLfoDelay=300)["kLfoDelay"] == 300


@pytest.mark.parametrize("value", [1.001, -0.001, math.nan, math.inf, -math.inf, 10**400, "loud"])
def test_a_value_that_cannot_be_is_refused_with_id_value_and_range(value: float) -> None:
    message = refusal(lambda: Preset.init().replace(kOscMix=value))
    assert message.startswith("kOscMix is ")
    assert "0 to 1" in message or "give a number" in message


@pytest.mark.parametrize("p", PARAMETERS, ids=lambda p: p.id)
def test_each_parameter_is_refused_just_outside_its_range(p: object) -> None:
    assert isinstance(p, type(PARAMETERS[0]))
    for value in (np.nextafter(p.min, -np.inf), np.nextafter(p.max, np.inf)):
        assert p.id in refusal(lambda value=value: Preset.init().replace(**{p.id: value}))


@pytest.mark.parametrize("position", [-1e-9, 1.0000001, math.nan, None])
def test_a_normalized_value_outside_0_to_1_is_refused(position: float) -> None:
    normalized = [*Preset.init().normalized[:37], position]
    assert "kMasterVolume" in refusal(lambda: Preset.from_normalized(normalized))


def test_an_unknown_id_is_answered_with_the_nearest() -> None:
    assert "did you mean kOscMix?" in refusal(lambda: Preset.init().replace(kOscmix=1))
    assert "did you mean kFilterCutoff?" in refusal(lambda: Preset.init()["kFiltreCutoff"])
    everything = {**Preset.init().by_id(), "kVolEnv": 1.0}
    assert "did you mean kVolEnv" in refusal(lambda: Preset.from_plain(everything))
    assert "no parameter is called 'x'" in refusal(lambda: Preset.init()["x"])


def test_a_mapping_that_leaves_some_out_is_refused_not_filled() -> None:
    some = Preset.init().by_id()
    del some["kOscMix"]
    assert refusal(lambda: Preset.from_plain(some)).startswith("kOscMix is missing")
    assert "and 34 more are missing" in refusal(lambda: Preset.from_plain({"kOscMix": 1.0}))


@pytest.mark.parametrize("count", [0, 37, 39])
def test_another_number_of_values_is_refused(count: int) -> None:
    assert f"{count} values" in refusal(lambda: Preset.from_plain([0.5] * count))
    assert f"{count} values" in refusal(lambda: Preset.from_normalized([0.5] * count))


def test_a_name_is_made_one_printable_line() -> None:
    assert Preset.init().named(" Bass\n\x00\ud800 2 ").name == "Bass 2"
    assert len(Preset.init().named("x" * 1000).name) == 100


def test_replace_keeps_the_rest_and_the_name() -> None:
    preset = Preset.init().replace(kOscMix=0.25, kFmMode=2)
    assert preset.name == "Init"
    assert preset.diff(Preset.init()) == (8, 9)
    assert Preset.init().diff(Preset.init()) == ()


def test_by_id_lists_all_in_the_order_of_the_table() -> None:
    assert list(Preset.init().by_id()) == list(BY_ID)
    assert Preset.from_plain(Preset.init().by_id()) == Preset.init()


def test_a_preset_survives_a_process_boundary() -> None:
    preset = Preset.init().replace(kOscMix=0.1)
    copy = pickle.loads(pickle.dumps(preset))
    assert (copy, copy.name) == (preset, preset.name)


def test_greyed_and_audible_are_told_by_id() -> None:
    preset = Preset.init()
    assert {"kOsc2Wave", "kFilterCutoff"} <= preset.greyed()
    assert "kOsc1Wave" in preset.audible()
    assert "kVolEnvR" in preset.audible() - preset.audible(note_off=False)


def test_a_refused_preset_is_an_expected_error_and_a_value_error() -> None:
    assert issubclass(PresetError, AntithesisError)
    assert issubclass(PresetError, ValueError)
