"""The scripts that make `.venv`: which Python, which stamp, what is installed, who takes over."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import bootstrap
import pytest
import system_parts
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts"
STARTERS = ("run.py", "test.py", "bootstrap.py", "system_parts.py")
LOCKS = ("runtime", "train", "dev", "build", "installer")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout in which installing is only written down."""
    locks = tmp_path / "scripts" / "requirements"
    locks.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    for name in LOCKS:
        (locks / f"{name}.txt").write_text(f"{name}==1\n")
    place = tmp_path / ".venv" / "bin"
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "LOCKS", locks)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", place / "python")
    installed = []

    def install(names):
        place.mkdir(parents=True, exist_ok=True)
        bootstrap.PYTHON.touch()
        installed.append(tuple(names))

    monkeypatch.setattr(bootstrap, "install", install)
    return installed


def test_a_python_that_is_too_new_for_the_packages_is_told_only_there():
    assert bootstrap.another_python((3, 13)) == ""
    assert "Python 3.13" in bootstrap.another_python((3, 14))


def test_second_start_installs_nothing(checkout):
    bootstrap.prepare(["runtime"])
    bootstrap.prepare(["runtime"])
    assert checkout == [("runtime",)]


def test_environment_of_the_tests_serves_the_program(checkout):
    bootstrap.prepare(["runtime", "train", "dev"])
    bootstrap.prepare(["runtime"])
    assert len(checkout) == 1


@pytest.mark.parametrize("changed", ["runtime.txt", "build.txt", "../../pyproject.toml"])
def test_a_changed_source_of_the_environment_installs_again(checkout, changed):
    bootstrap.prepare(["runtime"])
    path = bootstrap.LOCKS / changed
    path.write_text(path.read_text() + "\n# changed\n")
    bootstrap.prepare(["runtime"])
    assert len(checkout) == 2


def test_interrupted_install_is_taken_up_again(checkout, monkeypatch):
    bootstrap.prepare(["runtime"])
    finished = bootstrap.install

    def interrupted(names):
        finished(names)
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "install", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.prepare(["runtime", "dev"])
    assert not bootstrap.is_ready(["runtime"])
    monkeypatch.setattr(bootstrap, "install", finished)
    bootstrap.prepare(["runtime"])
    assert bootstrap.is_ready(["runtime"])


def test_environment_whose_python_is_gone_is_made_again(checkout):
    bootstrap.prepare(["runtime"])
    bootstrap.PYTHON.unlink()
    bootstrap.prepare(["runtime"])
    assert len(checkout) == 2


def test_moved_checkout_is_installed_again(checkout, monkeypatch):
    bootstrap.prepare(["runtime"])
    before = bootstrap.fingerprint("runtime")
    assert before == bootstrap.fingerprint("runtime")
    (bootstrap.ROOT / "moved").mkdir()
    (bootstrap.ROOT / "moved" / "pyproject.toml").write_text("[project]\n")
    monkeypatch.setattr(bootstrap, "ROOT", bootstrap.ROOT / "moved")
    assert bootstrap.fingerprint("runtime") != before


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 7, 0), (2, 7, 18)])
def test_old_python_is_told_which_one_is_needed(version):
    with pytest.raises(bootstrap.BootstrapError, match=r"needs 3\.11 or newer"):
        bootstrap.check_python(version)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 13, 1), (4, 0, 0)])
def test_new_python_is_taken(version):
    bootstrap.check_python(version)


