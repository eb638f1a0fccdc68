"""FL Studio's script in a stand-in for FL Studio, and the route that speaks with it."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import resources
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

from antithesis.errors import SendError
from antithesis.parameters import BY_ID, N_PARAMETERS, PARAMETERS
from antithesis.preset import Preset
from daemon import config, midiports, sysex
from daemon.doctor import Verdict, host_files
from daemon.hosts import ScriptLink, find_host
from daemon.installing import find_installation, install, outdated, uninstall
from daemon.senders import Grade, Sender, open_sender, script
from daemon.senders.places import KEY_LENGTH
from daemon.senders.script import ScriptRoute
from daemon.sysex import Command, Frame
from tests import jackstudio
from tests.jackplayer import Program
from tests.simulators.fl_studio import ALLOWED, Channel, Event, Plugin, Studio, Undocumented

SCRIPT = Path(str(resources.files("daemon"))) / "hostfiles/device_Antithesis.py"
MIKA = [p.host_name for p in PARAMETERS]
WANTED = Preset.from_normalized(np.random.default_rng(5).random(N_PARAMETERS))


def rack() -> list[Channel]:
    return [
        Channel("Kick"),
        Channel("FLEX", Plugin(["Cutoff", "Oscillator mix", "Master volume"])),
        Channel("Lead", Plugin(["Bypass", *MIKA])),
    ]


@pytest.fixture
def studio() -> Studio:
    return Studio(rack())


@pytest.fixture
def ask(studio: Studio) -> Callable[..., Frame | None]:
    script = studio.load(SCRIPT)

    def ask(command: int, payload: bytes = b"", **frame: int) -> Frame | None:
        event = Event(bytes((0xF0, *Frame(command, payload, **frame).encode(), 0xF7)))
        script.OnSysEx(event)
        assert event.handled
        return Frame.decode(studio.sent.pop()[1:-1]) if studio.sent else None

    return ask


# The script --------------------------------------------------------------------------------------


def test_it_finds_the_plugin_by_its_parameters_on_whatever_channel(ask, studio) -> None:
    assert ask(Command.HELLO, sequence=9) == Frame(65, b"Lead on channel 3", 9)

    studio.rack.reverse()
    assert ask(Command.HELLO).text == "Lead on channel 1"


def test_it_sets_what_it_is_told_and_tells_what_the_plugin_holds(ask, studio) -> None:
    values = dict(enumerate(WANTED.normalized))
    answer = ask(Command.SET, sysex.parameters(values))

    assert answer.command == Command.VALUES
    assert dict(answer.values()) == pytest.approx(values, abs=1e-6)
    assert studio.rack[2].plugin.values[1:] == pytest.approx(list(values.values()), abs=1e-6)
    assert studio.rack[2].plugin.values[0] == 0  # FL's own, before ours


def test_a_parameter_that_does_not_follow_is_told_as_it_is(ask, studio) -> None:
    studio.ignored = {14}

    answer = ask(Command.SET, sysex.parameters({13: 0.75, 14: 0.5}))

    assert dict(answer.values())[13] == 0.0
    assert dict(answer.values())[14] == pytest.approx(0.5, abs=1e-6)


def test_notes_are_played_on_its_channel(ask, studio) -> None:
    assert ask(Command.NOTE, bytes([60, 100])) is None
    assert ask(Command.NOTE, bytes([60, 0])) is None
    assert studio.notes == [(2, 60, 100), (2, 60, 0)]


@pytest.mark.parametrize("command", [Command.HELLO, Command.SET, Command.GET, Command.NOTE])
def test_it_touches_nothing_while_a_window_waits(ask, studio, command) -> None:
    studio.safe = False
    assert "close it" in ask(command, sysex.parameters({1: 0.5})).text


def test_it_says_that_there_is_no_mika_micro(ask, studio) -> None:
    studio.rack[2].plugin.names.remove(BY_ID["kGlideSpeed"].host_name)

    assert ask(Command.GET).text == "put a Mika Micro on the channel rack"
    del studio.rack[2]
    assert ask(Command.GET).command == Command.TROUBLE


def test_a_message_of_another_version_is_answered_in_words(ask) -> None:
    answer = ask(Command.SET, sysex.parameters({1: 0.5}), version=2)

    assert (answer.command, answer.version) == (Command.TROUBLE, 1)
    assert "install fl-studio" in answer.text


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xf0\xf7",
        b"\xf0\x7d\x41\x55\x01\x01\x00\x7e\xf7",
        b"\xf0\x7d\x41\x54\x01\x01\x00\x00\xf7",
    ],
)
def test_what_is_not_ours_is_left_to_others(studio, message) -> None:
    event = Event(message)
    studio.load(SCRIPT).OnSysEx(event)

    assert (event.handled, studio.sent) == (False, [])


def test_without_an_output_it_is_silent(ask, studio) -> None:
    studio.linked = False
    assert ask(Command.HELLO) is None


def test_it_has_the_names_of_the_table_and_the_version_of_the_daemon(studio) -> None:
    script = studio.load(SCRIPT)

    assert tuple(p.name for p in PARAMETERS) == script.NAMES
    assert (script.VERSION, script.KEY_LENGTH) == (sysex.VERSION, KEY_LENGTH)


def test_it_imports_what_the_sandbox_has_and_nothing_else() -> None:
    tree = ast.parse(SCRIPT.read_text("utf-8"))
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}

    assert imported == ALLOWED
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]


def test_the_stand_in_refuses_what_is_not_documented(studio) -> None:
    plugins = studio._module("plugins")
    with pytest.raises(Undocumented, match="index is '2'"):
        plugins.getParamValue(0, "2", -1, True)
    with pytest.raises(TypeError):
        plugins.getParamValue(0, 2, useGlobalIndex=True)
    assert not hasattr(plugins, "setParameter")


# The route ---------------------------------------------------------------------------------------


class Port:
    """A MIDI port to FL Studio, which answers through the other one; loses what it is told to."""

    def __init__(self, studio: Studio) -> None:
        self.name = "in"
        self.closed = False
        self.callback: Callable[[mido.Message], None] | None = None
        self.lost = 0
        self.change: Callable[[bytes], bytes] = bytes
        self._studio = studio
        self._script = studio.load(SCRIPT)

    def send(self, message: Any) -> None:
        if self.lost:
            self.lost -= 1
            return
        self._script.OnSysEx(Event(bytes(message.bytes())))
        for said in self._studio.sent:
            self.say(mido.Message.from_bytes(self.change(said)))
        self._studio.sent.clear()

    def say(self, message: mido.Message) -> None:
        assert self.callback is not None
        self.callback(message)

    def close(self) -> None:
        """It is left open for the next."""


@pytest.fixture
def port(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Port:
    port = Port(studio)
    monkeypatch.setattr(midiports, "open_output", lambda *_args, **_how: port)
    monkeypatch.setattr(midiports, "open_input", lambda *_args, **_how: port)
    return port


@pytest.fixture
def sender(port: Port) -> Iterator[Sender]:
    with open_sender(find_host("fl-studio", patience_s=0.4, ask_again_s=0.1)) as sender:
        yield sender


def test_a_preset_is_confirmed(sender: Sender, studio: Studio) -> None:
    assert len(sender.look()) == N_PARAMETERS
    delivery = sender.send(WANTED)

    assert sender.where == "Lead on channel 3"
    assert (delivery.grade, delivery.written) == (Grade.CONFIRMED, 38)
    held = Preset.from_normalized(np.clip(studio.rack[2].plugin.values[1:], 0, 1))
    assert all(held[p.id] == WANTED[p.id] for p in PARAMETERS if p.steps)


def test_messages_that_are_lost_are_sent_again(sender: Sender, port: Port) -> None:
    port.lost = 2
    sender.look()
    port.lost = 1
    assert sender.send(WANTED).grade is Grade.CONFIRMED


def test_what_does_not_follow_is_named(sender: Sender, studio: Studio) -> None:
    studio.ignored = {1 + BY_ID["kFilterCutoff"].index}
    sender.look()

    delivery = sender.send(WANTED)

    assert (delivery.grade, delivery.differing) == (Grade.FAILED, ("kFilterCutoff",))


def test_no_answer_a_waiting_window_and_an_old_script_are_told(
    sender: Sender, port: Port, studio: Studio
) -> None:
    port.lost = 1000
    with pytest.raises(SendError, match="its script does not answer"):
        sender.look()
    port.lost, studio.safe = 0, False
    with pytest.raises(SendError, match="a window of FL Studio waits"):
        sender.look()

    def older(said: bytes) -> bytes:
        frame = Frame.decode(said[1:-1])
        assert frame is not None
        data = Frame(frame.command, frame.payload, frame.sequence, version=0).encode()
        return bytes((0xF0, *data, 0xF7))

    port.change = older
    with pytest.raises(SendError, match="version 0, this program 1: install it again"):
        sender.look()


def test_what_is_said_between_sounds_is_not_kept_for_ever(sender: Sender, port: Port) -> None:
    route = sender.route
    assert isinstance(route, ScriptRoute)
    for _ in range(1000):
        port.say(mido.Message("clock"))
        port.say(mido.Message("sysex", data=(0x7E, 0x7F, 6, 1)))
    assert not route._answers
    for sequence in range(1000):
        port.say(
            mido.Message("sysex", data=Frame(Command.VALUES, sequence=sequence % 128).encode())
        )

    assert len({frame.sequence for frame in route._answers}) == len(route._answers) < 128
    assert len(sender.look()) == N_PARAMETERS


def test_patience_ends_however_much_is_said(
    sender: Sender, port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = sender.route
    assert isinstance(route, ScriptRoute)
    now = [0.0]
    monkeypatch.setattr(script.time, "monotonic", lambda: now[0])
    for sequence in range(10):
        port.say(mido.Message("sysex", data=Frame(Command.VALUES, sequence=sequence).encode()))
    heard = []
    for frame in route._heard(until=1.0):
        heard.append(frame.sequence)
        now[0] += 0.4

    assert heard == [0, 1, 2]


def test_a_note_is_held(sender: Sender, studio: Studio) -> None:
    route = sender.route
    assert isinstance(route, ScriptRoute)
    route.play(60, 100, 0.0)
    assert studio.notes == [(2, 60, 100), (2, 60, 0)]


def opened() -> Program:
    """FL Studio in a process of its own, with MIDI ports on a JACK server."""
    return Program(str(SCRIPT), json.dumps(MIKA), program=jackstudio.__file__)


def test_a_daw_that_was_closed_and_opened_is_spoken_to_through_its_new_ports(
    jack_server: str,
) -> None:
    client = jackstudio.CLIENT
    ports = {"port": f"{client}:in", "answers": f"{client}:out", "backend": "jack"}
    with ExitStack() as open_now, ExitStack() as sending:
        open_now.enter_context(opened())
        sender = sending.enter_context(open_sender(find_host("fl-studio", **ports)))
        sender.look()
        assert sender.send(WANTED).grade is Grade.CONFIRMED

        open_now.close()
        with pytest.raises(SendError, match=r"does not answer|no MIDI \w+ is called 'FL Studio"):
            sender.look()
        studio = open_now.enter_context(opened())
        sender.look()
        assert sender.send(WANTED).grade is Grade.CONFIRMED

        assert json.loads(studio.ask("held")) == pytest.approx(list(WANTED.normalized), abs=1e-6)


def test_ports_are_those_of_the_configuration() -> None:
    text = '[midi]\nport = "Antithesis Script Out"\nanswers = "Antithesis Script In"\n'
    link = config.host_row(config.parse(text), "fl-studio").link

    assert isinstance(link, ScriptLink)
    assert (link.port, link.answers) == ("Antithesis Script Out", "Antithesis Script In")


def test_the_script_is_put_in_place_and_taken_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("daemon.installing.user_documents_path", lambda: tmp_path)
    row = find_installation("fl-studio")

    (path,) = install(row)

    where = "Image-Line/FL Studio/Settings/Hardware/Antithesis/device_Antithesis.py"
    assert path.relative_to(tmp_path).as_posix() == where
    assert path.read_bytes() == SCRIPT.read_bytes()
    path.write_text("# name=Antithesis\n")
    assert outdated(row) == (path,)
    assert host_files(config.Config()).verdict is Verdict.WARN
    assert uninstall(row) == (path,)
    assert not path.parent.exists()
