"""Preset files: exact round trips, and malformed ones told by line, field and remedy."""

from __future__ import annotations

import json
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import antithesis
from antithesis.errors import PresetError, PresetFileError
from antithesis.parameters import (
    BY_ID,
    MAXIMUM,
    MINIMUM,
    PARAMETERS,
    fingerprint,
    to_normalized,
)
from antithesis.preset import Preset
from antithesis.presetfiles import (
    FORMATS,
    LARGEST_BYTES,
    format_csv,
    format_fxp,
    format_json,
    format_text,
    parse_csv,
    parse_fxp,
    parse_json,
    parse_text,
    read_preset,
    read_presets,
    write_preset,
    write_presets,
)

FACTORY = read_presets(Path(antithesis.__file__).parent / "data" / "factory_presets.csv")
INIT = Preset.init()
CONTINUOUS = [p.index for p in PARAMETERS if p.steps is None]

names = st.text(max_size=30)
cube = st.builds(Preset.from_normalized, st.lists(st.floats(0, 1), min_size=38, max_size=38), names)
plain_cube = st.builds(
    Preset.from_plain, st.tuples(*(st.floats(p.min, p.max) for p in PARAMETERS)), names
)
presets = st.one_of(cube, plain_cube)
suffixes = pytest.mark.parametrize("suffix", list(FORMATS))


def refusal(read: Callable[[], object]) -> PresetFileError:
    with pytest.raises(PresetFileError) as caught:
        read()
    assert "\n" not in str(caught.value)
    return caught.value


def taken_or_refused(read: Callable[[], Preset]) -> Preset | PresetFileError:
    try:
        return read()
    except PresetFileError as error:
        return error


def through(suffix: str, preset: Preset) -> Preset:
    (back,) = FORMATS[suffix].parse(FORMATS[suffix].format([preset]), "")
    return back


# Round trips.


@given(presets)
def test_json_and_csv_keep_every_bit_and_the_name(preset: Preset) -> None:
    for suffix in (".json", ".csv"):
        back = through(suffix, preset)
        assert np.array_equal(back.plain, preset.plain)
        assert np.array_equal(back.normalized, preset.normalized)
        assert back.name == preset.name


@given(presets)
def test_text_keeps_six_decimals_and_what_they_are_in_normalized_units(preset: Preset) -> None:
    back = through(".txt", preset)
    nearest = np.round(preset.plain, 6)
    assert np.array_equal(back.plain, nearest)
    assert np.array_equal(back.normalized, to_normalized(nearest))
    assert np.abs(back.plain - preset.plain).max() <= 5.01e-7
    assert format_text(back) == format_text(preset)


@given(presets)
def test_fxp_keeps_normalized_float32_to_the_bit(preset: Preset) -> None:
    back = through(".fxp", preset)
    kept = preset.normalized.astype(np.float32)
    # Near an end float32 is finer than the plug-in's own doubles are: there, nearly.
    exact = [i for i in CONTINUOUS if kept[i] == 0 or kept[i] > 1e-4]
    assert np.array_equal(back.normalized.astype(np.float32)[exact], kept[exact])
    assert np.abs(back.normalized - preset.normalized).max() <= 2**-24
    whole = [p.index for p in PARAMETERS if p.steps is not None]
    assert np.array_equal(back.plain[whole], preset.plain[whole])


@given(cube)
def test_fxp_bytes_come_back_as_they_were(preset: Preset) -> None:
    settled = through(".fxp", through(".fxp", preset))
    assert format_fxp(settled)[:56] == format_fxp(preset)[:56]
    assert np.array_equal(through(".fxp", settled).plain, settled.plain)


