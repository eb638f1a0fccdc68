"""Laws that a musician can check, whatever the equations say."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis.preset import Preset
from antithesis.synth import Event, EventKind, render, render_notes
from tests.tones import (
    FAST,
    LEGATO,
    MONO,
    NOISE,
    POLY,
    PULSE,
    SAW,
    SEMITONE,
    SINE,
    SLOW,
    SQUARE,
    TRIANGLE,
    FloatArray,
    key_hz,
    level,
    organ,
    pitch_hz,
)

pytestmark = pytest.mark.timeout(300)  # the first one compiles

RATE = 44100
RATES = [22050, 44100, 48000, 96000, 192000]


def pressed(
    preset: Preset,
    note: int = 69,
    velocity: int = 127,
    gate_s: float = 9.0,
    duration_s: float = 1.0,
    sample_rate: int = RATE,
    drift: bool = False,
) -> FloatArray:
    """One key, by the sample loop."""
    events = [
        Event(0.0, EventKind.NOTE_ON, note, velocity),
        Event(gate_s, EventKind.NOTE_OFF, note),
    ]
    return render(preset, events, duration_s, sample_rate=sample_rate, drift=drift)


# Pitch


@pytest.mark.parametrize("note", [24, 48, 60, 69, 84, 108])
def test_keys_are_tuned_by_the_synths_own_semitone(note: int) -> None:
    assert pitch_hz(pressed(organ(), note), RATE) == pytest.approx(key_hz(note), rel=1e-6)


@pytest.mark.parametrize("rate", RATES)
def test_the_sample_rate_leaves_pitch_alone(rate: int) -> None:
    assert pitch_hz(pressed(organ(), 69, sample_rate=rate), rate) == pytest.approx(440.0, rel=1e-6)


@pytest.mark.parametrize("octaves", [-2, -1, 1, 2])
def test_twelve_coarse_steps_are_an_octave_of_the_synths_own(octaves: int) -> None:
    heard = pitch_hz(pressed(organ(kOsc1Coarse=12 * octaves)), RATE)
    assert heard == pytest.approx(440.0 * SEMITONE ** (12 * octaves), rel=1e-6)
    assert heard == pytest.approx(440.0 * 2.0**octaves, rel=1e-3)


@pytest.mark.parametrize("fine", [-1.0, -0.25, 0.5, 1.0])
def test_fine_counts_in_semitones(fine: float) -> None:
    heard = pitch_hz(pressed(organ(kOsc1Fine=fine)), RATE)
    assert heard == pytest.approx(440.0 * SEMITONE**fine, rel=1e-6)


@pytest.mark.parametrize("depth", [3, 12, 24])
def test_fm_raises_the_mean_pitch_as_an_exponential_law_must(depth: int) -> None:
    """The mean of 1.0595^(d sin x) is a Bessel function."""
    heard = pitch_hz(pressed(organ(kFmMode=1, kFmCoarse=depth), 57), RATE)
    assert heard == pytest.approx(220.0 * np.i0(depth * np.log(SEMITONE)), rel=5e-3)


def test_split_beats_at_the_difference_of_its_copies() -> None:
    split = 0.01
    sound = pressed(organ(kOsc1Split=split), duration_s=2.0)
    envelope = np.abs(sound).reshape(-1, 441).max(axis=1)
    beat_hz = 440.0 * (1 + split - 1 / (1 + split))
    minima = np.flatnonzero((envelope[1:-1] < envelope[:-2]) & (envelope[1:-1] <= envelope[2:]))
    assert np.diff(minima).mean() / 100 == pytest.approx(1 / beat_hz, rel=0.05)


def test_vibrato_swings_by_its_amount_and_in_its_time() -> None:
    preset = organ(kLfoAmount=-0.05, kLfoFrequency=2.0, kLfoDelay=FAST)
    sound = pressed(preset, 81, duration_s=1.1)
    pitches = [pitch_hz(part, RATE) for part in sound[: 50 * 882].reshape(50, 882)]
    assert max(pitches) == pytest.approx(key_hz(81) * 1.05, rel=0.005)
    assert min(pitches) == pytest.approx(key_hz(81) * 0.95, rel=0.005)
    assert pitches[:25] == pytest.approx(pitches[25:], rel=0.01)


def test_drift_detunes_by_less_than_a_fiftieth_of_a_semitone() -> None:
    heard = pitch_hz(pressed(organ(), drift=True), RATE)
    assert heard != pytest.approx(440.0, rel=1e-9)
    assert heard == pytest.approx(440.0, rel=0.0011)


# Level


@pytest.mark.parametrize("wave", [SINE, TRIANGLE, SAW, SQUARE, PULSE, NOISE])
def test_level_is_linear_in_master_volume(wave: int) -> None:
    preset = organ(kOsc1Wave=wave, kFilterEnabled=1, kFilterResonance=0.5)
    quiet = pressed(preset.replace(kMasterVolume=0.1), duration_s=0.2)
    assert np.abs(quiet).max() > 0.01
    assert np.allclose(
        pressed(preset.replace(kMasterVolume=0.3), duration_s=0.2), 3 * quiet, rtol=1e-12
    )
    assert not pressed(preset.replace(kMasterVolume=0.0), duration_s=0.2).any()


@pytest.mark.parametrize("velocity", [1, 40, 100, 127])
def test_velocity_follows_its_curve_where_it_is_asked_for(velocity: int) -> None:
    expected = 0.5 * (velocity / 128) ** 1.25
    assert level(pressed(organ(kVolEnvV=1.0), 60, velocity)) == pytest.approx(expected, rel=1e-3)
    assert level(pressed(organ(kVolEnvV=0.0), 60, velocity)) == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("mix", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_the_mix_keeps_power(mix: float) -> None:
    """An octave apart, both oscillators' powers add up to that of either."""
    sound = pressed(organ(kOsc2Wave=SINE, kOsc2Coarse=12, kOscMix=mix))
    assert np.mean(sound[4410:] ** 2) == pytest.approx(0.125, rel=0.01)


