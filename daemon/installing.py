"""Files of ours that a DAW has to have, put in place and taken away: a row for each DAW."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final

from platformdirs import user_documents_path

from antithesis.errors import ConfigError, DeviceError
from antithesis.files import write_whole
from daemon.mistakes import suggest


@dataclass(frozen=True)
class Installation:
    """What one DAW needs: files of this package, or the archive of somebody else's project."""

    name: str
    folder: Callable[[], Path]  # where the DAW looks
    steps: tuple[str, ...]  # what is left to do by hand
    files: tuple[str, ...] = ()  # below it; they are in daemon/hostfiles, without their folders
    archive: str = ""  # where to get it; it goes into a folder called `unpacked`
    unpacked: str = ""
    proof: str = ""  # a file in it without which it is something else

    def targets(self) -> tuple[Path, ...]:
        """What is, or would be, put in place."""
        return tuple(self.folder() / name for name in (*self.files, self.unpacked) if name)


def _home_of_reaper() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home() / "AppData/Roaming")) / "REAPER/OSC"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/REAPER/OSC"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "REAPER/OSC"


def _home_of_ableton() -> Path:
    documents = Path.home() / ("Documents" if sys.platform == "win32" else "Music")
    return documents / "Ableton/User Library/Remote Scripts"


def _home_of_steinberg(program: str) -> Path:
    folder = f"Steinberg/{program}/MIDI Remote/Driver Scripts/Local"
    return user_documents_path() / folder


def _home_of_fl_studio() -> Path:
    return user_documents_path() / "Image-Line/FL Studio/Settings/Hardware"


def _home_of_bitwig() -> Path:
    place = Path.home() if sys.platform == "linux" else user_documents_path()
    return place / "Bitwig Studio/Controller Scripts"


_ROWS = (
    Installation(
        name="reaper",
        folder=_home_of_reaper,
        files=("Antithesis.ReaperOSC",),
        steps=(
            "in REAPER: Preferences > Control/OSC/web > Add, control surface mode: OSC",
            (
                'pattern config "Antithesis"; mode "Configure device IP+local port": device IP'
                " 127.0.0.1, device port 9000, local listen port 8000"
            ),
            'in Antithesis: [host] route = "reaper"',
        ),
    ),
    Installation(
        name="ableton",
        folder=_home_of_ableton,
        archive="https://github.com/ideoforms/AbletonOSC/archive/refs/heads/master.zip",
        unpacked="AbletonOSC",
        proof="abletonosc/device.py",
        steps=(
            "in Live (11 or newer): Preferences > Link/Tempo/MIDI > Control Surface: AbletonOSC",
            (
                "if Live shows fewer than Mika Micro's 38 parameters: Configure on the device, then"
                " touch each control"
            ),
            'in Antithesis: [host] route = "ableton"',
        ),
    ),
    Installation(
        name="bitwig",
        folder=_home_of_bitwig,
        files=("Antithesis/Antithesis.control.js",),
        steps=(
            "in Bitwig (3.3 or newer): Dashboard > Settings > Controllers > Add controller",
            "hardware vendor Antithesis, product Antithesis: Add; it needs no MIDI port",
            "after an update: switch the controller off and on there",
        ),
    ),
    Installation(
        name="fl-studio",
        folder=_home_of_fl_studio,
        files=("Antithesis/device_Antithesis.py",),
        steps=(
            (
                "on Windows make two ports with loopMIDI, Antithesis Script Out and Antithesis"
                ' Script In, and in Antithesis: [midi] port = "Antithesis Script Out", answers ='
                ' "Antithesis Script In"'
            ),
            (
                "in FL Studio: Options > MIDI settings: in Input, Antithesis Script Out: Enable,"
                " controller type Antithesis, port 77"
            ),
            "in Output, Antithesis Script In: the same port, 77",
            "after an update: View > Script output > Antithesis > Reload script",
            'in Antithesis: [host] route = "fl-studio"',
        ),
    ),
    *(
        Installation(
            name=program.lower(),
            folder=partial(_home_of_steinberg, program),
            files=("Antithesis/MikaMicro/Antithesis_MikaMicro.js",),
            steps=(
                (
                    f"in {program} (13 or newer): MIDI Remote > MIDI Remote Manager > Scripts >"
                    " Reload Scripts, or start it anew"
                ),
                (
                    "the script takes two MIDI ports by their names, Antithesis Script Out and"
                    " Antithesis Script In: see the page in the README for Windows"
                ),
                'in Antithesis: [host] route = "cubase"',
            ),
        )
        for program in ("Cubase", "Nuendo")
    ),
)

