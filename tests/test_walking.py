"""Learning the 38 controllers: the walk, the terminal's keys, and all of it over a JACK server."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from antithesis.errors import ConfigError
from antithesis.parameters import N_PARAMETERS, PARAMETERS
from daemon import config, midiports
from daemon.alone import alone
from daemon.cli import cli
from daemon.controllers import CONTROLLERS, Messages
from daemon.hosts import MidiLink
from daemon.keyboard import END, Keyboard
from daemon.midiear import PORT
from daemon.walking import KEYS, Step, Walk, walk_through
from tests.jackplayer import Program

JACK = "jack"
PATIENCE_S = 30.0
EVERY = frozenset(range(N_PARAMETERS))
NEXT, SKIP, BACK, STOP = Step.NEXT, Step.SKIP, Step.BACK, Step.STOP

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")


def walked(*steps: Step, walk: Walk | None = None) -> Walk:
    walk = walk or Walk()
    for step in steps:
        walk = walk.taken(step)
    return walk


# The walk ----------------------------------------------------------------------------------------


def test_from_one_end_to_the_other_all_are_learned() -> None:
    walk = walked(*[NEXT] * N_PARAMETERS)

    assert (walk.learned, walk.control) == (EVERY, None)


def test_what_is_skipped_is_not_learned_even_if_it_was() -> None:
    assert walked(NEXT, SKIP, NEXT).learned == {0, 2}
    assert walked(NEXT, NEXT, BACK, SKIP).learned == {0}


def test_back_is_one_back_and_never_before_the_first() -> None:
    assert walked(NEXT, NEXT, BACK).at == 1
    assert walked(BACK, BACK).at == 0


def test_a_walk_goes_on_at_the_first_that_is_missing() -> None:
    stopped = walked(NEXT, NEXT, NEXT, STOP)

    assert stopped.control is None
    assert Walk.resumed(stopped.learned).at == 3
    assert Walk.resumed(stopped.learned - {1}).at == 1
    assert Walk.resumed(EVERY).control is None


@given(st.lists(st.sampled_from(list(Step)), max_size=80))
def test_wherever_it_goes_it_learns_only_where_it_was(steps: list[Step]) -> None:
    walk, seen = Walk(), set()
    for step in steps:
        if walk.control is None:
            return
        seen.add(walk.at)
        walk = walk.taken(step)

        assert walk.learned <= seen
        assert 0 <= walk.at <= N_PARAMETERS


# The keys ----------------------------------------------------------------------------------------


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """A pseudo-terminal: the end of who types, and the one of who reads."""
    pair = os.openpty()
    yield pair
    for descriptor in pair:
        os.close(descriptor)


@posix
def test_a_key_needs_no_enter_and_the_terminal_is_left_as_it_was(
    terminal: tuple[int, int],
) -> None:
    import termios

    typed, read = terminal
    before = termios.tcgetattr(read)
    with Keyboard(read) as keyboard:
        assert keyboard.pressed(0.0) == ""
        os.write(typed, b"nb")
        assert [keyboard.pressed(PATIENCE_S) for _ in "nb"] == ["n", "b"]
        os.write(typed, b"\x1b[C")
        assert KEYS[keyboard.pressed(PATIENCE_S)] is NEXT
    assert termios.tcgetattr(read) == before


@posix
def test_the_end_of_a_pipe_is_a_stop() -> None:
    read, write = os.pipe()
    os.write(write, b"s")
    os.close(write)
    with Keyboard(read) as keyboard:
        assert keyboard.pressed(PATIENCE_S) == "s"
        assert KEYS[keyboard.pressed(PATIENCE_S)] is STOP
        assert keyboard.pressed(PATIENCE_S) == END
    os.close(read)


# All of it ---------------------------------------------------------------------------------------


class Producer:
    """Somebody with a DAW in MIDI learn: sees which controller wiggles, then goes on."""

    def __init__(self, daw: Any, typed: int) -> None:
        self.daw = daw
        self.typed = typed
        self.saw: list[tuple[int, int]] = []

    def sees(self) -> None:
        """Wait for a controller to go all the way up."""
        while True:
            message = self.daw.receive()
            where = (message.channel, message.control)
            if message.value == 127 and where not in self.saw[-1:]:
                self.saw.append(where)
                return

    def types(self, key: str) -> None:
        self.sees()
        os.write(self.typed, key.encode())

    def plays(self, pad: Program, note: int) -> None:
        self.sees()
        pad.say(f"{note} 100")


def opened() -> Any:
    """A DAW's MIDI port."""
    return midiports.open_input("in", backend=JACK, virtual=True)


@pytest.fixture
def daw(jack_server: str) -> Iterator[Any]:
    with opened() as port:
        yield port


@posix
def test_a_walk_by_keys_wiggles_one_after_the_other(daw: Any, terminal: tuple[int, int]) -> None:
    typed, read = terminal
    producer = Producer(daw, typed)

    def plan() -> None:
        for key in ("n", "s", "b", "n", "q"):
            producer.types(key)

    told: list[str] = []
    kept: list[frozenset[int]] = []
    hand = threading.Thread(target=plan, daemon=True)
    hand.start()
    walk = walk_through(
        MidiLink(port="in", backend=JACK), Walk(), Keyboard(read), told.append, kept.append
    )
    hand.join()

    assert producer.saw == [CONTROLLERS[i] for i in (0, 1, 2, 1, 2)]
    assert kept == [{0}, {0, 1}]
    assert walk.learned == {0, 1}
    assert told[0] == " 1 of 38  Oscillator 1 waveform  (controller 3, channel 16)"


