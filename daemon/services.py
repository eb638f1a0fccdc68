"""The daemon as a service of the user's session: started at login, and again when it falls.

Each system has its own way; a way is a file that the system reads, and the commands that make it
read it. Everything runs as the user, nothing asks for rights.
"""

from __future__ import annotations

import os
import plistlib
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import platformdirs

from antithesis.errors import DeviceError
from daemon import child
from daemon.config import ENVIRONMENT_VARIABLE

NAME: Final = "antithesis"
LABEL: Final = "io.github.antithesis"
_PATIENCE_S: Final = 30.0
_POWERSHELL: Final = ("powershell", "-NoProfile", "-NonInteractive", "-Command")

Words = Sequence[str]


@dataclass(frozen=True)
class Service:
    """A way to be started by the system: its file, and commands to go on and off, and to ask.

    `running` is a pattern in what `ask` is answered where it runs.
    """

    system: str
    path: Path
    content: bytes
    start: tuple[Words, ...]
    stop: tuple[Words, ...]
    forget: tuple[Words, ...]
    ask: Words
    running: str

    def install(self) -> None:
        """Write the file and start the service; one that is there already is replaced.

        Raises:
            DeviceError: the system does not take it.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_bytes(self.content)
        except OSError as error:
            raise DeviceError(f"cannot write {self.path}: {error.strerror}") from error
        for words in self.stop:
            _run(words)  # of an older one; that there was none is no trouble
        for words in self.start:
            said = _run(words)
            if said.returncode:
                raise DeviceError(
                    f"`{' '.join(words)}` failed ({_last_line(said)}): {self.system} does not take"
                    f" {self.path}; until it does, use antithesis start"
                )

    def remove(self) -> bool:
        """Stop the service and delete its file; whether there was one."""
        there = self.path.exists()
        for words in self.stop:
            _run(words)
        self.path.unlink(missing_ok=True)
        for words in self.forget:
            _run(words)
        return there

    def runs(self) -> bool:
        """Whether the system says that it runs."""
        if not self.path.exists():
            return False
        said = _run(self.ask)
        return said.returncode == 0 and bool(re.search(self.running, said.stdout, re.MULTILINE))


def service() -> Service:
    """The way of this system."""
    return _WAYS.get(sys.platform, _systemd)()


def _command() -> tuple[str, ...]:
    return (*child.COMMAND, "start")


def _environment() -> Mapping[str, str]:
    """What the daemon has to be told to be the one that this command line would start."""
    told = {"PYTHONPATH": child.inherited()["PYTHONPATH"]}
    if ENVIRONMENT_VARIABLE in os.environ:
        told[ENVIRONMENT_VARIABLE] = os.environ[ENVIRONMENT_VARIABLE]
    return told


def _systemd() -> Service:
    unit = f"{NAME}.service"
    systemctl = ("systemctl", "--user")
    words = " ".join(map(_for_systemd, _command()))
    lines = (
        "[Unit]",
        "Description=Antithesis: drop a sound, get the Mika Micro preset",
        "After=pipewire.service pulseaudio.service",
        "",
        "[Service]",
        *(f"Environment={_for_systemd(f'{k}={v}')}" for k, v in _environment().items()),
        f"ExecStart={words}",
        "Restart=on-failure",
        "RestartSec=5",
        "TimeoutStopSec=10",
        "KillMode=mixed",
        "NoNewPrivileges=yes",
        "",
        "[Install]",
        "WantedBy=default.target",
        "",
    )
    return Service(
        system="systemd",
        path=platformdirs.user_config_path("systemd", False) / "user" / unit,
        content="\n".join(lines).encode(),
        start=((*systemctl, "daemon-reload"), (*systemctl, "enable", "--now", unit)),
        stop=((*systemctl, "disable", "--now", unit),),
        forget=((*systemctl, "daemon-reload"),),
        ask=(*systemctl, "is-active", "--quiet", unit),
        running="",
    )


def _for_systemd(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _launchd() -> Service:
    path = Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    domain = f"gui/{os.getuid()}"
    agent = {
        "Label": LABEL,
        "ProgramArguments": list(_command()),
        "EnvironmentVariables": dict(_environment()),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Interactive",
        "ExitTimeOut": 10,
    }
    return Service(
        system="launchd",
        path=path,
        content=plistlib.dumps(agent),
        start=(("launchctl", "bootstrap", domain, str(path)),),
        stop=(("launchctl", "bootout", f"{domain}/{LABEL}"),),
        forget=(),
        ask=("launchctl", "print", f"{domain}/{LABEL}"),
        running=r"^\s*pid = \d",  # else it is known, and has ended
    )


def _task_scheduler() -> Service:
    path = platformdirs.user_state_path("antithesis", False) / "service.xml"
    # A task has no environment of its own: the settings go before the command.
    settings = "".join(f'set "{k}={v}" && ' for k, v in _environment().items())
    words = subprocess.list2cmdline(_command())
    task = f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers><LogonTrigger><Enabled>true</Enabled></LogonTrigger></Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>10</Count></RestartOnFailure>
  </Settings>
  <Actions>
    <Exec>
      <Command>cmd.exe</Command>
      <Arguments>{escape(f'/d /s /c "{settings}{words}"')}</Arguments>
    </Exec>
  </Actions>
</Task>
"""
    return Service(
        system="the Task Scheduler",
        path=path,
        content=task.encode("utf-16"),
        start=(
            ("schtasks", "/Create", "/TN", NAME, "/XML", str(path), "/F"),
            ("schtasks", "/Run", "/TN", NAME),
        ),
        stop=(("schtasks", "/End", "/TN", NAME), ("schtasks", "/Delete", "/TN", NAME, "/F")),
        forget=(),
        # Not schtasks, which translates the state.
        ask=(*_POWERSHELL, f"(Get-ScheduledTask -TaskName {NAME}).State"),
        running="^Running$",
    )


_WAYS: Final[Mapping[str, Callable[[], Service]]] = {
    "darwin": _launchd,
    "win32": _task_scheduler,
}


def _run(words: Words) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(words, 1, "", str(error))


def _last_line(said: subprocess.CompletedProcess[str]) -> str:
    lines = (said.stderr or said.stdout).strip().splitlines()
    return lines[-1] if lines else f"status {said.returncode}"
