"""Words on the desktop: shown by the system's own program, never waited for, never markup."""

from __future__ import annotations

import os
import shutil
import subprocess
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


# On a real session bus, by the system's own program.

NOTIFICATIONS = "org.freedesktop.Notifications"
REPLIES = {
    "Notify": ("u", (1,)),
    "GetCapabilities": ("as", (["body"],)),
    "GetServerInformation": ("ssss", ("tests", "Antithesis", "1", "1.2")),
}


@pytest.fixture
def desktop(monkeypatch):
    """A session bus with a notification server; gives what that is asked to show next."""
    for program in ("dbus-daemon", "notify-send"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing: apt-get install dbus libnotify-bin")
    from jeepney import HeaderFields, new_method_return
    from jeepney.bus_messages import message_bus
    from jeepney.io.blocking import open_dbus_connection

    def shown():
        while True:
            asked = server.receive(timeout=60)
            member = asked.header.fields.get(HeaderFields.member)
            if member in REPLIES:
                server.send(new_method_return(asked, *REPLIES[member]))
            if member == "Notify":
                return asked.body

    command = ["dbus-daemon", "--session", "--nofork", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as bus:
        try:
            address = bus.stdout.readline().strip()
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            with open_dbus_connection(address) as server:
                server.send_and_get_reply(message_bus.RequestName(NOTIFICATIONS))
                yield shown
        finally:
            bus.terminate()


def test_desktop_is_given_the_words_by_its_bus(desktop):
    shower = Notices()
    shower.show("<i>a</i>.wav: 1.00 dB away")
    application, _, _, title, text, *_ = desktop()
    assert shower._showing.wait(60) == 0
    assert (application, title) == ("Antithesis", "Antithesis")
    assert text == "&lt;i&gt;a&lt;/i&gt;.wav: 1.00 dB away"


def test_desktop_without_a_notification_server_keeps_nobody(monkeypatch, tmp_path):
    if shutil.which("notify-send") is None:
        pytest.skip("notify-send is missing: apt-get install libnotify-bin")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/nobody")
    shower = Notices()
    shower.show("a")
    assert shower._showing.wait(60) != 0
