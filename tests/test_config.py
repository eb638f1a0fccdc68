"""The configuration file: defaults, all mistakes at once, and the printed file reads back."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antithesis.errors import ConfigError
from daemon import config
from daemon.config import Config
from daemon.hosts import HOSTS, MidiLink, OscLink


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Where the configuration is looked for."""
    path = tmp_path / "config.toml"
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(path))
    return path


def _mistakes(text):
    with pytest.raises(ConfigError) as caught:
        config.parse(text, "config.toml")
    return str(caught.value)


def test_empty_file_is_all_defaults():
    assert config.parse("") == Config()


def test_printed_file_shows_every_key_and_reads_back_as_itself():
    printed = config.as_toml(Config())
    table = tomllib.loads(printed)
    assert table.pop("version") == config.VERSION
    assert {section: set(keys) for section, keys in table.items()} == {
        name: set(type(getattr(Config(), name)).model_fields) for name in Config.model_fields
    }
    assert config.parse(printed) == Config()


def test_every_key_is_commented():
    lines = config.as_toml(Config()).splitlines()
    for before, line in itertools.pairwise(lines):
        if " = " in line and not line.startswith("#"):
            assert before.startswith("# "), line


@given(text=st.text(st.characters(exclude_categories=["Cs"])), seconds=st.floats(0, 3600))
def test_any_text_and_number_survives_printing(text, seconds):
    changes = {"midi": {"port": text}, "match": {"budget_s": seconds}}
    changed = config.changed(Config(), changes)
    assert config.parse(config.as_toml(changed)) == changed


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file():
    said = _mistakes(
        '[watch]\nfolder = "sounds"\nsettle = 3\n'
        '[midi]\nresolution = 8\n[host]\nroute = "raeper"\n[log]\nlevel = "inof"\n'
        '[synth]\nport = "9000"\n[mtach]\n'
    )
    lines = said.splitlines()
    assert lines[0] == "config.toml: 7 mistakes"
    expected = [
        ("line 2, watch.folder", '"sounds"', "whole path"),
        ("line 3, watch.settle", "did you mean settle_s?"),
        ("line 5, midi.resolution", "8", "7, 14"),
        ("line 7, host.route", '"raeper"', "did you mean reaper?"),
        ("line 9, log.level", "did you mean info?"),
        ("line 11, synth.port", '"9000"', "integer"),
        ("line 12, mtach", "did you mean match?"),
    ]
    for line, words in zip(lines[1:], expected, strict=True):
        assert all(word in line for word in words), line


@pytest.mark.parametrize(
    "text",
    [
        "[synth]\nport = 0",
        "[synth]\nport = 65536",
        "[synth]\nport = 9000.5",
        "[synth]\nport = true",
        "[match]\nbudget_s = -1",
        "[match]\nbudget_s = nan",
        "[match]\nbudget_s = inf",
        "[match]\nbudget_s = 1979-05-27",
        "[watch]\nsettle_s = 0",
        "[watch]\nfolder = 3",
        "[watch]\nfolder = ''",
        "[watch]\noutput = 'relative'",
        "[watch]\nfolder = '~nobody-of-this-name/x'",
        '[watch]\nfolder = "/a\\u0000b"',
        '[synth]\nwav = "\\u0000"',
        "[osc]\naddress = ''",
        "[log]\nlevel = 'loud'",
        "watch = 3",
    ],
)
def test_bad_value_is_one_mistake_with_its_place(text):
    said = _mistakes(text)
    assert "config.toml: 1 mistake\n" in said
    place = text.split("]")[0].strip("[").split(" ")[0]
    assert place in said


def test_file_that_is_not_toml_names_the_line():
    assert "line 2" in _mistakes("[watch]\nfolder = \n")