@pytest.mark.parametrize("name", STARTERS)
def test_starter_can_be_read_by_the_old_pythons_that_it_refuses(name):
    ast.parse((SCRIPTS / name).read_text("utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize("name", STARTERS)
def test_starter_imports_the_standard_library_alone(name):
    tree = ast.parse((SCRIPTS / name).read_text("utf-8"))
    imported = {
        module.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    }
    assert imported <= sys.stdlib_module_names | {"bootstrap", "system_parts"}


def test_unknown_lock_names_those_there_are(checkout):
    with pytest.raises(bootstrap.BootstrapError, match="'runtim': choose among build, dev"):
        bootstrap.prepare(["runtim"])


def _pins(name):
    lines = (SCRIPTS / "requirements" / f"{name}.txt").read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_exact_versions_by_name_alone(name):
    for pin in _pins(name):
        assert re.fullmatch(r"==[^,*]+", str(pin.specifier)), pin
        assert pin.url is None


def test_locks_agree_with_one_another():
    pinned = {}
    for name in LOCKS:
        for pin in _pins(name):
            key = (pin.name, str(pin.marker))
            assert pinned.setdefault(key, str(pin.specifier)) == str(pin.specifier), key


@pytest.mark.parametrize(("lock", "extra"), [("runtime", ""), ("train", "train"), ("dev", "dev")])
def test_lock_satisfies_what_the_project_declares(lock, extra):
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = project["dependencies"] + project["optional-dependencies"].get(extra, [])
    pinned = {_plain(pin.name): next(iter(pin.specifier)).version for pin in _pins(lock)}
    for requirement in map(Requirement, declared):
        assert pinned[_plain(requirement.name)] in requirement.specifier


def _plain(name):
    """A package's name without capitals, as indexes compare them."""
    return name.lower().replace("_", "-")


def test_only_training_pulls_tensorflow():
    names = {pin.name for lock in ("runtime", "dev") for pin in _pins(lock)}
    assert names.isdisjoint({"tensorflow", "keras", "kapre", "tensorflow-cpu"})


@pytest.fixture
def linux_without_parts(monkeypatch, tmp_path):
    """A Linux with none of the system parts, and the programs that `path` is given."""
    monkeypatch.setattr(sys, "platform", "linux")
    parts = [
        system_parts.SystemPart("sound", lambda: False, {"apt-get": "libsound", "dnf": "sound"}),
        system_parts.SystemPart("a screen", lambda: False, {"apt-get": "xscreen"}, for_tests=True),
    ]
    monkeypatch.setattr(system_parts, "SYSTEM_PARTS", parts)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _program(folder, name, script):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_root_on_debian_gets_the_missing_packages_without_questions(
    linux_without_parts, monkeypatch
):
    log = linux_without_parts / "log"
    _program(linux_without_parts, "apt-get", f'echo "$DEBIAN_FRONTEND $@" >> {log}')
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    system_parts.provide(lambda text: None, for_tests=True)
    assert log.read_text().splitlines() == [
        "noninteractive update",
        "noninteractive install -y --no-install-recommends libsound xscreen",
    ]


def test_user_is_told_what_to_type(linux_without_parts, monkeypatch):
    _program(linux_without_parts, "apt-get", "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    said = []
    system_parts.provide(said.append, for_tests=False)
    assert said[-1].strip() == "sudo apt-get install -y --no-install-recommends libsound"


def test_other_linux_is_told_its_own_command(linux_without_parts):
    _program(linux_without_parts, "dnf", "exit 1")
    said = []
    system_parts.provide(said.append, for_tests=False)
    assert said[-1].strip() == "sudo dnf install sound"


def test_system_without_a_known_package_manager_goes_on(linux_without_parts):
    said = []
    system_parts.provide(said.append, for_tests=True)
    assert "sound, a screen" in said[0]


def test_failed_system_install_is_said_and_goes_on(linux_without_parts, monkeypatch):
    _program(linux_without_parts, "apt-get", "echo no network; exit 100")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said = []
    system_parts.provide(said.append, for_tests=False)
    assert any("no network" in line for line in said)


def test_mac_and_windows_need_no_system_parts(monkeypatch):
    for platform in ("darwin", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        assert system_parts.missing_parts(for_tests=True) == []


def test_every_system_part_names_its_debian_package():
    assert all("apt-get" in part.packages for part in system_parts.SYSTEM_PARTS)


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    """A library of one kernel's source and one cached compilation."""
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    cache = tmp_path / "antithesis" / "__pycache__"
    cache.mkdir(parents=True)
    source, compiled = tmp_path / "antithesis" / "a.py", cache / "a.f-1.py311.1.nbc"
    source.write_text("from antithesis.jit import kernel\n")
    compiled.touch()
    return source, compiled


def test_kernels_older_than_a_source_are_dropped(kernels):
    source, compiled = kernels
    os.utime(compiled, (1, 1))
    bootstrap.drop_stale_kernels()
    assert not compiled.exists()
    assert source.exists()


def test_kernels_newer_than_all_sources_are_kept(kernels):
    source, compiled = kernels
    os.utime(source, (1, 1))
    bootstrap.drop_stale_kernels()
    assert compiled.exists()


@pytest.mark.parametrize("script", ["run.py", "test.py"])
def test_help_installs_nothing(script, tmp_path):
    for path in SCRIPTS.glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    done = subprocess.run(
        [sys.executable, tmp_path / script, "--help"], capture_output=True, text=True, check=True
    )
    assert f"python3 scripts/{script}" in done.stdout
    assert not (tmp_path.parent / ".venv").exists()


HAND_OVER = "import sys, bootstrap; bootstrap.hand_over([sys.executable, *sys.argv[1:]])"


def _handed_over(*command):
    return [sys.executable, "-c", HAND_OVER, *command]


def _environment():
    return {**os.environ, "PYTHONPATH": str(SCRIPTS)}


def test_exit_status_is_that_of_the_program():
    command = _handed_over("-c", "raise SystemExit(7)")
    assert subprocess.run(command, env=_environment(), check=False).returncode == 7


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise on Windows")
def test_ctrl_c_reaches_the_program_and_its_exit_status_counts():
    program = (
        "import time\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    raise SystemExit(9)\n"
    )
    with subprocess.Popen(
        _handed_over("-c", program),
        env=_environment(),
        stdout=subprocess.PIPE,
        text=True,
        # Whoever started the tests in the background had SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        started = time.monotonic()
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=30) == 9
        assert time.monotonic() - started < 30


def test_half_made_environment_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    python = tmp_path / ".venv" / bootstrap.BIN.name / bootstrap.PYTHON.name
    monkeypatch.setattr(bootstrap, "PYTHON", python)
    python.parent.mkdir(parents=True)
    python.write_text("not a program")
    bootstrap.make_venv()
    assert bootstrap.run_quietly([str(python), "-c", "import pip"])
    marker = tmp_path / ".venv" / "marker"
    marker.touch()
    bootstrap.make_venv()
    assert marker.exists()
