"""Pictures are drawn by another process, and nobody waits for them."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from antithesis.audio import Sound
from antithesis.report import write_files
from daemon import pictures
from daemon.pictures import Pictures
from tests.fakematch import FakeMatch

PATIENCE_S = 60.0
TONE = Sound(np.sin(np.arange(22050) / 10.0), 44100, "tone.wav")


def folder_of_a_match(folder: Path) -> Path:
    write_files(FakeMatch(), TONE, folder)  # type: ignore[arg-type]
    return folder


def wait_for(path: Path) -> bytes:
    pause, waited = threading.Event(), 0
    while not path.exists() and waited < PATIENCE_S / 0.05:
        pause.wait(0.05)
        waited += 1
    return path.read_bytes()


def test_every_match_gets_its_picture_in_turn(tmp_path: Path) -> None:
    folders = [folder_of_a_match(tmp_path / name) for name in ("one", "two")]
    with Pictures() as drawn:
        for folder in folders:
            drawn.draw(folder)
        for folder in folders:
            assert wait_for(folder / "match.png").startswith(b"\x89PNG")


def test_what_is_not_drawn_at_the_end_is_drawn_all_the_same(tmp_path: Path) -> None:
    folders = [folder_of_a_match(tmp_path / str(number)) for number in range(3)]
    with Pictures() as drawn:
        for folder in folders:
            drawn.draw(folder)
    for folder in folders:
        assert wait_for(folder / "match.png").startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_drawn_is_told_and_the_next_is_drawn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = folder_of_a_match(tmp_path / "good")
    with caplog.at_level(logging.WARNING, pictures.__name__), Pictures() as drawn:
        drawn.draw(tmp_path / "bad")
        drawn.draw(good)
        wait_for(good / "match.png")
    assert "bad: its picture could not be drawn" in caplog.text


def test_process_that_cannot_be_started_is_told_and_the_next_picture_is_drawn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = folder_of_a_match(tmp_path / "good")
    with caplog.at_level(logging.WARNING, pictures.__name__), Pictures() as drawn:
        with monkeypatch.context() as patched:
            patched.setattr(sys, "executable", str(tmp_path / "none"))
            drawn.draw(tmp_path / "first")
            while "first: its picture could not be drawn (No such file" not in caplog.text:
                assert any(thread.name == "pictures" for thread in threading.enumerate())
        drawn.draw(good)
        wait_for(good / "match.png")


def test_process_that_cannot_be_started_at_the_end_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.WARNING, pictures.__name__), Pictures() as drawn:
        monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
        for number in range(1000):
            drawn.draw(tmp_path / str(number))
    assert "could not be drawn (No such file" in caplog.text


def test_more_than_a_command_line_takes_are_left_to_be_drawn(tmp_path: Path) -> None:
    good = folder_of_a_match(tmp_path / "good")
    with Pictures() as drawn:
        drawn.draw(tmp_path / "bad")
        drawn.draw(good)
        for number in range(30_000):
            drawn.draw(tmp_path / f"{number:0200}")
    assert wait_for(good / "match.png").startswith(b"\x89PNG")
