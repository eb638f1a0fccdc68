"""Every host but REAPER and Ardour: its simulator in its own process, over real UDP."""

from __future__ import annotations

import shutil
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from antithesis.errors import ConfigError, DeviceError, SendError
from antithesis.parameters import BY_ID, N_PARAMETERS, PARAMETERS
from antithesis.preset import Preset
from daemon import config
from daemon.hosts import HostRow, OscLink, find_host
from daemon.osc import OscMessage
from daemon.ports import free_port
from daemon.senders import Grade, History, Router, finders, open_sender
from daemon.senders.places import KEY_LENGTH, squashed
from daemon.senders.stream import Stream
from tests.oscpeer import OscPeer
from tests.simulators import Simulated

CUTOFF = BY_ID["kFilterCutoff"].index
IDS = [p.id for p in PARAMETERS]


def preset_of(seed: int) -> Preset:
    return Preset.from_normalized(np.random.default_rng(seed).random(N_PARAMETERS))


def of_the_table(name: str) -> Callable[[int, int], HostRow]:
    return lambda port, reply_port: find_host(name, port=port, reply_port=reply_port)


def custom(port: int, reply_port: int) -> HostRow:
    text = f"""
        [host]
        route = "custom"
        [custom]
        port = {port}
        reply_port = {reply_port}
        set = "/synth/set/{{id}} {{value}}"
        ask = "/synth/get"
        told = "/synth/is/{{id}} now {{value}}"
        scale = "plain"
        """
    (row,) = config.host_rows(config.parse(text))
    return row


@dataclass(frozen=True)
class Kind:
    """A host under test: its row, what its simulator is given, and how it counts."""

    name: str
    row: Callable[[int, int], HostRow]
    settings: dict[str, Any]
    first_number: int = 0
    plain: bool = False

    @contextmanager
    def running(self, **settings: Any) -> Iterator[tuple[Simulated, HostRow]]:
        reply_port = free_port()
        with Simulated(self.name, reply_port=reply_port, **self.settings, **settings) as host:
            yield host, self.row(host.port, reply_port)

    def holds(self, preset: Preset) -> Any:
        if self.plain:
            return pytest.approx(list(preset.plain), rel=1e-5, abs=1e-5)
        return pytest.approx(list(preset.normalized), abs=1e-7)


ABLETON = Kind("ableton", of_the_table("ableton"), {}, first_number=1)
BITWIG = Kind("bitwig", of_the_table("bitwig"), {})
CARLA = Kind("carla", of_the_table("carla"), {})
CUSTOM = Kind("custom", custom, {"ids": IDS}, plain=True)
NODE = pytest.mark.skipif(
    not shutil.which("node"), reason="node is missing: apt-get install nodejs"
)
BY_UDP = [ABLETON, pytest.param(BITWIG, marks=NODE), CUSTOM]
KINDS = pytest.mark.parametrize("kind", [*BY_UDP, CARLA], ids=lambda kind: kind.name)


def flat(preset: Preset) -> Preset:
    """Without what has no float32 in plain units."""
    return Preset.from_normalized(preset.normalized.astype(np.float32))


@KINDS
def test_all_38_are_set_and_confirmed(kind: Kind) -> None:
    with kind.running() as (host, row), open_sender(row) as sender:
        sender.look()
        for seed in range(3):
            delivery = sender.send(preset_of(seed))
            assert (delivery.grade, delivery.differing) == (Grade.CONFIRMED, ())
            assert host.held() == kind.holds(flat(preset_of(seed)))


@KINDS
def test_both_ends_of_every_range_arrive(kind: Kind) -> None:
    with kind.running() as (host, row), open_sender(row) as sender:
        for end in (0.0, 1.0):
            preset = Preset.from_normalized([end] * N_PARAMETERS)
            assert sender.send(preset).grade is Grade.CONFIRMED
            assert host.held() == kind.holds(preset)


@KINDS
def test_only_what_changed_travels(kind: Kind) -> None:
    with kind.running() as (host, row), open_sender(row) as sender:
        sender.send(preset_of(1))
        host.tell("forget_heard")

        delivery = sender.send(preset_of(1).replace(kFilterCutoff=333.0))

        sets = [m for m in host.tell("messages_heard") if "set" in m[0]]
    assert (delivery.grade, delivery.written, len(sets)) == (Grade.CONFIRMED, 1, 1)


