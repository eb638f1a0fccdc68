"""Files are on the disk before they have their names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from antithesis.files import bring_all_to_disk, write_whole

DESCRIPTORS = Path("/proc/self/fd")


@pytest.fixture
def told(monkeypatch):
    """What the system was told, in order: names that were brought to disk or renamed to."""
    told = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor):
        told.append(("fsync", (DESCRIPTORS / str(descriptor)).readlink().name))
        fsync(descriptor)

    def note_rename(source, goal):
        told.append(("rename", Path(goal).name))
        replace(source, goal)

    if not DESCRIPTORS.is_dir():
        pytest.skip("this system does not tell which file a descriptor is of")
    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_rename)
    return told


def test_content_is_on_the_disk_before_the_name_and_the_name_before_it_is_done(tmp_path, told):
    write_whole(tmp_path / "a.txt", b"all of it")
    assert (tmp_path / "a.txt").read_bytes() == b"all of it"
    (first, aside), second, last = told
    assert first == "fsync"
    assert aside.endswith(".tmp")
    assert second == ("rename", "a.txt")
    assert last == ("fsync", tmp_path.name)


def test_folder_is_brought_to_disk_with_all_it_holds(tmp_path, told):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"content")
    bring_all_to_disk(tmp_path)
    assert {name for _, name in told[:2]} == {"a", "b"}
    assert told[2] == ("fsync", tmp_path.name)
