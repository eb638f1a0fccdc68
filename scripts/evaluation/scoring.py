"""What an answer to a target is worth: the exact synth at three vibrato phases nobody could fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from antithesis.distances import METRICS, Metric, Target
from antithesis.parameters import BY_ID, MAXIMUM, MINIMUM
from antithesis.preset import Preset
from antithesis.synth import render_notes
from evaluation.targets import DURATION_S

Floats = npt.NDArray[np.float64]

WARMUPS_S = (0.7, 1.9, 3.1)
QUICK_METRICS = ("mss_db", "sot", "rms_cos", "log_mel_l1_db")
SWITCHES = ("kFmMode", "kFilterEnabled")
QUIETEST_DB = -45.0  # RMS, re full scale: what is below is no target
_UNHEARD_DB = 0.3  # of MSS: as good as none
_VOLUME = BY_ID["kMasterVolume"].index


@dataclass(frozen=True)
class Answer:
    """What a system says of a target: a preset and the key that plays it, and what that cost."""

    preset: Preset
    note: int
    velocity: int
    gate_s: float
    renders: int = 0
    elapsed_s: float = 0.0


def sounds(answer: Answer, warmups_s: npt.ArrayLike = WARMUPS_S) -> Floats:
    """The answer (n, samples) at the vibrato phases of n warm-ups; as it is judged, three."""
    return render_notes(
        np.tile(answer.preset.normalized, (np.size(warmups_s), 1)),
        answer.note,
        answer.velocity,
        answer.gate_s,
        warmup_s=warmups_s,
        duration_s=DURATION_S,
    )


def score(rendered: Floats, target: Target, metrics: tuple[str, ...]) -> dict[str, float]:
    """Mean distances of the three renders to the target, by metric."""
    return {name: _mean(target, METRICS[name], rendered) for name in metrics}


def _mean(target: Target, metric: Metric, rendered: Floats) -> float:
    return float(target.compare(metric, rendered).mean())


def matched(mss_db: npt.ArrayLike, floor_db: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Within what the synth leaves to chance: 1.25 floors, or 0.3 dB above, whichever is more."""
    floor = np.asarray(floor_db)
    return np.asarray(mss_db) <= np.maximum(1.25 * floor, floor + _UNHEARD_DB)


def without_unheard(answer: Answer) -> Preset:
    """The preset with FM and the filter off where that changes nothing that one hears.

    The rules of canonical forms know nothing of a filter that stays open, or of FM too shallow to
    be heard; the exact synth does. One after the other: without the first the second may matter.
    """
    for switch in SWITCHES:
        preset = answer.preset
        simpler = replace(answer, preset=preset.replace(**{switch: 0.0}))
        if preset[switch] and _apart(answer, simpler) <= _UNHEARD_DB:
            answer = simpler
    return answer.preset


def _apart(first: Answer, second: Answer) -> float:
    """MSS in dB of two answers at one phase of the vibrato."""
    one, other = (sounds(answer, WARMUPS_S[0])[0] for answer in (first, second))
    return float(Target(one).compare(METRICS["mss_db"], other)[0])


def level_db(sound: Floats) -> float:
    """RMS level in dB; silence stands at -180."""
    return float(20 * np.log10(max(np.sqrt(np.mean(sound**2)), 1e-9)))


def levelled(preset: Preset, sound: Floats, target: Floats) -> Preset:
    """The preset, which sounds as ``sound``, turned to the target's level as far as it goes."""
    gain = 10 ** ((level_db(target) - level_db(sound)) / 20)
    volume = np.clip(preset.plain[_VOLUME] * gain, MINIMUM[_VOLUME], MAXIMUM[_VOLUME])
    return preset.replace(kMasterVolume=float(volume))
