"""The fast path plays what the sample loop plays."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antithesis.errors import RenderError
from antithesis.parameters import BY_ID
from antithesis.preset import Preset
from antithesis.sampling import DISTRIBUTIONS, Sample
from antithesis.synth import Event, EventKind, render, render_into, render_notes
from antithesis.synth.lanes import phase_after

pytestmark = pytest.mark.timeout(300)  # the first one compiles

FloatArray = npt.NDArray[np.float64]
TOLERANCE = 1e-9
RATE = 44100
BLOCK_S = 512 / RATE


def drawn(distribution: str, n: int, seed: int = 5, **plain: float) -> Sample:
    """Draws of a distribution, some knobs set."""
    sample = DISTRIBUTIONS[distribution](np.random.default_rng(seed), n)
    for id, value in plain.items():
        sample.plain[:, BY_ID[id].index] = value
    return sample


def played(sample: Sample, **options: object) -> FloatArray:
    """The fast path, gates and warm-ups as drawn unless given."""
    given = {"gate_s": sample.gate_s, "warmup_s": sample.warmup_s, "note": sample.note, **options}
    note, gate_s = given.pop("note"), given.pop("gate_s")
    return render_notes(sample.normalized, note, sample.velocity, gate_s, **given)  # type: ignore[arg-type]


def looped(
    sample: Sample,
    duration_s: float,
    gate_s: Iterable[float],
    note: Iterable[int] | None = None,
    warmup_s: Iterable[float] | None = None,
    **options: object,
) -> FloatArray:
    """The same notes by the sample loop."""
    notes = sample.note if note is None else note
    warmups = sample.warmup_s if warmup_s is None else warmup_s
    rows = zip(sample.plain, notes, sample.velocity, gate_s, warmups, strict=True)
    return np.array(
        [
            render(
                Preset.from_plain(plain),
                [
                    Event(0.0, EventKind.NOTE_ON, key, velocity),
                    Event(gate, EventKind.NOTE_OFF, key),
                ],
                duration_s,
                warmup_s=warmup,
                **options,  # type: ignore[arg-type]
            )
            for plain, key, velocity, gate, warmup in rows
        ]
    )


def assert_alike(fast: FloatArray, exact: FloatArray) -> None:
    assert fast.shape == exact.shape
    assert np.isfinite(exact).all()
    assert np.abs(fast - exact).max() < TOLERANCE * max(1.0, np.abs(exact).max())


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_every_distribution_plays_as_by_the_sample_loop(distribution: str) -> None:
    sample = drawn(distribution, 12)
    exact = looped(sample, 0.8, sample.gate_s / 3)
    assert_alike(played(sample, duration_s=0.8, gate_s=sample.gate_s / 3), exact)
    assert np.abs(exact).max(axis=1).min() > 0.0


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_every_voice_mode_plays_as_by_the_sample_loop(mode: int) -> None:
    sample = drawn("uniform", 8, kVoiceMode=mode)
    gates = sample.gate_s / 5
    assert_alike(played(sample, duration_s=0.4, gate_s=gates), looped(sample, 0.4, gates))


@pytest.mark.parametrize(
    "gate_s",
    [0.0, 1 / RATE, 0.1, BLOCK_S, BLOCK_S - 1 / RATE, 0.3, 0.3 - 1 / RATE, 5.0, np.inf],
)
def test_note_offs_from_the_first_sample_to_past_the_end(gate_s: float) -> None:
    sample = drawn("musical", 4)
    exact = looped(sample, 0.3, [min(gate_s, 5.0)] * 4)
    assert_alike(played(sample, duration_s=0.3, gate_s=gate_s), exact)


@pytest.mark.parametrize("rate", [22050, 32000, 48000, 96000, 192000])
def test_every_sample_rate_plays_as_by_the_sample_loop(rate: int) -> None:
    sample = drawn("uniform", 6, seed=rate)
    gates, warmups = sample.gate_s / 10, sample.warmup_s / 8
    fast = played(sample, duration_s=0.2, gate_s=gates, sample_rate=rate, warmup_s=warmups)
    assert_alike(fast, looped(sample, 0.2, gates, warmup_s=warmups, sample_rate=rate))


@pytest.mark.parametrize("note", [0, 1, 126, 127])
def test_the_keyboards_ends_play_as_by_the_sample_loop(note: int) -> None:
    sample = drawn("uniform", 8, seed=note)
    gates = sample.gate_s / 10
    fast = played(sample, duration_s=0.2, gate_s=gates, note=note)
    assert_alike(fast, looped(sample, 0.2, gates, note=[note] * 8))


def test_without_drift_plays_as_by_the_sample_loop() -> None:
    sample = drawn("neighbours", 6)
    gates = sample.gate_s / 5
    fast = played(sample, duration_s=0.4, gate_s=gates, drift=False)
    assert_alike(fast, looped(sample, 0.4, gates, drift=False))
    assert not np.array_equal(fast, played(sample, duration_s=0.4, gate_s=gates))


def test_without_warmup_plays_as_by_the_sample_loop() -> None:
    sample = drawn("uniform", 6)
    gates = sample.gate_s / 5
    fast = played(sample, duration_s=0.4, gate_s=gates, warmup_s=0.0)
    assert_alike(fast, looped(sample, 0.4, gates, warmup_s=[0.0] * 6))


def test_a_decay_to_nothing_plays_as_by_the_sample_loop() -> None:
    """The voice is left out once its volume has faded, also under a filter that rings."""
    sample = drawn("musical", 6, kVolEnvS=0.0, kVolEnvD=950.0, kVolEnvA=0.5)
    exact = looped(sample, 1.0, [0.9] * 6)
    assert_alike(played(sample, duration_s=1.0, gate_s=0.9), exact)


def runaway() -> Sample:
    """Four notes, the third of which has a triangle that turns more than twice a sample."""
    sample = drawn("musical", 4)
    wild = {"kOsc1Wave": 1, "kOsc1Coarse": 24, "kFmMode": 1, "kFmCoarse": 48, "kOscMix": 1}
    for id, value in wild.items():
        sample.plain[2, BY_ID[id].index] = value
    sample.note[2] = 120
    return sample


def test_a_note_that_runs_away_is_the_sample_loops_own() -> None:
    sample = runaway()
    gates = sample.gate_s / 5
    fast = played(sample, duration_s=0.3, gate_s=gates)
    exact = looped(sample, 0.3, gates)
    assert np.abs(exact[2]).max() > 1e6
    assert np.array_equal(fast[2], exact[2])
    assert_alike(fast[[0, 1, 3]], exact[[0, 1, 3]])


def test_a_batch_equals_its_items_alone() -> None:
    sample = drawn("uniform", 21)
    together = played(sample, duration_s=0.3, gate_s=sample.gate_s / 8)
    for i in range(len(sample)):
        alone = render_notes(
            sample.normalized[i : i + 1],
            sample.note[i],
            sample.velocity[i],
            sample.gate_s[i] / 8,
            duration_s=0.3,
            warmup_s=sample.warmup_s[i],
        )
        assert np.array_equal(alone[0], together[i])


def test_order_changes_nothing() -> None:
    sample = drawn("musical", 19)
    forward = played(sample, duration_s=0.3)
    order = np.random.default_rng(0).permutation(19)
    mixed = Sample(
        sample.plain[order],
        sample.note[order],
        sample.velocity[order],
        sample.gate_s[order],
        sample.warmup_s[order],
    )
    assert np.array_equal(played(mixed, duration_s=0.3), forward[order])


@pytest.mark.parametrize("threads", [1, 2, 64])
def test_the_number_of_threads_changes_nothing(threads: int) -> None:
    sample = drawn("uniform", 19)
    assert np.array_equal(
        played(sample, duration_s=0.2, threads=threads), played(sample, duration_s=0.2)
    )


def test_a_number_stands_for_all_notes() -> None:
    sample = drawn("musical", 3)
    one = render_notes(sample.normalized, 60, 100, 0.1, duration_s=0.2, warmup_s=0.5)
    many = render_notes(
        sample.normalized, [60] * 3, [100] * 3, [0.1] * 3, duration_s=0.2, warmup_s=[0.5] * 3
    )
    assert np.array_equal(one, many)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_callers_array_is_filled_to_its_last_sample(dtype: type) -> None:
    sample = runaway()
    expected = played(sample, duration_s=0.5, gate_s=0.05)
    out = np.full(expected.shape, np.nan, dtype)
    render_into(
        out, sample.normalized, sample.note, sample.velocity, 0.05, warmup_s=sample.warmup_s
    )
    highest = np.finfo(dtype).max  # what ran away is beyond float32
    assert np.array_equal(out, np.clip(expected, -highest, highest).astype(dtype))


def test_nothing_to_render_is_an_empty_array() -> None:
    sample = drawn("musical", 2)
    assert render_notes(np.zeros((0, 38)), 60, 100, 0.5).shape == (0, 88200)
    assert played(sample, duration_s=0.0).shape == (2, 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"normalized": np.zeros(38)}, "presets of shape (38,)"),
        ({"normalized": np.zeros((2, 37))}, "presets of shape (2, 37)"),
        ({"normalized": np.full((2, 38), 1.01)}, "beyond 0..1"),
        ({"normalized": np.full((2, 38), np.nan)}, "beyond 0..1"),
        ({"note": 128}, "note = 128"),
        ({"note": [60, 60, 60]}, "note of shape (3,)"),
        ({"velocity": 0}, "velocity = 0"),
        ({"velocity": np.nan}, "velocity = nan"),
        ({"gate_s": -0.1}, "gate_s = -0.1"),
        ({"warmup_s": [0.0, -1.0]}, "warmup_s = -1"),
        ({"duration_s": 601.0}, "duration_s = 601"),
        ({"duration_s": np.nan}, "duration_s = nan"),
        ({"sample_rate": 22049}, "sample rate 22049"),
        ({"sample_rate": 192001}, "sample rate 192001"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object], said: str) -> None:
    arguments = {"normalized": np.full((2, 38), 0.5), "note": 60, "velocity": 100, "gate_s": 0.1}
    with pytest.raises(RenderError, match=said.replace("(", r"\(").replace(")", r"\)")):
        render_notes(**{**arguments, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "out",
    [
        np.empty((3, 100)),
        np.empty(100),
        np.empty((2, 100), np.int16),
        np.empty((2, 200))[:, ::2],
    ],
    ids=["rows", "one dimension", "type", "strided"],
)
def test_an_array_that_does_not_fit_is_refused(out: FloatArray) -> None:
    with pytest.raises(RenderError, match="out of"):
        render_into(out, np.full((2, 38), 0.5), 60, 100, 0.1)


@settings(deadline=None, max_examples=40)
@given(steps=st.integers(0, 3000), increment=st.floats(1e-7, 0.999))
def test_a_leap_in_phase_lands_where_steps_do(steps: int, increment: float) -> None:
    phase = 0.0
    for _ in range(steps):
        phase += increment
        if phase > 1.0:
            phase -= 1.0
    assert phase_after.py_func(steps, increment) == phase  # type: ignore[attr-defined]
