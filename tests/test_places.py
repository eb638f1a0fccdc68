"""Which of a host's parameters are ours, told by names and ranges."""

from __future__ import annotations

import pytest

from antithesis.parameters import N_PARAMETERS, PARAMETERS
from daemon.hosts import Scale
from daemon.senders.places import Candidate, HostParameter, identify, is_ours, place_of

FULL = [p.name for p in PARAMETERS]
NAMES = {
    "whole": FULL,
    "as VST2 shows them": [p.host_name for p in PARAMETERS],
    "cut at 32": [name[:32] for name in FULL],
    "cut at 31": [name[:31] for name in FULL],
    "cut at 28": [name[:28] for name in FULL],
    "in capitals without spaces": [name.upper().replace(" ", "_") for name in FULL],
}


def listed(names: list[str], first: int = 0) -> tuple[HostParameter, ...]:
    return tuple(HostParameter(first + n, name) for n, name in enumerate(names))


def place(names: list[str], first: int = 0) -> tuple[int, ...]:
    found = place_of(Candidate({}, "", listed(names, first)))
    assert found
    return found.numbers


@pytest.mark.parametrize("names", NAMES.values(), ids=list(NAMES))
def test_all_38_are_told_by_their_names(names: list[str]) -> None:
    assert place(names) == tuple(range(N_PARAMETERS))


def test_what_a_host_adds_before_and_behind_is_left_out() -> None:
    names = ["Device On", "Preset", *FULL, "Bypass", "Wet", "Delta"]

    assert place(names) == tuple(range(2, 2 + N_PARAMETERS))


def test_the_order_does_not_matter() -> None:
    assert place(FULL[::-1], first=1) == tuple(range(N_PARAMETERS, 0, -1))


def test_a_name_that_comes_twice_counts_once() -> None:
    assert place([*FULL, "Oscillator mix"]) == tuple(range(N_PARAMETERS))


@pytest.mark.parametrize("name", ["", "Volume", "Modulation envelope", "Cutoff", "FM", "Bypass"])
def test_a_name_that_may_mean_several_means_none(name: str) -> None:
    assert identify([HostParameter(3, name)]) == {}


def test_37_of_them_are_ours_and_no_place_yet() -> None:
    candidate = Candidate({}, "", listed(FULL[1:]))

    assert is_ours(candidate)
    assert place_of(candidate) is None


def test_another_synth_is_not_ours() -> None:
    names = ["Filter cutoff", "Filter resonance", "Attack", "Decay", "Sustain", "Release"]

    assert not is_ours(Candidate({}, "", listed(names)))


def test_a_host_may_count_from_0_to_1_or_as_the_knobs_do() -> None:
    for p in PARAMETERS:
        (normalized,) = identify([HostParameter(0, p.name)]).values()
        (plain,) = identify([HostParameter(0, p.name, p.min, p.max)]).values()
        assert normalized[1] is Scale.NORMALIZED
        assert plain[1] is (Scale.NORMALIZED if (p.min, p.max) == (0, 1) else Scale.PLAIN)


def test_float32_ranges_are_the_same_ranges() -> None:
    split = next(p for p in PARAMETERS if p.id == "kOsc1Split")

    assert identify([HostParameter(0, split.name, -0.02500000037252903, 0.02500000037252903)])


def test_a_parameter_of_another_range_is_not_ours() -> None:
    assert identify([HostParameter(0, "Filter cutoff", 0.0, 127.0)]) == {}


def test_values_go_to_a_host_and_come_back() -> None:
    parameters = tuple(HostParameter(n, p.name, p.min, p.max) for n, p in enumerate(PARAMETERS))
    found = place_of(Candidate({}, "", parameters))
    assert found
    for p in PARAMETERS:
        for normalized in (0.0, 1.0, p.to_normalized(p.default)):
            there = found.to_host(p.index, normalized)
            assert found.from_host(p.index, there) == pytest.approx(normalized, abs=1e-9)
