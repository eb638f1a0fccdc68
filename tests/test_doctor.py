"""The doctor: every finding is looked at for real, and each trouble comes with its remedy."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from antithesis.errors import ModelError
from antithesis.parameters import fingerprint
from daemon import config, doctor
from daemon.cli import cli
from daemon.config import Config
from daemon.doctor import Row, Verdict
from daemon.ports import free_port


@pytest.fixture
def settings(tmp_path):
    """A configuration that touches nothing outside of the test's folder, and no open port."""
    sections = {"watch": {"folder": str(tmp_path / "drop")}, "synth": {"port": free_port()}}
    return config.changed(Config(), sections)


@pytest.fixture
def file(settings, tmp_path, monkeypatch):
    path = tmp_path / "config.toml"
    path.write_text(config.as_toml(settings), "utf-8")
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(path))
    return path


def test_every_check_ends_in_a_row_and_each_trouble_has_a_remedy(file):
    rows = list(doctor.examine())
    assert len(rows) == len({row.name for row in rows}) == len(doctor.CHECKS) + 1
    for row in rows:
        assert row.finding
        assert row.remedy or row.verdict is Verdict.OK


def test_wrong_configuration_is_one_row_and_the_other_checks_go_on(file):
    file.write_text("[watch]\nsettle = 1\n")
    first, *others = doctor.examine()
    assert first.verdict is Verdict.FAIL
    assert "settle_s" in first.finding
    assert len(others) == len(doctor.CHECKS)


def test_looking_at_the_folder_does_not_make_it(settings):
    row = doctor.folder(settings)
    assert row.verdict is Verdict.OK
    assert "will be made" in row.finding
    assert not settings.watch.folder.exists()


def test_folder_that_is_there_is_tried(settings):
    settings.watch.folder.mkdir()
    assert "can be read and written" in doctor.folder(settings).finding
    assert list(settings.watch.folder.iterdir()) == []


def test_folder_that_cannot_be_written_fails(settings):
    settings.watch.folder.write_text("a file stands where the folder should be")
    row = doctor.folder(settings)
    assert row.verdict is Verdict.FAIL
    assert "watch.folder" in row.remedy


def test_host_that_does_not_run_is_a_warning_with_the_way_to_start_it(settings):
    row = doctor.host(settings)
    assert row.verdict is Verdict.WARN
    assert "antithesis synth" in row.remedy


def test_host_that_runs_is_asked_what_it_plays(settings, tmp_path):
    from daemon.synthserver import BuiltInSynth

    with BuiltInSynth(osc_port=settings.synth.port, wav=tmp_path / "out.wav"):
        row = doctor.host(settings)
    assert row.verdict is Verdict.OK
    assert "38 parameters" in row.finding


def test_weights_are_loaded_as_a_match_loads_them(settings):
    row = doctor.model(settings)
    assert row.verdict is Verdict.OK, row
    assert fingerprint() in row.finding


def test_missing_weights_fail_with_the_remedy(settings, monkeypatch):
    def missing():
        raise ModelError("no weights")

    monkeypatch.setattr("antithesis.network.model_path", missing)
    row = doctor.model(settings)
    assert row.verdict is Verdict.FAIL
    assert "install" in row.remedy


def test_missing_package_is_named_with_the_command(settings, monkeypatch):
    monkeypatch.setattr(doctor.metadata, "version", lambda name: _found(name, missing="soxr"))
    monkeypatch.setattr(
        doctor.metadata, "requires", lambda _name: ["numpy>=2", "soxr<2", 'keras; extra == "train"']
    )
    row = doctor.packages(settings)
    assert row.verdict is Verdict.FAIL
    assert row.finding == "missing: soxr"
    assert row.remedy.endswith("pip install soxr")


def _found(name, missing):
    if name == missing:
        raise doctor.metadata.PackageNotFoundError
    return "1.0"


def test_linux_without_a_display_says_so(settings, monkeypatch):
    monkeypatch.setattr(doctor.sys, "platform", "linux")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert "none" in doctor.display(settings).finding
    monkeypatch.setenv("DISPLAY", ":7")
    assert doctor.display(settings).finding == ":7"


def test_remedy_stands_below_the_finding():
    first, second = Row("midi", Verdict.WARN, "no ports", "plug one in").as_text().splitlines()
    assert first.split() == ["warn", "midi", "no", "ports"]
    assert second.strip() == "plug one in"


def test_command_tells_machines_a_row_a_line(file):
    result = CliRunner().invoke(cli, ["doctor", "--json"])
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {row["verdict"] for row in rows} <= set(Verdict)
    assert result.exit_code == ("fail" in {row["verdict"] for row in rows})


def test_failure_is_in_the_exit_status(file):
    file.write_text("nonsense")
    assert CliRunner().invoke(cli, ["doctor"]).exit_code == 1
