"""A match as files: the preset in three formats, both sounds, and a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from antithesis.audio import FloatArray, Sound, write_wav
from antithesis.fourier import SAMPLE_RATE
from antithesis.judgement import remarks, similarity
from antithesis.preset import Preset
from antithesis.presetfiles import format_json, read_preset, write_preset
from antithesis.report.picture import Picture, draw
from antithesis.report.words import key_name, likeness, result_stem
from antithesis.segments import MATCHED_S

if TYPE_CHECKING:
    from antithesis.matching import Match

__all__ = ["draw_match", "key_name", "likeness", "result_stem", "write_files", "write_match"]

_SOUNDS = ("target.wav", "match.wav")


def write_match(
    match: Match, target: Sound, folder: Path, *, facts: Mapping[str, Any] | None = None
) -> tuple[Path, ...]:
    """Write a match and its picture: `write_files`, then `draw_match`.

    Returns:
        The preset as text, JSON and .fxp, named after the source; target.wav, match.wav and
        match.png.

    Raises:
        AudioError, PresetFileError, OSError: a file cannot be written.
    """
    files = write_files(match, target, folder, facts=facts)
    return *files, draw_match(folder, files[1])


def write_files(
    match: Match, target: Sound, folder: Path, *, facts: Mapping[str, Any] | None = None
) -> tuple[Path, ...]:
    """Write a match and what it was made of into `folder`, which is made if it is not there.

    Args:
        match: The match.
        target: What was matched, from its onset on, at 44.1 kHz; its source names the files.
        folder: Where the files go; those of the same names are replaced.
        facts: What else the JSON file is to say, beside the preset, `match` and `source`.

    Returns:
        The preset as text, JSON and .fxp, named after the source; target.wav and match.wav.

    Raises:
        AudioError, PresetFileError, OSError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = result_stem(target.source) or "match"
    text, data, program = (folder / f"{stem}{suffix}" for suffix in (".txt", ".json", ".fxp"))
    heard, played = (folder / name for name in _SOUNDS)
    sound = match.render(duration_s=max(target.duration_s, MATCHED_S))
    for path in (text, program):
        write_preset(match.preset.named(stem), path)
    # A name that is no UTF-8 comes as lone surrogates, which JSON writes just as Python does.
    data.write_bytes(_as_json(match, target, facts or {}).encode("utf-8", "backslashreplace"))
    write_wav(heard, target.samples, target.sample_rate)
    write_wav(played, sound, SAMPLE_RATE)
    return text, data, program, heard, played


def draw_match(folder: Path, data: Path | None = None) -> Path:
    """Draw match.png, of what else lies in the folder of a match.

    Args:
        folder: Where `write_files` has written.
        data: Its JSON file there; if left out, the only one there is.

    Raises:
        OSError, ValueError: that is not all there, or the picture cannot be written.
    """
    if data is None:
        (data,) = folder.glob("*.json")
    told = json.loads(data.read_bytes())
    picture = folder / "match.png"
    draw(_picture(told, read_preset(data), *(_samples(folder / name) for name in _SOUNDS)), picture)
    return picture


def _samples(path: Path) -> FloatArray:
    import soundfile

    with path.open("rb") as file:  # by its name soundfile opens none that is not UTF-8
        return np.asarray(soundfile.read(file)[0])


def _as_json(match: Match, target: Sound, facts: Mapping[str, Any]) -> str:
    """The preset's own JSON, still readable as such, and what is known of the match."""
    preset = json.loads(format_json(match.preset.named(result_stem(target.source))))
    played = {f.name: getattr(match, f.name) for f in fields(match) if f.name != "preset"}
    words = {
        "note_name": key_name(match.note),
        "likeness": likeness(match.distance),
        "similarity_percent": similarity(match.distance),
        "remarks": remarks(target.samples, match),
    }
    source = {"file": target.source, "start_s": target.start_s, "duration_s": target.duration_s}
    content = {**preset, "match": played | words, "source": source, **facts}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _picture(
    told: Mapping[str, Any], preset: Preset, target: FloatArray, sound: FloatArray
) -> Picture:
    match, source = told["match"], told["source"]
    played = (
        f"{match['note_name']} (MIDI {match['note']}), velocity {match['velocity']}, "
        f"held {match['gate_s']:.2f} s"
    )
    near = f"{match['distance']:.2f} dB away: {match['likeness']}, {match['similarity_percent']} %"
    effort = f"{match['elapsed_s']:.1f} s, {match['evaluations']:,} sounds tried"
    length = max(len(target), len(sound))
    return Picture(
        target=np.pad(target, (0, length - len(target))),
        match=np.pad(sound, (0, length - len(sound))),
        sample_rate=SAMPLE_RATE,
        preset=preset,
        title=_one_line(Path(source["file"]).name or "match"),
        subtitle=f"{played}   \N{MIDDLE DOT}   {near}   \N{MIDDLE DOT}   {effort}",
    )


def _one_line(name: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in name)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
