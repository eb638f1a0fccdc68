"""Sounds that no Mika Micro made: General MIDI, one-shots, another synth, degraded captures.

There is no true preset to compare with, so only distances count. Rivals are told how each sound
was played; of a one-shot, which no key played, the key and gate of our last match. General MIDI is
TimGM6mb played by FluidSynth, the one-shots are those of Sonic Pi (Debian: fluidsynth,
timgm6mb-soundfont, sonic-pi-samples), the other synth is Vital (:mod:`evaluation.vital`); degraded
captures are development targets put through rooms, equalizers, noise and codecs
(:mod:`antithesis.training.degrade`), and measured against what comes out.
"""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from antithesis import distances
from antithesis.audio import read_sound
from antithesis.fourier import SAMPLE_RATE
from antithesis.preset import Preset
from antithesis.segments import first_sound
from antithesis.training.degrade import degraded
from evaluation import others, vital
from evaluation.scoring import QUICK_METRICS, Answer, score, sounds
from evaluation.statistics import interval, lead
from evaluation.systems import Case, matches
from evaluation.tables import table
from evaluation.targets import DURATION_S, Target, choose, rendered

Floats = npt.NDArray[np.float64]
Scores = dict[str, dict[str, float]]

SOUNDFONT = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")
ONE_SHOTS = Path("/usr/share/sonic-pi/samples")
_COUNT = 24  # sounds of each family
_GATE_S = 1.0
_VELOCITY = 100
_LONGEST_S = 3.0  # of a one-shot: the others are loops and beds
# Programs from 1: pianos, bells, organs, guitars, basses, strings, brass, reeds, pipes, synths.
_PROGRAMS = (
    *(1, 5, 7, 9, 12, 14, 17, 20, 25, 28, 31, 33, 37, 39),
    *(46, 49, 57, 61, 66, 72, 74, 81, 82, 90),
)
_NOTES = (48, 55, 60, 67)


@dataclass(frozen=True)
class Sample:
    """A sound (88200,) at 44.1 kHz, and how it was played, which rivals are told."""

    family: str
    name: str
    sound: Floats
    note: int | None  # None where no key played it
    velocity: int = _VELOCITY
    gate_s: float = _GATE_S


def samples(limit: int | None) -> list[Sample]:
    """All families that this machine has the parts for, so many of each; says what is missing."""
    found: list[Sample] = []
    for family in (general_midi, one_shots, another_synth, degraded_captures):
        found += list(family(limit or _COUNT))
    return found


def general_midi(count: int) -> Iterator[Sample]:
    """Notes of a second from instruments of the General MIDI set."""
    player = shutil.which("fluidsynth")
    if not player or not SOUNDFONT.exists():
        print("no General MIDI: install fluidsynth and timgm6mb-soundfont", file=sys.stderr)
        return
    for k, program in enumerate(_PROGRAMS[:count]):
        note = _NOTES[k % len(_NOTES)]
        with tempfile.TemporaryDirectory() as folder:
            midi, wav = Path(folder) / "note.mid", Path(folder) / "note.wav"
            _write_note(midi, program - 1, note)
            command = [player, "-ni", "-R", "0", "-C", "0", "-r", str(SAMPLE_RATE), "-F", str(wav)]
            subprocess.run([*command, SOUNDFONT, midi], check=True, capture_output=True)
            yield Sample("General MIDI", f"program {program}", _heard(wav), note)


def _write_note(path: Path, program: int, note: int) -> None:
    import mido

    track = mido.MidiTrack()
    ticks = round(mido.second2tick(_GATE_S, 480, 500_000))
    track.append(mido.Message("program_change", program=program))
    track.append(mido.Message("note_on", note=note, velocity=_VELOCITY))
    track.append(mido.Message("note_off", note=note, time=ticks))
    track.append(mido.MetaMessage("end_of_track", time=2 * ticks))
    mido.MidiFile(ticks_per_beat=480, tracks=[track]).save(path)


def one_shots(count: int) -> Iterator[Sample]:
    """Short samples of all kinds, evenly from those there are."""
    import soundfile

    files = sorted(ONE_SHOTS.glob("*.flac"))
    short = [f for f in files if "loop" not in f.stem and soundfile.info(f).duration < _LONGEST_S]
    if not short:
        print("no one-shots: install sonic-pi-samples", file=sys.stderr)
        return
    for k in np.linspace(0, len(short) - 1, min(count, len(short))).round().astype(int):
        yield Sample("one-shots", short[k].stem, _heard(short[k]), None)


