"""The daemon as the system's service: real checkers read the files, stand-ins take the commands."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from antithesis.errors import DeviceError
from daemon import services
from daemon.cli import cli
from daemon.config import ENVIRONMENT_VARIABLE, Config, as_toml, changed
from daemon.services import service

linux = pytest.mark.skipif(sys.platform != "linux", reason="this is how Linux does it")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of our own, and a configuration in a folder that is hard to quote."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(tmp_path / 'a "b" 100% $HOME & <c>.toml'))
    return tmp_path


@pytest.fixture
def systemctl(home, monkeypatch):
    """A `systemctl` that writes down what it was told, and fails where a file says so."""
    told = home / "told"
    program = home / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {told}\n'
        f'if [ -e {home}/broken ]; then echo "Failed to connect to bus" >&2; exit 1; fi\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    return lambda: told.read_text().splitlines() if told.exists() else []


@linux
def test_systemd_accepts_the_unit(home):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    unit = service()
    unit.path.parent.mkdir(parents=True)
    unit.path.write_bytes(unit.content)
    verify = ["systemd-analyze", "verify", "--user", "--man=no", str(unit.path)]
    environment = os.environ | {"XDG_RUNTIME_DIR": str(home)}
    checked = subprocess.run(verify, capture_output=True, text=True, check=False, env=environment)
    ours = [line for line in checked.stderr.splitlines() if unit.path.name in line]
    assert ours == [], checked.stderr


@linux
def test_systemd_finds_words_and_settings_as_they_were_meant(home):
    unit = service().content.decode()
    assert r"a \"b\" 100%% $$HOME & <c>.toml" in unit
    assert f'ExecStart="{sys.executable}" "-P" "-m" "daemon" "start"' in unit


@linux
def test_install_starts_it_and_remove_leaves_nothing(home, systemctl):
    run = CliRunner().invoke
    assert run(cli, ["service", "status"]).exit_code == 1
    installed = run(cli, ["service", "install"])
    assert installed.exit_code == 0, installed.output
    assert service().path.exists()
    assert systemctl()[-2:] == ["--user daemon-reload", "--user enable --now antithesis.service"]
    assert run(cli, ["service", "status"]).stdout == "runs\n"
    assert run(cli, ["service", "remove"]).stdout == "removed\n"
    assert not service().path.exists()
    assert systemctl()[-2:] == ["--user disable --now antithesis.service", "--user daemon-reload"]
    assert "there was none" in run(cli, ["service", "remove"]).stdout


@linux
def test_system_that_does_not_take_it_is_told_with_the_way_out(home, systemctl):
    (home / "broken").touch()
    with pytest.raises(DeviceError, match=r"Failed to connect to bus.*antithesis start"):
        service().install()
    assert not service().runs()


@linux
def test_system_without_systemd_is_told(home, monkeypatch):
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(DeviceError, match="systemctl"):
        service().install()


def test_launchd_reads_the_agent(home, monkeypatch):
    monkeypatch.setattr(services.sys, "platform", "darwin")
    monkeypatch.setattr(services.os, "getuid", lambda: 501, raising=False)
    agent = plistlib.loads(service().content)
    assert agent["ProgramArguments"][1:] == ["-P", "-m", "daemon", "start"]
    assert agent["EnvironmentVariables"]["ANTITHESIS_CONFIG"] == os.environ["ANTITHESIS_CONFIG"]
    assert agent["KeepAlive"] == {"SuccessfulExit": False}


def test_task_scheduler_reads_the_task(home, monkeypatch):
    monkeypatch.setattr(services.sys, "platform", "win32")
    task = ElementTree.fromstring(service().content.decode("utf-16"))
    names = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    words = task.find(".//t:Arguments", names).text
    assert "-m daemon start" in words
    assert "& <c>.toml" in words


LAUNCHD = """gui/501/io.github.antithesis = {{
	active count = {count}
	path = {path}
	type = LaunchAgent
	state = {state}
{pid}	properties = keepalive | runatload | inferred program
}}
"""
IDLE = LAUNCHD.format(count=0, path="a.plist", state="not running", pid="")
ALIVE = LAUNCHD.format(count=1, path="a.plist", state="running", pid="\tpid = 4711\n")


@linux
@pytest.mark.parametrize(
    ("system", "program", "said", "runs"),
    [
        ("darwin", "launchctl", ALIVE, True),
        ("darwin", "launchctl", IDLE, False),
        ("win32", "powershell", "Running\n", True),
        ("win32", "powershell", "Ready\n", False),
        ("win32", "powershell", "", False),
    ],
)
def test_service_that_is_only_installed_does_not_run(
    home, monkeypatch, system, program, said, runs
):
    with monkeypatch.context() as patched:
        patched.setattr(services.sys, "platform", system)
        ours = service()
    ours.path.parent.mkdir(parents=True)
    ours.path.touch()
    asked = home / "bin" / program
    asked.parent.mkdir()
    asked.write_text(f"#!/bin/sh\ncat <<'END'\n{said}END\n")
    asked.chmod(0o755)
    monkeypatch.setenv("PATH", str(asked.parent), prepend=os.pathsep)
    assert ours.runs() is runs


def test_word_that_is_none_of_three_is_refused():
    assert CliRunner().invoke(cli, ["service", "restart"]).exit_code == 2


# As it is started by a service: from anywhere, with nothing but what the file says.


def test_command_of_the_service_runs_from_any_folder(home):
    command = [*services._command()[:-1], "--version"]
    environment = {**services._environment(), "HOME": str(home), "PATH": os.defpath}
    (home / "daemon.py").write_text("raise SystemExit('the working folder was looked into')")
    said = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=home, env=environment
    )
    assert said.stdout.startswith("antithesis ") or "not installed" in said.stderr


# Beside a real systemd of a user's own.

ALONE = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
SYSTEMD = Path("/lib/systemd/systemd")
LIFE = """
import json, os, signal, subprocess, sys, time
from click.testing import CliRunner
from daemon.cli import cli
from daemon.services import service

