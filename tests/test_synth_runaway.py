"""Where the equations leave the finite numbers, a guard ends it; until then they are followed.

The guard's promise: every sample is finite, and once a voice's integrators (triangles and filter)
have left the finite numbers they start anew from 0; all else goes on as it was.
"""

from __future__ import annotations

from math import isfinite

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antithesis.parameters import N_PARAMETERS
from antithesis.preset import Preset
from antithesis.synth import Event, EventKind, Synth, render, render_notes
from tests.tones import SEMITONE, SINE, TRIANGLE, FloatArray, organ

pytestmark = pytest.mark.timeout(300)  # the first one compiles

RATES = st.sampled_from([22050, 44100, 48000, 96000, 192000])
CUBE = st.lists(
    st.one_of(st.floats(0.0, 1.0), st.sampled_from([0.0, 0.5, 1.0])),
    min_size=N_PARAMETERS,
    max_size=N_PARAMETERS,
)
KEYS = st.one_of(st.integers(0, 127), st.sampled_from([0, 126, 127]))
WILD_NOTE = 127
WILD_RATE = 22050

slow = settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def wild(**plain: float) -> Preset:
    """A triangle that turns 2.4 times a sample from its first one on."""
    return organ(**{"kOsc1Wave": TRIANGLE, "kOsc1Coarse": 24, "kOsc1Fine": 1.0, **plain})


def one_note(preset: Preset, note: int, velocity: int, gate_s: float, rate: int) -> FloatArray:
    events = [
        Event(0.0, EventKind.NOTE_ON, note, velocity),
        Event(gate_s, EventKind.NOTE_OFF, note),
    ]
    return render(preset, events, 0.12, sample_rate=rate)


@slow
@given(u=CUBE, note=KEYS, velocity=st.integers(1, 127), gate_s=st.floats(0.0, 0.15), rate=RATES)
def test_every_note_of_the_cube_is_finite_and_the_same_either_way(
    u: list[float], note: int, velocity: int, gate_s: float, rate: int
) -> None:
    exact = one_note(Preset.from_normalized(u), note, velocity, gate_s, rate)
    fast = render_notes(np.array([u]), note, velocity, gate_s, duration_s=0.12, sample_rate=rate)[0]
    assert np.isfinite(exact).all()
    scale = max(1.0, float(np.abs(exact).max()))
    assert np.abs(fast / scale - exact / scale).max() < 1e-9


@slow
@given(
    u=CUBE,
    keys=st.lists(st.tuples(KEYS, st.integers(0, 127)), min_size=1, max_size=20),
    turned=st.lists(st.tuples(st.integers(0, N_PARAMETERS - 1), st.floats(0.0, 1.0)), max_size=20),
    wheel=st.integers(0, 16383),
    rate=RATES,
)
def test_whatever_is_played_and_turned_stays_finite(
    u: list[float],
    keys: list[tuple[int, int]],
    turned: list[tuple[int, float]],
    wheel: int,
    rate: int,
) -> None:
    synth = Synth(Preset.from_normalized(u), sample_rate=rate)
    synth.bend(wheel)
    for i, (note, velocity) in enumerate(keys):
        synth.note_on(note, velocity)
        assert np.isfinite(synth.process(97)).all()
        if i < len(turned):
            synth.set_normalized(*turned[i])
        assert np.isfinite(synth.process(97)).all()
    assert np.isfinite(synth.process(2000)).all()
    assert_voices_are_finite(synth)


def assert_voices_are_finite(synth: Synth) -> None:
    """No voice is stuck: everything that it remembers is a number."""
    for state in (synth._shared, synth._voices, synth._envelopes, synth._oscillators):
        for name in state.dtype.names or ():
            assert np.isfinite(state[name]).all(), name


def triangle_by_hand(n: int) -> list[float]:
    """The wild triangle by the equations alone, sample by sample, without any guard."""
    increment = 440.0 * SEMITONE ** (WILD_NOTE - 69) * SEMITONE**25.0 * (1.0 / WILD_RATE)
    phase, value, out = 0.0, 0.0, []
    for _ in range(n):
        phase += increment
        while phase > 1.0:
            phase -= 1.0
        square = 1.0 if phase < 0.5 else -1.0
        square += blep_by_hand(phase, increment)
        square -= blep_by_hand((phase + 0.5) % 1.0, increment)
        value = increment * square + (1.0 - increment) * value
        out.append(5.0 * value)
    return out


