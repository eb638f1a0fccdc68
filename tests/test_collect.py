"""Collecting pairs from the plug-in: a window on an X display, its menu, a host that exports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from antithesis.presetfiles import read_preset
from tests.screens import window

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "collect.py"
EXPORT = "key ctrl+e; window; type {wav}; key enter; gone"


def collect(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(folder), "--countdown", "0", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_pairs_are_collected_and_a_second_run_goes_on(x_display: str, tmp_path: Path) -> None:
    with window() as shown:
        first = collect(tmp_path, "--count", "1", "--export", EXPORT)
        assert first.returncode == 0, first.stderr
        made = (tmp_path / "000001.txt").stat().st_mtime_ns

        again = collect(tmp_path, "--count", "2", "--export", EXPORT, "--randomise", "key ctrl+d")
        assert again.returncode == 0, again.stderr

        kept = [f"{n:06d}.{kind}" for n in (1, 2) for kind in ("txt", "wav")]
        assert sorted(path.name for path in tmp_path.iterdir()) == kept
        assert (tmp_path / "000001.txt").stat().st_mtime_ns == made
        assert soundfile.info(tmp_path / "000002.wav").frames == 4410
        saved = read_preset(tmp_path / "000002.txt").normalized
        assert shown.held() == pytest.approx(list(saved), abs=1e-4)
        assert "2/2" in again.stderr


def test_dry_run_says_what_it_would_do_and_touches_nothing(x_display: str, tmp_path: Path) -> None:
    with window() as shown:
        said = collect(tmp_path / "new", "--dry-run", "--count", "3", "--export", EXPORT)
        assert shown.tell("seen_events") == 0
    assert said.returncode == 0, said.stderr
    assert "window: 'Mika Micro'" in said.stdout
    assert "0 of 3 pairs" in said.stdout
    assert "type " + str(tmp_path / "new" / "000001.wav") in said.stdout
    assert not (tmp_path / "new").exists()


def test_host_that_exports_nothing_ends_it_with_the_reason(x_display: str, tmp_path: Path) -> None:
    with window():
        said = collect(tmp_path, "--count", "1", "--export", "key f5", "--patience", "0.5")
    assert said.returncode == 1
    assert "the host wrote no sound" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_unknown_step_is_named(tmp_path: Path) -> None:
    said = collect(tmp_path, "--export", "press f5")
    assert (said.returncode, "'press' is no step: choose among key" in said.stderr) == (1, True)
