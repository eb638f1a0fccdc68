"""Preset files: plain text, CSV, JSON, and the `.fxp` that DAWs load.

`FORMATS` is the table of them, by suffix. Text, CSV and JSON hold plain values: CSV and JSON every
bit of them, the text six decimals, as the plug-in prints it. `.fxp` holds normalized float32, which
is all that a host keeps. A file that cannot be read raises PresetFileError with source, line or
byte, field and remedy; a file is written beside its place first, so that none is seen half-done.
"""

from __future__ import annotations

import csv
import io
import json
import os
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from antithesis.errors import PresetError, PresetFileError
from antithesis.files import write_whole
from antithesis.parameters import (
    BY_ID,
    N_PARAMETERS,
    PARAMETERS,
    Kind,
    Parameter,
    fingerprint,
    shorten,
)
from antithesis.preset import Preset, listed, parameter

LARGEST_BYTES = 1 << 20
JSON_FORMAT, JSON_VERSION = "antithesis-preset", 1


# Plain text: what the study of 2019 exchanged with its build of the plug-in.


def parse_text(text: str, source: str = "") -> Preset:
    """38 lines in the table's order; any line ends, blank lines at the end."""
    body = text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    lines = body.split("\n") if body else []
    if len(lines) != N_PARAMETERS:
        first_wrong = min(len(lines), N_PARAMETERS)
        problem = f"{len(lines)} lines; write {N_PARAMETERS}, a value each, in the plug-in's order"
        field = "" if first_wrong == N_PARAMETERS else PARAMETERS[first_wrong].id
        raise PresetFileError(problem, source, first_wrong + 1, field)
    numbered = enumerate(zip(PARAMETERS, lines, strict=True), 1)
    return Preset(tuple(_parse_value(p, line, source, n) for n, (p, line) in numbered))


def format_text(preset: Preset) -> str:
    """38 lines, each value as the plug-in prints it."""
    return "".join(f"{p.format(preset[p.id])}\n" for p in PARAMETERS)


# CSV: a header of ids, a row a preset.


def parse_csv(text: str, source: str = "") -> list[Preset]:
    """Presets under a header of all ids, in any order, and perhaps `name`."""
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(rows, [])
        _check_header(header, source)
        presets = [
            _parse_row(header, row, source, rows.line_num)
            for row in rows
            if any(map(str.strip, row))
        ]
    except csv.Error as error:
        raise PresetFileError(
            f"{error}; write commas between values", source, rows.line_num
        ) from None
    if not presets:
        raise PresetFileError("no preset under the header; add a row", source, rows.line_num + 1)
    return presets


