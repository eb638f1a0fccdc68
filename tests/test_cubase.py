"""Our MIDI Remote script for Cubase, in a stand-in for Cubase under Node."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mido
import numpy as np
import pytest

from antithesis.errors import SendError
from antithesis.parameters import N_PARAMETERS, PARAMETERS
from antithesis.preset import Preset
from daemon import midiports, sysex
from daemon.hosts import find_host
from daemon.senders import Grade, open_sender
from daemon.senders.script import IN, OUT
from daemon.sysex import Command, Frame
from tests.simulators import Simulated

pytestmark = pytest.mark.skipif(
    not shutil.which("node"), reason="node is missing: apt-get install nodejs"
)
SCRIPT = Path(__file__).parents[1] / "daemon/hostfiles/Antithesis_MikaMicro.js"
JACK = "jack"
PRESET = Preset.from_normalized(np.random.default_rng(1).random(N_PARAMETERS))


@pytest.fixture
def cubase() -> Iterator[Simulated]:
    with Simulated("cubase") as host:
        yield host


@pytest.fixture(scope="module")
def untouched() -> Iterator[Simulated]:
    """For questions that leave everything as it is."""
    with Simulated("cubase") as host:
        yield host


def ask(host: Simulated, frame: Frame) -> Frame:
    ((first, *data, last),) = host.tell("sysex", [0xF0, *frame.encode(), 0xF7])
    answer = Frame.decode(data)
    assert (first, last) == (0xF0, 0xF7)
    assert answer is not None
    assert answer.sequence == frame.sequence
    return answer


def test_a_whole_preset_is_set_and_told_back(cubase: Simulated) -> None:
    grid = sysex.rounded(PRESET.normalized)
    wanted = dict(enumerate(map(float, grid)))

    answer = ask(cubase, Frame(Command.SET, sysex.parameters(wanted), sequence=9))

    assert answer.command == Command.VALUES
    assert dict(answer.values()) == wanted
    assert cubase.held() == pytest.approx(list(grid), abs=1e-12)


def test_only_what_is_named_is_set(cubase: Simulated) -> None:
    before = cubase.held()
    ask(cubase, Frame(Command.SET, sysex.parameters({37: 0.25})))
    assert cubase.held() == pytest.approx([*before[:37], 0.25], abs=1e-6)


def test_what_a_hand_turned_is_told(cubase: Simulated) -> None:
    cubase.tell("turn", 13, 0.75)
    assert dict(ask(cubase, Frame(Command.GET)).values())[13] == pytest.approx(0.75, abs=1e-6)


def test_the_plug_in_is_named(untouched: Simulated) -> None:
    answer = ask(untouched, Frame(Command.HELLO))
    assert (answer.command, answer.text) == (Command.DEVICE, "Mika Micro")


# The route, through a real JACK server ------------------------------------------------------------


@contextmanager
def joined(host: Simulated) -> Iterator[None]:
    """What Cubase does between its ports and the script, while the route's own ports are there."""
    done = threading.Event()

    def carry() -> None:
        with (
            midiports.open_input(OUT, backend=JACK) as heard,
            midiports.open_output(IN, backend=JACK) as answers,
        ):
            ready.set()
            while not done.wait(0.002):
                for message in heard.iter_pending():
                    for answer in host.tell("sysex", message.bytes()):
                        answers.send(mido.Message("sysex", data=answer[1:-1]))

    ready = threading.Event()
    carrying = threading.Thread(target=carry)
    carrying.start()
    try:
        assert ready.wait(30)
        time.sleep(0.2)  # JACK joins ports in a later cycle
        yield
    finally:
        done.set()
        carrying.join()