@suffixes
@pytest.mark.parametrize("preset", FACTORY, ids=lambda preset: preset.name)
def test_factory_presets_survive_every_format(preset: Preset, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"{preset.name}{suffix}"
    write_preset(preset, path)
    back = read_preset(path)
    assert back.name == preset.name
    # They were printed with six digits, so text has them whole; float32 has the last digit wrong.
    assert np.allclose(back.normalized, preset.normalized, rtol=0, atol=6e-8)
    if suffix != ".fxp":
        assert back == preset


def test_there_are_14_factory_presets_and_the_first_is_init() -> None:
    assert len(FACTORY) == 14
    assert FACTORY[0] == INIT
    assert FACTORY[1].name == "Tessa Bass"


def test_csv_keeps_many_presets_in_order() -> None:
    again = parse_csv(format_csv(FACTORY))
    assert again == FACTORY
    assert [preset.name for preset in again] == [preset.name for preset in FACTORY]


# What the formats look like.


def test_text_is_38_lines_as_the_plug_in_prints_them() -> None:
    lines = format_text(INIT).splitlines()
    assert len(lines) == 38
    assert lines[:4] == ["2", "0", "0.000000", "0.000000"]
    assert lines[12:14] == ["false", "8000.000000"]
    assert lines[35:] == ["2", "1.000000", "0.250000"]


def test_text_is_taken_with_any_line_ends_blank_lines_at_the_end_and_a_byte_order_mark() -> None:
    text = format_text(FACTORY[1])
    assert parse_text(text.replace("\n", "\r\n") + "\r\n \r\n") == FACTORY[1]
    assert parse_text(text.replace("\n", "\r")) == FACTORY[1]
    assert parse_text(text.rstrip()) == FACTORY[1]
    assert FORMATS[".txt"].parse(b"\xef\xbb\xbf" + text.encode(), "")[0] == FACTORY[1]


def test_csv_columns_may_come_in_any_order_and_without_a_name() -> None:
    ids = list(reversed(BY_ID))
    row = ",".join(str(INIT[id]) for id in ids)
    (preset,) = parse_csv(",".join(ids) + "\r\n\r\n" + row + "\r\n")
    assert (preset, preset.name) == (INIT, "")


def test_csv_and_json_take_words_for_switches() -> None:
    header, row, *_ = format_csv([INIT]).splitlines()
    ids, cells = header.split(","), row.split(",")
    cells[ids.index("kFilterEnabled")] = "true"
    cells[ids.index("kOsc1Wave")] = "noise"
    expected = INIT.replace(kFilterEnabled=1, kOsc1Wave=5)
    assert parse_csv(f"{header}\n{','.join(cells)}\n") == [expected]
    content = {"plain": {**INIT.by_id(), "kFilterEnabled": True, "kOsc1Wave": "noise"}}
    assert parse_json(json.dumps(content)) == expected


def test_json_says_its_format_version_and_table() -> None:
    content = json.loads(format_json(FACTORY[1]))
    assert content["format"] == "antithesis-preset"
    assert (content["version"], content["table"]) == (1, fingerprint())
    assert content["name"] == "Tessa Bass"
    assert content["plain"]["kFilterEnabled"] is True
    assert list(content["plain"]) == list(BY_ID)


def test_fxp_is_byte_for_byte_what_hosts_load() -> None:
    values = [0.4, 0.5, 0.5, 0.5, 0.4, 0.5, 0.5, 0.5, 1, 0, 0, 0.5, 0, 1, 0, 0.5]
    data = format_fxp(INIT.named("Bässe " + "x" * 40))
    assert len(data) == 208
    assert data[:28] == (
        b"CcnK\0\0\0\xc8FxCk\0\0\0\x01TesM\0\0\x27\x10\0\0\0\x26"  # 200, 1, 10000, 38
    )
    assert data[28:56] == b"B?sse " + b"x" * 21 + b"\0"
    assert data[56:120] == struct.pack(">16f", *values)


@pytest.mark.parametrize("size", [0, 200, 12345])
def test_fxp_is_read_whatever_size_and_plug_in_version_it_states(size: int) -> None:
    data = bytearray(format_fxp(FACTORY[2]))
    data[4:8] = struct.pack(">I", size)
    data[20:24] = struct.pack(">I", 20001)
    assert parse_fxp(bytes(data)) == through(".fxp", FACTORY[2])
    assert parse_fxp(bytes(data)).name == FACTORY[2].name


def test_what_no_float32_can_say_is_what_a_host_would_make_of_it() -> None:
    # The hole below an envelope's first step: 50 is nearer to no number than to 0.
    back = through(".fxp", INIT.replace(kVolEnvA=50))
    assert back["kVolEnvA"] == 0.5


# Malformed files.

TEXT = format_text(INIT)
CSV = format_csv([INIT])
JSON = format_json(INIT)
FXP = format_fxp(INIT)


def with_line(number: int, line: str) -> str:
    lines = TEXT.splitlines()
    lines[number - 1] = line
    return "\n".join(lines)


def with_bytes(offset: int, new: bytes) -> bytes:
    return FXP[:offset] + new + FXP[offset + len(new) :]


@pytest.mark.parametrize(
    ("text", "line", "field", "says"),
    [
        (with_line(9, "1,5"), 9, "kOscMix", "write a number from 0 to 1"),
        (with_line(9, ""), 9, "kOscMix", "write a number"),
        (with_line(9, "nan"), 9, "kOscMix", "write a number"),
        (with_line(1, "6"), 1, "kOsc1Wave", "from 0 to 5"),
        (with_line(13, "yes"), 13, "kFilterEnabled", "true or false"),
        (TEXT + "0\n", 39, "", "39 lines; write 38"),
        (TEXT[:-9], 38, "kMasterVolume", "37 lines"),
        ("\n" + TEXT, 39, "", "39 lines"),
        ("", 1, "kOsc1Wave", "0 lines"),
    ],
)
def test_malformed_text_is_told_by_line_field_and_remedy(
    text: str, line: int, field: str, says: str
) -> None:
    error = refusal(lambda: parse_text(text, "a.txt"))
    assert (error.source, error.line, error.field) == ("a.txt", line, field)
    assert str(error).startswith(f"a.txt, line {line}")
    assert field in str(error)
    assert says in str(error)


@pytest.mark.parametrize(
    ("text", "line", "field", "says"),
    [
        ("", 1, "kOsc1Wave", "35 more are not in the header; add it"),
        (CSV.splitlines()[0], 2, "", "no preset under the header; add a row"),
        (CSV.replace("kOscMix", "kOscmix"), 1, "header", "did you mean kOscMix?"),
        (CSV.replace("kOscMix", "kOsc1Wave"), 1, "header", "'kOsc1Wave' stands there twice"),
        (CSV.replace("name,", "name,name,"), 1, "header", "'name' stands there twice"),
        (CSV.replace(",kOscMix", ""), 1, "kOscMix", "kOscMix is not in the header; add it"),
        (CSV.replace(",", ";"), 1, "header", "commas"),
        (CSV.replace("8000", "80000"), 2, "kFilterCutoff", "from 20 to 8000"),
        (CSV + "\n" + CSV.splitlines()[1].replace("8000", "x"), 4, "kFilterCutoff", "'x'"),
        (CSV + "1,2\n", 3, "", "2 values under a header of 39"),
        (CSV + '"open', 3, "", "commas"),
    ],
)
def test_malformed_csv_is_told_by_line_field_and_remedy(
    text: str, line: int, field: str, says: str
) -> None:
    error = refusal(lambda: parse_csv(text, "a.csv"))
    assert (error.source, error.line, error.field) == ("a.csv", line, field)
    assert says in str(error)


@pytest.mark.parametrize(
    ("text", "line", "field", "says"),
    [
        ("", 1, "", "valid JSON"),
        (JSON.replace("true", "True").replace("false", "False"), 19, "", "valid JSON"),
        ("[1]", None, "plain", '"plain": {id: value'),
        ('{"plain": 1}', None, "plain", '"plain": {id: value'),
        ('{"plain": {"kOscMix": 1}}', None, "kOsc1Wave", "add it"),
        (JSON.replace("kOscMix", "kOscmix"), 15, "plain", "did you mean kOscMix?"),
        (JSON.replace('"kOscMix": 1.0', '"kOscMix": 1.5'), 15, "kOscMix", "from 0 to 1"),
        (JSON.replace('"kOscMix": 1.0', '"kOscMix": null'), 15, "kOscMix", "give a number"),
        (JSON.replace('"kOscMix": 1.0', '"kOscMix": NaN'), 15, "kOscMix", "from 0 to 1"),
        (JSON.replace('"kOscMix": 1.0', '"kOscMix": 1e999'), 15, "kOscMix", "from 0 to 1"),
        (JSON.replace('"kOscMix"', '"kOsc1Wave"'), None, "", "'kOsc1Wave' stands there twice"),
        (JSON.replace('"Init"', "7"), None, "name", "quotes"),
        (JSON.replace('"version": 1', '"version": 2'), None, "version", "version of Antithesis"),
        (JSON.replace(fingerprint(), "0" * 12), None, "table", "convert it"),
        (JSON.replace("antithesis-preset", "other"), None, "format", "'other'"),
        ("[" * 100_000, None, "", "nested too deep"),
        ('{"plain": ' + "1" * 5000 + "}", None, "", "number too long"),
    ],
)
def test_malformed_json_is_told_by_line_field_and_remedy(
    text: str, line: int | None, field: str, says: str
) -> None:
    error = refusal(lambda: parse_json(text, "a.json"))
    assert (error.source, error.line, error.field) == ("a.json", line, field)
    assert says in str(error)


@pytest.mark.parametrize(
    ("data", "offset", "field", "says"),
    [
        (b"", 0, "length", "0 bytes, not 208"),
        (FXP[:207], 207, "length", "207 bytes, not 208"),
        (FXP + b"\0", 208, "length", "209 bytes, not 208"),
        (b"RIFF" + FXP[4:], 0, "magic", "give a VST2 preset"),
        (with_bytes(8, b"FxBk"), 8, "type", "a bank of programs; load it in Mika Micro and save"),
        (with_bytes(8, b"FPCh") + b"\0" * 999, 8, "type", "opaque chunk"),
        (with_bytes(8, b"FBCh"), 8, "type", "save one program"),
        (with_bytes(8, b"what"), 8, "type", "single program"),
        (with_bytes(12, b"\0\0\0\2"), 12, "format version", "once more"),
        (with_bytes(16, b"Abcd"), 16, "plug-in id", "another plug-in"),
        (with_bytes(24, b"\0\0\0\7"), 24, "parameter count", "Mika Micro 2"),
        (with_bytes(56 + 4 * 8, b"\x7f\xc0\0\0"), 88, "kOscMix", "nan is not within 0 to 1"),
        (with_bytes(56, struct.pack(">f", 1.000001)), 56, "kOsc1Wave", "not within"),
        (with_bytes(204, struct.pack(">f", -1e-6)), 204, "kMasterVolume", "not within"),
    ],
)
def test_malformed_fxp_is_told_by_byte_field_and_remedy(
    data: bytes, offset: int, field: str, says: str
) -> None:
    error = refusal(lambda: parse_fxp(data, "a.fxp"))
    assert (error.source, error.offset, error.field) == ("a.fxp", offset, field)
    assert str(error).startswith(f"a.fxp, byte {offset}")
    assert says in str(error)


def test_bytes_that_are_no_text_are_told_by_byte() -> None:
    error = refusal(lambda: FORMATS[".txt"].parse(b"2\n\xff\n", "a.txt"))
    assert (error.offset, "UTF-8" in str(error)) == (2, True)


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".json"])
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda t: t.encode("utf-8"))))
@example(b"")
def test_anything_may_be_read_and_only_a_preset_file_error_comes_out(
    suffix: str, data: bytes
) -> None:
    assert str(refusal(lambda: FORMATS[suffix].parse(data, "x")))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


