"""Both tables of rules, each rule both ways: greyed out on the panel, and heard."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis.parameters import BY_ID, DEFAULT, N_PARAMETERS, to_plain
from antithesis.rules import HEARING, PANEL, audible, greyed
from antithesis.synth import render_notes

OSC1_PITCH = {"kOsc1Coarse", "kOsc1Fine"}
OSC1 = {"kOsc1Wave", *OSC1_PITCH, "kOsc1Split"}
OSC2_TONE = {"kOsc2Coarse", "kOsc2Fine", "kOsc2Split"}
OSC2 = {"kOsc2Wave", *OSC2_TONE}
FM = {"kFmCoarse", "kFmFine", "kVolEnvFm", "kModEnvFm", "kLfoFm"}
FILTER = {
    *("kFilterCutoff", "kFilterResonance", "kFilterKeyTrack"),
    *("kVolEnvCutoff", "kModEnvCutoff", "kLfoCutoff"),
}
MOD_ENVELOPE = {"kModEnvA", "kModEnvD", "kModEnvS", "kModEnvR", "kModEnvV"}
VIBRATO = {"kLfoFrequency", "kLfoDelay"}
GLIDE = {"kGlideSpeed"}

SAW, NOISE = 2, 5
FM1, FM2 = 1, 2
POLY, MONO, LEGATO = 0, 1, 2
BOTH = {"kOscMix": 0.5}
"""Both oscillators sound."""


def plain(**changes: float) -> np.ndarray:
    values = np.array(DEFAULT)
    for id, value in changes.items():
        values[BY_ID[id].index] = value
    return values


def named(chosen: np.ndarray) -> set[str]:
    assert chosen.shape == (N_PARAMETERS,)
    assert chosen.dtype == np.bool_
    return {id for id, yes in zip(BY_ID, chosen, strict=True) if yes}


def grey(**changes: float) -> set[str]:
    return named(greyed(plain(**changes)))


def heard(played: dict[str, object] | None = None, /, **changes: float) -> set[str]:
    return named(audible(plain(**changes), **(played or {})))  # type: ignore[arg-type]


@pytest.mark.parametrize("table", [PANEL, HEARING], ids=["panel", "hearing"])
def test_rules_name_known_ids_only(table: tuple[tuple[tuple[str, ...], object], ...]) -> None:
    for ids, _ in table:
        assert ids
        assert set(ids) <= set(BY_ID)


# The panel, exactly.


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # Init: oscillator 1 alone, no FM, no filter, no amounts, legato.
        ({}, OSC2 | FM | FILTER | MOD_ENVELOPE | VIBRATO),
        # Oscillators: exact ends of the mix, and noise.
        (BOTH, FM | FILTER | MOD_ENVELOPE | VIBRATO),
        ({"kOscMix": 0}, OSC1 | FM | FILTER | MOD_ENVELOPE | VIBRATO),
        ({"kOscMix": 1e-9}, FM | FILTER | MOD_ENVELOPE | VIBRATO),
        ({"kOscMix": 1 - 1e-9}, FM | FILTER | MOD_ENVELOPE | VIBRATO),
        (
            {**BOTH, "kOsc1Wave": NOISE},
            OSC1_PITCH | {"kOsc1Split"} | FM | FILTER | MOD_ENVELOPE | VIBRATO,
        ),
        ({**BOTH, "kOsc2Wave": NOISE}, OSC2_TONE | FM | FILTER | MOD_ENVELOPE | VIBRATO),
        # FM on oscillator 1 needs it sounding and not noise.
        ({"kFmMode": FM1}, OSC2 | FILTER | MOD_ENVELOPE | VIBRATO),
        ({"kFmMode": FM1, "kOscMix": 0}, OSC1 | FM | FILTER | MOD_ENVELOPE | VIBRATO),
        (
            {"kFmMode": FM1, "kOsc1Wave": NOISE},
            OSC1_PITCH | {"kOsc1Split"} | OSC2 | FM | FILTER | MOD_ENVELOPE | VIBRATO,
        ),
        # FM on oscillator 2 needs that one, and keeps oscillator 1's pitch alive.
        ({"kFmMode": FM2}, OSC2 | FM | FILTER | MOD_ENVELOPE | VIBRATO),
        (
            {"kFmMode": FM2, "kOscMix": 0},
            {"kOsc1Wave", "kOsc1Split"} | FILTER | MOD_ENVELOPE | VIBRATO,
        ),
        (
            {"kFmMode": FM2, **BOTH, "kOsc1Wave": NOISE},
            {"kOsc1Split"} | FILTER | MOD_ENVELOPE | VIBRATO,
        ),
        (
            {"kFmMode": FM2, **BOTH, "kOsc2Wave": NOISE},
            OSC2_TONE | FM | FILTER | MOD_ENVELOPE | VIBRATO,
        ),
        # Filter.
        ({"kFilterEnabled": 1}, OSC2 | FM | MOD_ENVELOPE | VIBRATO),
        # Modulation envelope: its amounts count even while their targets are off.
        ({"kModEnvFm": 1e-9}, OSC2 | FM | FILTER | VIBRATO),
        ({"kModEnvCutoff": -1}, OSC2 | FM | FILTER | VIBRATO),
        # Vibrato.
        ({"kLfoFm": 1}, OSC2 | FM | FILTER | MOD_ENVELOPE),
        ({"kLfoCutoff": 1}, OSC2 | FM | FILTER | MOD_ENVELOPE),
        ({"kLfoAmount": -0.01}, OSC2 | FM | FILTER | MOD_ENVELOPE),
        ({"kLfoAmount": 0.01}, OSC2 | FM | FILTER | MOD_ENVELOPE | VIBRATO),
        ({"kLfoAmount": 0.01, "kOscMix": 0.999}, FM | FILTER | MOD_ENVELOPE),
        # Glide.
        ({"kVoiceMode": POLY}, OSC2 | FM | FILTER | MOD_ENVELOPE | VIBRATO | GLIDE),
        ({"kVoiceMode": MONO}, OSC2 | FM | FILTER | MOD_ENVELOPE | VIBRATO),
    ],
    ids=repr,
)
def test_the_panel_greys_out_exactly(changes: dict[str, float], expected: set[str]) -> None:
    assert grey(**changes) == expected


def test_every_panel_rule_greys_and_ungreys_its_parameters() -> None:
    seen = greyed(to_plain(random_positions()))
    for ids, _ in PANEL:
        for id in ids:
            column = seen[:, BY_ID[id].index]
            assert column.any(), id
            assert not column.all(), id


def test_what_no_panel_rule_names_is_never_greyed() -> None:
    ruled = {id for ids, _ in PANEL for id in ids}
    free = [BY_ID[id].index for id in BY_ID if id not in ruled]
    assert {"kOscMix", "kFmMode", "kFilterEnabled", "kVolEnvA", "kLfoAmount", "kMasterVolume"} <= {
        id for id in BY_ID if id not in ruled
    }
    assert not greyed(to_plain(random_positions()))[:, free].any()


# What can be heard.


def test_init_is_heard_by_oscillator_1_and_the_switches_that_could_add_to_it() -> None:
    assert heard() == {
        *OSC1,
        *("kOscMix", "kFmMode", "kFilterEnabled", "kVolEnvA", "kVolEnvS", "kVolEnvR", "kVolEnvV"),
        *("kLfoAmount", "kMasterVolume"),
    }


@pytest.mark.parametrize(
    ("id", "when", "unless"),
    [
        # Oscillators gate at m < 0.99 and m > 0.01, where m is 1 - kOscMix.
        ("kOsc1Wave", {"kOscMix": 0.02}, {"kOscMix": 0.01}),
        ("kOsc1Coarse", {"kOscMix": 0.02}, {"kOscMix": 0.005}),
        ("kOsc2Wave", {"kOscMix": 0.98}, {"kOscMix": 0.995}),
        ("kOsc2Split", {"kOscMix": 0.98}, {"kOscMix": 0.995}),
        # Noise has no pitch and no split.
        ("kOsc1Coarse", {"kOsc1Wave": SAW}, {"kOsc1Wave": NOISE}),
        ("kOsc1Fine", {"kOsc1Wave": SAW}, {"kOsc1Wave": NOISE}),
        ("kOsc1Split", {"kOsc1Wave": SAW}, {"kOsc1Wave": NOISE}),
        ("kOsc2Coarse", {**BOTH}, {**BOTH, "kOsc2Wave": NOISE}),
        ("kOsc2Fine", {**BOTH}, {**BOTH, "kOsc2Wave": NOISE}),
        ("kOsc2Split", {**BOTH}, {**BOTH, "kOsc2Wave": NOISE}),
        # Oscillator 1's pitch drives FM of oscillator 2, where there is depth.
        (
            "kOsc1Fine",
            {"kOscMix": 0, "kFmMode": FM2, "kFmCoarse": 3},
            {"kOscMix": 0, "kFmMode": FM2},
        ),
        (
            "kOsc1Coarse",
            {"kOscMix": 0, "kFmMode": FM2, "kLfoFm": 3},
            {"kOscMix": 0, "kFmMode": FM2, "kLfoFm": 3, "kOsc2Wave": NOISE},
        ),
        # FM amounts need a mode that points at an oscillator that is heard and tonal.
        ("kFmCoarse", {"kFmMode": FM1}, {"kFmMode": FM2}),
        ("kFmFine", {"kFmMode": FM1}, {"kFmMode": FM1, "kOsc1Wave": NOISE}),
        ("kVolEnvFm", {"kFmMode": FM2, **BOTH}, {"kFmMode": FM2, "kOscMix": 0.995}),
        ("kModEnvFm", {"kFmMode": FM2, **BOTH}, {"kFmMode": FM2, **BOTH, "kOsc2Wave": NOISE}),
        ("kLfoFm", {"kFmMode": FM1}, {}),
        # Off says that there is no FM; a mode of no depth, or over noise alone, says nothing.
        ("kFmMode", {}, {"kFmMode": FM1}),
        (
            "kFmMode",
            {"kFmMode": FM1, "kFmFine": 0.5},
            {"kFmMode": FM1, "kFmCoarse": 1, "kFmFine": -1},
        ),
        ("kFmMode", {"kFmMode": FM1, "kModEnvFm": 1}, {"kOsc1Wave": NOISE}),
        # The filter's own.
        *((id, {"kFilterEnabled": 1}, {}) for id in sorted(FILTER)),
        # The modulation envelope needs an amount whose target is on.
        *(
            (id, {"kFilterEnabled": 1, "kModEnvCutoff": 1}, {"kModEnvCutoff": 1})
            for id in sorted(MOD_ENVELOPE)
        ),
        ("kModEnvA", {"kFmMode": FM1, "kModEnvFm": 1}, {"kModEnvFm": 1}),
        ("kModEnvA", {"kFmMode": FM1, "kModEnvFm": 1}, {"kFmMode": FM1}),
        # Vibrato: below zero both oscillators, above it oscillator 2 only.
        ("kLfoAmount", {"kLfoAmount": -0.05}, {"kLfoAmount": 0.05}),
        ("kLfoAmount", {"kLfoAmount": 0.05, **BOTH}, {"kLfoAmount": 0.05, "kOscMix": 0.995}),
        ("kLfoAmount", {}, {"kOsc1Wave": NOISE}),
        ("kLfoFrequency", {"kLfoAmount": -0.05}, {}),
        ("kLfoDelay", {"kLfoAmount": 0.05, **BOTH}, {"kLfoAmount": 0.05}),
        ("kLfoDelay", {"kLfoAmount": -0.05}, {"kLfoAmount": -0.05, "kOsc1Wave": NOISE}),
        ("kLfoFrequency", {"kLfoFm": 2, "kFmMode": FM1}, {"kLfoFm": 2}),
        ("kLfoFrequency", {"kLfoCutoff": 2, "kFilterEnabled": 1}, {"kLfoCutoff": 2}),
        # A decay to the top is none.
        ("kVolEnvD", {"kVolEnvS": 0.99}, {"kVolEnvS": 1}),
        (
            "kModEnvD",
            {"kFilterEnabled": 1, "kModEnvCutoff": 1},
            {"kFilterEnabled": 1, "kModEnvCutoff": 1, "kModEnvS": 1},
        ),
        # Silence.
        ("kOsc1Wave", {}, {"kMasterVolume": 0}),
        ("kVolEnvA", {}, {"kMasterVolume": 0}),
    ],
    ids=repr,
)
def test_a_parameter_is_heard_when_and_not_unless(
    id: str, when: dict[str, float], unless: dict[str, float]
) -> None:
    assert id in heard(**when)
    assert id not in heard(**unless)


MODULATED = {"kFilterEnabled": 1.0, "kModEnvCutoff": 1.0, "kVolEnvS": 0.5}


@pytest.mark.parametrize(
    ("ids", "when", "unless", "changes"),
    [
        ({"kVolEnvR", "kModEnvR"}, {"note_off": True}, {"note_off": False}, MODULATED),
        ({"kVolEnvV", "kModEnvV"}, {"velocity": 110}, {"velocity": 127}, MODULATED),
        # Default attacks: 1 ms to the volume's rate of 1000/s, 1 s to the modulation's 2.5/s.
        ({"kVolEnvD", "kVolEnvS"}, {"gate_s": 0.003}, {"gate_s": 0.002}, MODULATED),
        ({"kModEnvD", "kModEnvS"}, {"gate_s": 1.0}, {"gate_s": 0.9}, MODULATED),
        ({"kVoiceMode", "kGlideSpeed"}, {"single_note": False}, {"single_note": True}, {}),
        # A mono voice glides to its first note from 440 Hz.
        (
            {"kVoiceMode", "kGlideSpeed"},
            {"from_load": True},
            {"from_load": False},
            {"kVoiceMode": MONO},
        ),
        ({"kVoiceMode"}, {"from_load": True}, {}, {"kVoiceMode": LEGATO}),
    ],
    ids=repr,
)
def test_how_it_is_played_decides_what_is_heard(
    ids: set[str], when: dict[str, object], unless: dict[str, object], changes: dict[str, float]
) -> None:
    assert ids <= heard(when, **changes)
    assert not ids & heard(unless, **changes)


def test_poly_never_glides() -> None:
    assert "kGlideSpeed" not in heard({"single_note": False, "from_load": True}, kVoiceMode=POLY)
    assert "kGlideSpeed" not in heard({"from_load": True}, kVoiceMode=LEGATO)


def test_every_hearing_rule_silences_and_unsilences_its_parameters() -> None:
    rng = np.random.default_rng(3)
    n = 400
    seen = audible(
        to_plain(random_positions(n)),
        note_off=rng.random(n) < 0.5,
        velocity=rng.integers(1, 128, n),
        gate_s=rng.uniform(0, 2, n),
        single_note=rng.random(n) < 0.5,
        from_load=rng.random(n) < 0.5,
    )
    for id in BY_ID:
        column = seen[:, BY_ID[id].index]
        assert column.any(), id
        assert column.all() == (id == "kMasterVolume"), id


def test_what_is_greyed_is_never_heard() -> None:
    presets = to_plain(random_positions())
    assert not (greyed(presets) & audible(presets, single_note=False)).any()


def test_a_batch_equals_its_rows_and_broadcasts_how_it_is_played() -> None:
    presets = to_plain(random_positions(6)).reshape(2, 3, 38)
    assert np.array_equal(greyed(presets)[1, 2], greyed(presets[1, 2]))
    velocity = np.array([100, 127])[:, None]
    batch = audible(presets, velocity=velocity)
    assert np.array_equal(batch[1, 2], audible(presets[1, 2], velocity=127))
    one = audible(plain(), note_off=np.array([True, False]))
    assert one.shape == (2, 38)
    assert one[:, BY_ID["kVolEnvR"].index].tolist() == [True, False]


def test_rules_look_at_values_as_the_plug_in_would_hold_them() -> None:
    almost_noise = plain(kOsc1Wave=4.6)
    assert np.array_equal(greyed(almost_noise), greyed(plain(kOsc1Wave=NOISE)))
    assert np.array_equal(audible(almost_noise), audible(plain(kOsc1Wave=NOISE)))


# The rules of hearing against the synth itself.


def changed_in_sound(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Audible by rule, and changed in the rendered sound by another value: bool (n, 38) each."""
    presets = random_positions(n)
    presets[:, BY_ID["kMasterVolume"].index] = rng.choice([0.0, 0.5], n, p=[0.05, 0.95])
    for attack in ("kVolEnvA", "kModEnvA"):  # mostly short ones, so that all stages are reached
        presets[:, BY_ID[attack].index] *= rng.choice([0.3, 1.0], n)
    note, velocity = rng.integers(30, 90, n), rng.choice([30, 64, 100, 116], n)
    gate_s = rng.choice([0.05, 0.15, 5.0], n)
    duration_s = 0.25

    def sound(normalized: np.ndarray) -> np.ndarray:
        played = (note, velocity, gate_s)
        return render_notes(normalized, *played, duration_s=duration_s, sample_rate=22050)

    rule = audible(
        to_plain(presets),
        note_off=gate_s < duration_s,
        velocity=velocity,
        gate_s=np.minimum(gate_s, duration_s),
        from_load=True,
    )
    unmoved, moved = sound(presets), np.zeros((n, N_PARAMETERS), dtype=np.bool_)
    for i in range(N_PARAMETERS):
        other = presets.copy()
        other[:, i] = other_positions(rng, i, presets[:, i])
        moved[:, i] = np.abs(sound(other) - unmoved).max(axis=1) > 1e-9
    return rule, moved


