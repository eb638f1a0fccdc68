"""The wheel that `pip install .` makes: weights inside, and a command line that starts from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"

pytest.importorskip("hatchling", reason="the build backend is in the lock `dev`")


def build_wheel(source, target):
    """Build as pip does, without a network: the backend is the one installed here."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A virtual environment with the wheel alone; it borrows the dependencies that are here."""
    place = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / Path(sys.executable).name
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    (Path(found.stdout.strip()) / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    command = ["install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run([sys.executable, "-m", "pip", "--python", python, *command], check=True)
    return scripts


def run(program, *arguments, **environment):
    """Start an installed program far from the checkout."""
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=program.parent,
        env={**clean, **environment},
    )


def test_wheel_holds_both_packages_and_their_data(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    for package in ("antithesis", "daemon"):
        tracked = {
            str(path.relative_to(ROOT).as_posix())
            for path in (ROOT / package).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert tracked <= inside


def test_wheel_holds_the_trained_weights_inside_the_package(wheel):
    weights = {path.name for path in MODELS.glob("*") if path.suffix in {".onnx", ".npz", ".json"}}
    assert any(name.endswith(".onnx") for name in weights)
    inside = zipfile.ZipFile(wheel)
    for name in weights:
        assert inside.read(f"antithesis/_models/{name}") == (MODELS / name).read_bytes()


def test_wheel_holds_nothing_else(wheel):
    roots = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {root for root in roots if not root.endswith(".dist-info")} == {"antithesis", "daemon"}


def test_wheel_names_its_entry_point_licence_and_python(wheel):
    archive = zipfile.ZipFile(wheel)
    (entry,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "antithesis = daemon.cli:main" in archive.read(entry).decode()
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    said = archive.read(metadata).decode()
    assert "Requires-Python: >=3.11" in said
    assert "License-Expression: MIT" in said


def test_installed_program_starts_from_its_own_files(installed):
    done = run(installed / "antithesis", "--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("antithesis ")
    code = "import antithesis, daemon; print(antithesis.__file__); print(daemon.__file__)"
    places = run(installed / Path(sys.executable).name, "-c", code).stdout.splitlines()
    assert len(places) == 2
    assert all(Path(place).is_relative_to(installed.parent) for place in places)


def test_installed_program_finds_its_weights(installed, tmp_path):
    done = run(
        installed / "antithesis", "doctor", "--json", ANTITHESIS_CONFIG=str(tmp_path / "none.toml")
    )
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert rows["model"]["verdict"] == "ok", rows["model"]
    assert str(installed.parent) in rows["model"]["finding"]
