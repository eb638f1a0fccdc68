"""The command line: what it teaches, what it prints for machines, how it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from antithesis.audio import write_wav
from antithesis.parameters import PARAMETERS
from antithesis.preset import Preset
from antithesis.presetfiles import FORMATS, read_preset, write_preset, write_presets
from daemon.cli import COMMANDS, cli
from daemon.hosts import find_host
from tests.fakematch import FakeMatch

PATHS = [[], *[[command.name] for command in COMMANDS], ["preset", "convert"], ["preset", "show"]]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run `antithesis` in an empty folder; what it says on standard error is kept apart."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ANTITHESIS_CONFIG", raising=False)
    runner = CliRunner()
    return lambda *words: runner.invoke(cli, [str(word) for word in words])


@pytest.fixture
def preset(tmp_path):
    path = tmp_path / "lead.txt"
    write_preset(Preset.init().replace(kOscMix=0.25), path)
    return path


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_has_help_that_says_what_it_does(run, path):
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert len(result.output.splitlines()) > 5


@pytest.mark.parametrize("path", [path for path in PATHS if path != ["preset"]], ids=" ".join)
def test_help_of_every_command_ends_with_examples(run, path):
    _, _, shown = run(*path, "--help").output.partition("Examples:\n")
    for line in shown.splitlines():
        assert line.strip().startswith("antithesis"), line


def test_home_folder_that_nobody_has_is_refused_in_one_line(run):
    result = run("start", "--folder", "~nobody-of-this-name/x")
    assert result.exit_code == 2
    assert "nobody here has that home folder: write the whole path" in result.stderr


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from daemon.cli import cli\n"
        "assert CliRunner().invoke(cli, ['match', '--help']).exit_code == 0\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "numba", "onnxruntime", "matplotlib", "pydantic", "mido", "sounddevice"}
    assert heavy.isdisjoint(done.stdout.split())


def test_mistyped_command_is_refused_with_the_usage(run):
    result = run("mtach", "a.wav")
    assert result.exit_code == 2
    assert "No such command" in result.stderr


def test_expected_trouble_is_one_line_and_exit_status_2(run, tmp_path):
    (tmp_path / "broken.txt").write_text("1\n2\n")
    result = run("render", "broken.txt")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("antithesis: broken.txt")


def test_a_bug_stays_a_traceback(run, preset, monkeypatch):
    def broken(*_arguments, **_options):
        raise ZeroDivisionError

    monkeypatch.setattr("antithesis.presetfiles.read_presets", broken)
    assert isinstance(run("preset", "show", preset).exception, ZeroDivisionError)


@pytest.mark.parametrize("suffix", FORMATS)
def test_preset_is_converted_by_suffix(run, preset, suffix):
    target = preset.with_name(f"there{suffix}")
    result = run("preset", "convert", preset, target)
    assert result.exit_code == 0
    assert result.output.strip() == str(target)
    assert read_preset(target).normalized == pytest.approx(read_preset(preset).normalized, abs=1e-6)


def test_unknown_suffix_names_the_known_ones(run, preset):
    result = run("preset", "convert", preset, "there.mid")
    assert result.exit_code == 2
    assert ".fxp" in result.stderr


def test_csv_of_many_becomes_a_folder_of_files(run, tmp_path):
    presets = [
        Preset.init().named("First lead"),
        Preset.init().replace(kOscMix=0.5).named("../we/ird"),
        Preset.init().replace(kOscMix=0.0),
    ]
    write_presets(presets, tmp_path / "all.csv")
    result = run("preset", "convert", "all.csv", "out", "--to", "json")
    assert result.exit_code == 0
    written = sorted((tmp_path / "out").iterdir())
    assert [str(path.relative_to(tmp_path)) for path in written] == result.output.splitlines()
    assert [read_preset(path) for path in written] == presets


def test_preset_is_shown_knob_by_knob(run, preset):
    result = run("preset", "show", preset)
    assert result.exit_code == 0
    for parameter in PARAMETERS:
        assert parameter.name in result.output


def test_preset_is_shown_to_machines(run, preset):
    shown = json.loads(run("preset", "show", preset, "--json").output)
    knobs = {knob["id"]: knob for knob in shown["knobs"]}
    assert list(knobs) == [parameter.id for parameter in PARAMETERS]
    assert knobs["kOscMix"]["plain"] == 0.25
    assert {id for id, knob in knobs.items() if knob["greyed"]} == read_preset(preset).greyed()


def test_render_plays_a_note_into_a_wav(run, preset, tmp_path):
    result = run(
        "render", preset, "--note", "A2", "--gate", "0.1", "--duration", "0.25", "--sample-rate",
        "22050", "-o", "out.wav", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    row = json.loads(result.output)
    assert row["file"] == "out.wav"
    assert row["samples"] == 5512
    assert row["rate"] == 22050
    assert row["peak"] > 0.01
    assert (tmp_path / "out.wav").stat().st_size > 5512


def test_render_writes_beside_the_preset_by_default(run, preset):
    result = run("render", preset, "--duration", "0.1", "--gate", "0.05")
    assert result.exit_code == 0, result.output
    assert preset.with_suffix(".wav").exists()


@pytest.fixture
def sound(tmp_path, monkeypatch):
    """A file to match, and a matcher that needs no network: it remembers how it was asked."""
    near, nearer = FakeMatch(Preset.init(), distance=3.0), FakeMatch(Preset.init(), distance=1.5)
    asked = {}

    def matches(samples, network, **how):
        asked.update(how, samples=samples)
        yield near
        if how["budget_s"]:
            yield nearer

    monkeypatch.setattr("antithesis.matching.match", matches)
    monkeypatch.setattr("antithesis.network.load_network", lambda: None)
    path = tmp_path / "Lead_A#2.wav"
    write_wav(path, near.render(), 44100)
    return path, asked


def test_match_tells_machines_each_match_a_line_and_the_best_last(run, sound):
    path, _ = sound
    result = run("match", path, "--json", "--budget", "1")
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["distance"] for row in rows] == [3.0, 1.5, 1.5]
    for row in rows:
        assert set(row) == {
            "preset", "note", "velocity", "gate_s", "distance", "elapsed_s", "files",
        }  # fmt: skip
        assert row["preset"] == Preset.init().by_id()
    assert [bool(row["files"]) for row in rows] == [False, False, True]
    assert all(Path(file).exists() for file in rows[-1]["files"])
    assert Path(rows[-1]["files"][0]).parent == path.with_name("Lead_A#2.wav.antithesis")


def test_match_without_a_budget_is_the_prediction_alone(run, sound):
    path, _ = sound
    rows = run("match", path, "--json", "--budget", "0").stdout.splitlines()
    assert {json.loads(row)["distance"] for row in rows} == {3.0}


def test_match_in_an_instant_around_locked_knobs(run, sound):
    path, asked = sound
    locks = ("--lock", "kFilterEnabled=true", "--lock", "kOsc1Coarse=-12")
    result = run("match", path, "--budget", "instant", *locks)
    assert result.exit_code == 0, result.output
    assert asked["budget_s"] == 0
    assert asked["locked"] == {"kFilterEnabled": 1, "kOsc1Coarse": -12}


def test_match_says_what_could_not_be_matched(run, sound):
    path, _ = sound
    quiet = FakeMatch(Preset.init(), distance=0.5, level_error_db=-6.0)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("antithesis.matching.match", lambda *_, **__: iter([quiet]))
        assert "could not be matched: louder" in run("match", path).output


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--lock", "kFilterCutof=3", "did you mean kFilterCutoff?"),
        ("--lock", "kFilterCutoff=high", "kFilterCutoff: "),
        ("--lock", "kFilterCutoff", "kFilterCutoff: "),
        ("--budget", "soon", "seconds up to 3600, or instant"),
        ("--budget", "-1", "seconds up to 3600, or instant"),
    ],
)
def test_match_refuses_what_it_cannot_read(run, sound, option, value, said):
    path, _ = sound
    result = run("match", path, option, value)
    assert result.exit_code == 2
    assert said in result.output


def test_match_takes_a_hint_from_the_file_name_and_a_fact_from_the_user(run, sound):
    path, asked = sound
    assert run("match", path).exit_code == 0
    assert (asked["note"], asked["named"]) == (None, 46)
    assert run("match", path, "--note", "C4").exit_code == 0
    assert asked["note"] == 60


def test_match_is_asked_for_the_grid_of_a_route_as_it_is_configured(
    run, sound, tmp_path, monkeypatch
):
    path, asked = sound
    assert run("match", path).exit_code == 0
    assert asked["grid"] is None
    (tmp_path / "config.toml").write_text("[midi]\nresolution = 7\n")
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(tmp_path / "config.toml"))
    assert run("match", path, "--grid", "midi").exit_code == 0
    assert asked["grid"] is find_host("midi", bits=7).link.grid()
    result = run("match", path, "--grid", "mid")
    assert result.exit_code == 2
    assert "host 'mid' is unknown; did you mean 'midi'?" in result.output


def test_match_writes_where_it_is_told_and_says_how_near_it_came(run, sound, tmp_path):
    path, _ = sound
    result = run("match", path, "--out", "there")
    assert result.exit_code == 0, result.output
    assert "1.50 dB" in result.output
    assert (tmp_path / "there" / "match.png").exists()


def test_ctrl_c_ends_the_search_and_keeps_the_best(run, sound, monkeypatch):
    def interrupted(_samples, _network, **_how):
        yield FakeMatch(Preset.init(), distance=2.0)
        raise KeyboardInterrupt

    monkeypatch.setattr("antithesis.matching.match", interrupted)
    path, _ = sound
    result = run("match", path, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["files"]


def test_match_refuses_what_is_no_sound_in_one_line(run, tmp_path):
    (tmp_path / "noise.wav").write_bytes(b"this is no sound at all")
    result = run("match", "noise.wav")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("said", "note"), [("60", 60), ("0", 0), ("C4", 60), ("A#2", 46), ("bb3", 58), ("C-1", 0)]
)
def test_note_is_said_by_number_or_name(said, note):
    from daemon.commands.grammar import to_note

    assert to_note(None, None, said) == note


@pytest.mark.parametrize("said", ["128", "H2", "-1", "", "A#", "G#9", "C-2", "²"])
def test_what_is_no_note_is_refused(run, preset, said):
    result = run("render", preset, f"--note={said}")
    assert result.exit_code == 2
    assert "is no note" in result.stderr


def test_config_prints_the_effective_file(run, tmp_path, monkeypatch):
    path = tmp_path / "mine.toml"
    path.write_text("[match]\nbudget_s = 5.5\n")
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(path))
    assert "budget_s = 5.5" in run("config").output
    assert run("config", "--path").output.strip() == str(path)


def test_config_is_written_once(run, tmp_path, monkeypatch):
    path = tmp_path / "deep" / "config.toml"
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(path))
    assert run("config", "--write").exit_code == 0
    written = path.read_text("utf-8")
    assert run("config").output == written
    assert run("config", "--write").exit_code == 2


def test_wrong_configuration_tells_every_mistake(run, tmp_path, monkeypatch):
    path = tmp_path / "mine.toml"
    path.write_text("[watch]\nsettle = 1\n[midi]\nresolution = 3\n")
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(path))
    result = run("config")
    assert result.exit_code == 2
    assert "settle_s" in result.stderr
    assert "7, 14" in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is told otherwise on Windows")
def test_command_line_in_a_real_process(tmp_path, preset):
    command = [sys.executable, "-c", "from daemon.cli import main; main()"]
    done = subprocess.run(
        [*command, "preset", "show", preset, "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "lead"
    refused = subprocess.run(
        [*command, "preset", "show", tmp_path / "none.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("action", ["next", "previous", "undo", "stop", "arm"])
def test_presses_are_told_by_the_names_that_the_help_has(run, action):
    assert "no daemon answers" in run("press", action).output
