"""The playing synth: keys, voices, wheel and knobs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from antithesis.errors import RenderError
from antithesis.parameters import BY_ID, PARAMETERS
from antithesis.preset import Preset
from antithesis.sampling import uniform
from antithesis.synth import Synth
from tests.tones import (
    FAST,
    LEGATO,
    MONO,
    POLY,
    SAW,
    SEMITONE,
    SINE,
    SLOW,
    SQUARE,
    FloatArray,
    key_hz,
    level,
    organ,
    pitch_hz,
)

pytestmark = pytest.mark.timeout(300)  # the first one compiles

RATE = 44100
SCORE: dict[int, Callable[[Synth], None]] = {
    0: lambda synth: synth.note_on(60, 100),
    900: lambda synth: synth.note_on(67, 80),
    1700: lambda synth: synth.set_plain(BY_ID["kOsc1Wave"].index, SQUARE),
    2600: lambda synth: synth.bend(12000),
    3100: lambda synth: synth.note_off(60),
    4000: lambda synth: synth.set_plain(BY_ID["kFilterEnabled"].index, 1),
    5200: lambda synth: synth.note_on(72, 127),
    6000: lambda synth: synth.all_notes_off(),
}


def playing(preset: Preset) -> Synth:
    """A synth on which nothing is left to chance."""
    return Synth(preset, sample_rate=RATE, drift=False)


def turn(synth: Synth, id: str, plain: float) -> None:
    synth.set_plain(BY_ID[id].index, plain)


def chord(preset: Preset, notes: list[int], n: int) -> FloatArray:
    """Notes pressed together, each on a synth of its own."""
    total = np.zeros(n)
    for note in notes:
        synth = playing(preset)
        synth.note_on(note, 100)
        total += synth.process(n)
    return total


def scored(preset: Preset, chunk: Callable[[], int]) -> FloatArray:
    """Play the score in blocks whose lengths ``chunk`` gives."""
    synth = Synth(preset, sample_rate=RATE)
    parts, position = [], 0
    for moment in [*SCORE, 8000]:
        while position < moment:
            n = min(chunk(), moment - position)
            parts.append(synth.process(n))
            position += n
        SCORE.get(moment, lambda _: None)(synth)
    return np.concatenate(parts)


@pytest.mark.parametrize("seed", range(4))
def test_block_lengths_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    preset = Preset.from_plain(uniform(rng, 1).plain[0]).replace(kVoiceMode=seed % 3)
    whole = scored(preset, lambda: 8000)
    assert np.abs(whole).max() > 0.0
    assert np.array_equal(whole, scored(preset, lambda: int(rng.integers(1, 300))))
    assert np.array_equal(whole, scored(preset, lambda: 1))


def test_no_samples_are_no_samples() -> None:
    assert Synth().process(0).shape == (0,)


def test_a_synth_at_rest_is_silent() -> None:
    assert not Synth().process(1000).any()


def test_a_synth_left_alone_goes_on_as_one_that_was_not() -> None:
    preset = organ(kLfoAmount=0.1, kFilterEnabled=1, kVolEnvR=FAST)
    left_alone, other = Synth(preset, sample_rate=RATE), Synth(preset, sample_rate=RATE)
    left_alone.process(20 * 128)
    for _ in range(20):
        other.process(128)
    for synth in (left_alone, other):
        synth.note_on(60, 100)
    assert np.array_equal(left_alone.process(500), other.process(500))


def test_a_synth_rests_before_a_key_and_after_its_sound() -> None:
    synth = playing(organ(kFilterEnabled=1, kVolEnvR=FAST))
    assert synth.at_rest
    synth.note_on(60, 100)
    assert not synth.at_rest
    synth.process(1000)
    synth.note_off(60)
    assert not synth.at_rest
    synth.process(5 * RATE)
    assert synth.at_rest
    assert not synth.process(1000).any()


# Voices


def test_eight_keys_sound_together() -> None:
    notes = [40, 45, 50, 55, 60, 65, 70, 75]
    synth = playing(organ())
    for note in notes:
        synth.note_on(note, 100)
    assert np.allclose(synth.process(2000), chord(organ(), notes, 2000), atol=1e-12)


def test_the_ninth_key_takes_the_quietest_voice() -> None:
    preset = organ(kVolEnvV=1.0)
    synth = playing(preset)
    for note, velocity in zip(range(40, 48), (90, 80, 70, 20, 60, 50, 40, 30), strict=True):
        synth.note_on(note, velocity)
    synth.process(2000)
    assert_taken(synth, preset, gone=43)


def test_a_released_voice_is_taken_before_a_quieter_held_one() -> None:
    preset = organ(kVolEnvV=1.0, kVolEnvR=SLOW)
    synth = playing(preset)
    for note, velocity in zip(range(40, 48), (20, 120, 20, 20, 20, 20, 20, 20), strict=True):
        synth.note_on(note, velocity)
    synth.process(1990)
    synth.note_off(41)
    synth.process(10)
    assert_taken(synth, preset, gone=41)


def test_among_equals_the_first_voice_is_taken() -> None:
    preset = organ()
    synth = playing(preset)
    for note in range(40, 48):
        synth.note_on(note, 100)
    synth.process(2000)
    assert_taken(synth, preset, gone=40)


def assert_taken(synth: Synth, preset: Preset, gone: int) -> None:
    """Let a loud high key take a voice; without the others, it alone must be left."""
    velocities = {int(v["note"]): v["velocity"] for v in synth._voices}
    synth.note_on(100, 127)
    out = synth.process(4000)
    for note, velocity in velocities.items():
        if note != gone:
            other = playing(preset)
            other.note_on(note, 127)
            other._voices["velocity"][0] = velocity
            other.process(2000)
            out -= other.process(4000)
    assert pitch_hz(out[500:], RATE) == pytest.approx(key_hz(100), rel=1e-4)


def test_a_key_pressed_twice_is_let_go_of_by_one_note_off() -> None:
    synth = playing(organ())
    synth.note_on(60, 100)
    synth.note_on(60, 100)
    synth.note_off(60)
    synth.process(1000)
    assert not synth.process(100).any()


def test_a_note_off_for_another_key_changes_nothing() -> None:
    synth, other = playing(organ()), playing(organ())
    synth.note_on(60, 100)
    other.note_on(60, 100)
    synth.note_off(61)
    assert np.array_equal(synth.process(500), other.process(500))


def test_velocity_0_lets_go() -> None:
    synth = playing(organ())
    synth.note_on(60, 100)
    synth.note_on(60, 0)
    synth.process(1000)
    assert not synth.process(100).any()


# Mono and legato


def test_mono_glides_from_concert_a() -> None:
    synth = playing(organ(kVoiceMode=MONO, kGlideSpeed=981.0))  # 20 per second
    synth.note_on(81, 100)
    assert pitch_hz(synth.process(441), RATE) == pytest.approx(440.0, rel=0.15)
    synth.process(RATE)
    assert pitch_hz(synth.process(4410), RATE) == pytest.approx(key_hz(81), rel=1e-6)


def test_glide_covers_all_but_1_over_e_in_its_time() -> None:
    synth = playing(organ(kVoiceMode=MONO, kGlideSpeed=981.0))
    synth.note_on(93, 100)
    synth.process(RATE // 20 - 200)
    expected = key_hz(93) + (440.0 - key_hz(93)) * np.exp(-1)
    assert pitch_hz(synth.process(400), RATE) == pytest.approx(expected, rel=5e-3)


def test_the_first_legato_key_jumps_to_its_pitch() -> None:
    synth = playing(organ(kVoiceMode=LEGATO, kGlideSpeed=999.0))
    synth.note_on(81, 100)
    assert pitch_hz(synth.process(2000), RATE) == pytest.approx(key_hz(81), rel=1e-4)


def test_the_next_legato_key_glides() -> None:
    synth = playing(organ(kVoiceMode=LEGATO, kGlideSpeed=999.0))  # 2 per second
    synth.note_on(69, 100)
    synth.process(RATE)
    synth.note_on(81, 100)
    assert pitch_hz(synth.process(2000), RATE) == pytest.approx(440.0, rel=0.1)
    synth.process(5 * RATE)
    assert pitch_hz(synth.process(4410), RATE) == pytest.approx(key_hz(81), rel=1e-3)


@pytest.mark.parametrize(("mode", "starts"), [(MONO, True), (LEGATO, False)])
def test_only_mono_starts_its_envelopes_anew(mode: int, starts: bool) -> None:
    synth = playing(organ(kVoiceMode=mode, kVolEnvD=950.0, kVolEnvS=0.0))
    synth.note_on(60, 100)
    synth.process(RATE)
    synth.note_on(64, 100)
    assert (np.abs(synth.process(441)).max() > 0.1) == starts


@pytest.mark.parametrize("mode", [MONO, LEGATO])
def test_letting_go_returns_to_the_last_key_held(mode: int) -> None:
    synth = playing(organ(kVoiceMode=mode, kGlideSpeed=1.0))
    for note in (60, 64, 67):
        synth.note_on(note, 100)
    synth.note_off(64)
    synth.process(RATE)
    assert pitch_hz(synth.process(4410), RATE) == pytest.approx(key_hz(67), rel=1e-6)
    synth.note_off(67)
    synth.process(RATE)
    assert pitch_hz(synth.process(4410), RATE) == pytest.approx(key_hz(60), rel=1e-6)
    synth.note_off(60)
    synth.process(1000)
    assert not synth.process(100).any()


@pytest.mark.parametrize("mode", [MONO, LEGATO])
def test_a_note_off_forgets_every_press_of_its_key(mode: int) -> None:
    synth = playing(organ(kVoiceMode=mode))
    for note in (60, 64, 60, 60):
        synth.note_on(note, 100)
    synth.note_off(60)
    synth.note_off(64)
    synth.process(1000)
    assert not synth.process(100).any()


def test_a_key_held_in_poly_counts_in_legato() -> None:
    synth = playing(organ(kVolEnvD=950.0, kVolEnvS=0.0))
    synth.note_on(60, 100)
    synth.process(RATE)
    turn(synth, "kVoiceMode", LEGATO)
    synth.note_on(64, 100)
    assert np.abs(synth.process(441)).max() < 1e-3


def test_all_notes_off_keeps_held_keys() -> None:
    synth = playing(organ(kVoiceMode=LEGATO))
    synth.note_on(60, 100)
    synth.all_notes_off()
    synth.process(1000)
    synth.note_on(64, 100)  # 60 counts as held: legato does not start
    assert not synth.process(1000).any()
    synth.note_off(60)
    synth.note_off(64)
    synth.note_on(64, 100)
    assert synth.process(1000).any()


def test_all_notes_off_releases_every_voice() -> None:
    synth = playing(organ())
    for note in range(50, 58):
        synth.note_on(note, 100)
    synth.process(1000)
    synth.all_notes_off()
    synth.process(1000)
    assert not synth.process(100).any()


@pytest.mark.parametrize("mode", [POLY, MONO, LEGATO])
def test_a_change_of_voice_mode_releases_all_but_the_first_voice(mode: int) -> None:
    synth = playing(organ())
    for note in (50, 57, 64):
        synth.note_on(note, 100)
    synth.process(1000)
    turn(synth, "kVoiceMode", mode)
    synth.process(1000)
    left = chord(organ(), [50], 3000)[2000:]
    assert np.allclose(synth.process(1000), left, atol=1e-12)


# The wheel


@pytest.mark.parametrize(
    ("value", "semitones"), [(0, -2.0), (4096, -1.0), (8192, 0.0), (16383, 2 * 8191 / 8192)]
)
def test_the_wheel_bends_by_two_of_the_synths_own_semitones(value: int, semitones: float) -> None:
    synth = playing(organ())
    synth.note_on(69, 100)
    synth.bend(value)
    expected = 440.0 * SEMITONE**semitones
    assert pitch_hz(synth.process(RATE // 2), RATE) == pytest.approx(expected, rel=1e-6)


def test_the_wheel_stays_where_it_is_for_the_next_key() -> None:
    synth = playing(organ())
    synth.bend(0)
    synth.note_on(69, 100)
    expected = 440.0 * SEMITONE**-2
    assert pitch_hz(synth.process(RATE // 2), RATE) == pytest.approx(expected, rel=1e-6)


# Knobs


@pytest.mark.parametrize(
    ("id", "before", "after"),
    [("kOscMix", 0.9, 0.2), ("kFilterCutoff", 8000.0, 500.0), ("kFilterEnabled", 0.0, 1.0)],
)
def test_what_would_click_is_smoothed(id: str, before: float, after: float) -> None:
    sound = organ(kOsc2Wave=SINE, kOsc2Coarse=12, kFilterEnabled=1, kFilterCutoff=500)
    preset = sound.replace(**{id: before})
    synth, unturned, turned = (playing(preset) for _ in range(3))
    turn(turned, id, after)
    turned.process(RATE)  # its smoothing is over before the key is pressed
    for one in (synth, unturned, turned):
        one.note_on(57, 100)
    synth.process(4410)
    unturned.process(4410)
    turned.process(4410)
    turn(synth, id, after)
    moved, kept = synth.process(RATE), unturned.process(RATE)
    reached = turned.process(RATE)
    gap = np.abs(reached - kept).max()
    assert gap > 0.01
    assert np.abs(moved[:4] - kept[:4]).max() < 0.05 * gap
    assert np.abs(moved - reached)[-4410:].max() < 1e-4 * gap


def test_master_volume_acts_at_once() -> None:
    synth, other = playing(organ()), playing(organ())
    for one in (synth, other):
        one.note_on(60, 100)
        one.process(100)
    turn(synth, "kMasterVolume", 0.1)
    assert np.allclose(synth.process(100), other.process(100) / 5, rtol=1e-14)


def test_a_waveform_fades_into_the_next_within_10_ms() -> None:
    synth, old, new = playing(organ()), playing(organ()), playing(organ(kOsc1Wave=SAW))
    for one in (synth, old, new):
        one.note_on(60, 100)
        one.process(1000)
    turn(synth, "kOsc1Wave", SAW)
    fade = np.minimum(np.arange(1, 601) * 100 / RATE, 1.0)
    expected = old.process(600) * (1 - fade) + new.process(600) * fade
    assert np.allclose(synth.process(600), expected, atol=1e-12)


def test_a_knob_of_oscillator_2_leaves_oscillator_1_alone() -> None:
    synth, other = playing(organ()), playing(organ())
    for one in (synth, other):
        one.note_on(60, 100)
    turn(synth, "kOsc2Wave", SQUARE)
    turn(synth, "kOsc2Coarse", 7)
    assert np.array_equal(synth.process(1000), other.process(1000))


def test_knobs_stop_at_their_ends() -> None:
    synth = Synth()
    for parameter in PARAMETERS:
        synth.set_plain(parameter.index, parameter.max + 1e9)
    assert synth.plain.tolist() == [parameter.max for parameter in PARAMETERS]
    for parameter in PARAMETERS:
        synth.set_normalized(parameter.index, -3.0)
    assert synth.plain.tolist() == [parameter.min for parameter in PARAMETERS]


def test_the_panel_can_be_read_back() -> None:
    preset = Preset.from_plain(uniform(np.random.default_rng(3), 1).plain[0])
    synth = Synth()
    for index, value in enumerate(preset.normalized):
        synth.set_normalized(index, value)
    assert np.allclose(synth.normalized, preset.normalized, atol=1e-8)
    assert np.array_equal(Synth(preset).plain, preset.plain)


def test_the_panel_read_back_is_a_copy() -> None:
    synth = Synth()
    synth.plain[:] = 0.0
    assert np.array_equal(synth.plain, Preset.init().plain)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_knob_refuses_what_is_no_number(value: float) -> None:
    with pytest.raises(RenderError, match="kFilterCutoff"):
        Synth().set_plain(BY_ID["kFilterCutoff"].index, value)


@pytest.mark.parametrize("rate", [0, -44100, 8000, 22049, 192001, 384000])
def test_an_unknown_sample_rate_is_refused(rate: int) -> None:
    with pytest.raises(RenderError, match=f"sample rate {rate} Hz: give 22050 to 192000"):
        Synth(sample_rate=rate)


def test_two_synths_of_one_seed_drift_alike() -> None:
    first, second = Synth(organ(kVolEnvA=FAST)), Synth(organ(kVolEnvA=FAST))
    for synth in (first, second):
        synth.note_on(60, 100)
    samples = first.process(RATE // 2)
    assert np.array_equal(samples, second.process(RATE // 2))
    assert level(samples) == pytest.approx(0.5, rel=1e-3)
