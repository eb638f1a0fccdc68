"""Other renderers that can be had from PyPI: a note of 2 s of what each does by itself.

They are other synths, so that this says what kind of figure to expect, not who is better. Neither
is needed; `pip install vita dawdreamer` brings both. Each runs in a process of its own: one changes
how the processor rounds, which the other does not survive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing import get_context
from statistics import median
from typing import Any

from benchmarks.measure import Effort, Missing, Row, Work, in_turn
from benchmarks.renderer import DURATION_S, RATE, faster

FAUST_VOICE = """
import("stdfaust.lib");
freq = hslider("freq", 440, 20, 20000, 1);
gain = hslider("gain", 0.5, 0, 1, 0.01);
gate = button("gate");
process = os.sawtooth(freq) * gain * en.adsre(0.01, 0.1, 0.5, 0.2, gate)
    : fi.resonlp(2000, 1, 1) <: _, _;
effect = _, _;
"""


def rows(effort: Effort) -> Iterator[Row | Missing]:
    """Each of the others, or what it takes to have it."""
    for name in OTHERS:
        try:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                ms = process.submit(_median_ms, name, effort.rounds).result()
        except ImportError as missing:
            yield Missing(name, f"pip install {missing.name}")
        except BrokenProcessPool:
            yield Missing(name, "it crashes here")
        else:
            yield Row(name, ms, "ms", None, faster(ms))


def _median_ms(name: str, rounds: int) -> float:
    module, prepare = OTHERS[name]
    (times,) = in_turn([prepare(import_module(module))], rounds)
    return median(times) * 1e3


def _vita(vita: Any) -> Work:
    synth = vita.Synth()
    return lambda: synth.render(60, 0.8, 1.0, DURATION_S)


def _dawdreamer(dawdreamer: Any) -> Work:
    engine = dawdreamer.RenderEngine(RATE, 512)
    voice = engine.make_faust_processor("voice")
    voice.num_voices = 1
    voice.set_dsp_string(FAUST_VOICE)
    voice.compile()
    voice.add_midi_note(60, 100, 0.0, 1.0)
    engine.load_graph([(voice, [])])
    return lambda: engine.render(DURATION_S)


OTHERS: dict[str, tuple[str, Callable[[Any], Work]]] = {
    "vita (Vital's engine, initial preset)": ("vita", _vita),
    "dawdreamer (Faust: a saw, a filter, an envelope)": ("dawdreamer", _dawdreamer),
}