@KINDS
def test_a_knob_turned_by_hand_is_put_right_and_comes_back_by_undo(
    kind: Kind, tmp_path: Path
) -> None:
    half = PARAMETERS[CUTOFF].to_plain(0.5) if kind.plain else 0.5
    number = kind.first_number + CUTOFF
    with kind.running() as (host, row):
        with Router([open_sender(row)], History(tmp_path / "before.json")) as router:
            router.apply(preset_of(1))
            host.tell("turn", number, half)
            assert router.apply(preset_of(1), fresh=False).grade is Grade.CONFIRMED
            assert host.held() == kind.holds(flat(preset_of(1)))
            host.tell("turn", number, half)
            assert router.apply(preset_of(2)).grade is Grade.CONFIRMED

            assert router.undo().grade is Grade.CONFIRMED
        assert host.held()[CUTOFF] == pytest.approx(half)


@pytest.mark.parametrize("kind", BY_UDP, ids=lambda kind: kind.name)
@pytest.mark.parametrize("line", [{"lose": 0.2}, {"lose": 0.05, "trouble": 0.2}], ids=str)
def test_a_bad_line_still_ends_in_confirmed(kind: Kind, line: dict[str, float]) -> None:
    with kind.running(**line) as (host, row), open_sender(row) as sender:
        sender.look()
        for seed in range(3):
            assert sender.send(preset_of(seed)).grade is Grade.CONFIRMED
            assert host.held() == kind.holds(flat(preset_of(seed)))


# Ableton Live ------------------------------------------------------------------------------------


def test_live_is_set_by_a_literal_datagram_of_its_documentation() -> None:
    # /live/device/set/parameter/value iiif: track 1, device 1, parameter 14, 0.25
    numbers = b"\0\0\0\1" + b"\0\0\0\1" + b"\0\0\0\x0e" + b"\x3e\x80\0\0"
    datagram = b"/live/device/set/parameter/value\0\0\0\0,iiif\0\0\0" + numbers
    with ABLETON.running() as (host, _), OscPeer(host.port) as peer:
        peer.socket.sendto(datagram, peer.target)
        while host.held()[CUTOFF] != 0.25:
            pass


def test_live_is_asked_as_its_documentation_says() -> None:
    with ABLETON.running() as (host, row), open_sender(row) as sender:
        sender.look()
        assert sender.where == "mika_micro on Lead"
        sender.send(Preset.init().replace(kFilterCutoff=20.0))
        heard = host.tell("messages_heard")

    assert ["/live/song/get/track_names"] in heard
    assert ["/live/device/get/parameters/name", 1, 1] in heard
    assert ["/live/device/get/parameters/value", 1, 1] in heard
    assert ["/live/device/set/parameter/value", 1, 1, 1 + CUTOFF, 0.0] in heard


def test_live_takes_all_38_and_the_question_in_two_of_its_ticks() -> None:
    with ABLETON.running() as (_, row), open_sender(row) as sender:
        sender.look()

        assert sender.send(preset_of(1)).rounds == 1


def test_live_that_shows_no_parameters_asks_for_configure(tmp_path: Path) -> None:
    history = History(tmp_path / "before.json")
    with ABLETON.running(configured=False) as (_, row), Router([open_sender(row)], history) as way:
        delivery = way.apply(preset_of(1))

    assert delivery.grade is Grade.FAILED
    assert "press Configure" in delivery.reason


def test_live_on_a_track_without_it_is_not_searched_further() -> None:
    with (
        ABLETON.running() as (_, row),
        open_sender(on_track(row, 1)) as sender,
        pytest.raises(SendError, match="no Mika Micro"),
    ):
        sender.look()


def on_track(row: HostRow, track: int) -> HostRow:
    link: Any = row.link
    return replace(row, link=replace(link, track=track))


# Bitwig: our own script, in a stand-in for Bitwig under Node -------------------------------------


