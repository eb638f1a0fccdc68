"""What Antithesis needs from a Linux system, as a table; pip brings the rest.

On macOS and Windows the packages carry these parts themselves.
"""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Say = Callable[[str], None]

# The first that a system has is its own. Debian's and Ubuntu's is used where we may.
INSTALL_COMMANDS = {
    "apt-get": ("apt-get", "install", "-y", "--no-install-recommends"),
    "dnf": ("dnf", "install"),
    "pacman": ("pacman", "-S", "--needed"),
    "zypper": ("zypper", "install"),
}


@dataclass(frozen=True)
class SystemPart:
    """One part: what it is for, how it is seen, and its package by package manager."""

    purpose: str
    present: Callable[[], bool]
    packages: Mapping[str, str]
    for_tests: bool = False


def _libraries(*names: str) -> Callable[[], bool]:
    return lambda: all(ctypes.util.find_library(name) for name in names)


def _program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def _builds_with(header: str) -> Callable[[], bool]:
    # python-rtmidi has no wheel for Linux beyond Python 3.12; from there on it is compiled.
    return lambda: sys.version_info < (3, 13) or Path("/usr/include", header).exists()


SYSTEM_PARTS = (
    SystemPart(
        "virtual environments",
        lambda: importlib.util.find_spec("ensurepip") is not None,
        {"apt-get": f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"},
    ),
    SystemPart(
        "audio and MIDI devices",
        _libraries("portaudio", "asound"),  # Debian's PortAudio brings ALSA, under either name
        {
            "apt-get": "libportaudio2",
            "dnf": "portaudio",
            "pacman": "portaudio",
            "zypper": "portaudio",
        },
    ),
    SystemPart(
        "building MIDI (ALSA)",
        _builds_with("alsa/asoundlib.h"),
        {
            "apt-get": "libasound2-dev",
            "dnf": "alsa-lib-devel",
            "pacman": "alsa-lib",
            "zypper": "alsa-devel",
        },
    ),
    SystemPart(
        "building MIDI (JACK)",
        _builds_with("jack/jack.h"),
        {
            "apt-get": "libjack-jackd2-dev",
            "dnf": "jack-audio-connection-kit-devel",
            "pacman": "jack2",
            "zypper": "libjack-devel",
        },
    ),
    SystemPart(
        "building MIDI (compiler)",
        lambda: sys.version_info < (3, 13) or shutil.which("g++") is not None,
        {"apt-get": "g++", "dnf": "gcc-c++", "pacman": "gcc", "zypper": "gcc-c++"},
    ),
    SystemPart(
        "devices without hardware",
        _program("jackd"),
        {
            "apt-get": "jackd2",
            "dnf": "jack-audio-connection-kit",
            "pacman": "jack2",
            "zypper": "jack",
        },
        for_tests=True,
    ),
    SystemPart(
        "what PulseAudio plays",
        _program("parec"),
        {
            "apt-get": "pulseaudio-utils",
            "dnf": "pulseaudio-utils",
            "pacman": "libpulse",
            "zypper": "pulseaudio-utils",
        },
    ),
    SystemPart(
        "a PulseAudio of the tests' own",
        _program("pulseaudio"),
        {
            "apt-get": "pulseaudio",
            "dnf": "pulseaudio",
            "pacman": "pulseaudio",
            "zypper": "pulseaudio",
        },
        for_tests=True,
    ),
    SystemPart(
        "a screen without a monitor",
        _program("Xvfb"),
        {
            "apt-get": "xvfb",
            "dnf": "xorg-x11-server-Xvfb",
            "pacman": "xorg-server-xvfb",
            "zypper": "xorg-x11-server-Xvfb",
        },
        for_tests=True,
    ),
    SystemPart(
        "windows of our own on it",
        lambda: importlib.util.find_spec("_tkinter") is not None and _libraries("tk8.6")(),
        {"apt-get": "python3-tk", "dnf": "python3-tkinter", "pacman": "tk", "zypper": "python3-tk"},
        for_tests=True,
    ),
    SystemPart(
        "a DAW without a screen",
        lambda: any(Path("/usr/lib").glob("ardour*/hardour-*")),
        {"apt-get": "ardour"},
        for_tests=True,
    ),
    SystemPart(
        "building a plug-in for it",
        lambda: Path("/usr/include/lv2/core/lv2.h").exists(),
        {"apt-get": "lv2-dev", "dnf": "lv2-devel", "pacman": "lv2", "zypper": "lv2-devel"},
        for_tests=True,
    ),
    SystemPart(
        "the language that Renoise is spoken to in",
        _program("lua5.1"),
        {"apt-get": "lua5.1"},
        for_tests=True,
    ),
    SystemPart(
        "the language of scripts in DAWs",
        _program("node"),
        {"apt-get": "nodejs", "dnf": "nodejs", "pacman": "nodejs", "zypper": "nodejs"},
        for_tests=True,
    ),
    SystemPart(
        "a file system to cut the power of",
        _program("mkfs.ext4"),
        {"apt-get": "e2fsprogs", "dnf": "e2fsprogs", "pacman": "e2fsprogs", "zypper": "e2fsprogs"},
        for_tests=True,
    ),
    SystemPart(
        "a desktop's bus",
        _program("dbus-daemon"),
        {"apt-get": "dbus", "dnf": "dbus-daemon", "pacman": "dbus", "zypper": "dbus-1-daemon"},
        for_tests=True,
    ),
    SystemPart(
        "words on the desktop",
        _program("notify-send"),
        {
            "apt-get": "libnotify-bin",
            "dnf": "libnotify",
            "pacman": "libnotify",
            "zypper": "libnotify-tools",
        },
        for_tests=True,
    ),
    SystemPart(
        "a service manager of a user's own",
        lambda: Path("/lib/systemd/systemd").exists(),
        {"apt-get": "systemd", "dnf": "systemd", "pacman": "systemd", "zypper": "systemd"},
        for_tests=True,
    ),
    SystemPart(
        "instruments to match",
        lambda: bool(shutil.which("fluidsynth")) and Path("/usr/share/sonic-pi/samples").exists(),
        {"apt-get": "fluidsynth timgm6mb-soundfont sonic-pi-samples"},
        for_tests=True,
    ),
    SystemPart(
        "a C compiler",
        _program("cc", "gcc", "clang"),
        {"apt-get": "gcc", "dnf": "gcc", "pacman": "gcc", "zypper": "gcc"},
        for_tests=True,
    ),
)


def missing_parts(*, for_tests: bool) -> list[SystemPart]:
    """Return the parts this system lacks; those of the tests only when asked for."""
    if not sys.platform.startswith("linux"):
        return []
    wanted = (part for part in SYSTEM_PARTS if for_tests or not part.for_tests)
    return [part for part in wanted if not part.present()]


def install_command(parts: Sequence[SystemPart], manager: str) -> list[str]:
    """Return the words that install `parts` with `manager`."""
    packages = " ".join(part.packages[manager] for part in parts if manager in part.packages)
    return [*INSTALL_COMMANDS[manager], *dict.fromkeys(packages.split())]


def provide(say: Say, *, for_tests: bool) -> None:
    """Install what is missing where we are root and have apt-get; else say what to type.

    Never an error: most of Antithesis works without, and `antithesis doctor` tells what does not.
    """
    missing = missing_parts(for_tests=for_tests)
    if not missing:
        return
    purposes = ", ".join(part.purpose for part in missing)
    manager = next((name for name in INSTALL_COMMANDS if shutil.which(name)), None)
    if manager is None:
        say(f"this system lacks the packages for: {purposes}; going on without")
    elif manager == "apt-get" and os.geteuid() == 0:
        say(f"installing system packages for: {purposes}")
        _apt_install(say, install_command(missing, manager))
    else:
        say(f"this system lacks the packages for: {purposes}; going on without. To get them, type")
        say(f"    sudo {' '.join(install_command(missing, manager))}")


def _apt_install(say: Say, command: Sequence[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update"], command):
        done = subprocess.run(
            step,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            say(f"`{' '.join(step)}` failed ({done.returncode}): {_last_line(done.stdout)}")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
