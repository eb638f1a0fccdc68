"""The built-in synth, reached as a DAW would be: over real sockets, in this process and its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from mido import Message
from mido.ports import BaseOutput

from antithesis.errors import DeviceError
from antithesis.parameters import BY_ID, N_PARAMETERS, PARAMETERS
from antithesis.preset import Preset
from antithesis.synth import Event, EventKind, render
from daemon import child, midiports
from daemon.hosts import find_host
from daemon.outputs import WavOutput
from daemon.ports import free_port
from daemon.senders import Grade, open_sender
from daemon.synthserver import BLOCK, BuiltInSynth, run_synth
from tests.oscpeer import OscPeer
from tests.synthprocess import SynthProcess

RATE = 44100
PRESET = Preset.from_normalized(np.random.default_rng(5).random(N_PARAMETERS))

Samples = npt.NDArray[np.float64]


@pytest.fixture
def peer(built_in_synth: BuiltInSynth) -> Iterator[OscPeer]:
    with OscPeer(built_in_synth.port) as peer:
        yield peer


def read_wav(path: Path) -> Samples:
    samples, rate = soundfile.read(path)
    assert rate == RATE
    return np.asarray(samples, dtype=np.float64)


def pitch_hz(samples: Samples) -> float:
    """Fundamental of a steady sound: the strongest line of a long, padded spectrum."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 2**18))
    return float(np.argmax(spectrum) * RATE / 2**18)


def test_answers_a_ping_with_its_version(peer: OscPeer) -> None:
    address, version = peer.ask("/mika/ping")

    assert address == "/mika/pong"
    assert isinstance(version, str)


def test_starts_as_the_plug_in_does_with_init(peer: OscPeer) -> None:
    address, *values = peer.ask("/mika/get")

    assert address == "/mika/parameters"
    assert values == pytest.approx(list(Preset.init().normalized), abs=1e-7)


def test_each_parameter_is_set_by_its_id_and_no_other_with_it(peer: OscPeer) -> None:
    values = list(peer.ask("/mika/get")[1:])
    for parameter in PARAMETERS:
        values[parameter.index] = 1.0 - round(values[parameter.index])

        peer.send(f"/mika/parameter/{parameter.id}", values[parameter.index])

        assert list(peer.ask("/mika/get")[1:]) == values


def test_all_parameters_are_set_at_once(peer: OscPeer) -> None:
    peer.send("/mika/parameters", *map(float, PRESET.normalized))

    assert peer.ask("/mika/get")[1:] == pytest.approx(list(PRESET.normalized), abs=1e-6)


def test_a_value_beyond_the_range_stops_at_its_end(peer: OscPeer) -> None:
    peer.send("/mika/parameter/kFilterResonance", 1.5)

    assert peer.ask("/mika/get")[1 + BY_ID["kFilterResonance"].index] == 1.0


def test_answers_go_to_whoever_asked(peer: OscPeer, built_in_synth: BuiltInSynth) -> None:
    with OscPeer(built_in_synth.port) as other:
        other.send("/mika/get")
        peer.send("/mika/ping")

        assert other.receive()[0][0] == "/mika/parameters"
        assert peer.receive()[0][0] == "/mika/pong"


MALFORMED = (
    b"",
    b"\0" * 40,
    b"not osc at all",
    b"#bundle\0",
    b"#bundle\0" + b"\0" * 7 + b"\1" + b"\xff\xff\xff\xfc" * 8,
    b"/mika/parameter/kOscMix\0,f\0\0",
    b"/mika/parameter/kOscMix\0,f\0\0\x7f\xc0\0\0",  # not a number
    b"/mika/parameter/kOscMix\0,s\0\0half\0\0\0\0",
    b"/mika/parameter/nosuch\0\0,f\0\0\0\0\0\0",
    b"/mika/parameters\0\0\0\0,f\0\0\0\0\0\0",
    b"/mika/note\0\0,ii\0\0\0\0\x80\0\0\0\x40",  # note 128
    b"/mika/note\0\0,i\0\0\0\0\0\x40",
    os.urandom(60000),
)


def test_what_is_malformed_is_ignored_and_counted(
    peer: OscPeer, built_in_synth: BuiltInSynth
) -> None:
    for datagram in MALFORMED:
        peer.socket.sendto(datagram, peer.target)

    assert peer.ask("/mika/get")[1:] == pytest.approx(list(Preset.init().normalized), abs=1e-7)
    assert built_in_synth.ignored == len(MALFORMED)