def run(*words):
    done = CliRunner().invoke(cli, ["service", *words])
    return done.exit_code, done.output

def shown(key):
    words = ["systemctl", "--user", "show", "--value", "-p", key, "antithesis.service"]
    return subprocess.run(words, capture_output=True, text=True).stdout.strip()

def wait_for(met):
    end = time.monotonic() + 120
    while not met():
        assert time.monotonic() < end, (shown("ActiveState"), open(sys.argv[1]).read()[-2000:])
        time.sleep(0.05)

told = {"before": run("status"), "install": run("install"), "status": run("status")}
wait_for(lambda: os.path.exists(sys.argv[1]) and "watching" in open(sys.argv[1]).read())
told["enabled"] = shown("UnitFileState")
os.kill(int(shown("MainPID")), signal.SIGKILL)
wait_for(lambda: shown("SubState") == "auto-restart" or shown("NRestarts") != "0")
told["remove"] = run("remove")
told["after"] = run("status")
told["left"] = [shown("LoadState"), shown("MainPID"), service().path.exists()]
print(json.dumps(told))
"""


@linux
@pytest.mark.timeout(300)
def test_systemd_starts_it_again_when_it_is_killed_and_forgets_it_when_it_is_removed(tmp_path):
    if os.geteuid() != 0 or shutil.which("unshare") is None or not SYSTEMD.exists():
        pytest.skip("only root on Linux with systemd may run one of its own")
    script = ["sh", str(Path(__file__).with_name("usersystemd.sh")), str(tmp_path)]
    if subprocess.run([*ALONE, *script, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets no systemd of our own run")
    config = changed(
        Config(),
        {
            "watch": {"folder": str(tmp_path / "drops")},
            "host": {"route": "memory"},
            "capture": {"listen": False},
            "state": {"folder": str(tmp_path / "state")},
        },
    )
    (tmp_path / "config.toml").write_text(as_toml(config), "utf-8")
    done = subprocess.run(
        [*ALONE, *script, sys.executable, "-c", LIFE, str(tmp_path / "state" / "antithesis.log")],
        env=os.environ | {ENVIRONMENT_VARIABLE: str(tmp_path / "config.toml")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [told[key][0] for key in ("before", "install", "status")] == [1, 0, 0], told
    assert told["enabled"] == "enabled"
    assert [told[key][0] for key in ("remove", "after")] == [0, 1], told
    assert told["left"] == ["not-found", "0", False]