def format_csv(presets: Sequence[Preset]) -> str:
    """A header of `name` and the ids, and a row a preset."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["name", *BY_ID])
    table.writerows([p.name, *map(_exact, p.values)] for p in presets)
    return text.getvalue()


def _check_header(header: Sequence[str], source: str) -> None:
    if len(header) == 1:
        raise PresetFileError("a single column; write commas between the ids", source, 1, "header")
    seen: set[str] = set()
    for id in header:
        with _place(source, 1, "header"):
            if id in seen:
                raise PresetError(f"column {shorten(id)} stands there twice; leave one")
            seen.add(id if id == "name" else parameter(id).id)
    missing = [id for id in BY_ID if id not in seen]
    if missing:
        raise PresetFileError(f"{listed(missing)} not in the header; add it", source, 1, missing[0])


def _parse_row(header: Sequence[str], row: Sequence[str], source: str, line: int) -> Preset:
    if len(row) != len(header):
        raise PresetFileError(
            f"{len(row)} values under a header of {len(header)}; write one for each", source, line
        )
    cells = dict(zip(header, row, strict=True))
    values = tuple(_parse_value(p, cells[p.id], source, line) for p in PARAMETERS)
    return Preset(values, cells.get("name", ""))


# JSON: plain values by id.


def parse_json(text: str, source: str = "") -> Preset:
    """An object with `plain` (all values by id); `name` and what tells the format may be absent."""
    try:
        content = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise PresetFileError(f"{error.msg}; write valid JSON", source, error.lineno) from None
    except PresetError as error:
        raise PresetFileError(str(error), source) from None
    except (RecursionError, ValueError):  # ValueError: Python reads no 4,300 digits
        problem = "nested too deep, or a number too long; write each value as a plain number"
        raise PresetFileError(problem, source) from None
    plain = _check_content(content, source)
    for id in plain:
        with _place(source, _line_of(id, text), "plain"):
            parameter(id)
    missing = [id for id in BY_ID if id not in plain]
    if missing:
        raise PresetFileError(f"{listed(missing)} not in plain; add it", source, None, missing[0])
    values = (_parse_value(p, plain[p.id], source, _line_of(p.id, text)) for p in PARAMETERS)
    return Preset(tuple(values), content.get("name", ""))


def format_json(preset: Preset) -> str:
    """An object that names its format, version and parameter table, a value a line."""
    content = {
        "format": JSON_FORMAT,
        "version": JSON_VERSION,
        "table": fingerprint(),
        "name": preset.name,
        "plain": {p.id: _json_value(p, preset[p.id]) for p in PARAMETERS},
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _check_content(content: Any, source: str) -> Mapping[str, Any]:
    if not isinstance(content, dict) or not isinstance(content.get("plain"), dict):
        raise PresetFileError(
            'no values; write an object with "plain": {id: value, ...}', source, None, "plain"
        )
    if not isinstance(content.get("name", ""), str):
        raise PresetFileError("name is no text; put it in quotes", source, None, "name")
    expected = {"format": JSON_FORMAT, "version": JSON_VERSION, "table": fingerprint()}
    for key, ours in expected.items():
        if content.get(key, ours) != ours:
            raise PresetFileError(
                f"{key} is {shorten(str(content[key]))}, not {ours!r}; "
                "convert it with the version of Antithesis that wrote it",
                source,
                None,
                key,
            )
    plain: Mapping[str, Any] = content["plain"]
    return plain


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twin = next(key for key in keys if keys.count(key) > 1)
        raise PresetError(f"{shorten(twin)} stands there twice; leave one")
    return content


def _line_of(id: str, text: str) -> int:
    return text.count("\n", 0, max(text.find(json.dumps(id)), 0)) + 1


def _json_value(p: Parameter, plain: float) -> bool | int | float:
    if p.kind is Kind.BOOL:
        return plain != 0
    return plain if p.kind is Kind.DOUBLE else int(plain)


# FXP: a VST2 program as a list of parameters, big-endian.

_FXP = struct.Struct(">4sI4sI4sII28s38f")
_FXP_FIELDS: tuple[tuple[int, str, bytes, str], ...] = (
    (0, "magic", b"CcnK", "give a VST2 preset (.fxp)"),
    (8, "type", b"FxCk", "save a single program of Mika Micro as .fxp"),
    (12, "format version", struct.pack(">I", 1), "save it from the plug-in once more"),
    (16, "plug-in id", b"TesM", "give a preset of Mika Micro, not of another plug-in"),
    (24, "parameter count", struct.pack(">I", N_PARAMETERS), "save it from Mika Micro 2"),
)
_FXP_OTHERS = {
    b"FxBk": "a bank of programs; load it in Mika Micro and save one program as .fxp",
    b"FBCh": "a bank with an opaque chunk, never Mika Micro's; save one program of it as .fxp",
    b"FPCh": "an opaque chunk, which Mika Micro never writes; save the program from it as .fxp",
}


def parse_fxp(data: bytes, source: str = "") -> Preset:
    """A Mika Micro program of 208 bytes; its stated size and the plug-in's version are ignored."""
    for offset, field, ours, remedy in _FXP_FIELDS:
        found = data[offset : offset + 4]
        if field == "type" and found in _FXP_OTHERS:
            raise PresetFileError(_FXP_OTHERS[found], source, None, field, offset)
        if found != ours[: len(found)]:  # what is cut short is told by its length
            raise PresetFileError(f"{found!r}, not {ours!r}; {remedy}", source, None, field, offset)
    if len(data) != _FXP.size:
        end = min(len(data), _FXP.size)
        problem = f"{len(data)} bytes, not {_FXP.size}; save it from the plug-in once more"
        raise PresetFileError(problem, source, None, "length", end)
    name, *values = _FXP.unpack(data)[7:]
    for i, (p, value) in enumerate(zip(PARAMETERS, values, strict=True)):
        if not 0.0 <= value <= 1.0:  # NaN too
            problem = f"{value} is not within 0 to 1; save it from the plug-in once more"
            raise PresetFileError(problem, source, None, p.id, _FXP.size + 4 * (i - N_PARAMETERS))
    return Preset.from_normalized(values, name.split(b"\0")[0].decode("ascii", "replace"))