def test_one_bad_message_does_not_spoil_its_bundle(peer: OscPeer) -> None:
    peer.send_bundle(("/nobody", 1), ("/mika/parameter/kOscMix", 0.25), ("/mika/get",))

    assert peer.receive()[0][1 + BY_ID["kOscMix"].index] == 0.25


def test_plays_on_through_a_flood_of_malformed_datagrams(
    peer: OscPeer, built_in_synth: BuiltInSynth
) -> None:
    flooding = threading.Event()

    def flood() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            while not flooding.is_set():
                for datagram in MALFORMED[:-1]:
                    sock.sendto(datagram, peer.target)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        start, began = built_in_synth.rendered, time.monotonic()
        while built_in_synth.rendered < start + RATE // 2:
            assert time.monotonic() - began < 20
            time.sleep(0.02)
    finally:
        flooding.set()
        thread.join()

    assert built_in_synth.ignored > 100
    peer.socket.settimeout(0.1)
    while True:  # until the flood that still waits in the socket is gone
        with suppress(TimeoutError):
            assert peer.ask("/mika/ping")[0] == "/mika/pong"
            break


def wait_for(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("flooded", ["_datagrams", "_messages"])
def test_a_flood_of_osc_or_midi_leaves_the_other_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flooded: str
) -> None:
    endless = {"_datagrams": (b"", ("127.0.0.1", 9)), "_messages": Message("clock")}[flooded]
    monkeypatch.setattr(BuiltInSynth, flooded, lambda _synth: repeat(endless))
    with (
        BuiltInSynth(osc_port=0, wav=tmp_path / "synth.wav") as synth,
        OscPeer(synth.port) as peer,
    ):
        for velocity in (100, 0):  # 0 ends the note
            if flooded == "_messages":
                peer.send("/mika/note", 60, velocity)
            else:
                synth.hear_midi(Message("note_on", note=60, velocity=velocity), "keys", 0.0)
            wait_for(lambda at_rest=not velocity: synth._player.at_rest == at_rest)


def test_an_asker_that_is_gone_troubles_nobody(peer: OscPeer, built_in_synth: BuiltInSynth) -> None:
    for _ in range(5):
        with OscPeer(built_in_synth.port) as gone:
            gone.send("/mika/get")

    assert peer.ask("/mika/ping")[0] == "/mika/pong"


