"""MIDI ports of others, by a real JACK server: they come, are pulled out, and come back."""

from __future__ import annotations

import logging
import threading
import time

import mido

from daemon import midiear, midiports
from daemon.midiear import MidiEar

JACK = "jack"
PATIENCE_S = 60


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.02)


def pad():
    """A controller's port."""
    return midiports.open_output("pad", backend=JACK, virtual=True)


def test_port_that_is_pulled_out_is_told_and_heard_again_when_it_is_back(
    jack_server, monkeypatch, caplog
):
    monkeypatch.setattr(midiear, "LOOK_S", 0.05)
    heard = []

    def press(keys, note):
        """Press until it is heard: JACK joins ports in a later cycle."""
        keys.send(mido.Message("note_on", note=note))
        return note in heard

    ear = MidiEar(
        lambda message, _port, _at: heard.append(message.note), ["pad"], backend=JACK, own=""
    )
    with caplog.at_level(logging.INFO), ear:
        assert ear.ports == []
        for note in (36, 48):
            with pad() as keys:
                until(lambda keys=keys, note=note: press(keys, note))
            until(lambda: not ear.ports)
    assert any("no MIDI port 'pad' yet" in said for said in caplog.messages)
    assert sum("pad is gone" in said for said in caplog.messages) == 2


def test_port_that_is_put_back_before_it_was_missed_is_heard(jack_server, monkeypatch):
    monkeypatch.setattr(midiear, "LOOK_S", 0.5)
    heard = []

    def press(keys):
        keys.send(mido.Message("note_on", note=36))
        return heard

    with MidiEar(lambda *message: heard.append(message), ["pad"], backend=JACK, own=""):
        for _ in range(2):
            with pad() as keys:
                until(lambda keys=keys: press(keys))
            heard.clear()


def test_keys_that_are_down_on_a_port_that_goes_are_let_go_of(jack_server, monkeypatch):
    monkeypatch.setattr(midiear, "LOOK_S", 0.05)
    heard = []

    def hear(message, port, _at):
        heard.append((message.type, message.channel, message.note, port))

    with MidiEar(hear, ["pad"], backend=JACK, own="") as ear:
        with pad() as keys:
            until(lambda: press(keys) or heard)
            (port,) = ear.ports
            keys.send(mido.Message("note_on", channel=2, note=64))
            keys.send(mido.Message("note_off", channel=2, note=64))
            until(lambda: ("note_off", 2, 64, port) in heard)
        until(lambda: ("note_off", 0, 36, port) in heard)
    assert heard.count(("note_off", 2, 64, port)) == 1


def press(keys):
    keys.send(mido.Message("note_on", note=36))


def test_every_port_is_heard_where_that_is_wanted(jack_server, monkeypatch):
    monkeypatch.setattr(midiear, "LOOK_S", 0.05)
    with MidiEar(lambda *_message: None, ["*"], backend=JACK, own="") as ear, pad():
        until(lambda: any("pad" in name for name in ear.ports))