def another_synth(count: int) -> Iterator[Sample]:
    """Vital, its knobs drawn at random."""
    notes = {k: _NOTES[k % len(_NOTES)] for k in range(count)}
    try:
        for (k, note), sound in zip(
            notes.items(), vital.sounds(notes, _GATE_S, DURATION_S), strict=True
        ):
            yield Sample("Vital", f"patch {k}", sound, note)
    except ModuleNotFoundError as missing:
        print(f"no other synth: pip install {missing.name}", file=sys.stderr)


def degraded_captures(count: int) -> Iterator[Sample]:
    """Held-out musical targets as recordings might have them."""
    chosen = choose(["musical"], "held-out", count)
    for target, sound in zip(chosen, rendered(chosen), strict=True):
        rng = np.random.default_rng(target.id)
        captured = degraded(sound.astype(np.float32), rng).astype(np.float64)
        played = (target.note, target.velocity, target.gate_s)
        yield Sample("degraded captures", f"musical {target.id}", captured, *played)


def _heard(path: Path) -> Floats:
    sound = first_sound(read_sound(path)).samples[: round(DURATION_S * SAMPLE_RATE)]
    return np.pad(sound, (0, round(DURATION_S * SAMPLE_RATE) - len(sound)))


@dataclass(frozen=True)
class Plan:
    """What is asked of every sample."""

    budgets_s: tuple[float, ...]
    rivals: others.Rivals
    weights: Path | None
    seed: int


def answers(plan: Plan, numbered: tuple[int, Sample]) -> Scores:
    """Distances of every system's answer to one sample, by system."""
    number, sample = numbered
    seed = 10_000 * plan.seed + number
    ours = matches(sample.sound, plan.weights, plan.budgets_s, seed)
    case = Case(played(sample, list(ours.values())[-1]), sample.sound, seed)
    all_of_them = {**ours, **dict(others.answers(plan.rivals, case, ours))}
    judge = distances.Target(sample.sound)
    return {name: score(sounds(one), judge, QUICK_METRICS) for name, one in all_of_them.items()}


def played(sample: Sample, found: Answer) -> Target:
    """What rivals are told. Init stands for the preset that there is not: it scores nothing."""
    told = (sample.note, sample.velocity, sample.gate_s)
    if sample.note is None:
        told = (found.note, found.velocity, found.gate_s)
    return Target("musical", 0, Preset.init(), *told, 0.0, 0.0)


def evaluate(plan: Plan, limit: int | None, jobs: int) -> str:
    """The tables, in Markdown."""
    chosen = samples(limit)
    bar = tqdm(total=len(chosen), unit=" sounds", file=sys.stderr)
    found: dict[str, list[Scores]] = defaultdict(list)
    with closing(bar), multiprocessing.get_context("spawn").Pool(jobs) as pool:
        work: Callable[[tuple[int, Sample]], Scores] = partial(answers, plan)
        scored = pool.imap(work, enumerate(chosen))
        for sample, scores in zip(chosen, scored, strict=True):
            found[sample.family].append(scores)
            bar.update()
    return "\n\n".join([_distances(found), _leads(found, tuple(plan.budgets_s))])


def _distances(found: dict[str, list[Scores]]) -> str:
    rows = []
    for family, scored in found.items():
        for system in scored[0]:
            cells = [interval([one[system]["mss_db"] for one in scored]).text()]
            for metric, form in (("sot", ".4f"), ("rms_cos", ".3f"), ("log_mel_l1_db", ".2f")):
                cells.append(
                    format(float(np.median([one[system][metric] for one in scored])), form)
                )
            rows.append([f"{family} ({len(scored)})", system, *cells])
    return table(["sounds", "system", "MSS, dB", "SOT", "RMS-cos", "log-mel L1, dB"], rows)


def _leads(found: dict[str, list[Scores]], budgets_s: Sequence[float]) -> str:
    ours = f"{max(budgets_s):g} s" if budgets_s else "network"
    rows = []
    for family, scored in found.items():
        for rival in scored[0]:
            if rival != ours:
                mine, its = ([one[system]["mss_db"] for one in scored] for system in (ours, rival))
                ahead = lead(mine, its)
                rows.append([family, ours, rival, ahead.by.text("+.2f"), f"{ahead.won:.0%}"])
    return table(["sounds", "system", "against", "ahead by, dB", "wins"], rows)
