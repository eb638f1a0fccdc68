"""The C transcription that benchmarks compare with is the same synth."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.compiler import NoCompiler
from benchmarks.plainc import PlainC
from tests.golden import Case, cases


@pytest.fixture(scope="module")
def plain_c() -> PlainC:
    try:
        return PlainC()
    except NoCompiler as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_plain_c_equals_the_plug_in(case: Case, plain_c: PlainC) -> None:
    out = plain_c.render(
        case.preset.plain,
        case.events,
        len(case.expected) * case.stride,
        sample_rate=case.sample_rate,
        drift=case.drift,
        warmup_s=case.warmup_s,
    )
    assert np.abs(out[:: case.stride] - case.expected).max() < 1e-6
