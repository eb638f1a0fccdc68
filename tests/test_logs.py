"""What the daemon tells: on standard error and in a file that does not grow for ever."""

from __future__ import annotations

import logging

import pytest

from antithesis.errors import ConfigError
from daemon import logs
from daemon.logs import telling

LOG = logging.getLogger("daemon.test")


def test_lines_go_to_standard_error_and_into_the_file(tmp_path, capsys):
    with telling(tmp_path, "info"):
        LOG.info("a.wav: matched")
        LOG.debug("not asked for")
    said = (tmp_path / logs.NAME).read_text()
    assert said.endswith("  a.wav: matched\n")
    assert capsys.readouterr().err == said
    assert said.count("\n") == 1


def test_name_that_is_no_utf8_is_told_too(tmp_path):
    with telling(tmp_path, "info"):
        LOG.info("\udcffbad.wav: matched")
    assert (tmp_path / logs.NAME).read_text().endswith(r"  \udcffbad.wav: matched" + "\n")


def test_what_was_told_before_a_restart_stays(tmp_path):
    for number in range(2):
        with telling(tmp_path, "info"):
            LOG.info("start %d", number)
    assert (tmp_path / logs.NAME).read_text().count("start") == 2


def test_file_begins_anew_when_it_is_full_and_few_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "_BYTES", 1000)
    with telling(tmp_path, "info"):
        for number in range(1000):
            LOG.info("line %d", number)
    files = list(tmp_path.iterdir())
    assert len(files) == 5
    assert all(path.stat().st_size <= 1000 for path in files)
    assert "line 999" in (tmp_path / logs.NAME).read_text()


def test_leaving_takes_everything_back(tmp_path):
    told = logging.getLogger("daemon")
    before = list(told.handlers), told.level
    with telling(tmp_path, "debug"):
        pass
    assert (list(told.handlers), told.level) == before


def test_folder_that_cannot_be_written_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(ConfigError, match=r"state\.folder"), telling(tmp_path / "none", "info"):
        pass
