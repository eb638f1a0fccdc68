"""The whole story in a real DAW: Ardour, without a screen, with Mika Micro as an LV2 plug-in."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile

from antithesis.distances import mss
from antithesis.parameters import (
    BY_ID,
    MAXIMUM,
    MINIMUM,
    N_PARAMETERS,
    PARAMETERS,
    quantize,
    to_plain,
)
from antithesis.preset import Preset
from antithesis.presetfiles import read_preset
from antithesis.synth import render_notes
from daemon import child, config, midiports
from daemon.config import Config
from daemon.controllers import CONTROLLERS
from daemon.demo import mean_preset
from daemon.hosts import HOSTS, find_host
from daemon.routing import open_router
from daemon.senders import Grade, History, Manner, Router, open_sender
from tests import ardour, lv2
from tests.badline import Line
from tests.oscpeer import OscPeer

pytestmark = pytest.mark.skipif(bool(ardour.missing()), reason=ardour.missing())

JACK = "jack"
RATE = 44100
TAKES = 4  # on a machine that is too busy for one
OTHER = "urn:ardour:a-fluidsynth"
FLOAT32 = 1e-6  # what is lost on the way, as a share of the range
CUTOFF = BY_ID["kFilterCutoff"]


def preset_of(seed: int) -> Preset:
    return Preset.from_normalized(np.random.default_rng(seed).random(N_PARAMETERS))


# Ardour itself, asked by nothing of ours ---------------------------------------------------------


def descriptors(strip: int = 2) -> dict[str, Any]:
    """Name and value of each parameter of a strip's first plug-in."""
    with OscPeer(3819) as peer:
        peer.send("/set_surface", 0, 159, 16384, 0, 0, 0, 0)
        peer.send("/strip/plugin/descriptor", strip, 1)
        lines: dict[str, Any] = {}
        while True:
            (address, *told), *_ = peer.receive()
            if address == "/strip/plugin/descriptor_end":
                return lines
            if address == "/strip/plugin/descriptor":
                lines[told[3]] = told[-1]


def held(strip: int = 2) -> list[float]:
    """Plain values of our plug-in, in our order."""
    told = descriptors(strip)
    return [told[p.host_name] for p in PARAMETERS]


def turn_by_hand(number: int, plain: float) -> None:
    with OscPeer(3819) as peer:
        peer.send("/strip/plugin/parameter", 2, 1, number, plain)
        peer.send("/set_surface", 0, 159, 16384, 0, 0, 0, 0)
        peer.ask("/strip/plugin/list", 2)


def far(preset: Preset, strip: int = 2) -> float:
    """How far from a preset it is at most, as a share of a parameter's range."""
    carried = to_plain(preset.normalized.astype(np.float32))
    return float(np.max(np.abs(np.array(held(strip)) - carried) / (MAXIMUM - MINIMUM)))


# A session and a running Ardour for all that need no other ----------------------------------------


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> ardour.Session:
    """Our plug-in is on the second track, each parameter on its 7-bit controller."""
    made = ardour.Session(tmp_path_factory.mktemp("ardour"))
    lv2.build(made.home / "lv2")
    made.make({"Other": OTHER, "Keys": lv2.URI})
    made.map_controllers(
        "".join(
            f'<Binding channel="{channel + 1}" ctl="{number}"'
            f' uri="/route/plugin/parameter B2 1 {index + 1}"/>'
            for index, (channel, number) in enumerate(CONTROLLERS)
        )
    )
    return made


