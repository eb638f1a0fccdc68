"""Every parser of bytes from outside, as a table: what it is fed, and what to begin from.

A target takes any bytes. It may take them or raise an `AntithesisError`; whatever else it raises
is a bug.
"""

from __future__ import annotations

import io
import json
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import mido
import numpy as np
import soundfile

from antithesis.errors import AntithesisError
from antithesis.pitch import note_from_chunks
from antithesis.preset import Preset
from antithesis.presetfiles import FORMATS
from antithesis.synth import Synth
from daemon import config, osc
from daemon.config import Config
from daemon.decoding import first_sound_of
from daemon.journal import Journal, Outcome, look
from daemon.outcomes import Outcomes
from daemon.player import Player
from daemon.senders.history import Before, History
from daemon.settling import Drop

SECONDS = 1.0
"""No input may take longer."""

MEGABYTES = 512
"""No input may take more."""


@dataclass(frozen=True)
class Target:
    """A parser: a function of bytes, and inputs that it takes."""

    feed: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]


@contextmanager
def _file(data: bytes, name: str = "a") -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        yield path


# Sounds.


def feed_audio(data: bytes) -> None:
    """A dropped file."""
    with _file(data) as path:
        note_from_chunks(path)
        first_sound_of(path)


def audio_seeds() -> list[bytes]:
    """A short tone in each format."""
    tone = 0.5 * np.sin(np.arange(4410) / 15)
    kinds = (("WAV", "PCM_16"), ("WAV", "FLOAT"), ("AIFF", "PCM_24"), ("FLAC", "PCM_16"))
    lossy = (("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"), ("W64", "PCM_16"), ("CAF", "PCM_16"))
    return [_encoded(tone, *kind) for kind in (*kinds, *lossy)]


def _encoded(samples: np.ndarray, kind: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 44100, subtype=subtype, format=kind)
    return file.getvalue()


# Presets, by the table of their formats.


def _preset_target(suffix: str) -> Target:
    known = FORMATS[suffix]
    init = Preset.init().named("init")
    return Target(lambda data: known.parse(data, "fuzz"), lambda: [known.format([init])])


# OSC and MIDI.


@cache
def _player() -> Player:
    return Player(Synth(drift=False))


def feed_osc(data: bytes) -> None:
    """A datagram to the built-in synth."""
    for message in osc.decode(data):
        with suppress(AntithesisError):
            _player().hear_osc(message)


def osc_seeds() -> list[bytes]:
    """One message of each kind that the synth knows, and a bundle of them."""
    knob = osc.OscMessage("/mika/parameter/kFilterCutoff", (0.5,))
    every = osc.OscMessage("/mika/parameters", (0.5,) * 38)
    note = osc.OscMessage("/mika/note", (60, 100))
    messages = [osc.encode(message) for message in (knob, every, note)]
    return [*messages, *osc.bundles(messages, 8192)]


def feed_midi(data: bytes) -> None:
    """What comes in on a MIDI port, system exclusive included."""
    parser = mido.Parser()
    parser.feed(data)
    for message in parser:
        _player().hear_midi(message)


def midi_seeds() -> list[bytes]:
    """A note, a bend, controllers in pairs, and a system exclusive message."""
    return [bytes.fromhex(text) for text in ("903c648000", "e00040", "bf0340bf2311", "f07d0102f7")]


# Files that a user, or a fallen disk, may have been at.


def feed_config(data: bytes) -> None:
    """The configuration file."""
    config.parse(data.decode("utf-8", "replace"))


def feed_journal(data: bytes) -> None:
    """The journal."""
    with _file(data, "journal.sqlite") as path:
        with suppress(AntithesisError):
            look(path)
        with Journal(path) as journal:
            drop = Drop(Path("a.wav"), 1, 1)
            journal.unfinished()
            journal.begin(drop)
            journal.end(drop, Outcome.MATCHED, "there")


def journal_seeds() -> list[bytes]:
    """A journal with an open job and one that ended."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        with Journal(path) as journal:
            for name in ("a.wav", "b.wav"):
                journal.begin(Drop(Path(name), 1, 1))
            journal.end(Drop(Path("a.wav"), 1, 1), Outcome.REFUSED, "silent")
        return [path.read_bytes()]


def feed_history(data: bytes) -> None:
    """What was there before, for undo."""
    with _file(data) as path:
        History(path).pop()


def history_seeds() -> list[bytes]:
    """Two presets of before."""
    with _file(b"") as path:
        for _ in range(2):
            History(path).push(Before("builtin", {0: 0.5, 37: 1.0}))
        return [path.read_bytes()]


def feed_outcome(data: bytes) -> None:
    """An outcome that lies in the results folder."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes, drop = Outcomes(Path(folder)), Drop(Path("a.wav"), 1, 1)
        outcomes.refused_at(drop).write_bytes(data)
        outcomes.matched_at(drop).mkdir()
        (outcomes.matched_at(drop) / "a.json").write_bytes(data)
        outcomes.known(drop)


def outcome_seeds() -> list[bytes]:
    """The record of a file."""
    return [json.dumps({"dropped": {"file": "a.wav", "size": 1, "mtime_ns": 1}}).encode()]


TARGETS: Mapping[str, Target] = {
    "audio": Target(feed_audio, audio_seeds),
    **{f"preset{suffix}": _preset_target(suffix) for suffix in FORMATS},
    "osc": Target(feed_osc, osc_seeds),
    "midi": Target(feed_midi, midi_seeds),
    "config": Target(feed_config, lambda: [config.as_toml(Config()).encode()]),
    "journal": Target(feed_journal, journal_seeds),
    "history": Target(feed_history, history_seeds),
    "outcome": Target(feed_outcome, outcome_seeds),
}


def feed(name: str, data: bytes) -> None:
    """Feed a target; what it refuses as it should is no finding."""
    with suppress(AntithesisError):
        TARGETS[name].feed(data)


def nested(depth: int) -> bytes:
    """What makes parsers that call themselves run out of stack."""
    return b"[" * depth + b"]" * depth


EVIL = (b"", b"\0" * 64, b"\xff" * 64, nested(100_000), struct.pack(">I", 2**31 - 4) * 16)
"""Inputs that every parser is fed."""
