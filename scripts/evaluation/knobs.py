"""How near the knobs are, over what can be heard and between canonical forms only.

Truth and answer are brought to canonical form first, so that presets which sound alike count as
equal; FM or a filter that is on and not heard is off. A parameter counts where it can be heard in
the truth. What the canonical form folds into others (velocity sensitivities, key tracking) is no
knob of its own any more, and level is reported apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antithesis.canonical import Notes, canonical, other_way_round
from antithesis.parameters import BY_ID, PARAMETERS, Kind, to_normalized
from antithesis.preset import Preset
from antithesis.rules import audible
from antithesis.sampling import seconds
from evaluation.statistics import Interval, interval, share
from evaluation.targets import DURATION_S

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Played = tuple[Preset, int, int, float]  # preset, note, velocity, gate in s

CHOICES = ("kOsc1Wave", "kOsc2Wave", "kFmMode", "kFilterEnabled")
APART = ("kFilterKeyTrack", "kVolEnvV", "kModEnvV", "kMasterVolume")
CONTINUOUS = tuple(p.id for p in PARAMETERS if p.kind is Kind.DOUBLE and p.id not in APART)
SPLIT_NEAR = 0.0025
TIME_NEAR = 0.10  # of the true time, or
TIME_NEAR_S = 0.005


@dataclass(frozen=True)
class Compared:
    """Canonical presets of n targets and the answers to them, and what can be heard of each."""

    truth: Notes
    answer: Notes
    gate_error_s: Floats  # (n,)
    heard: Bools  # (n, 38)

    def error(self, id: str) -> Floats:
        """Errors in normalized units where it can be heard, (heard,)."""
        index = BY_ID[id].index
        both = (to_normalized(notes.plain)[:, index] for notes in (self.truth, self.answer))
        return np.abs(np.subtract(*both))[self.heard[:, index]]

    def plain(self, id: str) -> tuple[Floats, Floats]:
        """Plain values of truth and answer where it can be heard, (heard,) each."""
        index = BY_ID[id].index
        heard = self.heard[:, index]
        return self.truth.plain[heard, index], self.answer.plain[heard, index]

    def count(self, id: str) -> int:
        """How many of the targets tell this parameter."""
        return int(self.heard[:, BY_ID[id].index].sum())


def compare(truths: Sequence[Played], answers: Sequence[Played]) -> Compared:
    """Truth against answer, one by one."""
    truth, answer = _canonical(truths), _canonical(answers)
    gates, guessed = _gates(truths), _gates(answers)
    heard = audible(truth.plain, velocity=127, gate_s=gates, note_off=gates < DURATION_S)
    return Compared(truth, _nearer_order(truth, answer, heard), np.abs(gates - guessed), heard)


def _nearer_order(truth: Notes, answer: Notes, heard: Bools) -> Notes:
    """The answers with their oscillators in that order in which they are nearer to the truths.

    Of two on nearly one pitch either may be the lower: canonical forms do not settle that.
    """
    swapped = other_way_round(answer)
    errors = (
        (heard * np.abs(to_normalized(one.plain) - to_normalized(truth.plain))).sum(1)
        for one in (answer, swapped)
    )
    better = np.greater(*errors)[:, None]
    return Notes(np.where(better, swapped.plain, answer.plain), answer.note)


def _canonical(played: Sequence[Played]) -> Notes:
    gates = _gates(played)
    return canonical(
        np.stack([preset.plain for preset, *_ in played]),
        [note for _, note, *_ in played],
        [velocity for *_, velocity, _ in played],
        gate_s=gates,
        note_off=gates < DURATION_S,
    )


def _gates(played: Sequence[Played]) -> Floats:
    return np.minimum([gate_s for *_, gate_s in played], DURATION_S)


def mean_error(compared: Compared) -> Interval:
    """Mean absolute error in normalized units, over targets of the mean of each one's knobs."""
    indices = [BY_ID[id].index for id in CONTINUOUS]
    error = np.abs(to_normalized(compared.truth.plain) - to_normalized(compared.answer.plain))
    heard = compared.heard[:, indices]
    per_target = (error[:, indices] * heard).sum(1) / np.maximum(heard.sum(1), 1)
    return interval(per_target[heard.any(1)], np.mean)


def right(compared: Compared, id: str) -> float:
    """Share of a parameter's choices that are right."""
    return float(np.mean(np.equal(*compared.plain(id))))


def accuracy(compared: Compared, id: str) -> float:
    """The same where each value that occurs counts the same, however rare it is."""
    truth, answer = compared.plain(id)
    return float(np.mean([np.mean(answer[truth == value] == value) for value in np.unique(truth)]))


def choices(compared: Compared, share: Callable[[Compared, str], float] = accuracy) -> float:
    """A share of right choices, averaged over waveforms, FM mode and filter switch."""
    told = [id for id in CHOICES if compared.count(id)]
    return float(np.mean([share(compared, id) for id in told])) if told else np.nan


def split(compared: Compared) -> Interval:
    """Share of oscillator 1's splits within 0.0025 of their size."""
    return share(split_near(*compared.plain("kOsc1Split")))


def split_near(truth: Floats, answer: Floats) -> Bools:
    """Which splits (n,) in plain units are near the true ones; the sign is free.

    A split of 0.01 and one of -0.01 put two copies on nearly the same two pitches.
    """
    return np.asarray(np.abs(np.abs(truth) - np.abs(answer)) <= SPLIT_NEAR)


def time(compared: Compared, id: str) -> Interval:
    """Share of an envelope's times (1 / rate) within 10 % or 5 ms."""
    return share(time_near(id, *compared.plain(id)))


def time_near(id: str, truth: Floats, answer: Floats) -> Bools:
    """Which of an envelope's knobs (n,) in plain units are near the true ones in seconds."""
    true_s, answer_s = seconds(id, truth), seconds(id, answer)
    return np.asarray(np.abs(true_s - answer_s) <= np.maximum(TIME_NEAR * true_s, TIME_NEAR_S))


def time_error_ms(compared: Compared, id: str) -> Interval:
    """Median error of an envelope's times in ms."""
    truth, answer = (seconds(id, values) for values in compared.plain(id))
    return interval(1000 * np.abs(truth - answer))


@dataclass(frozen=True)
class Knob:
    """How near one parameter is: an error in normalized units, or a share of right choices."""

    id: str
    count: int
    error: float
    right: float | None

    def text(self) -> str:
        """For a table's cell."""
        if not self.count:
            return "-"
        right = "" if self.right is None else f", {100 * self.right:.0f} % right"
        return f"{self.error:.3f}{right} ({self.count})"


def each_knob(compared: Compared) -> Iterable[Knob]:
    """All 38 parameters by themselves; whole numbers and choices also by the share right."""
    for parameter in PARAMETERS:
        id = parameter.id
        error = compared.error(id)
        share_right = None
        if parameter.kind is not Kind.DOUBLE and error.size:
            share_right = right(compared, id)
        yield Knob(id, error.size, float(error.mean()) if error.size else np.nan, share_right)
