"""What DAWs need of ours: put in place, told when old, taken away."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from antithesis.errors import ConfigError, DeviceError
from daemon.cli import cli
from daemon.config import Config
from daemon.doctor import Verdict, host_files
from daemon.hosts import HOSTS, OscLink
from daemon.installing import INSTALLATIONS, find_installation, install, outdated, uninstall

REAPER, ABLETON, BITWIG = (INSTALLATIONS[name] for name in ("reaper", "ableton", "bitwig"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "USERPROFILE", "APPDATA", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


def test_files_are_put_in_place_and_taken_away() -> None:
    (path,) = install(REAPER)

    assert path.name == "Antithesis.ReaperOSC"
    assert path.parent.parts[-2:] == ("REAPER", "OSC")
    assert uninstall(REAPER) == (path,)
    assert not path.exists()
    assert uninstall(REAPER) == ()


def test_an_older_version_is_told_and_replaced() -> None:
    (path,) = install(REAPER)
    path.write_text("# of last year")

    assert outdated(REAPER) == (path,)
    row = host_files(Config())
    assert (row.verdict, row.remedy) == (Verdict.WARN, "antithesis install reaper")
    install(REAPER)
    assert outdated(REAPER) == ()
    assert host_files(Config()).finding == "installed for: reaper"


def test_other_files_of_the_daw_are_left_alone(home: Path) -> None:
    (path,) = install(REAPER)
    other = path.with_name("Mine.ReaperOSC")
    other.write_text("mine")

    uninstall(REAPER)

    assert other.read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="a file is no folder there either, but else")
def test_a_folder_that_cannot_be_made_is_an_error(home: Path) -> None:
    (home / "REAPER").write_text("a file")

    with pytest.raises(DeviceError, match="cannot write into"):
        install(REAPER)


def test_a_folder_of_our_own_goes_with_its_last_file(home: Path) -> None:
    (script,) = install(BITWIG)
    assert script.relative_to(BITWIG.folder()).as_posix() == "Antithesis/Antithesis.control.js"
    assert BITWIG.folder().parts[-2:] == ("Bitwig Studio", "Controller Scripts")

    assert uninstall(BITWIG) == (script,)
    assert BITWIG.folder().is_dir()
    assert not script.parent.exists()


def test_a_folder_of_our_own_stays_with_what_the_user_put_there() -> None:
    (script,) = install(BITWIG)
    mine = script.with_name("mine.control.js")
    mine.write_text("// mine")

    uninstall(BITWIG)

    assert mine.exists()


def test_what_a_folder_has_of_another_version_is_told_by_the_name_of_the_daw() -> None:
    (script,) = install(BITWIG)
    script.write_text("// of last year")

    assert host_files(Config()).remedy == "antithesis install bitwig"


def archive(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as files:
        for name in names:
            files.writestr(name, f"# {name}")
    return path


def test_an_archive_is_unpacked_under_the_name_that_the_daw_shows(home: Path) -> None:
    names = ("AbletonOSC-master/__init__.py", "AbletonOSC-master/abletonosc/device.py")

    (folder,) = install(ABLETON, archive(home / "it.zip", *names))

    assert folder.name == "AbletonOSC"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")} == {
        "__init__.py",
        "abletonosc/device.py",
    }
    assert uninstall(ABLETON) == (folder,)


def test_an_archive_is_asked_for_with_its_address() -> None:
    with pytest.raises(ConfigError, match=r"get https://.*AbletonOSC.* --from"):
        install(ABLETON)


def test_an_archive_that_is_there_already_is_left_as_it_is(home: Path) -> None:
    theirs = ABLETON.folder() / "AbletonOSC/abletonosc/device.py"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("# the user's own")

    assert install(ABLETON) == ()
    assert uninstall(ABLETON) == ()
    assert theirs.read_text() == "# the user's own"


def test_the_command_says_what_to_do_with_another_project(home: Path) -> None:
    refused = CliRunner().invoke(cli, ["install", "ableton"])
    assert "AbletonOSC" in str(refused.output) + str(refused.exception)

    zipped = archive(home / "it.zip", "AbletonOSC-master/abletonosc/device.py")
    first = CliRunner().invoke(cli, ["install", "ableton", "--from", str(zipped)]).output
    again = CliRunner().invoke(cli, ["install", "ableton"]).output

    assert first.startswith("installed ")
    assert again.startswith("AbletonOSC is there already: ")
    assert "Control Surface: AbletonOSC" in again


@pytest.mark.parametrize(
    "names",
    [("a/../../out.py", "a/abletonosc/device.py"), ("another/__init__.py",), ()],
)
def test_an_archive_that_leads_elsewhere_or_nowhere_is_refused(
    home: Path, names: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError, match="not the archive"):
        install(ABLETON, archive(home / "it.zip", *names))
    assert not list(home.rglob("out.py"))


def test_a_file_that_is_no_archive_is_refused(home: Path) -> None:
    (home / "it.zip").write_text("no")

    with pytest.raises(ConfigError, match="not the archive"):
        install(ABLETON, home / "it.zip")


def test_an_unknown_daw_is_refused_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"'reeper'.*did you mean reaper"):
        find_installation("reeper")


def test_the_pattern_file_has_every_address_that_the_row_uses() -> None:
    (path,) = install(REAPER)
    told = {word[1:] for line in path.read_text().splitlines() for word in line.split()[1:]}
    link = HOSTS["reaper"].link
    assert isinstance(link, OscLink)
    messages = (*link.greeting, *link.ask, *link.told, link.set_one, link.note_on)

    assert all(messages)
    used = {re.sub(r"\{\w+\}|(?<=midi/)0", "@", message.address) for message in messages}

    assert used <= told
    assert {"/track/@/fxinst/name", "/fxinst/name", "/fxinstparam/@/name"} <= told