def blep_by_hand(phase: float, increment: float) -> float:
    if phase < increment:
        q = phase / increment
        return 2 * q - q * q - 1
    if phase > 1 - increment:
        q = (phase - 1) / increment
        return q * q + 2 * q + 1
    return 0.0


def wild_synth(**plain: float) -> Synth:
    synth = Synth(wild(**plain), sample_rate=WILD_RATE, drift=False)
    synth.note_on(WILD_NOTE, 127)
    return synth


def test_the_equations_are_followed_while_they_are_finite() -> None:
    out = wild_synth().process(4000) / 0.5
    expected = triangle_by_hand(4000)
    finite = next(i for i, value in enumerate(expected) if not isfinite(value))
    assert finite > 1000
    steady = 100  # the attack is over
    ratio = out[steady : finite - 1] / np.array(expected[steady : finite - 1])
    assert np.abs(ratio - 1.0).max() < 1e-9
    assert np.isfinite(out).all()
    assert np.abs(out[finite - 10 : finite]).max() > 1e300


def test_the_guard_starts_the_triangle_anew() -> None:
    out = wild_synth().process(4000)
    loudest = int(np.abs(out).argmax())
    assert np.abs(out[loudest + 1 : loudest + 12]).max() < 1e4
    assert np.abs(out[-200:]).max() > np.abs(out[loudest + 1 : loudest + 12]).max()


@pytest.mark.parametrize("filtered", [0, 1])
def test_after_a_runaway_a_voice_plays_what_has_no_memory_as_a_fresh_one(filtered: int) -> None:
    synth = wild_synth(kFilterEnabled=filtered)
    synth.process(6000)
    synth.note_off(WILD_NOTE)
    synth.process(3 * WILD_RATE)
    assert_voices_are_finite(synth)
    fresh = Synth(organ(kFilterEnabled=filtered), sample_rate=WILD_RATE, drift=False)
    fresh.process(9000)
    for index, value in enumerate(organ(kFilterEnabled=filtered).plain):
        synth.set_plain(index, value)
    assert synth.plain[0] == SINE
    assert not synth.process(2000).any()
    for one in (synth, fresh):
        one.note_on(60, 100)
    first = synth.process(1000)  # what the filter still held may call the guard once more
    assert np.abs(first - fresh.process(1000)).max() < (0.01 if filtered else 1e-12)
    assert np.allclose(synth.process(4000), fresh.process(4000), atol=1e-9)


def test_a_triangle_forgets_a_runaway_by_itself() -> None:
    """Its integrator leaks: the next note of a moderate pitch is as on a fresh synth in a while."""
    synth = wild_synth()
    synth.process(1000)  # far out, and not ended by the guard
    synth.note_off(WILD_NOTE)
    synth.process(1000)
    synth.set_plain(1, 0)
    synth.note_on(100, 127)
    fresh = Synth(organ(kOsc1Wave=TRIANGLE, kOsc1Fine=1.0), sample_rate=WILD_RATE, drift=False)
    fresh.note_on(100, 127)
    assert np.abs(synth.process(100)).max() > 1e3
    fresh.process(100)
    synth.process(2 * WILD_RATE)
    fresh.process(2 * WILD_RATE)
    assert np.allclose(synth.process(1000), fresh.process(1000), atol=1e-9)


def test_a_voice_that_runs_away_leaves_the_others_alone() -> None:
    synth = wild_synth()
    synth.note_on(30, 127)
    alone = wild_synth()
    other = Synth(wild(), sample_rate=WILD_RATE, drift=False)
    other.note_on(30, 127)
    both, first, second = synth.process(100), alone.process(100), other.process(100)
    assert np.allclose(both, first + second, rtol=1e-12, atol=1e-9)


def test_two_voices_that_run_away_together_are_finite() -> None:
    synth = wild_synth()
    for _ in range(7):
        synth.note_on(WILD_NOTE, 127)
    assert np.isfinite(synth.process(6000)).all()
    assert_voices_are_finite(synth)
