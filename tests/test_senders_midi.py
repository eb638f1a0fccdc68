"""MIDI through a real JACK server: to the built-in synth, and to a program that is not of ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile

from antithesis.errors import DeviceError
from antithesis.parameters import BY_ID, N_PARAMETERS
from antithesis.preset import Preset
from daemon import midiports
from daemon.controllers import (
    CONTROLLERS,
    ControlChange,
    Ear,
    Messages,
    changes,
    numbered,
    released,
)
from daemon.hosts import find_host
from daemon.midiear import MidiEar
from daemon.senders import Grade, History, Router, Sender, open_sender
from daemon.senders.contract import SENDING_ORDER
from daemon.synthserver import BuiltInSynth
from daemon.sysex import Command, Frame
from tests.jackplayer import Program
from tests.oscpeer import OscPeer

JACK = "jack"
RATE = 44100
CYCLE_S = 1024 / RATE  # of the JACK server
WORST = {7: 0.5 / 127 + 1e-9, 14: 0.5 / 16383 + 1e-9, 21: 0.5 / (2**21 - 1) + 1e-7}

RESOLUTIONS = pytest.mark.parametrize("bits", [7, 14])
FORMS = pytest.mark.parametrize(
    ("messages", "bits"),
    [("cc", 7), ("cc", 14), ("nrpn", 7), ("nrpn", 14), ("sysex", 21)],
)


def preset_of(seed: int) -> Preset:
    return Preset.from_normalized(np.random.default_rng(seed).random(N_PARAMETERS))


class Receiver(Program):
    """A process with a MIDI input."""

    def __init__(self) -> None:
        super().__init__("ear", "in")
        self._parser = mido.Parser()

    def poll(self) -> mido.Message | None:
        """The next message that has come; None if there is none."""
        if not self._parser.pending():
            self._parser.feed(bytes.fromhex(self.ask("heard")))
        return self._parser.get_message()


@pytest.fixture
def receiver(jack_server: str) -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def synth(jack_server: str, tmp_path: Path) -> Iterator[BuiltInSynth]:
    with (
        BuiltInSynth(osc_port=0, wav=tmp_path / "synth.wav", drift=False) as synth,
        MidiEar(synth.hear_midi, backend=JACK, own="in"),
    ):
        yield synth


def sender(bits: int = 14, **settings: Any) -> Sender:
    given = {"port": "in", "backend": JACK, "bits": bits, "settle_s": 2 * CYCLE_S} | settings
    return open_sender(find_host("midi", **given))


def take(port: Any, count: int, patience_s: float = 10.0) -> list[ControlChange]:
    """The next control changes, and any that are too many."""
    return [ControlChange(m.channel, m.control, m.value) for m in heard(port, count, patience_s)]


def heard(port: Any, count: int, patience_s: float = 10.0) -> list[mido.Message]:
    """The next messages, and any that are too many."""
    taken: list[mido.Message] = []
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if (message := port.poll()) is not None:
            taken.append(message)
        elif len(taken) >= count:
            deadline = min(deadline, time.monotonic() + 2 * CYCLE_S)
            time.sleep(0.01)
        else:
            time.sleep(0.001)
    return taken


@FORMS
def test_all_38_arrive_at_the_built_in_synth(synth: BuiltInSynth, messages: str, bits: int) -> None:
    preset = preset_of(bits)
    with sender(bits, messages=Messages(messages)) as out:
        delivery = out.send(preset)

    assert (delivery.grade, delivery.route, delivery.written) == (Grade.SENT, "midi", 38)
    with OscPeer(synth.port) as peer:
        peer.wait_until_played(int(4 * CYCLE_S * RATE))
        held = np.array(peer.ask("/mika/get")[1:])
    assert np.abs(held - preset.normalized).max() <= WORST[bits]
    assert Preset.from_normalized(held)["kOsc1Coarse"] == preset["kOsc1Coarse"]


def heard_whole(receiver: Receiver, bits: int) -> list[ControlChange]:
    """All that one preset sends; once more where a starved JACK server dropped a cycle of it."""
    count = 2 * 38 * bits // 7
    for _ in range(5):
        with sender(bits) as out:
            out.send(preset_of(1))
        taken = take(receiver, count, patience_s=2)
        if len(taken) >= count:
            break
    assert len(taken) == count
    return taken


@RESOLUTIONS
def test_all_38_arrive_twice_in_order_switches_first(receiver: Receiver, bits: int) -> None:
    each = bits // 7

    taken = heard_whole(receiver, bits)

    assert taken[: 38 * each] == taken[38 * each :]
    msbs = taken[: 38 * each : each]
    assert [(c.channel, c.number) for c in msbs] == [CONTROLLERS[i] for i in SENDING_ORDER]


def test_an_lsb_follows_its_msb(receiver: Receiver) -> None:
    taken = heard_whole(receiver, 14)

    pairs = list(zip(taken[::2], taken[1::2], strict=True))
    assert all((msb.channel, msb.number + 32) == (lsb.channel, lsb.number) for msb, lsb in pairs)


@RESOLUTIONS
def test_nrpns_are_sent_switches_first_and_released(receiver: Receiver, bits: int) -> None:
    preset = preset_of(1)
    normalized = find_host("midi", bits=bits).link.rounded(preset.normalized)
    said = [c for i in SENDING_ORDER for c in numbered(i, normalized[i], bits)] + [*released()]

    with sender(bits, messages=Messages.NRPN) as out:
        out.send(preset)
        taken = take(receiver, 2 * len(said))

    assert taken == said + said


def test_a_preset_is_one_system_exclusive_message(receiver: Receiver) -> None:
    preset = preset_of(1)

    with sender(messages=Messages.SYSEX) as out:
        out.send(preset)
        one, again = heard(receiver, 2)

    assert one == again
    frame = Frame.decode(one.data)
    assert frame is not None
    assert frame.command == Command.SET
    values = dict(frame.values())
    assert list(values) == list(SENDING_ORDER)
    held = [values[i] for i in range(N_PARAMETERS)]
    assert np.abs(preset.normalized - held).max() <= WORST[21]


def test_only_what_changed_is_sent(receiver: Receiver) -> None:
    cutoff = BY_ID["kFilterCutoff"].index
    with sender(14) as out:
        out.send(preset_of(1))
        take(receiver, 4 * 38, patience_s=2)
        out.send(preset_of(1).replace(kFilterCutoff=1234.5))

        taken = take(receiver, 4, patience_s=2)

    channel, number = CONTROLLERS[cutoff]
    assert {(c.channel, c.number) for c in taken} == {(channel, number), (channel, number + 32)}


def test_a_change_below_the_resolution_is_no_change(receiver: Receiver) -> None:
    start = preset_of(1)
    nudged = start.normalized.copy()
    nudged[BY_ID["kFilterCutoff"].index] = round(nudged[13] * 127) / 127
    with sender(7) as out:
        out.send(Preset.from_normalized(nudged))
        nudged[13] += 0.001

        assert out.send(Preset.from_normalized(nudged)).written == 0


def test_parameters_are_paced(receiver: Receiver) -> None:
    with sender(14, pace_s=0.004) as out:
        started = time.monotonic()
        out.send(preset_of(1))

    assert time.monotonic() - started >= 2 * 37 * 0.004


def test_without_a_port_it_makes_its_own(jack_server: str) -> None:
    with open_sender(find_host("midi", backend=JACK)) as out:
        names = midiports.input_names(JACK)
        with midiports.open_input("Antithesis Out", backend=JACK) as connected:
            out.send(preset_of(1))
            assert take(connected, 4 * 38, patience_s=2)

    assert names == ["Antithesis Out:Antithesis Out"]
    assert midiports.input_names(JACK) == []


def test_a_missing_port_is_an_error_on_opening(jack_server: str) -> None:
    with pytest.raises(DeviceError, match="no MIDI output is called 'in'"):
        sender().__enter__()


# Ports that come and go --------------------------------------------------------------------------


class Comes:
    """A program that is closed and opened."""

    def __init__(self) -> None:
        self.come()

    def come(self) -> None:
        self.port = Receiver()
        self.port.__enter__()

    def go(self) -> None:
        self.port.__exit__(None, None, None)

    def values(self, count: int) -> dict[int, float]:
        """What a synth would hold that heard all of it."""
        ear = Ear()
        return dict(filter(None, (ear.hear(change) for change in take(self.port, count, 2))))


@pytest.fixture
def program(jack_server: str) -> Iterator[Comes]:
    program = Comes()
    yield program
    program.go()


STEPS = 2**14 - 1  # of two controllers together


def wanted(preset: Preset) -> dict[int, float]:
    link = find_host("midi").link
    whole = enumerate(link.rounded(preset.normalized))
    return {index: round(value * STEPS) / STEPS for index, value in whole}


def test_what_is_sent_while_a_port_is_away_arrives_when_it_is_back(program: Comes) -> None:
    first, second = preset_of(1), preset_of(1).replace(kFilterCutoff=1234.5)
    with sender() as out:
        assert out.send(first).grade is Grade.SENT
        program.go()
        back = threading.Timer(0.3, program.come)
        back.start()

        delivery = out.send(second)

        back.join()
        arrived = program.values(2 * 38 + 2)  # and the one that changed once more
    # All 38 of them: whoever has the port now may have been closed and opened.
    assert (delivery.grade, delivery.written) == (Grade.SENT, 1)
    assert arrived == pytest.approx(wanted(second))


def test_a_port_that_goes_and_comes_back_amid_a_preset_loses_nothing(program: Comes) -> None:
    def restart() -> None:
        program.go()
        program.come()

    with sender(pace_s=0.01) as out:
        restarting = threading.Timer(0.15, restart)
        restarting.start()

        assert out.send(preset_of(1)).grade is Grade.SENT

        restarting.join()
        assert program.values(2 * 2 * 38) == pytest.approx(wanted(preset_of(1)))


def test_a_port_that_went_and_came_back_between_two_sounds_is_joined_again(
    program: Comes,
) -> None:
    with sender() as out:
        out.send(preset_of(1))
        program.go()
        program.come()

        out.look()
        assert out.send(preset_of(2)).grade is Grade.SENT

        assert program.values(4 * 38) == pytest.approx(wanted(preset_of(2)))


def test_a_port_that_stays_away_is_told_and_found_when_it_is_back(
    program: Comes, tmp_path: Path
) -> None:
    out = sender(patience_s=0.1)
    with Router([out], History(tmp_path / "before.json")) as router:
        assert router.apply(preset_of(1)).grade is Grade.SENT
        program.go()

        away = router.apply(preset_of(2), fresh=False)
        still_away = router.apply(preset_of(2))
        program.come()
        back = router.apply(preset_of(2))

        assert program.values(4 * 38) == pytest.approx(wanted(preset_of(2)))
    for delivery in (away, still_away):
        assert delivery.grade is Grade.FAILED
        assert "no MIDI output is called 'in'" in delivery.reason
    assert (back.grade, back.written) == (Grade.SENT, 38)


# The synth as an instrument ----------------------------------------------------------------------


@pytest.fixture
def keys(synth: BuiltInSynth) -> Iterator[Any]:
    """A keyboard that is connected: what it sends has been seen to arrive."""
    glide = BY_ID["kGlideSpeed"].index
    with midiports.open_output("in", backend=JACK) as port, OscPeer(synth.port) as peer:
        while peer.ask("/mika/get")[1 + glide] != 1.0:  # the first may come before the connection
            for channel, control, value in changes(glide, 1.0, bits=7):
                message = mido.Message("control_change", channel=channel, control=control)
                port.send(message.copy(value=value))
            time.sleep(CYCLE_S)
        yield port


def play(synth: BuiltInSynth, seconds: float) -> None:
    """Let it play, once what was sent has had the time to come through JACK."""
    with OscPeer(synth.port) as peer:
        peer.wait_until_played(int((3 * CYCLE_S + seconds) * RATE))


def test_notes_are_played_and_end(synth: BuiltInSynth, keys: Any, tmp_path: Path) -> None:
    keys.send(mido.Message("note_on", note=69, velocity=127, channel=4))
    play(synth, 0.2)
    keys.send(mido.Message("note_off", note=69, channel=4))
    play(synth, 0.5)
    synth.close()

    samples, _ = soundfile.read(tmp_path / "synth.wav")
    sounding = np.flatnonzero(samples)
    spectrum = np.abs(np.fft.rfft(samples[sounding[0] :][: RATE // 3], 2**18))
    assert np.argmax(spectrum) * RATE / 2**18 == pytest.approx(440, rel=0.005)
    assert np.abs(samples[-RATE // 10 :]).max() == 0


def test_a_note_on_of_velocity_0_ends_the_note(
    synth: BuiltInSynth, keys: Any, tmp_path: Path
) -> None:
    keys.send(mido.Message("note_on", note=69, velocity=127))
    play(synth, 0.2)
    keys.send(mido.Message("note_on", note=69, velocity=0))
    play(synth, 0.2)
    synth.close()

    samples, _ = soundfile.read(tmp_path / "synth.wav")
    assert np.abs(samples).max() > 0.1
    assert np.abs(samples[-RATE // 10 :]).max() == 0


def test_pitch_bend_moves_two_of_the_synths_semitones(
    synth: BuiltInSynth, keys: Any, tmp_path: Path
) -> None:
    keys.send(mido.Message("pitchwheel", pitch=-8192))
    keys.send(mido.Message("note_on", note=69, velocity=127))
    play(synth, 0.5)
    synth.close()

    samples, _ = soundfile.read(tmp_path / "synth.wav")
    spectrum = np.abs(np.fft.rfft(samples[-RATE // 3 :], 2**18))
    assert np.argmax(spectrum) * RATE / 2**18 == pytest.approx(440 * 1.0595**-2, rel=0.005)


def test_other_messages_trouble_nobody(synth: BuiltInSynth, keys: Any) -> None:
    for message in (
        mido.Message("clock"),
        mido.Message("program_change", program=3),
        mido.Message("sysex", data=(0x7D, 1, 2)),
        mido.Message("control_change", control=123),
        mido.Message("aftertouch", value=100),
    ):
        keys.send(message)
    play(synth, 0.1)

    with OscPeer(synth.port) as peer:
        assert peer.ask("/mika/ping")[0] == "/mika/pong"