@NODE
def test_bitwig_is_spoken_to_in_the_words_of_our_script() -> None:
    with BITWIG.running() as (host, row), open_sender(row) as sender:
        sender.look()
        assert sender.where == "Mika Micro on Lead"
        sender.send(Preset.init().replace(kFilterCutoff=20.0))
        heard = host.tell("messages_heard")

    assert ["/antithesis/hello", 1, 0] in heard
    assert ["/antithesis/set", CUTOFF, 0.0] in heard
    assert ["/antithesis/get"] in heard


@NODE
@pytest.mark.parametrize("plugin", ["vst2", "vst3"])
def test_bitwig_finds_the_plug_in_in_either_format(plugin: str) -> None:
    with BITWIG.running(format=plugin) as (host, row), open_sender(row) as sender:
        sender.look()
        assert sender.send(preset_of(1)).grade is Grade.CONFIRMED
        assert host.held() == BITWIG.holds(flat(preset_of(1)))


@NODE
def test_bitwig_on_another_track_is_read_after_its_values_have_followed() -> None:
    with BITWIG.running() as (host, row):
        for number in (3, 4, 3):
            for index in range(N_PARAMETERS):
                host.tell("turn", index, number / 10, number)
            with open_sender(on_track(row, number)) as sender:
                assert list(sender.look().values()) == [pytest.approx(number / 10)] * N_PARAMETERS


@NODE
def test_bitwig_keeps_to_its_track_when_another_is_put_before_it() -> None:
    with BITWIG.running() as (host, row), open_sender(row) as sender:
        sender.look()
        host.tell("insert_track", "New")
        assert sender.send(preset_of(1)).grade is Grade.CONFIRMED
        assert host.held(4) == BITWIG.holds(flat(preset_of(1)))


@NODE
def test_bitwig_from_which_the_device_is_taken_says_what_is_missing() -> None:
    with BITWIG.running() as (host, row), open_sender(on_track(row, 3)) as sender:
        sender.look()
        host.tell("remove_devices", 3)
        time.sleep(0.1)
        delivery = sender.send(preset_of(1))
        assert (delivery.grade, "no Mika Micro" in delivery.reason) == (Grade.FAILED, True)


@NODE
def test_bitwig_without_the_device_is_told_so() -> None:
    with (
        BITWIG.running(device=False) as (_, row),
        open_sender(row) as sender,
        pytest.raises(SendError, match="no Mika Micro"),
    ):
        sender.look()


@NODE
def test_a_script_of_another_version_is_told_to_be_installed_again_on_both_sides() -> None:
    with BITWIG.running(version=2) as (host, row), open_sender(row) as sender:
        with pytest.raises(SendError, match="has version 2, this program 1: install it again"):
            sender.look()
        assert "antithesis install bitwig" in host.tell("popups")[0]


@NODE
def test_bitwig_plays_a_note_on_the_track_of_the_plug_in() -> None:
    with BITWIG.running() as (host, row), open_sender(row) as sender:
        sender.look()
        route: Any = sender.route
        route.play(57, 100, 0.01)
        wait_until(lambda: len(host.tell("played")) == 2)
        assert host.tell("played") == [["Lead", 57, 100], ["Lead", 57, 0]]


@NODE
def test_bitwig_with_other_ports_starts_the_script_anew() -> None:
    port = free_port()
    with BITWIG.running() as (host, row):
        host.tell("prefer", "Port of this script", port)
        ports = f"port = {port}\nreply_port = {row.link.reply_port}"
        (moved,) = config.host_rows(config.parse(f'[host]\nroute = "bitwig"\n[osc]\n{ports}'))
        wait_until(lambda: answers(moved))


@NODE
@pytest.mark.parametrize(
    "script",
    [
        "host.createCursorTrak('a', 'b', 0, 0, false)",
        "host.createCursorTrack('a', 'b', 0, 0)",
        "host.createCursorTrack('a', 'b', 0, 0.5, false)",
        "host.createTrackBank(1, 0, 0, true).getItemAt(0).name = 'mine'",
        "host.createTrackBank(1, 0, 0, true).getItemAt(0).name().get()",
        "host.getOscModule().connectToUdpServer('127.0.0.1', 9127, host)",
    ],
)
def test_the_stand_in_takes_nothing_that_is_not_documented(
    untouched_bitwig: Simulated, script: str
) -> None:
    assert "Error" in untouched_bitwig.tell("try_script", script)


