"""The real plug-in's own recordings: a folder with presets.csv and one sound for each row.

The sounds are notes of 60 at velocity 100, held longer than the 2 s that are matched. Level is no
matter to any distance, so neither is the fader of the track they were recorded on. At which phase
of its vibrato the plug-in stood is not known, and deep vibrato makes the preset itself far from its
own recording at others: so there is the distance at the best of many phases, too. The plug-in had
played the note before, and did not glide to it as a synth does that has played nothing: the presets
are rendered as polyphonic ones.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from antithesis import distances
from antithesis.fourier import SAMPLE_RATE
from antithesis.parameters import BY_ID
from antithesis.preset import Preset
from evaluation.scoring import QUICK_METRICS, Answer, score, sounds
from evaluation.systems import matches
from evaluation.targets import DURATION_S
from evaluation.work import TRUTH

BEST_PHASE = "mss_db_best_phase"
_NOTE, _VELOCITY = 60, 100
_PHASES = 192
_FREQUENCY = BY_ID["kLfoFrequency"].index


def evaluate(
    folder: Path, weights: Path | None, budgets_s: Sequence[float], seed: int
) -> Iterator[tuple[str, str, Answer, dict[str, float]]]:
    """Recording, system, answer and distances: first of the preset that made it, then ours."""
    with (folder / "presets.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        sound = _first_seconds(folder / f"{row['name']}.flac")
        judge = distances.Target(sound)
        answers = {TRUTH: Answer(_preset(row), _NOTE, _VELOCITY, DURATION_S)}
        answers |= matches(sound, weights, budgets_s, seed)
        for system, answer in answers.items():
            scores = score(sounds(answer), judge, QUICK_METRICS)
            yield row["name"], system, answer, scores | {BEST_PHASE: _at_best_phase(answer, judge)}


def _at_best_phase(answer: Answer, judge: distances.Target) -> float:
    """MSS in dB at the phase of the vibrato that suits best."""
    period_s = 1.0 / answer.preset.plain[_FREQUENCY]
    warmups_s = period_s * np.arange(_PHASES) / _PHASES
    return float(judge.compare(distances.mss, sounds(answer, warmups_s)).min())


def _preset(row: dict[str, str]) -> Preset:
    preset = Preset.from_plain([parameter.parse(row[id]) for id, parameter in BY_ID.items()])
    return preset.replace(kVoiceMode=0)


def _first_seconds(path: Path) -> npt.NDArray[np.float64]:
    samples, rate = soundfile.read(path, frames=round(DURATION_S * SAMPLE_RATE), always_2d=True)
    if rate != SAMPLE_RATE:
        raise SystemExit(f"{path} is at {rate} Hz: bring it to {SAMPLE_RATE} Hz")
    return np.asarray(samples[:, 0], np.float64)
