"""The distributions keep their stated shares, stay in range and follow the development targets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from antithesis.parameters import BY_ID, PARAMETERS, Kind
from antithesis.sampling import (
    DISTRIBUTIONS,
    STUDY_NINE,
    Sample,
    factory_presets,
    mixture,
    musical,
    neighbours,
    nine,
    split,
    uniform,
)
from evaluation.targets import choose

MANY = 20_000
MINIMA = np.array([parameter.min for parameter in PARAMETERS])
MAXIMA = np.array([parameter.max for parameter in PARAMETERS])
MUSICAL = musical(np.random.default_rng(1), MANY)

every_distribution = pytest.mark.parametrize("name", sorted(DISTRIBUTIONS))


def column(sample: Sample, id: str) -> npt.NDArray[np.float64]:
    return sample.plain[:, BY_ID[id].index]


def seconds(sample: Sample, id: str) -> npt.NDArray[np.float64]:
    return 1.0 / (BY_ID[id].min + BY_ID[id].max - column(sample, id))


def targets(name: str) -> dict[str, npt.NDArray[np.float64]]:
    rows = [(t.note, t.velocity, t.gate_s, t.warmup_s, *t.preset.values) for t in choose([name])]
    keys = ("note", "velocity", "gate_s", "warmup_s", *BY_ID)
    return dict(zip(keys, np.array(rows).T, strict=True))


def kolmogorov_smirnov(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    points = np.union1d(a, b) + 1e-9
    cdf_a = np.searchsorted(np.sort(a), points) / len(a)
    cdf_b = np.searchsorted(np.sort(b), points) / len(b)
    return float(np.abs(cdf_a - cdf_b).max())


@every_distribution
def test_shapes_follow_the_count(name: str) -> None:
    sample = DISTRIBUTIONS[name](np.random.default_rng(0), 7)
    assert len(sample) == 7
    assert sample.plain.shape == sample.normalized.shape == (7, 38)
    for played in (sample.note, sample.velocity, sample.gate_s, sample.warmup_s):
        assert played.shape == (7,)


@every_distribution
def test_none_asked_for_gives_none(name: str) -> None:
    assert len(DISTRIBUTIONS[name](np.random.default_rng(0), 0)) == 0


@every_distribution
def test_everything_stays_in_range(name: str) -> None:
    sample = DISTRIBUTIONS[name](np.random.default_rng(2), MANY)
    assert np.all(sample.plain >= MINIMA)
    assert np.all(sample.plain <= MAXIMA)
    assert np.all((sample.normalized >= 0) & (sample.normalized <= 1))
    assert np.all((sample.note >= 36) & (sample.note <= 84))
    assert np.all((sample.velocity >= 40) & (sample.velocity <= 127))
    assert np.all((sample.gate_s >= 0.3) & (sample.gate_s <= 1.7))
    assert np.all((sample.warmup_s >= 0.2) & (sample.warmup_s <= 4.0))


@every_distribution
def test_choices_and_semitones_are_whole(name: str) -> None:
    whole = [parameter.index for parameter in PARAMETERS if parameter.kind is not Kind.DOUBLE]
    plain = DISTRIBUTIONS[name](np.random.default_rng(3), MANY).plain[:, whole]
    assert np.array_equal(plain, np.round(plain))


@every_distribution
def test_voice_mode_is_poly_and_volume_the_default(name: str) -> None:
    sample = DISTRIBUTIONS[name](np.random.default_rng(4), 100)
    assert set(column(sample, "kVoiceMode")) == {0.0}
    assert set(column(sample, "kMasterVolume")) == {0.25}


@every_distribution
def test_the_same_seed_gives_the_same_bits(name: str) -> None:
    first, again, other = (
        DISTRIBUTIONS[name](np.random.default_rng(seed), 50) for seed in (5, 5, 6)
    )
    for key in ("plain", "note", "velocity", "gate_s", "warmup_s"):
        assert np.array_equal(getattr(first, key), getattr(again, key))
    assert not np.array_equal(first.plain, other.plain)


@pytest.mark.parametrize("name", ["musical", "uniform", "nine", "split"])
def test_marginals_follow_the_development_targets(name: str) -> None:
    sample, expected = DISTRIBUTIONS[name](np.random.default_rng(7), MANY), targets(name)
    count = len(expected["note"])
    # 1.95 / sqrt(count) is passed by chance once in a thousand; the rest allows for the
    # targets' rejection of quiet sounds, which thins out closed filters and short decays.
    allowed = 1.95 / np.sqrt(count) + 0.03
    far = {
        p.id: kolmogorov_smirnov(column(sample, p.id), expected[p.id])
        for p in PARAMETERS
        if kolmogorov_smirnov(column(sample, p.id), expected[p.id]) > allowed
    }
    assert far == {}
    for key in ("note", "velocity", "gate_s", "warmup_s"):
        assert kolmogorov_smirnov(getattr(sample, key), expected[key]) < allowed


@pytest.mark.parametrize(
    ("id", "value", "share"),
    [
        ("kOsc1Wave", 2, 0.28),
        ("kOsc2Wave", 5, 0.06),
        ("kOsc1Coarse", 0, 0.55 + 0.15 / 49),
        ("kOsc1Coarse", 12, 0.30 / 8 + 0.15 / 49),
        ("kOsc2Fine", 0, 0.5),
        ("kOsc2Split", 0, 0.5),
        ("kOscMix", 1, 0.40),
        ("kOscMix", 0, 0.05),
        ("kFmMode", 0, 0.70),
        ("kFilterEnabled", 1, 0.65),
        ("kFilterResonance", 0, 1 - 0.65 * 0.75),
        ("kFilterKeyTrack", 0, 1 - 0.65 * 0.35),
        ("kVolEnvFm", 0, 1 - 0.30 * 0.25),
        ("kModEnvFm", 0, 1 - 0.30 * 0.40),
        ("kModEnvCutoff", 0, 1 - 0.65 * 0.55),
        ("kLfoCutoff", 0, 1 - 0.65 * 0.15),
        ("kVolEnvA", 0.5, 0.45),
        ("kVolEnvS", 0, 0.25),
        ("kVolEnvS", 1, 0.20),
        ("kVolEnvV", 0, 0.60),
        ("kLfoAmount", 0, 0.75),
    ],
)
def test_musical_keeps_its_stated_shares(id: str, value: float, share: float) -> None:
    assert np.mean(column(MUSICAL, id) == value) == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize(
    ("id", "low", "high"),
    [
        ("kVolEnvA", 0.001, 0.8),
        ("kVolEnvD", 0.02, 2.0),
        ("kModEnvD", 0.02, 2.0),
        ("kModEnvR", 0.004, 1.0),
    ],
)
def test_musical_times_are_log_spread_over_their_range(id: str, low: float, high: float) -> None:
    times = seconds(MUSICAL, id)
    times = times[times > 0.001 + 1e-9]
    assert times.min() >= low - 1e-9
    assert times.max() <= high + 1e-9
    assert np.median(times) == pytest.approx(np.sqrt(low * high), rel=0.1)


def test_musical_leaves_no_amount_behind_a_switch_that_is_off() -> None:
    off = column(MUSICAL, "kFilterEnabled") == 0
    for id in ("kFilterResonance", "kFilterKeyTrack", "kVolEnvCutoff", "kModEnvCutoff"):
        assert np.all(column(MUSICAL, id)[off] == 0)
    off = column(MUSICAL, "kFmMode") == 0
    for id in ("kFmCoarse", "kFmFine", "kVolEnvFm", "kModEnvFm", "kLfoFm"):
        assert np.all(column(MUSICAL, id)[off] == 0)


def test_uniform_gives_the_outer_choices_half_the_share() -> None:
    wave = column(uniform(np.random.default_rng(8), MANY), "kOsc1Wave")
    assert np.mean(wave == 0) == pytest.approx(0.1, abs=0.01)
    assert np.mean(wave == 3) == pytest.approx(0.2, abs=0.01)


def test_nine_varies_only_the_nine_of_the_study() -> None:
    sample = nine(np.random.default_rng(9), 500)
    varied = {p.id for p in PARAMETERS if np.ptp(column(sample, p.id)) > 0}
    assert varied == set(STUDY_NINE)
    assert set(sample.note) == {60}
    assert set(sample.velocity) == {100}


def test_split_is_tonal_and_never_off() -> None:
    sample = split(np.random.default_rng(10), MANY)
    size = np.abs(column(sample, "kOsc1Split"))
    assert size.min() >= 0.001
    assert np.mean(size) == pytest.approx(0.013, abs=0.0005)
    assert column(sample, "kOsc1Wave").max() == 4
    assert np.mean(column(sample, "kFilterEnabled")) == pytest.approx(0.5, abs=0.02)


def test_neighbours_stay_near_a_factory_preset_and_do_not_repeat_it() -> None:
    sample = neighbours(np.random.default_rng(11), 500)
    start = factory_presets()
    waves = [BY_ID[id].index for id in ("kOsc1Wave", "kOsc2Wave", "kFmMode", "kFilterEnabled")]
    same_choices = (sample.plain[:, None, waves] == start[None, :, waves]).all(axis=2)
    assert np.mean(same_choices.any(axis=1)) > 0.75
    assert np.mean(same_choices.any(axis=1)) < 1
    assert len(np.unique(sample.plain, axis=0)) == 500


def test_factory_presets_are_fourteen_and_start_with_init() -> None:
    presets = factory_presets()
    assert presets.shape == (14, 38)
    assert list(presets[0]) == [parameter.default for parameter in PARAMETERS]
    with pytest.raises(ValueError, match="read-only"):
        presets[0, 0] = 1


def test_mixture_keeps_its_weights_and_shuffles() -> None:
    sample = mixture(np.random.default_rng(12), MANY, {"nine": 3.0, "musical": 1.0})
    from_nine = sample.velocity == 100
    assert np.mean(from_nine) == pytest.approx(0.75 + 0.25 / 88, abs=0.015)
    assert np.mean(from_nine[: MANY // 2]) == pytest.approx(0.75, abs=0.02)


def test_mixture_of_an_unknown_distribution_is_an_error() -> None:
    with pytest.raises(KeyError, match="nonsense"):
        mixture(np.random.default_rng(0), 4, {"nonsense": 1.0})
