"""Pictures are drawn by another process, and nobody waits for them."""

from __future__ import annotations

import logging
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
