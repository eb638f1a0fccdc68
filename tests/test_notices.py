"""Words on the desktop: shown by the system's own program, never waited for, never markup."""

from __future__ import annotations

import os
import sys

import pytest

from daemon import notices
from daemon.notices import Notices


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """A `notify-send` that writes down what it was asked to show."""
    if sys.platform != "linux":
        pytest.skip("this stands in for the program that Linux has")
    program, told = tmp_path / "notify-send", tmp_path / "told"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {told}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    def show(text):
        shower = Notices()
        shower.show(text)
        shower._showing.wait()
        return told.read_text().splitlines()

    return show


def test_words_are_shown_as_they_are_and_not_as_markup(shown):
    assert shown("<b>a & b</b>.wav")[-2:] == [
        "Antithesis",
        "&lt;b&gt;a &amp; b&lt;/b&gt;.wav",
    ]


def test_what_begins_with_a_dash_is_no_option(shown):
    assert shown("--help.wav")[-3:] == ["--", "Antithesis", "--help.wav"]


def test_a_burst_shows_one(shown):
    shower = Notices()
    for number in range(50):
        shower.show(f"{number}.wav")
        shower._showing.wait()
    assert shown("later.wav")[2::4] == ["Antithesis", "Antithesis"]
    assert shown("last.wav")[3::4] == ["0.wav", "later.wav", "last.wav"]


def test_one_that_hangs_keeps_nobody_waiting(tmp_path, monkeypatch):
    monkeypatch.setattr(notices, "command", lambda _text: [sys.executable, "-c", "input()"])
    monkeypatch.setattr(notices, "APART_S", 0.0)
    shower = Notices()
    shower.show("a")
    first = shower._showing
    shower.show("b")
    assert shower._showing is first
    first.kill()
    first.wait()


def test_system_without_a_program_shows_nothing(monkeypatch):
    monkeypatch.setattr(notices, "command", lambda _text: None)
    Notices().show("a")
    monkeypatch.setattr(notices, "command", lambda _text: ["/no/such/program"])
    Notices().show("a")


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_words_are_no_part_of_the_script_that_shows_them(platform, monkeypatch):
    monkeypatch.setattr(notices.sys, "platform", platform)
    words = notices.command('"; do evil')
    assert not any("evil" in word for word in words if word != '"; do evil')