@pytest.fixture(scope="module")
def jack(_jackd: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JACK_DEFAULT_SERVER", _jackd)
        patch.setenv("JACK_NO_START_SERVER", "1")
        yield


@pytest.fixture(scope="module")
def daw(session: ardour.Session, jack: None) -> Iterator[None]:
    with ardour.running(session):
        yield


# OSC ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("jack")
def test_ardour_is_closed_and_opened_again_with_its_tracks_in_another_order(
    session: ardour.Session, tmp_path: Path
) -> None:
    with Router([open_sender(HOSTS["ardour"])], History(tmp_path / "before.json")) as router:
        assert router.apply(preset_of(1)).grade is Grade.FAILED
        with ardour.running(session):
            assert router.apply(preset_of(1)).grade is Grade.CONFIRMED
            assert far(preset_of(1), strip=2) < FLOAT32
        closed = router.apply(preset_of(2), fresh=False)
        assert (closed.grade, closed.differing) == (Grade.FAILED, tuple(BY_ID))
        assert "nothing listens on UDP 127.0.0.1:3819" in closed.reason
        session.turn_tracks_round()
        with ardour.running(session):
            other = descriptors(2)
            assert router.apply(preset_of(2), fresh=False).grade is Grade.CONFIRMED
            assert far(preset_of(2), strip=1) < FLOAT32
            assert descriptors(2) == other
        session.turn_tracks_round()


@pytest.mark.usefixtures("daw")
def test_the_plug_in_is_found_by_name_and_all_38_are_set_and_read_back() -> None:
    with open_sender(HOSTS["ardour"]) as sender:
        sender.look()
        assert sender.where == "Mika Micro on Keys"
        for seed in range(10):
            assert sender.send(preset_of(seed)).grade is Grade.CONFIRMED
            assert far(preset_of(seed)) < FLOAT32


@pytest.mark.usefixtures("daw")
def test_both_ends_of_every_range_arrive() -> None:
    with open_sender(HOSTS["ardour"]) as sender:
        for end in (0.0, 1.0):
            preset = Preset.from_normalized([end] * N_PARAMETERS)
            assert sender.send(preset).grade is Grade.CONFIRMED
            assert far(preset) < FLOAT32


@pytest.mark.usefixtures("daw")
def test_packets_that_are_lost_doubled_and_late_still_end_in_confirmed() -> None:
    with Line(3819, lose=0.2, trouble=0.1) as line:
        row = find_host("ardour", port=line.port, patience_s=2.0)
        with open_sender(row) as sender:
            for seed in range(4):
                sender.look()
                assert sender.send(preset_of(seed)).grade is Grade.CONFIRMED
                assert far(preset_of(seed)) < FLOAT32
    assert line.lost > 10


@pytest.mark.usefixtures("daw")
def test_a_parameter_changed_by_hand_is_put_right_and_comes_back_by_undo(tmp_path: Path) -> None:
    with Router([open_sender(HOSTS["ardour"])], History(tmp_path / "before.json")) as router:
        router.apply(preset_of(1))
        turn_by_hand(CUTOFF.index + 1, 333.0)
        assert held()[CUTOFF.index] == 333.0

        assert router.apply(preset_of(1), fresh=False).grade is Grade.CONFIRMED
        assert far(preset_of(1)) < FLOAT32
        turn_by_hand(CUTOFF.index + 1, 444.0)
        assert router.apply(preset_of(2)).grade is Grade.CONFIRMED
        assert far(preset_of(2)) < FLOAT32

        assert router.undo().grade is Grade.CONFIRMED
        assert far(preset_of(1).replace(kFilterCutoff=444.0)) < FLOAT32


@pytest.mark.usefixtures("daw")
def test_without_a_configured_host_it_is_found_by_itself(tmp_path: Path) -> None:
    settings = config.changed(Config(), {"state": {"folder": str(tmp_path)}})
    with open_router(settings) as router:
        delivery = router.apply(preset_of(3))

    assert (delivery.route, delivery.grade) == ("ardour", Grade.CONFIRMED)
    assert far(preset_of(3)) < FLOAT32


@pytest.mark.usefixtures("daw")
def test_the_way_to_a_preset_can_be_a_glide() -> None:
    def cutoff(preset: Preset) -> float:
        return float(preset["kFilterCutoff"])

    start, end = (Preset.init().replace(kFilterCutoff=hz) for hz in (100.0, 8000.0))
    seen: list[float] = []
    with open_sender(HOSTS["ardour"], Manner(glide_s=1.0)) as sender:
        sender.send(start)
        with ThreadPoolExecutor(1) as gliding:
            delivery = gliding.submit(sender.send, end)
            while not delivery.done():
                seen.append(held()[CUTOFF.index])

    assert delivery.result().grade is Grade.CONFIRMED
    assert held()[CUTOFF.index] == cutoff(end)
    between = [hz for hz in seen if cutoff(start) < hz < cutoff(end)]
    assert len(set(between)) > 5
    assert between == sorted(between)


# MIDI --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("daw")
def test_all_38_arrive_by_midi_through_ardours_own_map() -> None:
    preset = preset_of(7)
    row = find_host("midi", port="hardour:MIDI Control In", backend=JACK, bits=7)
    # Ardour's map is linear in what the plug-in shows, whatever its curve; its middle is 64.
    steps = np.round(preset.normalized * 127)
    wanted = quantize(MINIMUM + np.maximum(steps - 1, 0) / 126 * (MAXIMUM - MINIMUM))
    for _ in range(TAKES):  # a starved JACK server drops a cycle of it
        with open_sender(row) as sender:
            assert sender.send(preset).grade is Grade.SENT
        end = time.monotonic() + 5
        while time.monotonic() < end:
            if held() == pytest.approx(wanted, rel=1e-5, abs=1e-5):
                return
            time.sleep(0.1)
    assert held() == pytest.approx(wanted, rel=1e-5, abs=1e-5)


# From a dropped file to the sound of the master ---------------------------------------------------


def play_and_record(path: Path, note: int, velocity: int, gate_s: float) -> np.ndarray:
    """What Ardour's master plays of a note on the track, from its first sound on."""
    for _ in range(TAKES):
        samples = take(path, note, velocity, gate_s)
        sounding = np.flatnonzero(np.abs(samples) > 1e-4)
        if len(sounding):
            break
    return samples[sounding[0] :][: 2 * RATE]


def take(path: Path, note: int, velocity: int, gate_s: float) -> np.ndarray:
    command = ["jack_rec", "-f", str(path), "-d", "4", "-b", "32", "hardour:Master/audio_out 1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as recording:
        with midiports.open_output("hardour:Keys/midi_in 1", backend=JACK) as keys:
            time.sleep(0.5)
            keys.send(mido.Message("note_on", note=note, velocity=velocity))
            time.sleep(gate_s)
            keys.send(mido.Message("note_off", note=note))
        recording.wait(20)
    samples, rate = soundfile.read(path)
    assert rate == RATE
    return np.asarray(samples)


def note_of(preset: Preset, gate_s: float = 0.5) -> np.ndarray:
    return render_notes(preset.normalized[None], 57, 100, gate_s, duration_s=2.0, drift=False)[0]


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """As `antithesis start` runs it, with Ardour as its host."""
    sections = {
        "watch": {"folder": str(tmp_path / "drops"), "output": str(tmp_path / "results")},
        "match": {"budget_s": 6.0},
        "host": {"route": "ardour"},
        "state": {"folder": str(tmp_path / "state")},
        "orders": {"port": 9137},
    }
    file = tmp_path / "config.toml"
    file.write_text(config.as_toml(config.changed(Config(), sections)), "utf-8")
    monkeypatch.setenv(config.ENVIRONMENT_VARIABLE, str(file))
    with child.running("start", stderr=subprocess.STDOUT) as running:
        child.hear(running, "watching")
        yield running


@pytest.mark.usefixtures("daw")
def test_a_dropped_sample_is_what_the_master_plays_until_it_is_undone(
    daemon: Any, tmp_path: Path
) -> None:
    secret = Preset.init().replace(
        kOsc1Wave=3, kFilterEnabled=1, kFilterCutoff=900.0, kFilterResonance=0.6, kVoiceMode=0
    )
    sample = note_of(secret)
    with open_sender(HOSTS["ardour"]) as hand:
        hand.send(mean_preset())
    before = held()

    soundfile.write(tmp_path / "take.wav", sample, RATE, subtype="FLOAT")
    (tmp_path / "take.wav").rename(tmp_path / "drops" / "lead A3.wav")
    assert "matched" in child.hear(daemon, "matched", "refused")
    result = tmp_path / "results" / "lead A3.wav.antithesis" / "lead A3.json"
    told = json.loads(result.read_text("utf-8"))
    assert told["last_sent"]["grade"] == "confirmed"
    assert far(read_preset(result)) < FLOAT32

    key = [told["match"][name] for name in ("note", "velocity", "gate_s")]
    far_off = mss(note_of(mean_preset()), sample)
    # A starved JACK server drops blocks, which sound: what one take has whole is enough.
    takes = (play_and_record(tmp_path / "master.wav", *key) for _ in range(TAKES))
    assert any(mss(played, sample) < 0.25 * far_off for played in takes)

    with child.running("undo") as undo:
        assert child.hear(undo, "confirmed") == "undone: Ardour: confirmed"
    assert held() == pytest.approx(before)
    assert child.hear(daemon, "undone").endswith("undone: Ardour: confirmed")