_MARK: Final = "antithesis.txt"  # in another project's folder that was made by us

INSTALLATIONS: Final[Mapping[str, Installation]] = MappingProxyType({r.name: r for r in _ROWS})


def find_installation(name: str) -> Installation:
    """The row called `name`; ConfigError with what there is."""
    if name not in INSTALLATIONS:
        raise ConfigError(f"nothing to install for {name!r}: {suggest(name, INSTALLATIONS)}")
    return INSTALLATIONS[name]


def install(row: Installation, archive: Path | None = None) -> tuple[Path, ...]:
    """Put the files in place, over older ones; return what was put there.

    Another project's are not ours to bring: they are left as they are, or taken from `archive`.

    Raises:
        ConfigError: there is no other project's yet and the archive is not given, or is none.
        DeviceError: the folder cannot be written.
    """
    theirs = row.folder() / row.unpacked
    if row.archive and archive is None:
        if (theirs / row.proof).exists():
            return ()
        raise ConfigError(
            f"{row.unpacked} is another project's, and not in {row.folder()}: get {row.archive}"
            f" and type: antithesis install {row.name} --from {PurePosixPath(row.archive).name}"
        )
    try:
        row.folder().mkdir(parents=True, exist_ok=True)
        for name in row.files:
            (row.folder() / name).parent.mkdir(parents=True, exist_ok=True)
            write_whole(row.folder() / name, _content(name))
        if archive is not None:
            _unpack(archive, theirs, row.proof)
            (theirs / _MARK).write_text("unpacked by antithesis install\n")
    except OSError as error:
        raise DeviceError(f"cannot write into {row.folder()}: {error.strerror}") from error
    return row.targets()


def uninstall(row: Installation) -> tuple[Path, ...]:
    """Take away what `install` put there, and nothing else; return what was there.

    Raises:
        DeviceError: it cannot be removed.
    """
    there = tuple(path for path in row.targets() if path.is_file() or (path / _MARK).exists())
    try:
        for path in there:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            _prune(path.parent, row.folder())
    except OSError as error:
        raise DeviceError(f"cannot remove {error.filename}: {error.strerror}") from error
    return there


def outdated(row: Installation) -> tuple[Path, ...]:
    """Installed files that are not those of this version."""
    return tuple(
        path
        for name in row.files
        if (path := row.folder() / name).exists() and path.read_bytes() != _content(name)
    )


def _prune(folder: Path, stop: Path) -> None:
    """Remove a folder that a file of ours left empty, and those above it, up to the DAW's own."""
    while folder != stop and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _content(name: str) -> bytes:
    return (resources.files("daemon") / "hostfiles" / PurePosixPath(name).name).read_bytes()


def _unpack(archive: Path, target: Path, proof: str) -> None:
    """What is inside the archive's one folder, whatever that is called."""
    try:
        with zipfile.ZipFile(archive) as files:
            inner = {
                name: PurePosixPath(*PurePosixPath(name).parts[1:])
                for name in files.namelist()
                if not name.endswith("/")
            }
            if PurePosixPath(proof) not in inner.values():
                raise zipfile.BadZipFile(f"it has no {proof}")
            if any(".." in path.parts for path in inner.values()):
                raise zipfile.BadZipFile("it leads out of its folder")
            for name, path in inner.items():
                place = target / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(files.read(name))
    except zipfile.BadZipFile as error:
        raise ConfigError(f"{archive} is not the archive it should be: {error}") from error