def test_a_chord_is_the_sum_of_its_notes() -> None:
    preset = organ(kOsc1Wave=SAW, kFilterEnabled=1, kFilterCutoff=2000, kLfoAmount=-0.02)
    notes = [48, 55, 64]
    events = [Event(0.0, EventKind.NOTE_ON, note, 100) for note in notes]
    alone = sum(pressed(preset, note, 100, duration_s=0.3, drift=True) for note in notes)
    assert np.allclose(render(preset, events, 0.3), alone, atol=1e-12)


# Envelopes


def first_above(samples: FloatArray, share: float) -> float:
    """Seconds until the envelope of a sound of 440 Hz or more has reached a share of its peak."""
    envelope = np.maximum.accumulate(np.abs(samples))
    return float(np.argmax(envelope >= share * envelope[-1])) / RATE


@pytest.mark.parametrize("rate", [5.0, 20.0, 100.0])
def test_an_attack_takes_its_time(rate: float) -> None:
    """It heads for 1.1: the peak is reached after ln(11) time constants."""
    sound = pressed(organ(kVolEnvA=1000.5 - rate), 105, duration_s=1.5 * np.log(11) / rate)
    assert first_above(sound, 0.999) == pytest.approx(np.log(11) / rate, rel=0.02, abs=0.002)
    assert first_above(sound, 0.5) == pytest.approx(np.log(1.1 / 0.6) / rate, rel=0.02, abs=0.002)


@pytest.mark.parametrize("rate", [5.0, 20.0, 50.0])
@pytest.mark.parametrize("sustain", [0.0, 0.5])
def test_a_decay_falls_to_1_over_e_in_its_time(rate: float, sustain: float) -> None:
    preset = organ(kVolEnvD=1000.5 - rate, kVolEnvS=sustain)
    sound = pressed(preset, 105, duration_s=2 / rate + 0.02)
    start = int(np.log(11) / 1000 * RATE)
    after = start + int(RATE / rate)
    expected = 0.5 * (sustain + (1 - sustain) * np.exp(-1))
    assert np.abs(sound[after - 15 : after + 15]).max() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("sustain", [0.1, 0.5, 1.0])
def test_the_sustain_is_held_to_the_note_off(sustain: float) -> None:
    sound = pressed(organ(kVolEnvD=FAST, kVolEnvS=sustain), 93)
    assert level(sound) == pytest.approx(0.5 * sustain, rel=2e-3)


@pytest.mark.parametrize("rate", [5.0, 50.0])
def test_a_release_ends_in_silence_after_its_time(rate: float) -> None:
    """It heads for -0.1: nothing is left after ln(11) time constants."""
    length = np.log(11) / rate
    sound = pressed(organ(kVolEnvR=1000.5 - rate), gate_s=0.1, duration_s=0.2 + length)
    end = int((0.1 + length) * RATE)
    assert np.abs(sound[end - 200 : end - 20]).max() > 1e-4
    assert not sound[end + 5 :].any()


