"""The whole path on a few sounds, through the parts that a user would start: daemon and synth.

Each sound is dropped into the daemon's folder. What counts at the end is what the built-in synth
then holds, and what it plays, recorded from its own output.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click
import numpy as np

from antithesis import sampling
from antithesis.audio import FloatArray, read_sound, write_wav
from antithesis.distances import mss
from antithesis.fourier import SAMPLE_RATE
from antithesis.preset import Preset
from antithesis.presetfiles import read_preset
from antithesis.report import likeness, result_stem
from antithesis.synth import render_notes
from daemon import child, config
from daemon.demosounds import DURATION_S, DemoSound, make_sounds
from daemon.outcomes import MATCHED
from daemon.outputs import DeviceOutput, wav_header
from daemon.ports import free_port
from daemon.senders import Grade
from daemon.synthclient import Played, SynthClient

MARGIN: Final = 0.8
"""The synth played well if its distance is at most this share of the mean preset's."""

HELD_WITHIN: Final = 1e-6
"""The synth holds a preset if no normalized value is off by more: it keeps them as float32."""

_CRITERION: Final = (
    "every preset confirmed by the built-in synth, and what it played at most"
    f" {MARGIN:.0%} as far from the sound as the mean preset"
)
_MEAN_OF: Final = 4096
_PATIENCE_S: Final = 120.0  # for each sound, beside its search
_TAKES: Final = 5
_LATE_S: Final = 0.01
_LENGTH: Final = round(DURATION_S * SAMPLE_RATE)


@dataclass(frozen=True)
class Verdict:
    """What became of a sound that was matched: times after the drop, distances as MSS in dB."""

    file: str
    first_after_s: float
    first_distance: float
    best_after_s: float
    best_distance: float
    confirmed: bool
    played_distance: float
    mean_distance: float
    files: str
    well: bool

    def __str__(self) -> str:
        confirmed = "confirmed" if self.confirmed else "NOT confirmed"
        return (
            f"    first preset   after {self.first_after_s:5.2f} s, {self.first_distance:5.2f} dB"
            f" away ({likeness(self.first_distance)})\n"
            f"    best preset    after {self.best_after_s:5.2f} s, {self.best_distance:5.2f} dB"
            f" away ({likeness(self.best_distance)}), {confirmed} by the built-in synth\n"
            f"    synth played   {self.played_distance:.2f} dB away; the mean preset is"
            f" {self.mean_distance:.2f} dB away\n"
            f"    files          {self.files}"
        )


@dataclass(frozen=True)
class Refusal:
    """Why a sound was not matched."""

    file: str
    reason: str
    well: bool = False

    def __str__(self) -> str:
        return f"    refused: {self.reason}"


def run_demo(
    files: Sequence[Path] = (),
    *,
    seed: int | None = None,
    budget_s: float = 8.0,
    as_json: bool = False,
    listen: bool = False,
) -> bool:
    """Run the demo on its three sounds and `files`, and say whether all of it went well.

    Args:
        files: Further sound files.
        seed: Draws the same sounds again; a fresh one is printed.
        budget_s: Seconds of search for each sound.
        as_json: Print a JSON object for each sound, instead of text.
        listen: Play each sound, and what the synth made of it, on the audio device.

    Raises:
        AntithesisError: a part does not start, or ends early.
    """
    seed = int(np.random.default_rng().integers(2**31)) if seed is None else seed
    home = Path(tempfile.mkdtemp(prefix="antithesis-demo-"))
    sounds = [*make_sounds(home, np.random.default_rng(seed)), *_copied(files, home)]
    outcomes = []
    _say(f"seed {seed} (--seed {seed} draws the same again); files in {home}", quiet=as_json)
    with _stage(home, budget_s, len(sounds)) as stage:
        for sound in sounds:
            _say(f"\n{sound.path.name}: {sound.about}", quiet=as_json)
            outcome = stage.judge(sound.path)
            click.echo(json.dumps({"seed": seed, **asdict(outcome)}) if as_json else outcome)
            outcomes.append(outcome)
            if listen and isinstance(outcome, Verdict):
                _play(Path(outcome.files))
    well = all(outcome.well for outcome in outcomes)
    _say(f"\n{'Well' if well else 'NOT well'}: {_CRITERION}.", quiet=as_json)
    return well