def test_the_recording_is_the_renderers_sound_sample_by_sample(
    built_in_synth: BuiltInSynth, peer: OscPeer, tmp_path: Path
) -> None:
    preset = Preset.init().replace(kVolEnvA=990, kOsc1Coarse=7, kMasterVolume=0.4, kVolEnvR=990)
    with open_sender(find_host("builtin", port=built_in_synth.port)) as sender:
        assert sender.send(preset).grade is Grade.CONFIRMED
    peer.send_bundle(("/mika/note", 57, 100), ("/mika/position",))
    start = peer.receive()[0][1]
    peer.wait_until_played(RATE // 4)
    peer.send_bundle(("/mika/note_off", 57), ("/mika/position",))
    gate = peer.receive()[0][1] - start
    peer.wait_until_played(RATE // 4)
    built_in_synth.close()

    recorded = read_wav(tmp_path / "synth.wav")[start : start + gate + RATE // 5]

    events = [
        Event(0.0, EventKind.NOTE_ON, 57, 100),
        Event((gate + 0.5) / RATE, EventKind.NOTE_OFF, 57),
    ]
    expected = render(preset, events, len(recorded) / RATE, drift=False)
    assert np.abs(expected).max() > 0.1
    assert np.abs(recorded - expected).max() < 1e-6


@pytest.mark.parametrize("note", [45, 57, 69])
def test_a_note_sounds_at_the_synths_own_pitch(
    peer: OscPeer, built_in_synth: BuiltInSynth, tmp_path: Path, note: int
) -> None:
    peer.send("/mika/note", note, 127)
    peer.wait_until_played(RATE // 2)
    built_in_synth.close()

    recorded = read_wav(tmp_path / "synth.wav")[-RATE // 3 :]

    assert pitch_hz(recorded) == pytest.approx(440 * 1.0595 ** (note - 69), rel=0.002)


def test_notes_end(peer: OscPeer, built_in_synth: BuiltInSynth, tmp_path: Path) -> None:
    peer.send("/mika/note", 60, 127)
    peer.wait_until_played(RATE // 10)
    peer.send("/mika/note_off", 60)
    peer.wait_until_played(RATE // 2)
    built_in_synth.close()

    recorded = read_wav(tmp_path / "synth.wav")

    assert np.abs(recorded).max() > 0.1
    assert np.abs(recorded[-RATE // 10 :]).max() == 0.0


def test_the_position_counts_the_samples_of_the_file(
    peer: OscPeer, built_in_synth: BuiltInSynth, tmp_path: Path
) -> None:
    peer.wait_until_played(1000)
    built_in_synth.close()

    assert built_in_synth.rendered % BLOCK == 0
    assert len(read_wav(tmp_path / "synth.wav")) == built_in_synth.rendered


def test_plays_in_real_time_and_no_faster(tmp_path: Path) -> None:
    began = time.monotonic()
    with (
        BuiltInSynth(osc_port=0, wav=tmp_path / "synth.wav") as synth,
        OscPeer(synth.port) as peer,
    ):
        played = peer.wait_until_played(RATE // 4)

    assert played <= (time.monotonic() - began) * RATE + BLOCK


def test_while_nothing_sounds_it_sleeps_until_something_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WavOutput, "rest_s", 3600.0)
    with (
        BuiltInSynth(osc_port=0, wav=tmp_path / "synth.wav") as synth,
        OscPeer(synth.port) as peer,
    ):
        assert peer.ask("/mika/ping")[0] == "/mika/pong"
        synth.hear_midi(Message("note_on", note=60, velocity=100), "keys", 0.0)
        peer.wait_until_played(RATE // 10)  # would be longer than we wait, if it still slept
        synth.hear_midi(Message("note_off", note=60), "keys", 0.0)
        peer.wait_until_played(RATE // 10)

    assert np.abs(read_wav(tmp_path / "synth.wav")).max() > 0.1


def test_plays_at_48_khz(tmp_path: Path) -> None:
    path = tmp_path / "synth.wav"
    with (
        BuiltInSynth(osc_port=0, wav=path, sample_rate=48000) as synth,
        OscPeer(synth.port) as peer,
    ):
        peer.wait_until_played(BLOCK)

    assert soundfile.info(path).samplerate == 48000


def test_two_synths_on_one_port_is_an_error_with_a_remedy(
    built_in_synth: BuiltInSynth, tmp_path: Path
) -> None:
    second = BuiltInSynth(osc_port=built_in_synth.port, wav=tmp_path / "second.wav")

    with pytest.raises(DeviceError, match=rf"UDP port {built_in_synth.port}.*another port"), second:
        pass


def test_the_port_is_free_after_closing(built_in_synth: BuiltInSynth, tmp_path: Path) -> None:
    built_in_synth.close()

    with BuiltInSynth(osc_port=built_in_synth.port, wav=tmp_path / "second.wav") as second:
        assert second.port == built_in_synth.port


def test_no_thread_stays_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())

    with BuiltInSynth(osc_port=0, wav=tmp_path / "synth.wav"):
        assert set(threading.enumerate()) != before

    assert set(threading.enumerate()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127/8 for loopback")
def test_listens_on_the_loopback_address_alone(built_in_synth: BuiltInSynth) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.2", built_in_synth.port))  # taken, if it listened everywhere


def test_a_file_that_cannot_be_written_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    nowhere = BuiltInSynth(osc_port=0, wav=tmp_path / "no folder" / "synth.wav")

    with pytest.raises(DeviceError, match="give another file"), nowhere:
        pass


def test_a_lost_output_ends_it_with_the_reason(tmp_path: Path) -> None:
    class Lost:
        rest_s = 0.0

        def __enter__(self) -> Lost:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def write(self, block: Samples) -> None:
            raise DeviceError("lost the loudspeaker: plug it in")

        def room(self) -> int:
            return 128

    synth = BuiltInSynth(osc_port=0, wav=tmp_path / "synth.wav")
    synth._output = Lost()

    with pytest.raises(DeviceError, match="loudspeaker"), synth:
        assert not synth.wait(10)


def test_runs_for_the_seconds_it_is_given(tmp_path: Path) -> None:
    said: list[str] = []

    run_synth(osc_port=0, wav=tmp_path / "synth.wav", seconds=0.2, ready=said.append)

    assert len(said) == 1
    assert "OSC on UDP 127.0.0.1:" in said[0]
    assert str(tmp_path / "synth.wav") in said[0]
    assert len(read_wav(tmp_path / "synth.wav")) >= 0.2 * RATE


def test_a_missing_midi_port_is_an_error_that_names_those_that_exist(
    jack_server: str, tmp_path: Path
) -> None:
    with pytest.raises(DeviceError, match="no MIDI input is called 'nobody'; there are: "):
        run_synth(
            osc_port=0,
            wav=tmp_path / "synth.wav",
            midi_port="nobody",
            midi_backend="jack",
        )


def test_a_midi_port_that_goes_lets_go_of_its_keys_and_is_heard_again_when_it_is_back(
    jack_server: str, tmp_path: Path
) -> None:
    path = tmp_path / "synth.wav"

    def pad() -> BaseOutput:
        return midiports.open_output("pad", backend="jack", virtual=True)

    def plays(keys: BaseOutput) -> bool:
        keys.send(Message("note_on", note=69))
        return loud()

    def loud() -> bool:
        return bool(np.abs(read_wav(path)[-RATE // 10 :]).max(initial=0.0) > 0.01)

    with ExitStack() as plugged:
        keys = plugged.enter_context(pad())
        with SynthProcess(path, midi_port="pad", midi_backend="jack") as synth:
            assert "MIDI on 'pad:pad'" in synth.said
            until(lambda: plays(keys))
            plugged.close()
            until(lambda: not loud())
            again = plugged.enter_context(pad())
            until(lambda: plays(again))


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process at once")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_well(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def send_signal(_line: str) -> None:
        threading.Timer(0.2, os.kill, [os.getpid(), number]).start()

    run_synth(osc_port=0, wav=tmp_path / "synth.wav", ready=send_signal)

    assert len(read_wav(tmp_path / "synth.wav")) > 0
    assert signal.getsignal(number) is before


def test_one_that_was_started_by_hand_needs_no_standard_input(tmp_path: Path) -> None:
    words = ("synth", "--port", str(free_port()), "--wav", str(tmp_path / "synth.wav"))
    command = [*child.COMMAND, *words]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=child.inherited(), text=True
    ) as process:
        try:
            assert "OSC on UDP" in child.hear(process, "OSC on UDP")
            with OscPeer(int(words[2])) as peer:
                peer.wait_until_played(RATE)
        finally:
            process.kill()


def test_a_killed_process_leaves_a_file_that_can_be_read(tmp_path: Path) -> None:
    with SynthProcess(tmp_path / "synth.wav") as synth, OscPeer(synth.port) as peer:
        peer.send("/mika/note", 69, 127)
        played = peer.wait_until_played(RATE)
        synth.process.kill()
        synth.process.wait(10)

    samples = read_wav(tmp_path / "synth.wav")
    assert played - RATE // 2 - BLOCK <= len(samples)
    assert np.abs(samples).max() > 0.1


def test_plays_through_an_audio_device_until_it_is_told_to_end(
    jack_server: str, tmp_path: Path
) -> None:
    with SynthProcess(None) as synth, OscPeer(synth.port) as peer:
        assert "sound into system" in synth.said
        peer.send("/mika/note", 69, 127)
        peer.wait_until_played(RATE // 10)
        recorded = record("PortAudio", tmp_path)
        status = synth.end(signal.SIGTERM)

    assert status == 0
    assert np.abs(recorded).max() > 0.1
    assert pitch_hz(recorded[-RATE // 3 :]) == pytest.approx(440, rel=0.002)


def record(client: str, folder: Path) -> Samples:
    """Half a second of a JACK client; in a process, as PortAudio looks for servers only once."""
    program = f"""
import numpy, sounddevice
device = [d["index"] for d in sounddevice.query_devices() if d["name"] == {client!r}][0]
samples = sounddevice.rec({RATE // 2}, {RATE}, channels=1, device=device, blocking=True)
numpy.save({str(folder / "recorded.npy")!r}, samples[:, 0])
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=30)
    return np.load(folder / "recorded.npy").astype(np.float64)