def test_home_folder_is_understood(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert config.parse('[watch]\nfolder = "~/drop"').watch.folder == tmp_path / "drop"


def test_empty_path_is_none():
    assert config.parse('[watch]\noutput = ""').watch.output is None


def test_configuration_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Config().watch.settle_s = 3.0


def test_environment_variable_names_the_file(file):
    file.write_text("[match]\nbudget_s = 5\n")
    assert config.config_path() == file
    assert config.load().match.budget_s == 5.0


def test_named_file_that_is_missing_is_an_error(file):
    with pytest.raises(ConfigError, match=r"config\.toml"):
        config.load()


def test_missing_file_in_the_usual_place_is_all_defaults(monkeypatch, tmp_path):
    monkeypatch.delenv("ANTITHESIS_CONFIG", raising=False)
    monkeypatch.setattr(config.platformdirs, "user_config_path", lambda *_: tmp_path / "nowhere")
    assert config.load() == Config()


def test_file_in_a_strange_encoding_is_refused(file):
    file.write_bytes(b"[watch]\nfolder = '\xff\xfe'\n")
    with pytest.raises(ConfigError, match="cannot read"):
        config.load()


def test_created_file_holds_the_defaults_and_is_never_overwritten(file):
    assert config.create() == file
    assert config.load() == Config()
    with pytest.raises(ConfigError, match="there already"):
        config.create()


def test_link_to_the_file_stays_one_when_a_key_is_kept(file):
    real = file.with_name("real") / "config.toml"
    try:
        file.symlink_to(real)
    except OSError:
        pytest.skip("this system lets nobody make links")
    real.parent.mkdir()
    real.write_text("[match]\nbudget_s = 5.0\n")
    assert config.keep("hotkeys", "undo", "note 36") == file
    assert file.is_symlink()
    assert "budget_s = 5.0" in real.read_text()
    assert "note 36" in real.read_text()


def test_changes_from_the_command_line_are_checked_as_a_file_is():
    with pytest.raises(ConfigError, match="did you mean reaper"):
        config.changed(Config(), {"host": {"route": "raeper"}})


@pytest.mark.parametrize("name", HOSTS)
def test_every_host_of_the_table_can_be_configured(name):
    text = f'[host]\nroute = "{name}"\n[custom]\nport = 9000\nset = "/x/{{id}} {{value}}"\n'
    (row,) = config.host_rows(config.parse(text))
    assert row.name == name
    assert type(row.link) is type(HOSTS[name].link)


def link_of(text):
    (row,) = config.host_rows(config.parse(text))
    return row.link


def test_host_takes_its_settings_from_the_sections():
    text = '[host]\nroute = "{}"\n[osc]\naddress = "10.0.0.7"\nport = 8123\ntrack = 4\n'
    text += '[midi]\nport = "loop"\nresolution = 7\n[synth]\nport = 9555\n'
    ardour = link_of(text.format("ardour"))
    assert isinstance(ardour, OscLink)
    assert (ardour.address, ardour.port, ardour.track) == ("10.0.0.7", 8123, 4)
    midi = link_of(text.format("midi"))
    assert isinstance(midi, MidiLink)
    assert (midi.port, midi.bits) == ("loop", 7)
    builtin = link_of(text.format("builtin"))
    assert isinstance(builtin, OscLink)
    assert (builtin.address, builtin.port) == ("127.0.0.1", 9555)


def test_routes_are_tried_in_their_order_and_each_once():
    rows = config.host_rows(config.parse('[host]\nroute = "ardour"\nfallback = ["midi", "ardour"]'))
    assert [row.name for row in rows] == ["ardour", "midi"]


def test_a_port_is_that_of_the_route_that_was_named():
    text = '[host]\nroute = "ardour"\nfallback = ["reaper"]\n[osc]\nport = 8123\n'
    ardour, reaper = (row.link.port for row in config.host_rows(config.parse(text)))
    assert (ardour, reaper) == (8123, HOSTS["reaper"].link.port)


def test_unless_one_is_named_the_first_to_answer_is_the_host_and_the_built_in_synth_the_last():
    rows = config.host_rows(Config())
    assert [row.name for row in rows] == [row.name for row in HOSTS.values() if row.found]
    assert rows[-1].name == "builtin"


def test_how_presets_are_brought_is_configured():
    manner = config.manner(config.parse('[host]\nlocked = ["kOscMix"]\nglide_ms = 250\n'))
    assert (manner.locked, manner.glide_s) == ({8}, 0.25)


def test_a_parameter_that_is_none_cannot_be_locked():
    assert "did you mean kOscMix?" in _mistakes('[host]\nlocked = ["kOskMix"]')


def test_default_folder_is_in_the_users_home():
    assert Config().watch.folder.is_relative_to(Path.home())


def test_file_says_its_version_and_one_of_another_is_refused_with_the_remedy():
    assert "version = 1\n" in config.as_toml(Config())
    assert config.parse("version = 1\n[watch]\nsettle_s = 1\n").watch.settle_s == 1
    assert config.parse("[watch]\nsettle_s = 1\n").watch.settle_s == 1
    with pytest.raises(ConfigError, match=r"version 2.*knows 1: update"):
        config.parse("version = 2\n[sound]\nof = 'tomorrow'\n")
