"""What the daemon does, seen from outside: while it runs, and before it ever ran."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from daemon import config
from daemon.alone import alone
from daemon.cli import cli
from daemon.journal import JOURNAL, Journal, Outcome
from daemon.settling import Drop
from daemon.status import look_at
from tests.test_companion import settings, write_tone


@pytest.fixture
def ours(tmp_path):
    chosen = settings(tmp_path)
    chosen.watch.folder.mkdir()
    return chosen


@pytest.fixture
def busy(ours):
    """A daemon that has matched one file, refused one, and has two to go, one of them in work."""
    folder = ours.watch.folder
    drops = [Drop(folder / name, 1, 1) for name in ("Bass A2.wav", "no.wav")]
    for name in ("now.wav", "next.wav"):
        write_tone(folder / name)
    with alone(ours.state.folder), Journal(ours.state.folder / JOURNAL) as journal:
        journal.tell({"since": "2026-01-01 12:00:00", "watching": str(folder), "host": "REAPER"})
        for drop in drops:
            journal.begin(drop)
        journal.end(drops[0], Outcome.MATCHED, "/results/Bass A2.wav.antithesis", "REAPER: sent")
        journal.end(drops[1], Outcome.REFUSED, "silent; turn it up")
        journal.begin(Drop.at(folder / "now.wav"))
        yield ours


def lines(chosen):
    return "\n".join(look_at(chosen).as_lines())


def test_it_tells_what_runs_what_waits_what_was_done_and_what_the_host_said(busy):
    told = lines(busy)
    assert "running as process" in told
    assert f"watching    {busy.watch.folder}" in told
    assert "host        REAPER" in told
    assert "answer      REAPER: sent, 20" in told
    assert "2 waiting; " in told
    assert "Bass A2.wav: matched: /results/Bass A2.wav.antithesis (REAPER: sent)" in told
    assert "no.wav: refused: silent; turn it up" in told
    assert told.splitlines()[-1].endswith("now.wav: in work")


def test_machines_read_the_same(busy, tmp_path, monkeypatch):
    (tmp_path / "config.toml").write_text(config.as_toml(busy), "utf-8")
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(tmp_path / "config.toml"))
    result = CliRunner().invoke(cli, ["status", "--json"])
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert told["process"] > 0
    assert (told["waiting"], told["counts"]) == (2, {"matched": 1, "open": 1, "refused": 1})
    assert [job["outcome"] for job in told["last"]] == ["matched", "refused", None]


def test_before_the_first_start_it_says_how_to(ours, tmp_path, monkeypatch):
    told = lines(ours)
    assert told.startswith("not running: start it with antithesis start")
    assert "nothing was sent yet" in told
    assert not ours.state.folder.exists()
    (tmp_path / "config.toml").write_text(config.as_toml(ours), "utf-8")
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(tmp_path / "config.toml"))
    assert CliRunner().invoke(cli, ["status"]).exit_code == 1


def test_folder_that_cannot_be_read_is_told_beside_the_rest(busy, monkeypatch):
    folder = busy.watch.folder
    folder.chmod(0)
    if os.access(folder, os.R_OK):  # nothing is closed to root, nor by this to Windows

        def refused(_folder):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "iterdir", refused)
    try:
        told = lines(busy)
        assert look_at(busy).as_dict()["waiting"] is None
    finally:
        folder.chmod(0o700)
    assert "files       the watched folder cannot be read: see its permissions; 1 matched" in told
    assert "running as process" in told


def test_asking_changes_nothing(busy):
    before = sorted(busy.state.folder.iterdir())
    look_at(busy)
    assert sorted(busy.state.folder.iterdir()) == before
    assert not busy.watch.output.exists()


def test_names_of_any_kind_are_one_line(ours):
    with Journal(ours.state.folder / JOURNAL) as journal:
        journal.begin(Drop(ours.watch.folder / "new\nline.wav", 1, 1))
    assert lines(ours).splitlines()[-1].endswith(r"'new\nline.wav: in work'")
