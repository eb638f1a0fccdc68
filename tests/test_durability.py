"""Nothing is lost and nothing is half: killed, without power, on full disks, without its folder."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from random import Random

import pytest

from daemon.journal import look
from tests.lives import Lives, may_mount, mounted
from tests.test_companion import settings, write_tone

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

KILLS = 50
FILES = 200


@pytest.fixture(scope="module")
def lives(tmp_path_factory):
    with Lives(tmp_path_factory.mktemp("lives")) as lives:
        yield lives


@pytest.fixture
def needs_mount():
    if reason := may_mount():
        pytest.skip(reason)


@pytest.fixture
def memory(tmp_path):
    """A folder in memory, where there is one: what a killed process wrote is there all the same."""
    if not Path("/dev/shm").is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="antithesis-") as folder:
        yield Path(folder)


def drop(folder, name, tone):
    """A file that is complete once it is seen, made of a sound that is there."""
    shutil.copyfile(tone, folder / f"{name}.part")
    (folder / f"{name}.part").rename(folder / name)


def visible(results):
    """Outcomes that a user sees: their names, and what tells a folder from another of its name."""
    return {path.name: path.stat().st_ino for path in results.glob("[!.]*")}


def assert_whole(results):
    """Every outcome that is seen is complete."""
    for path in results.glob("[!.]*.antithesis"):
        (content,) = path.iterdir()
        assert "dropped" in json.loads(content.read_text("utf-8")), path
    for path in results.glob("[!.]*.refused.txt"):
        assert path.read_text("utf-8").startswith("There is no match"), path


def assert_each_once(journal, results, names):
    """Each file has one job in the journal, and the outcome that it says."""
    with closing(sqlite3.connect(journal)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = file.execute("SELECT path, outcome FROM jobs ORDER BY path").fetchall()
    assert [path.rpartition("/")[2] for path, _ in rows] == sorted(names)
    assert {outcome for _, outcome in rows} == {"matched"}
    left = sorted(path.name for path in results.iterdir())
    assert left == sorted(f"{name}.antithesis" for name in names)
    assert_whole(results)


def test_killed_at_50_random_moments_over_200_files_each_is_matched_once(lives, memory):
    config, random = settings(memory), Random(0)
    drops, results = config.watch.folder, config.watch.output
    drops.mkdir()
    write_tone(memory / "tone.wav", seconds=0.02)
    names = [f"{number:03}.wav" for number in range(FILES)]
    seen = {}
    for kill in range(KILLS):
        for name in names[kill * FILES // KILLS : (kill + 1) * FILES // KILLS]:
            drop(drops, name, memory / "tone.wav")
        # By its progress, not by a clock: on any machine some was done, and there is work left,
        # since the last match does not end.
        waiting = (kill + 1) * FILES // KILLS - len(seen)
        life = lives.begin(config, matches=waiting - 1)
        life.wait_for(random.choice((": matched", "dB away")), random.randrange(waiting))
        time.sleep(random.uniform(0, 0.01))
        life.kill()
        assert_whole(results)
        now = visible(results)
        assert seen.items() <= now.items()  # what was once seen stays as it was
        seen = now
        assert len(seen) < (kill + 1) * FILES // KILLS  # it was killed amid work
    life = lives.begin(config)
    life.wait_for(": matched", FILES - len(seen))
    assert life.end() == 0
    assert seen.items() <= visible(results).items()
    assert_each_once(config.state.folder / "journal.sqlite", results, names)


def test_2000_files_at_once_each_have_their_outcome(lives, memory):
    config = settings(memory)
    config.watch.folder.mkdir()
    write_tone(memory / "tone.wav", seconds=0.02)
    names = [f"{number:04}.wav" for number in range(2000)]
    life = lives.begin(config)
    for name in names:
        drop(config.watch.folder, name, memory / "tone.wav")
    life.wait_for(": matched", len(names))
    assert life.end() == 0
    assert_each_once(config.state.folder / "journal.sqlite", config.watch.output, names)


# Without power: a real file system that forgets what was not on its disk.

EXT4_IOC_SHUTDOWN = 0x8004587D
WITHOUT_FLUSHING = struct.pack("I", 2)


def cut_power(place):
    import fcntl

    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, WITHOUT_FLUSHING)
    finally:
        os.close(descriptor)


@pytest.mark.usefixtures("needs_mount")
def test_power_cut_at_random_moments_leaves_nothing_half_and_loses_no_file(lives, tmp_path):
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("mkfs.ext4 is missing: apt-get install e2fsprogs")
    image, disk, random = tmp_path / "image", tmp_path / "disk", Random(1)
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-qF", str(image)], check=True)
    config = settings(
        tmp_path,
        folder=str(disk / "drops"),
        output=str(disk / "results"),
        state=str(disk / "state"),
    )
    write_tone(tmp_path / "tone.wav", seconds=0.02)
    names, cuts, seen = [f"{number:03}.wav" for number in range(60)], 12, set()
    for cut in range(cuts):
        with mounted(disk, "-o", "loop", str(image)):
            config.watch.folder.mkdir(exist_ok=True)
            config.watch.output.mkdir(exist_ok=True)
            assert_whole(config.watch.output)
            assert seen <= visible(config.watch.output).keys()
            for name in names[cut * 60 // cuts : (cut + 1) * 60 // cuts]:
                drop(config.watch.folder, name, tmp_path / "tone.wav")
            os.sync()  # the sounds are the user's, and were there before
            life = lives.begin(config)
            time.sleep(random.uniform(0, 0.2))
            # Told is what the log says: it must be true also when the power is gone.
            seen = {line.split(": ")[0].split()[-1] + ".antithesis" for line in matched(life)}
            seen |= visible_before(config)
            cut_power(disk)
            life.kill()
    with mounted(disk, "-o", "loop", str(image)):
        life = lives.begin(config)
        done = visible(config.watch.output)
        assert seen <= done.keys()
        life.wait_for(": matched", len(names) - len(done))
        assert life.end() == 0
        assert_each_once(config.state.folder / "journal.sqlite", config.watch.output, names)


def matched(life):
    return [line for line in life.said if ": matched: " in line]


def visible_before(config):
    """Outcomes whose jobs the journal says to have ended."""
    jobs = look(config.state.folder / "journal.sqlite", last=1000).last
    return {f"{job.drop.path.name}.antithesis" for job in jobs if job.outcome == "matched"}


# Full disks.


def fill(place):
    with (place / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 12))


@pytest.mark.usefixtures("needs_mount")
@pytest.mark.parametrize("full", ["results", "state"])
def test_full_disk_is_told_and_the_match_is_written_when_there_is_room(lives, tmp_path, full):
    config = settings(tmp_path)
    config.watch.folder.mkdir()
    write_tone(tmp_path / "tone.wav")
    with mounted(tmp_path / full, "-t", "tmpfs", "-o", "size=300k", "tmpfs") as disk:
        life = lives.begin(config)
        fill(disk)
        drop(config.watch.folder, "a.wav", tmp_path / "tone.wav")
        life.wait_for("a.wav: nothing can be written down for it")
        assert list(config.watch.output.glob("[!.]*.antithesis")) == []
        (disk / "filler").unlink()
        life.wait_for("a.wav: matched")
        assert life.end() == 0
        names = [path.name for path in config.watch.output.glob("[!.]*")]
        assert names == ["a.wav.antithesis"]
        assert look(config.state.folder / "journal.sqlite").counts == {"matched": 1}


# Folders that go and come back.


@pytest.mark.usefixtures("needs_mount")
def test_drive_that_is_unplugged_amid_work_comes_back_and_each_file_is_matched_once(
    lives, tmp_path
):
    config, random = settings(tmp_path), Random(2)
    drive, drops = tmp_path / "drive", config.watch.folder
    for folder in (drive, drops):
        folder.mkdir()
    write_tone(tmp_path / "tone.wav", seconds=0.02)
    names = [f"{number:03}.wav" for number in range(60)]
    with ExitStack() as plugged:
        plugged.enter_context(mounted(drops, "--bind", str(drive)))
        life = lives.begin(config)
        for name in names:
            drop(drive, name, tmp_path / "tone.wav")
        for _ in range(3):
            time.sleep(random.uniform(0.05, 0.2))
            plugged.close()
            time.sleep(random.uniform(0, 0.2))
            plugged.enter_context(mounted(drops, "--bind", str(drive)))
        life.wait_for(": matched", len(names))
        assert life.end() == 0
    outcomes = sorted(path.name for path in config.watch.output.iterdir())
    assert outcomes == [f"{name}.antithesis" for name in names]
    assert_whole(config.watch.output)


def test_results_folder_that_is_deleted_is_made_anew(lives, tmp_path):
    config = settings(tmp_path)
    config.watch.folder.mkdir()
    write_tone(tmp_path / "tone.wav")
    life = lives.begin(config)
    shutil.rmtree(config.watch.output)
    drop(config.watch.folder, "a.wav", tmp_path / "tone.wav")
    life.wait_for("a.wav: matched")
    assert life.end() == 0
    assert_whole(config.watch.output)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no file that is open")
def test_state_folder_that_is_deleted_ends_nothing(lives, tmp_path):
    config = settings(tmp_path)
    config.watch.folder.mkdir()
    write_tone(tmp_path / "tone.wav")
    life = lives.begin(config)
    shutil.rmtree(config.state.folder)
    drop(config.watch.folder, "a.wav", tmp_path / "tone.wav")
    life.wait_for("a.wav: 2.00 dB away")
    assert life.end() == 0
