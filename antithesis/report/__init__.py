"""A match as files: the preset in three formats, both sounds, and a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from antithesis.audio import FloatArray, Sound, write_wav
from antithesis.presetfiles import format_json, write_preset
from antithesis.report.picture import Picture, draw
from antithesis.report.words import key_name, likeness, result_stem
from antithesis.spectra import SAMPLE_RATE

if TYPE_CHECKING:
    from antithesis.matching import Match

__all__ = ["key_name", "likeness", "result_stem", "write_match"]

_SHORTEST_S = 2.0


def write_match(
    match: Match, target: Sound, folder: Path, *, facts: Mapping[str, Any] | None = None
) -> tuple[Path, ...]:
    """Write a match and what it was made of into `folder`, which is made if it is not there.

    Args:
        match: The match.
        target: What was matched, from its onset on, at 44.1 kHz; its source names the files.
        folder: Where the files go; those of the same names are replaced.
        facts: What else the JSON file is to say, beside the preset, `match` and `source`.

    Returns:
        The preset as text, JSON and .fxp, named after the source; target.wav, match.wav and
        match.png.

    Raises:
        AudioError, PresetFileError, OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = result_stem(target.source) or "match"
    text, data, program = (folder / f"{stem}{suffix}" for suffix in (".txt", ".json", ".fxp"))
    heard, played, picture = (folder / name for name in ("target.wav", "match.wav", "match.png"))
    sound = match.render(duration_s=max(target.duration_s, _SHORTEST_S))
    for path in (text, program):
        write_preset(match.preset.named(stem), path)
    # A name that is no UTF-8 comes as lone surrogates, which JSON writes just as Python does.
    data.write_bytes(_as_json(match, target, facts or {}).encode("utf-8", "backslashreplace"))
    write_wav(heard, target.samples, target.sample_rate)
    write_wav(played, sound, SAMPLE_RATE)
    draw(_picture(match, target, sound), picture)
    return text, data, program, heard, played, picture


def _as_json(match: Match, target: Sound, facts: Mapping[str, Any]) -> str:
    """The preset's own JSON, still readable as such, and what is known of the match."""
    preset = json.loads(format_json(match.preset.named(result_stem(target.source))))
    played = {f.name: getattr(match, f.name) for f in fields(match) if f.name != "preset"}
    words = {"note_name": key_name(match.note), "likeness": likeness(match.distance)}
    source = {"file": target.source, "start_s": target.start_s, "duration_s": target.duration_s}
    content = {**preset, "match": played | words, "source": source, **facts}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _picture(match: Match, target: Sound, sound: FloatArray) -> Picture:
    played = (
        f"{key_name(match.note)} (MIDI {match.note}), velocity {match.velocity}, "
        f"held {match.gate_s:.2f} s"
    )
    near = f"{match.distance:.2f} dB away: {likeness(match.distance)}"
    effort = f"{match.elapsed_s:.1f} s, {match.evaluations:,} sounds tried"
    length = max(len(target.samples), len(sound))
    return Picture(
        target=np.pad(target.samples, (0, length - len(target.samples))),
        match=np.pad(sound, (0, length - len(sound))),
        sample_rate=SAMPLE_RATE,
        preset=match.preset,
        title=_one_line(Path(target.source).name or "match"),
        subtitle=f"{played}   \N{MIDDLE DOT}   {near}   \N{MIDDLE DOT}   {effort}",
    )


def _one_line(name: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in name)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
