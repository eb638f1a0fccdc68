"""Ardour, a real DAW, without a screen: a session made by its own script, and its process."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import lv2
from tests.oscpeer import message

PATIENCE_S = 60.0
_STARTS = 5
_MAKING_S = 30.0
_TRIES = 10

_MAKE_SESSION = """
local session = create_session("{folder}", "{name}", {rate})
local function track(title, uri)
    local plugin = ARDOUR.LuaAPI.new_plugin_info(uri, ARDOUR.PluginType.LV2)
    assert(plugin:isnil() == false, uri)
    session:new_midi_track(
        ARDOUR.ChanCount(ARDOUR.DataType("midi"), 1), ARDOUR.ChanCount(ARDOUR.DataType("audio"), 2),
        true, plugin, nil, nil, 1, title, ARDOUR.PresentationInfo.max_order,
        ARDOUR.TrackMode.Normal, true)
end
{tracks}
session:save_state("")
close_session()
quit()
"""


def missing() -> str:
    """What this machine lacks to run it, or nothing."""
    if not _installed():
        return "Ardour is missing: apt-get install ardour"
    return lv2.missing()


def _installed() -> str:
    """The newest one's name, such as ardour7."""
    found = sorted(path.parent.name for path in Path("/usr/lib").glob("ardour*/hardour-*"))
    return found[-1] if found else ""


@dataclass(frozen=True)
class Session:
    """A session on disk, with a home of its own for Ardour's settings."""

    home: Path
    name: str = "session"

    @property
    def folder(self) -> Path:
        return self.home / self.name

    @property
    def _file(self) -> Path:
        return self.folder / f"{self.name}.ardour"

    @property
    def environment(self) -> dict[str, str]:
        ardour = _installed()
        return os.environ | {
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "LV2_PATH": f"{self.home / 'lv2'}:/usr/lib/lv2:/usr/lib/{ardour}/LV2",
            "LD_LIBRARY_PATH": f"/usr/lib/{ardour}",
            "ARDOUR_DATA_PATH": f"/usr/share/{ardour}",
            "ARDOUR_CONFIG_PATH": f"/etc/{ardour}",
            "ARDOUR_DLL_PATH": f"/usr/lib/{ardour}",
        }

    def make(self, tracks: dict[str, str], rate: int = 44100) -> None:
        """Write it, with a MIDI track for each title, and on it the plug-in of that URI."""
        lines = "\n".join(f'track("{title}", "{uri}")' for title, uri in tracks.items())
        script = self.home / "make.lua"
        script.write_text(
            _MAKE_SESSION.format(folder=self.folder, name=self.name, rate=rate, tracks=lines)
        )
        for _ in range(_STARTS):
            shutil.rmtree(self.folder, ignore_errors=True)
            # Now and then it aborts or hangs on leaving, with everything written.
            with suppress(subprocess.TimeoutExpired):
                subprocess.run(
                    [f"{_installed()}-lua", str(script)],
                    env=self.environment,
                    capture_output=True,
                    timeout=_MAKING_S,
                    check=False,
                )
            if self._file.exists() and all(title in self._file.read_text() for title in tracks):
                break
        else:
            pytest.skip("Ardour makes no session here")
        self._switch_on('name="Open Sound Control \\(OSC\\)"')

    def routes(self) -> list[str]:
        """Its tracks and busses, by name."""
        return re.findall(r'<Route [^>]*\bname="([^"]+)"', self._file.read_text())

    def turn_tracks_round(self) -> None:
        """Have its two tracks in the other order."""
        place = re.compile(r'<PresentationInfo order="([12])" flags="MidiTrack,OrderSet"')
        text = place.sub(
            lambda m: m[0].replace(m[1], str(3 - int(m[1])), 1), self._file.read_text()
        )
        self._file.write_text(text)

    def map_controllers(self, bindings: str) -> None:
        """Give it a MIDI map, which binds controllers to parameters."""
        maps = self.home / ".config" / _installed() / "midi_maps"
        maps.mkdir(parents=True)
        text = f'<ArdourMIDIBindings version="1.1.0" name="test">{bindings}</ArdourMIDIBindings>'
        (maps / "test.map").write_text(text)
        self._switch_on('name="Generic MIDI"', ' motorized="1" binding="test"')

    def _switch_on(self, protocol: str, more: str = "") -> None:
        text, count = re.subn(
            rf'(<Protocol {protocol}) active="[01]"',
            rf'\1 active="1"{more}',
            self._file.read_text(),
        )
        assert count == 1, f"no {protocol} in {self._file}"
        self._file.write_text(text)


@contextmanager
def running(session: Session) -> Iterator[subprocess.Popen[bytes]]:
    """Run it on the JACK server of the environment, once its tracks play and it answers."""
    for _ in range(_STARTS):
        process = _start(session)
        try:
            if _plays(process, session.routes()) and _heard(session.routes()):
                yield process
                return
        finally:
            process.kill()
            process.wait(PATIENCE_S)
            _leave_jack()
    pytest.skip("Ardour does not join JACK here")


def _start(session: Session) -> subprocess.Popen[bytes]:
    (program,) = Path("/usr/lib", _installed()).glob("hardour-*")
    # On several cores it lost the server in half of its starts.
    core = str(min(os.sched_getaffinity(0)))
    command = ["taskset", "-c", core, str(program), "-P", "-c", "hardour"]
    return subprocess.Popen(
        [*command, str(session.folder), session.name],
        env=session.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _ports() -> str:
    return subprocess.run(["jack_lsp"], capture_output=True, text=True, check=False).stdout


def _leave_jack() -> None:
    """Wait until the server has noticed: the next Ardour wants the same name."""
    end = time.monotonic() + PATIENCE_S / 3
    while "hardour" in _ports() and time.monotonic() < end:
        time.sleep(0.1)


def _plays(process: subprocess.Popen[bytes], routes: list[str]) -> bool:
    """Whether it came up whole: some starts lose JACK, with the process alive."""
    end = time.monotonic() + PATIENCE_S / 3
    while time.monotonic() < end and process.poll() is None:
        ports = _ports()
        wanted = [f"hardour:{name}/audio_out 1" for name in routes]
        if all(port in ports for port in [*wanted, "hardour:Master/audio_in 1"]) and _answers():
            return True
        time.sleep(0.1)
    return False


def _heard(routes: list[str]) -> bool:
    """Put every track on the master; whether that could be done."""
    ends = [
        (f"hardour:{name}/audio_out {side}", f"hardour:Master/audio_in {side}")
        for name in routes
        if name != "Master"
        for side in (1, 2)
    ]
    return all(_eventually(["jack_connect", *pair]) for pair in ends)


def _eventually(command: list[str]) -> bool:
    for _ in range(_TRIES):
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return True
        time.sleep(0.2)
    return False


def _answers() -> bool:
    """Whether it knows its strips: it listens before it has loaded the session."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.5)
        asking.connect(("127.0.0.1", 3819))
        try:
            asking.send(message("/set_surface", 0, 159, 16387, 0, 0, 0, 0).dgram)
            asking.send(message("/strip/list").dgram)
            return bool(asking.recv(65536))
        except OSError:
            return False
