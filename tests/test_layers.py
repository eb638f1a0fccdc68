"""Imports run one way: within the library down its layers, and from the daemon to the library."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Low to high: a module imports only what stands before it. This is where the order is stated.
LAYERS = (
    "errors",
    "files",
    "jit",
    "wide",
    "parameters",
    "rules",
    "preset",
    "grid",
    "presetfiles",
    "synth",
    "canonical",
    "sampling",
    "audio",
    "fourier",
    "mels",
    "spectra",
    "distances",
    "pitch",
    "segments",
    "ring",
    "breaks",
    "evidence",
    "hops",
    "onsets",
    "following",
    "encoding",
    "keys",
    "conditionals",
    "network",
    "objective",
    "candidates",
    "descent",
    "evolution",
    "splits",
    "posterior",
    "search",
    "gallery",
    "matching",
    "judgement",
    "report",
    "training",
)

# Whatever talks to people, machines or other threads belongs to the daemon.
NOT_IN_THE_LIBRARY = frozenset(
    {
        "asyncio",
        "click",
        "concurrent",
        "http",
        "mido",
        "multiprocessing",
        "platformdirs",
        "pydantic",
        "pythonosc",
        "rtmidi",
        "sched",
        "select",
        "signal",
        "socket",
        "socketserver",
        "sounddevice",
        "subprocess",
        "threading",
        "urllib",
        "watchdog",
    }
)

ONLY_FOR_TRAINING = frozenset({"kapre", "keras", "librosa", "scipy", "tensorflow", "tf2onnx"})


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def layer(path: Path) -> str:
    """Name the layer of a file of the library: its module, or its sub-package."""
    return path.relative_to(ROOT / "antithesis").parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, `from a import b` as `a.b`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def roots(path: Path) -> set[str]:
    return {module.split(".")[0] for module in imports(path)}


LIBRARY = [path for path in sources("antithesis") if layer(path) != "__init__"]


def test_every_module_of_the_library_has_its_layer():
    assert {layer(path) for path in LIBRARY} <= set(LAYERS)


@pytest.mark.parametrize("path", LIBRARY, ids=named)
def test_library_imports_only_from_lower_layers(path):
    mine = LAYERS.index(layer(path))
    for module in imports(path):
        first, *rest = module.split(".")
        if first == "antithesis" and rest and rest[0] != layer(path):
            assert rest[0] in LAYERS[:mine], f"{named(path)} imports {module}"


@pytest.mark.parametrize("path", sources("antithesis"), ids=named)
def test_library_does_not_know_the_daemon_nor_any_device(path):
    assert roots(path).isdisjoint(NOT_IN_THE_LIBRARY | {"daemon"})


@pytest.mark.parametrize("path", [path for path in LIBRARY if layer(path) != "training"], ids=named)
def test_only_training_needs_tensorflow(path):
    assert roots(path).isdisjoint(ONLY_FOR_TRAINING)


@pytest.mark.parametrize("path", sources("daemon"), ids=named)
def test_daemon_needs_neither_tensorflow_nor_the_training(path):
    assert roots(path).isdisjoint(ONLY_FOR_TRAINING)
    assert not any(module.startswith("antithesis.training") for module in imports(path))


@pytest.mark.parametrize("path", sources("daemon"), ids=named)
def test_daemon_imports_nothing_else_of_this_project(path):
    assert roots(path).isdisjoint({"scripts", "tests", "bootstrap", "system_parts"})


@pytest.mark.parametrize(
    "path",
    [path for path in sources("tests/simulators") if path.name != "__init__.py"],
    ids=named,
)
def test_simulated_hosts_know_nothing_of_ours(path):
    assert roots(path) <= {*sys.stdlib_module_names, "host", "pythonosc"}