@posix
@pytest.mark.parametrize(
    ("messages", "bits", "wiggles", "named"),
    [
        (Messages.CC, 14, [(9, 0), (9, 32), (9, 64)], "controller 9, channel 16"),
        (Messages.NRPN, 7, [(99, 0), (98, 1), (6, 0), (99, 0), (98, 1), (6, 32)], "NRPN 1"),
        (Messages.NRPN, 14, [(99, 0), (98, 1), (6, 0), (38, 0), (99, 0), (98, 1)], "NRPN 1"),
    ],
)
def test_pairs_wiggle_by_their_msb_and_nrpns_whole(
    daw: Any,
    terminal: tuple[int, int],
    messages: Messages,
    bits: int,
    wiggles: list[tuple[int, int]],
    named: str,
) -> None:
    typed, read = terminal
    heard: list[mido.Message] = []

    def plan() -> None:
        heard.extend(daw.receive() for _ in wiggles)
        os.write(typed, b"q")

    told: list[str] = []
    link = MidiLink(port="in", backend=JACK, messages=messages, bits=bits)
    hand = threading.Thread(target=plan, daemon=True)
    hand.start()
    walk_through(link, Walk(at=1), Keyboard(read), told.append, told.append)
    hand.join()

    assert [(m.control, m.value) for m in heard] == wiggles
    (line,) = told
    assert line.startswith(" 2 of 38  Oscillator 1 coarse")
    assert named in line


@posix
def test_a_daw_that_is_closed_and_opened_sees_the_walk_go_on(
    jack_server: str, terminal: tuple[int, int]
) -> None:
    typed, read = terminal
    saw: list[tuple[int, int]] = []

    def plan() -> None:
        for key in ("n", "q"):
            with again if key == "n" else opened() as daw:
                producer = Producer(daw, typed)
                producer.types(key)
                saw.extend(producer.saw)

    with opened() as again:
        hand = threading.Thread(target=plan, daemon=True)
        hand.start()
        link = MidiLink(port="in", backend=JACK)
        walk = walk_through(link, Walk(), Keyboard(read), lambda _: None, lambda _: None)
        hand.join()

    assert saw == list(CONTROLLERS[:2])
    assert walk.learned == {0}


@posix
def test_keys_and_notes_go_on_and_the_route_sends_what_was_learned(
    daw: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, terminal: tuple[int, int]
) -> None:
    known = ", ".join(f'"{p.id}"' for p in PARAMETERS[:36])
    (tmp_path / "config.toml").write_text(
        f'[state]\nfolder = "{tmp_path}/state"\n'
        f'[midi]\nport = "in"\nbackend = "{JACK}"\nlearned = [{known}]\n'
    )
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(tmp_path / "config.toml"))
    typed, read = terminal
    producer = Producer(daw, typed)

    def learning() -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "daemon", "learn", "midi"]
        return subprocess.Popen(command, stdin=read, stdout=subprocess.PIPE, text=True)

    with learning() as first:
        producer.sees()
        with Program("midi", PORT) as pad:
            pad.say("48 100")  # a C, for the glide speed, the 37th
            producer.plays(pad, 64)  # an E: back to it
            producer.types("n")
            producer.plays(pad, 53)  # an F: no more today
        said, _ = first.communicate(timeout=PATIENCE_S)

    assert first.returncode == 0
    assert "37 of 38  Glide speed  (controller 27, channel 15)" in said
    assert "37 of 38 are learned" in said
    assert producer.saw == [CONTROLLERS[i] for i in (36, 37, 36, 37)]
    assert config.host_row(config.load(), "midi").unmapped == {37}

    producer.saw.clear()
    with learning() as second:
        producer.types("n")
        said, _ = second.communicate(timeout=PATIENCE_S)

    assert "38 of 38 are learned" in said
    assert producer.saw == [CONTROLLERS[37]]
    assert config.host_row(config.load(), "midi").unmapped == frozenset()


def test_all_are_sent_until_a_walk_says_otherwise() -> None:
    assert config.host_row(config.parse(""), "midi").unmapped == frozenset()
    some = config.parse('[midi]\nlearned = ["kFilterCutoff"]\n')
    assert config.host_row(some, "midi").unmapped == EVERY - {13}


def test_sysex_cannot_be_learned() -> None:
    with pytest.raises(ConfigError, match=r"set midi\.messages to cc"):
        walk_through(MidiLink(messages=Messages.SYSEX), Walk(), Keyboard(), print, print)


def test_a_running_daemon_has_the_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'[state]\nfolder = "{tmp_path.as_posix()}/state"\n')
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(path))
    with alone(tmp_path / "state"):
        result = CliRunner().invoke(cli, ["learn", "midi"])

    assert result.exit_code == 2
    assert "stop it first" in result.output