def other_positions(rng: np.random.Generator, index: int, now: np.ndarray) -> np.ndarray:
    """From the other half of the range, but for what the rules pass over on purpose.

    Split noise is louder in its first 50 ms, so a zero split stays zero and others stay off it; and
    a positive vibrato is unheard without oscillator 2, though a negative one would be heard.
    """
    low, high = rng.uniform(0.0, 0.4, len(now)), rng.uniform(0.6, 1.0, len(now))
    if index in (BY_ID["kOsc1Split"].index, BY_ID["kOsc2Split"].index):
        return np.where(now == 0.5, 0.5, high)
    if index == BY_ID["kLfoAmount"].index:
        return np.where(now > 0.5, high, low)
    return np.where(now < 0.5, high, low)


@pytest.fixture(scope="module")
def rule_and_sound() -> tuple[np.ndarray, np.ndarray]:
    return changed_in_sound(np.random.default_rng(4), 80)


@pytest.mark.parametrize("id", BY_ID)
def test_what_is_not_heard_can_be_changed_without_a_change_in_the_sound(
    id: str, rule_and_sound: tuple[np.ndarray, np.ndarray]
) -> None:
    rule, changed = (table[:, BY_ID[id].index] for table in rule_and_sound)
    assert not changed[~rule].any()


@pytest.mark.parametrize("id", BY_ID)
def test_what_is_heard_changes_the_sound_as_a_rule(
    id: str, rule_and_sound: tuple[np.ndarray, np.ndarray]
) -> None:
    # Not always: a filter wide open has no resonance; poly and legato are one to a single note.
    rule, changed = (table[:, BY_ID[id].index] for table in rule_and_sound)
    assert changed[rule].mean() > 0.3


def random_positions(n: int = 400) -> np.ndarray:
    """Normalized presets with many knobs at their ends and centres, where rules turn."""
    rng = np.random.default_rng(2)
    special = rng.choice([0.0, 0.5, 1.0], (n, N_PARAMETERS))
    return np.where(rng.random((n, N_PARAMETERS)) < 0.5, special, rng.random((n, N_PARAMETERS)))
