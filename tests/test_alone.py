"""One daemon at a time: the lock ends with its process, however that ended."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from antithesis.errors import ConfigError
from daemon.alone import alone, runs

HOLD = """
import sys
from pathlib import Path
from daemon.alone import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_second_is_told_who_was_first_and_what_to_do(holder, tmp_path):
    with pytest.raises(ConfigError, match=rf"process {holder.pid}.*state\.folder"), alone(tmp_path):
        pass
    assert runs(tmp_path) == holder.pid


def test_killed_one_is_in_nobodys_way(holder, tmp_path):
    holder.kill()
    holder.wait()
    assert runs(tmp_path) is None
    with alone(tmp_path):
        assert runs(tmp_path) == os.getpid()
    assert runs(tmp_path) is None


def test_nobody_runs_where_nothing_ever_ran(tmp_path):
    assert runs(tmp_path / "never") is None


def test_folder_that_cannot_be_written_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"set state\.folder"), alone(tmp_path / "file"):
        pass
