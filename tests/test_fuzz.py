"""Every parser of outside bytes: whatever it is fed, it takes it or refuses it, soon."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzzing.targets import EVIL, SECONDS, TARGETS, feed

ROOT = Path(__file__).resolve().parent.parent


@cache
def seeds(name):
    return TARGETS[name].seeds()


@st.composite
def damaged(draw, name):
    """A good input with some bytes changed, taken out, put in or said twice, or cut off."""
    data = bytearray(draw(st.sampled_from(seeds(name))))
    for _ in range(draw(st.integers(1, 8))):
        # Most of what matters stands at the beginning.
        end = draw(st.sampled_from([64, 512, len(data)]))
        at = draw(st.integers(0, max(0, min(end, len(data)) - 1)))
        length = draw(st.integers(0, 8))
        new = draw(st.one_of(st.binary(max_size=8), st.sampled_from([b"\0" * 4, b"\xff" * 4])))
        data[at : at + length] = new
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


def feed_in_time(name, data):
    started = time.process_time()
    feed(name, data)
    assert time.process_time() - started < SECONDS, data[:100]


@pytest.mark.parametrize("name", TARGETS)
def test_good_inputs_are_taken(name):
    for seed in seeds(name):
        TARGETS[name].feed(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_evil_inputs_are_taken_or_refused(name):
    for data in EVIL:
        feed_in_time(name, data)


@pytest.mark.parametrize("name", TARGETS)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_damaged_inputs_are_taken_or_refused(name, data):
    feed_in_time(name, data.draw(damaged(name)))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=30)
@given(noise=st.binary(max_size=2000))
def test_noise_is_taken_or_refused(name, noise):
    feed_in_time(name, noise)


def test_fuzzer_that_watches_runs(tmp_path):
    """A few seconds of scripts/fuzz.py on the quickest target, to know that it works."""
    script = ROOT / "scripts" / "fuzz.py"
    said = subprocess.run(
        [sys.executable, str(script), "osc", "--seconds", "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    if said.stdout.startswith("skipped"):
        pytest.skip(said.stdout.strip())
    assert said.returncode == 0, said.stdout + said.stderr
    assert "nothing found" in said.stdout