@pytest.mark.parametrize("rate", RATES)
def test_the_sample_rate_leaves_times_alone(rate: int) -> None:
    preset = organ(kVolEnvA=990.5, kVolEnvD=980.5, kVolEnvS=0.2, kVolEnvR=SLOW)
    sound = pressed(preset, 81, gate_s=0.5, sample_rate=rate)
    envelope = np.abs(sound[: len(sound) // 50 * 50]).reshape(50, -1).max(axis=1)
    reference = np.abs(pressed(preset, 81, gate_s=0.5)).reshape(50, -1).max(axis=1)
    assert np.allclose(envelope, reference, atol=0.01)


# Filter


def filtered_db(note: int = 69, sample_rate: int = RATE, **plain: float) -> float:
    """What the filter does to a sine so soft that it does not saturate."""
    soft = 0.01
    preset = organ(kFilterEnabled=1, kVolEnvS=soft, **plain)
    heard = level(pressed(preset, note, sample_rate=sample_rate))
    return float(20 * np.log10(heard / (0.5 * soft)))


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("resonance", [0.0, 0.5, 0.8])
def test_the_filter_is_a_low_pass_of_two_poles(ratio: float, resonance: float) -> None:
    """|H| = 1 / |1 - r^2 + i d r| for a ratio r to the cutoff and a damping d."""
    gain = filtered_db(kFilterCutoff=440.0 / ratio, kFilterResonance=resonance)
    expected = -20 * np.log10(abs(complex(1 - ratio**2, (1 - resonance) * ratio)))
    assert gain == pytest.approx(expected, abs=0.5)


def test_the_filter_falls_by_12_db_an_octave() -> None:
    low, high = (filtered_db(note, 96000, kFilterCutoff=200) for note in (93, 105))
    assert low - high == pytest.approx(12.0, abs=0.5)


def test_the_3_db_point_stands_where_two_poles_put_it() -> None:
    """Without resonance, at sqrt((1 + sqrt(5)) / 2) times the cutoff."""
    cutoff = 440.0 / np.sqrt((1 + np.sqrt(5)) / 2)
    assert filtered_db(kFilterCutoff=cutoff) == pytest.approx(-3.01, abs=0.2)


def test_a_loud_resonance_saturates() -> None:
    preset = organ(kFilterEnabled=1, kFilterCutoff=440, kFilterResonance=0.9)
    soft = level(pressed(preset.replace(kVolEnvS=0.001)))
    assert level(pressed(preset)) < 0.5 * 1000 * soft


def test_key_tracking_moves_the_cutoff_with_the_key() -> None:
    preset = organ(kOsc1Wave=SAW, kFilterEnabled=1, kFilterCutoff=20, kFilterKeyTrack=1.0)
    low, high = (pressed(preset, note, sample_rate=192000) for note in (57, 81))
    assert level(high) == pytest.approx(level(low), rel=0.05)
    untracked = preset.replace(kFilterKeyTrack=0.0)
    low, high = (pressed(untracked, note, sample_rate=192000) for note in (57, 81))
    assert level(high) < 0.5 * level(low)


# Time


@pytest.mark.parametrize("mode", [POLY, MONO, LEGATO])
def test_a_later_key_plays_the_same_sound_later(mode: int) -> None:
    preset = organ(kOsc1Wave=SAW, kVoiceMode=mode, kFilterEnabled=1, kVolEnvA=990.0)
    now = render(preset, [Event(0.0, EventKind.NOTE_ON, 60, 100)], 0.2, drift=False)
    late = render(preset, [Event(0.1, EventKind.NOTE_ON, 60, 100)], 0.3, drift=False)
    assert not late[:4410].any()
    assert np.array_equal(late[4410:], now)


def test_a_warmup_is_time_before_the_first_sample() -> None:
    preset = organ(kLfoAmount=-0.05, kLfoFrequency=3.0)
    warm = render(preset, [Event(0.0, EventKind.NOTE_ON, 60, 100)], 0.2, warmup_s=0.3)
    long = render(preset, [Event(0.3, EventKind.NOTE_ON, 60, 100)], 0.5)
    assert np.array_equal(warm, long[int(0.3 * RATE) :])


def test_a_shorter_sound_is_the_longer_ones_beginning() -> None:
    presets = np.array([organ(kOsc1Wave=wave).normalized for wave in range(6)])
    short = render_notes(presets, 60, 100, 0.1, duration_s=0.1)
    assert np.array_equal(short, render_notes(presets, 60, 100, 0.1, duration_s=0.4)[:, :4410])