def test_a_preset_is_confirmed_and_put_back_by_way_of_the_script(
    cubase: Simulated, jack_server: str
) -> None:
    before = cubase.held()
    row = find_host("cubase", backend=JACK, patience_s=5.0)
    with open_sender(row) as sender, joined(cubase):
        known = sender.look()
        assert sender.where == "Mika Micro"
        assert sender.send(PRESET).grade is Grade.CONFIRMED
        assert cubase.held() == pytest.approx(list(PRESET.normalized), abs=1e-6)

        assert sender.bring(known).grade is Grade.CONFIRMED
        assert cubase.held() == pytest.approx(before, abs=1e-6)

        cubase.tell("select", "Other")
        with pytest.raises(SendError, match="select a track"):
            sender.look()


def test_a_daw_without_the_script_is_told_to_install_it(jack_server: str) -> None:
    with (
        open_sender(find_host("cubase", backend=JACK, patience_s=0.3)) as sender,
        pytest.raises(SendError, match="does not answer"),
    ):
        sender.look()


# The script --------------------------------------------------------------------------------------


@pytest.mark.parametrize("track", ["Other", "Empty", "Audio"])
def test_a_track_without_it_is_told_what_to_do_and_left_as_it_is(
    cubase: Simulated, track: str
) -> None:
    before = cubase.held()
    cubase.tell("select", track)
    answer = ask(cubase, Frame(Command.SET, sysex.parameters({0: 1.0})))
    assert (answer.command, "select a track" in answer.text) == (Command.TROUBLE, True)
    assert cubase.held() == before


def test_a_page_that_is_not_active_touches_nothing_until_it_is(cubase: Simulated) -> None:
    cubase.tell("deactivate")
    assert ask(cubase, Frame(Command.GET)).command == Command.TROUBLE
    cubase.tell("activate")
    assert ask(cubase, Frame(Command.GET)).command == Command.VALUES


def test_another_version_is_answered_with_the_remedy(untouched: Simulated) -> None:
    answer = ask(untouched, Frame(Command.GET, version=sysex.VERSION + 1))
    assert answer.version == sysex.VERSION
    assert "antithesis install cubase" in answer.text


@pytest.mark.parametrize(
    "message",
    [
        [],
        [0xF0, 0xF7],
        [0xF0, 0x7E, 0x7F, 0x06, 0x01, 0xF7],  # who is there? to any device
        [0xF0, *Frame(Command.GET).encode()[:-1], 0x11, 0xF7],
        [0xF0, *Frame(Command.GET).encode()],
    ],
    ids=["nothing", "empty", "another's", "damaged", "cut"],
)
def test_what_is_not_ours_is_not_answered(untouched: Simulated, message: list[int]) -> None:
    assert untouched.tell("sysex", message) == []


def test_parameters_that_there_are_not_are_left_out(cubase: Simulated) -> None:
    payload = bytes((99, 127, 127, 127)) + sysex.parameters({0: 0.0}) + b"\x01\x02"
    answer = ask(cubase, Frame(Command.SET, payload))
    assert dict(answer.values())[0] == 0.0


def test_the_script_asks_for_the_ports_that_we_make(untouched: Simulated) -> None:
    assert untouched.tell("ports") == [["in", OUT], ["out", IN]]


def test_the_script_knows_the_names_of_the_table() -> None:
    text = SCRIPT.read_text().split("var NAMES = [")[1].split("]")[0]
    assert re.findall(r"'(.*?)'", text) == [parameter.name for parameter in PARAMETERS]


def test_the_script_is_of_the_old_javascript_that_cubase_runs() -> None:
    code = re.sub(r"//.*", "", SCRIPT.read_text())
    assert not re.search(r"\b(let|const|class|async)\b|=>|`|\.\.\.", code)


@pytest.mark.parametrize(
    "script",
    [
        "midiremote_api.makeDeviceDriver('a', 'b')",
        "driver.mPorts.makeMidiInput(1)",
        "page.mHostAccess.makeDirectAccess(page)",
        "page.mOnActivated = function () {}",
        "access.getBaseObjectID()",
        "access.setParameterProcessValue(mapping, 1, 4096, '0.5')",
    ],
)
def test_the_stand_in_takes_nothing_that_is_not_documented(
    untouched: Simulated, script: str
) -> None:
    assert "TypeError" in untouched.tell("try_script", script)