@given(st.sampled_from(list(BY_ID)), json_values)
def test_any_json_value_in_a_preset_is_taken_or_refused(id: str, value: object) -> None:
    text = json.dumps({"plain": {**INIT.by_id(), id: value}})
    outcome = taken_or_refused(lambda: parse_json(text))
    assert isinstance(outcome, Preset) or outcome.field == id


@given(st.sampled_from([TEXT, CSV, JSON]), st.data())
def test_a_damaged_text_file_is_taken_or_refused(whole: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 20)))
    damaged = whole[:start] + data.draw(st.text(max_size=5)) + whole[end:]
    parse = {TEXT: parse_text, CSV: lambda t: parse_csv(t)[0], JSON: parse_json}[whole]
    assert "\n" not in str(taken_or_refused(lambda: parse(damaged)))


@given(st.integers(0, 207), st.binary(min_size=1, max_size=8))
def test_a_damaged_fxp_is_taken_or_refused(offset: int, new: bytes) -> None:
    outcome = taken_or_refused(lambda: parse_fxp(with_bytes(offset, new)[:208]))
    if isinstance(outcome, Preset):
        assert np.all((outcome.plain >= MINIMUM) & (outcome.plain <= MAXIMUM))


# Files.


@suffixes
def test_a_file_is_written_whole_or_not_at_all(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"preset{suffix}"
    write_preset(INIT, path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    error = refusal(lambda: write_preset(FACTORY[1], path))
    assert "no space left" in str(error)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_writing_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "preset.json"
    write_preset(INIT, path)
    write_preset(FACTORY[1], str(path))
    assert read_preset(path) == FACTORY[1]
    assert [p.name for p in tmp_path.iterdir()] == ["preset.json"]


def test_suffixes_count_in_any_case(tmp_path: Path) -> None:
    write_preset(FACTORY[1], tmp_path / "A.FXP")
    assert read_preset(tmp_path / "A.FXP").name == "Tessa Bass"


def test_a_preset_without_a_name_takes_the_files(tmp_path: Path) -> None:
    for suffix in FORMATS:
        write_preset(INIT.named(""), tmp_path / f"Soft Pad{suffix}")
        assert read_preset(tmp_path / f"Soft Pad{suffix}").name == "Soft Pad"


def test_one_preset_cannot_be_read_from_many_nor_many_written_to_one(tmp_path: Path) -> None:
    write_presets(FACTORY, tmp_path / "all.csv")
    assert read_presets(tmp_path / "all.csv") == FACTORY
    assert "14 presets where one is wanted" in str(
        refusal(lambda: read_preset(tmp_path / "all.csv"))
    )
    for suffix in (".txt", ".json", ".fxp"):
        refusal(lambda suffix=suffix: write_presets(FACTORY, tmp_path / f"all{suffix}"))


def test_an_unknown_suffix_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    for use in (read_preset, lambda path: write_preset(INIT, path)):
        error = refusal(lambda use=use: use(tmp_path / "bank.fxb"))
        assert ".txt, .csv, .json, .fxp" in str(error)


def test_what_is_missing_too_large_or_no_file_is_refused(tmp_path: Path) -> None:
    large, folder = tmp_path / "large.txt", tmp_path / "folder.txt"
    large.write_bytes(b"0" * (LARGEST_BYTES + 1))
    folder.mkdir()
    assert "no such file" in str(refusal(lambda: read_preset(tmp_path / "none.txt")))
    assert "over 1 MiB" in str(refusal(lambda: read_preset(large)))
    assert "not a file" in str(refusal(lambda: read_preset(folder)))
    assert "null" in str(refusal(lambda: read_preset("\0.txt")))
    assert "no such file" in str(refusal(lambda: write_preset(INIT, tmp_path / "no" / "a.txt")))
    assert "not written" in str(refusal(lambda: write_preset(INIT, folder)))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert "not a file" in str(refusal(lambda: read_preset(tmp_path / "pipe.txt")))


@pytest.mark.skipif(os.name == "nt", reason="Windows bounds whole paths, not names")
def test_a_long_file_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 251 + ".fxp")
    write_preset(INIT, path)
    assert read_preset(path).values == through(".fxp", INIT).values


def test_a_source_with_a_line_break_stays_one_line() -> None:
    assert "'a\\nb.txt'" in str(refusal(lambda: parse_text("", "a\nb.txt")))


def test_the_error_carries_its_place_across_a_process_boundary() -> None:
    error = refusal(lambda: parse_text("", "a.txt"))
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.line, copy.field) == (str(error), error.line, error.field)
    assert isinstance(copy, PresetError)
