"""Two minutes of steady drops on the daemon as it runs: memory, threads and files stay flat."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "soak.py"


@pytest.mark.timeout(600)
def test_two_minutes_of_steady_drops_leave_it_as_it_was(tmp_path):
    words = ["--minutes", "2", "--every", "2"]
    kept = ["--picture", str(tmp_path / "soak.png"), "--json", str(tmp_path / "soak.json")]
    said = subprocess.run(
        [sys.executable, str(SCRIPT), *words, *kept], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert (tmp_path / "soak.png").stat().st_size > 10_000
    rows = json.loads((tmp_path / "soak.json").read_text())
    assert {row["part"] for row in rows["counts"]} == {"daemon", "synth", "decoder"}