def format_fxp(preset: Preset) -> bytes:
    """208 bytes; what the name has beyond 27 ASCII characters is lost."""
    name = preset.name.encode("ascii", "replace")[:27]
    header = (b"CcnK", _FXP.size - 8, b"FxCk", 1, b"TesM", 10000, N_PARAMETERS, name)
    return _FXP.pack(*header, *preset.normalized)


# Files.


@dataclass(frozen=True)
class Format:
    """A kind of preset file: its name, and how its bytes become presets and come from them."""

    name: str
    parse: Callable[[bytes, str], Sequence[Preset]]
    format: Callable[[Sequence[Preset]], bytes]


def _decode(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PresetFileError("not text; save it as UTF-8", source, offset=error.start) from None


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        ".txt": Format(
            "plain text, one value a line",
            lambda data, source: [parse_text(_decode(data, source), source)],
            lambda presets: format_text(_only(presets)).encode(),
        ),
        ".csv": Format(
            "CSV, one preset a row",
            lambda data, source: parse_csv(_decode(data, source), source),
            lambda presets: format_csv(presets).encode(),
        ),
        ".json": Format(
            "JSON",
            lambda data, source: [parse_json(_decode(data, source), source)],
            lambda presets: format_json(_only(presets)).encode(),
        ),
        ".fxp": Format(
            "VST2 preset",
            lambda data, source: [parse_fxp(data, source)],
            lambda presets: format_fxp(_only(presets)),
        ),
    }
)


def read_preset(path: str | os.PathLike[str]) -> Preset:
    """The one preset of a file; without a name in it, it takes the file's."""
    return _only(read_presets(path), str(path))


def read_presets(path: str | os.PathLike[str]) -> list[Preset]:
    """All presets of a file; those without a name take the file's."""
    path = Path(path)
    presets = _format_of(path).parse(_read_bounded(path), str(path))
    return [preset if preset.name else preset.named(path.stem) for preset in presets]


def write_preset(preset: Preset, path: str | os.PathLike[str]) -> None:
    """Write a preset in the format that the suffix names; a file of that name is replaced."""
    write_presets([preset], path)


def write_presets(presets: Sequence[Preset], path: str | os.PathLike[str]) -> None:
    """Write presets to one file; only CSV takes more than one."""
    path = Path(path)
    data = _format_of(path).format(presets)
    try:
        write_whole(path, data)
    except (OSError, ValueError) as error:
        problem = f"not written, {_reason(error)}; check the folder and its free space"
        raise PresetFileError(problem, str(path)) from None


def _only(presets: Sequence[Preset], source: str = "") -> Preset:
    if len(presets) != 1:
        raise PresetFileError(f"{len(presets)} presets where one is wanted; leave one", source)
    return presets[0]


def _format_of(path: Path) -> Format:
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(FORMATS)
        problem = f"{path.suffix!r} is no kind of preset file; name it with one of {known}"
        raise PresetFileError(problem, str(path)) from None


def _read_bounded(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():  # a pipe would keep us waiting
            raise PresetFileError("not a file; give a preset file", str(path))
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except PresetFileError:
        raise
    except (OSError, ValueError) as error:  # ValueError: no file has such a name
        problem = f"not read, {_reason(error)}; give a file that is there and may be read"
        raise PresetFileError(problem, str(path)) from None
    if len(data) > LARGEST_BYTES:
        raise PresetFileError("over 1 MiB, and no preset is so large; give another", str(path))
    return data


def _reason(error: OSError | ValueError) -> str:
    return str(getattr(error, "strerror", None) or error).lower()


def _exact(value: float) -> str:
    """The shortest text that reads back as the same float64."""
    return repr(value).removesuffix(".0")


def _parse_value(p: Parameter, value: object, source: str, line: int) -> float:
    with _place(source, line, p.id):
        return p.parse(value) if isinstance(value, str) else p.check(value)


@contextmanager
def _place(source: str, line: int, field: str) -> Iterator[None]:
    """A wrong value inside becomes a malformed file, at this place."""
    try:
        yield
    except PresetError as error:
        raise PresetFileError(str(error), source, line, field) from None