@pytest.fixture(scope="module")
def untouched_bitwig() -> Iterator[Simulated]:
    with Simulated("bitwig", reply_port=free_port()) as host:
        yield host


def answers(row: HostRow) -> bool:
    try:
        with open_sender(row) as sender:
            return bool(sender.look())
    except SendError:
        return False


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    assert holds()


class Says:
    """A line on which whatever is asked is answered alike, by anybody."""

    def __init__(self, link: OscLink, answers: list[OscMessage]) -> None:
        self.link = link
        self.heard = 0
        self._answers = answers

    def send(self, messages: Iterable[OscMessage]) -> None:
        """It is lost."""

    def answers(self, _questions: Iterable[OscMessage]) -> Iterator[OscMessage]:
        yield from self._answers


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        (
            "ableton",
            [
                OscMessage("/live/song/get/track_names", ("Lead",)),
                OscMessage("/live/track/get/devices/name", (99, "Mika Micro")),
            ],
        ),
        (
            "carla",
            [
                OscMessage("/antithesis/ports", ("one", 1)),
                OscMessage("/antithesis/paramRanges", ("one", 0, 0.5, 0.0, 1.0)),
            ],
        ),
    ],
)
def test_a_plug_in_that_can_be_nowhere_is_none(name: str, answers: list[OscMessage]) -> None:
    link = find_host(name).link
    assert isinstance(link, OscLink)
    assert list(getattr(finders, name)(Says(link, answers))) == []


# Carla, by TCP -----------------------------------------------------------------------------------


def test_carla_tells_by_a_connection_of_its_own_and_is_left_unregistered() -> None:
    with CARLA.running() as (host, row):
        with open_sender(row) as sender:
            sender.look()
            assert sender.where == "Mika Micro, plug-in 2"
            assert host.tell("owned") == f"osc.tcp://127.0.0.1:{row.link.reply_port}/antithesis"
            sender.send(Preset.init().replace(kFilterCutoff=20.0))
            assert ["/Carla/1/set_parameter_value", CUTOFF, 0.0] in host.tell("messages_heard")
        wait_until(lambda: host.tell("owned") == "")


def test_carla_that_tells_another_program_is_left_to_it() -> None:
    with CARLA.running() as (host, row), open_sender(row) as sender:
        host.tell("own", "osc.tcp://127.0.0.1:9/ctrl")
        with pytest.raises(SendError, match="another program already: close Carla Control"):
            sender.look()
        assert host.tell("owned") == "osc.tcp://127.0.0.1:9/ctrl"


def test_carla_that_still_tells_us_of_last_time_is_asked_anew() -> None:
    with CARLA.running() as (host, row), open_sender(row) as sender:
        host.tell("own", f"osc.tcp://127.0.0.1:{row.link.reply_port}/antithesis")
        assert len(sender.look()) == N_PARAMETERS


def test_carla_closed_and_opened_with_its_plug_ins_in_another_order_is_found_again() -> None:
    with CARLA.running() as (host, row), open_sender(row) as sender:
        assert sender.send(preset_of(1)).grade is Grade.CONFIRMED
        assert host.tell("hang_up") == 1
        host.tell("move")
        sender.look()
        assert sender.where == "Mika Micro, plug-in 1"
        assert sender.send(preset_of(2)).grade is Grade.CONFIRMED


