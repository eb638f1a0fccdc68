"""The plain C transcription of Mika Micro, compiled on the spot: what others would write."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antithesis.synth import Event
from benchmarks.compiler import compiled, find_compiler

FloatArray = npt.NDArray[np.float64]

SOURCE = Path(__file__).with_name("mika_micro.c")
FLAGS = ("-O3", "-march=native", "-std=c99", "-shared", "-fPIC")


class PlainC:
    """The compiled transcription; `command` is what made it."""

    def __init__(self) -> None:
        self.command = " ".join((Path(find_compiler()).name, *FLAGS[:2]))
        with tempfile.TemporaryDirectory() as folder:
            library = compiled(SOURCE, Path(folder) / "mika_micro.so", *FLAGS)
            self._library = ctypes.CDLL(str(library))

    def render(
        self,
        plain: FloatArray,
        events: Sequence[Event],
        samples: int,
        *,
        sample_rate: int = 44100,
        drift: bool = True,
        warmup_s: float = 0.0,
    ) -> FloatArray:
        """As `antithesis.render`, with plain values (38,) and a length in samples."""
        rows = sorted(events, key=lambda event: event.time_s)
        table = np.array([(e.time_s, e.kind, e.a, e.b) for e in rows], np.float64)
        knobs = np.ascontiguousarray(plain, np.float64)
        out = np.empty(samples)
        self._library.mika_render(
            _pointer(knobs),
            _pointer(table),
            ctypes.c_int64(len(rows)),
            ctypes.c_double(sample_rate),
            ctypes.c_int64(drift),
            ctypes.c_double(warmup_s),
            _pointer(out),
            ctypes.c_int64(samples),
        )
        return out


def _pointer(array: FloatArray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