@dataclass(frozen=True)
class Stage:
    """The parts at work on a folder of their own."""

    home: Path
    daemon: subprocess.Popen[str]
    synth: SynthClient

    def judge(self, sound: Path) -> Verdict | Refusal:
        """Drop a sound, wait for its outcome, and hear what the synth makes of it."""
        dropped_at = self._drop(sound)
        said = child.hear(self.daemon, f"{sound.name}: matched", f"{sound.name}: refused: ")
        _, refused, reason = said.partition(": refused: ")
        return Refusal(sound.name, reason) if refused else self.verdict(sound.name, dropped_at)

    def _drop(self, sound: Path) -> float:
        """Put a sound into the watched folder in one go; when that was, in seconds since 1970."""
        part = _drops(self.home) / f"{sound.name}.part"
        shutil.copyfile(sound, part)
        part.rename(part.with_name(sound.name))
        return time.time()

    def verdict(self, name: str, dropped_at: float) -> Verdict:
        """Judge the outcome of the sound `name`, dropped at a time in seconds since 1970."""
        files = self.home / f"{name}{MATCHED}"
        path = files / f"{result_stem(name)}.json"
        told = json.loads(path.read_text("utf-8"))
        first, last, key = told["first_sent"], told["last_sent"], _key(told["match"])
        held = np.abs(self.synth.normalized() - read_preset(path).normalized).max() <= HELD_WITHIN
        target = read_sound(files / "target.wav").samples[:_LENGTH]
        played = self.record(*key)
        write_wav(files / "played.wav", played, SAMPLE_RATE)
        played_distance, mean_distance = mss(played, target), mss(_mean_sound(*key), target)
        confirmed = bool(held) and last["grade"] == Grade.CONFIRMED
        return Verdict(
            file=name,
            first_after_s=first["at"] - dropped_at,
            first_distance=first["distance"],
            best_after_s=last["at"] - dropped_at,
            best_distance=last["distance"],
            confirmed=confirmed,
            played_distance=played_distance,
            mean_distance=mean_distance,
            files=str(files),
            well=confirmed and played_distance <= MARGIN * mean_distance,
        )

    def record(self, note: int, velocity: int, gate_s: float) -> FloatArray:
        """Play a note on the synth, and cut it (n,) out of what the synth records.

        Where the machine was too busy to let go of the key in time, it is played again.
        """
        takes: list[Played] = []
        while len(takes) < _TAKES and (not takes or takes[-1].late_s > _LATE_S):
            takes.append(self.synth.play(note, velocity, gate_s, DURATION_S, SAMPLE_RATE))
        start = min(takes, key=lambda take: take.late_s).start
        header = len(wav_header(0, SAMPLE_RATE))
        recorded = np.fromfile(_recording(self.home), "<f4", _LENGTH, offset=header + 4 * start)
        return np.asarray(recorded, dtype=np.float64)


@contextmanager
def _stage(home: Path, budget_s: float, count: int) -> Iterator[Stage]:
    """The built-in synth and the daemon, each in a process of its own, configured for `home`."""
    port = free_port()
    environment = {config.ENVIRONMENT_VARIABLE: str(_write_config(home, budget_s, port))}
    with ExitStack() as running:

        def begin(*words: str) -> subprocess.Popen[str]:
            program = child.running(*words, environment=environment, stderr=subprocess.STDOUT)
            return running.enter_context(program)

        # First: a daemon that finds no synth starts one of its own, at the same port.
        child.hear(begin("synth", "--with-parent"), "OSC on UDP")
        daemon = begin("start")
        client = running.enter_context(SynthClient(port))
        limit = threading.Timer(count * (budget_s + _PATIENCE_S), daemon.kill)
        limit.start()
        try:
            child.hear(daemon, "watching")
            yield Stage(home, daemon, client)
        finally:
            limit.cancel()


def _write_config(home: Path, budget_s: float, port: int) -> Path:
    sections: dict[str, dict[str, object]] = {
        "watch": {"folder": str(_drops(home)), "output": str(home)},
        "match": {"budget_s": budget_s},
        "host": {"route": "builtin"},
        "synth": {"port": port, "wav": str(_recording(home))},
        "state": {"folder": str(home / "state")},
        "orders": {"port": free_port()},
        "capture": {"listen": False},
    }
    path = home / "config.toml"
    path.write_text(config.as_toml(config.changed(config.Config(), sections)), "utf-8")
    return path


def _drops(home: Path) -> Path:
    return home / "drops"


def _recording(home: Path) -> Path:
    return home / "synth.wav"


def _copied(files: Sequence[Path], home: Path) -> Iterator[DemoSound]:
    """The user's files, whose names may be those of others."""
    for number, file in enumerate(files, start=1):
        folder = home / f"given-{number}"
        folder.mkdir()
        yield DemoSound(shutil.copyfile(file, folder / f"given-{number}-{file.name}"), str(file))


def _key(match: dict[str, float]) -> tuple[int, int, float]:
    return int(match["note"]), int(match["velocity"]), match["gate_s"]


def mean_preset() -> Preset:
    """The mean of the musical prior, in normalized units, over a fixed sample of it."""
    drawn = sampling.musical(np.random.default_rng(0), _MEAN_OF)
    return Preset.from_normalized(drawn.normalized.mean(axis=0), "mean")


def _mean_sound(note: int, velocity: int, gate_s: float) -> FloatArray:
    mean = mean_preset().normalized[None]
    (samples,) = render_notes(mean, note, velocity, gate_s, duration_s=DURATION_S, threads=1)
    return np.asarray(samples)


def _play(files: Path) -> None:
    for name in ("target.wav", "played.wav"):
        with DeviceOutput(None, SAMPLE_RATE) as device:
            device.write(read_sound(files / name).samples)


def _say(text: str, *, quiet: bool) -> None:
    if not quiet:
        click.echo(text)