def reset(connection: socket.socket) -> None:
    """End a connection as a program does that is killed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.fixture
def carla() -> Iterator[socket.socket]:
    """A Carla that does nothing by itself: the port that it listens on."""
    with socket.create_server(("127.0.0.1", 0)) as port:
        yield port


def line_to(carla: socket.socket, patience_s: float) -> Stream:
    port = carla.getsockname()[1]
    row = find_host("carla", port=port, reply_port=free_port(), patience_s=patience_s)
    assert isinstance(row.link, OscLink)
    return Stream(row.link)


REGISTER = OscMessage("/register", ("osc.tcp://127.0.0.1:9/x",))


def test_whoever_resets_carlas_way_back_says_nothing(carla: socket.socket) -> None:
    def questions() -> Iterator[OscMessage]:
        yield REGISTER
        reset(socket.create_connection(("127.0.0.1", line.link.reply_port)))

    with line_to(carla, patience_s=10.0) as line:
        assert list(line.answers(questions())) == []


def test_patience_that_ended_before_carla_called_is_an_answer_that_did_not_come(
    carla: socket.socket,
) -> None:
    with line_to(carla, patience_s=0.0) as line:
        assert list(line.answers([REGISTER])) == []


@pytest.mark.parametrize("end", [socket.socket.close, reset], ids=["closed", "killed"])
def test_carla_that_was_ended_and_started_is_spoken_to_by_a_new_connection(
    carla: socket.socket, end: Callable[[socket.socket], None]
) -> None:
    with line_to(carla, patience_s=1.0) as line:
        for _ in range(2):
            line.send([REGISTER])
            there, _ = carla.accept()
            assert b"/register" in there.recv(65536)
            end(there)


def test_carla_without_the_plug_in_is_told_so() -> None:
    with (
        CARLA.running(device=False) as (_, row),
        open_sender(row) as sender,
        pytest.raises(SendError, match="no Mika Micro"),
    ):
        sender.look()


def test_carla_that_does_not_run_is_known_at_once() -> None:
    row = find_host("carla", port=free_port(), reply_port=free_port())
    with open_sender(row) as sender, pytest.raises(SendError, match="nothing listens on TCP"):
        sender.look()


def test_port_for_carla_that_another_program_has_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        row = find_host("carla", reply_port=other.getsockname()[1])
        with pytest.raises(DeviceError, match=r"TCP port \d+ is taken"), open_sender(row):
            pass


def test_carla_is_set_by_a_literal_datagram_of_its_handlers() -> None:
    # /Carla/1/set_parameter_value if: 13, 0.25
    datagram = b"/Carla/1/set_parameter_value\0\0\0\0,if\0" + b"\0\0\0\x0d\x3e\x80\0\0"
    with CARLA.running() as (host, _), OscPeer(host.port) as peer:
        peer.socket.sendto(datagram, peer.target)
        wait_for(host, [*host.held()[:CUTOFF], 0.25, *host.held()[CUTOFF + 1 :]])


# Renoise, which tells nothing back ---------------------------------------------------------------


RENOISE = Kind("renoise", lambda port, _: find_host("renoise", port=port), {})
LUA = pytest.mark.skipif(not shutil.which("lua5.1"), reason="lua5.1 is missing: apt-get install")


def wait_for(host: Simulated, wanted: Any) -> None:
    end = time.monotonic() + 10
    while host.held() != wanted and time.monotonic() < end:
        time.sleep(0.05)
    assert host.held() == wanted


@LUA
@pytest.mark.parametrize("line", [{}, {"lose": 0.2}, {"lose": 0.05, "trouble": 0.2}], ids=str)
def test_all_38_arrive_at_a_host_that_tells_nothing_and_the_grade_is_sent(
    line: dict[str, float],
) -> None:
    with RENOISE.running(**line) as (host, row), open_sender(row) as sender:
        sender.look()
        for seed in range(2):
            assert sender.send(preset_of(seed)).grade is Grade.SENT
            wait_for(host, RENOISE.holds(preset_of(seed)))


@LUA
def test_a_host_that_tells_nothing_is_told_everything_again_and_again() -> None:
    with RENOISE.running() as (host, row), open_sender(row) as sender:
        sender.send(preset_of(1))
        wait_for(host, RENOISE.holds(preset_of(1)))
        wait_until(lambda: len(host.tell("messages_heard")) == 2 * row.copies * N_PARAMETERS)


def test_a_note_is_played_where_the_host_has_an_address_for_notes() -> None:
    with CARLA.running() as (host, row), open_sender(row) as sender:
        sender.look()
        route: Any = sender.route
        route.play(57, 100, 0.01)
        end = time.monotonic() + 10
        while len(host.tell("played")) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        assert host.tell("played") == [[0, 57, 100], [0, 57, 0]]


@LUA
def test_renoise_is_set_by_a_literal_datagram_of_its_documentation() -> None:
    # /renoise/evaluate s: an expression of Lua, by the objects of its API
    said = f"renoise.song().instruments[3].plugin_properties.plugin_device.parameters[{CUTOFF + 1}]"
    expression = f"{said}.value = 0.25".encode()
    padding = b"\0" * (4 - len(expression) % 4)
    datagram = b"/renoise/evaluate\0\0\0" + b",s\0\0" + expression + padding
    with RENOISE.running() as (host, _), OscPeer(host.port) as peer:
        before = host.held()
        peer.socket.sendto(datagram, peer.target)
        wait_for(host, [*before[:CUTOFF], 0.25, *before[CUTOFF + 1 :]])


@LUA
def test_renoise_looks_for_the_plug_in_by_its_name_and_leaves_others_alone() -> None:
    with RENOISE.running() as (host, row), open_sender(on_track(row, 3)) as sender:
        sender.send(preset_of(1))
        wait_for(host, RENOISE.holds(preset_of(1)))
        assert host.tell("others") == [0.5]


@LUA
def test_renoise_on_another_instrument_is_left_as_it_is() -> None:
    with RENOISE.running() as (host, row), open_sender(on_track(row, 2)) as sender:
        before = host.held()
        sender.send(preset_of(1))
        assert host.held() == before


def test_names_that_are_cut_for_a_script_are_still_told_apart() -> None:
    keys = [squashed(p.name)[:KEY_LENGTH] for p in PARAMETERS]

    for key in keys:
        assert [squashed(p.name).startswith(key) for p in PARAMETERS].count(True) == 1


# Custom ------------------------------------------------------------------------------------------


def test_a_custom_host_that_cannot_answer_is_sent() -> None:
    text = '[host]\nroute = "custom"\n[custom]\nport = {}\nset = "/s/{{number}} {{value}}"\n'
    with OscPeer() as deaf:
        (row,) = config.host_rows(config.parse(text.format(deaf.port)))
        with open_sender(row) as sender:
            assert sender.send(preset_of(1)).grade is Grade.SENT


def test_the_custom_route_without_a_host_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match=r"give custom\.port and custom\.set"):
        config.host_rows(config.parse('[host]\nroute = "custom"'))


@pytest.mark.parametrize(
    ("key", "text", "mistake"),
    [
        ("set", "/s/{id}", r"it needs \{value\} and \{id\} or \{number\}$"),
        ("set", "/s {value}", r"it needs \{value\} and \{id\} or \{number\}$"),
        ("set", "/s/{id} {values...}", r"\{values\.\.\.\} is not known here"),
        ("set", "/s/{id} {value:d}", r"\{value:d\} is not known here"),
        ("set", "/s/{} {value}", r"\{\} is not known here"),
        ("set", "/s/{id} {value", "a brace lacks the other one"),
        ("ask", "/get/{id}", r"\{id\} is not known here; in braces there may be: nothing"),
        ("told", "/t/{id}", r"it needs .*\{number\}, or \{values\.\.\.\}$"),
        ("told", "/t {value}", r"it needs .*\{number\}, or \{values\.\.\.\}$"),
        ("told", "/t/{id}/{id} {value}", r"\{id\} is there twice"),
        ("told", "/t/{name} {value}", "there may be: {id}, {number}, {value}, {values...}"),
    ],
)
def test_a_message_with_other_holes_than_its_own_is_a_mistake(
    key: str, text: str, mistake: str
) -> None:
    messages = {"set": "/s/{id} {value}", "ask": "/get", "told": "/t/{id} {value}"} | {key: text}
    lines = [f'{name} = "{said}"' for name, said in messages.items()]
    chosen = config.parse("\n".join(['[host]\nroute = "custom"\n[custom]\nport = 9000', *lines]))

    with pytest.raises(ConfigError, match=mistake) as caught:
        config.host_rows(chosen)
    assert f'custom.{key} = "{text}": ' in str(caught.value)


@pytest.mark.parametrize("told", ["/t {values...}", "/t/{number} ... {value}", "/t/{id} {value}"])
def test_a_host_may_tell_by_ids_by_numbers_or_all_at_once(told: str) -> None:
    text = '[host]\nroute = "custom"\n[custom]\nport = 9\nset = "/s/{number} v={value}"\n'
    (row,) = config.host_rows(config.parse(text + f'ask = "/get"\ntold = "{told}"'))
    assert row.answers


def test_a_message_without_an_address_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="begins with its address"):
        config.parse('[custom]\nset = "synth {value}"')
