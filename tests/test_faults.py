"""What goes wrong around the daemon: one clear message each, and the next sound as usual."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack

import psutil
import pytest

from antithesis import network
from antithesis.errors import ModelError
from daemon import companion
from daemon.companion import built_in_synth, run_companion
from daemon.config import Config, changed
from daemon.ports import free_port
from daemon.routing import open_router
from daemon.synthserver import BuiltInSynth
from tests import jackd, jackstudio
from tests.fakematch import FakeMatcher, at_distance
from tests.test_companion import settings
from tests.test_fl_studio import opened

PATIENCE_S = 60.0
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
MODEL = network.model_path()


def damaged(models, fault):
    """Put weights and their card into a folder, with a fault."""
    models.mkdir()
    weights, card = MODEL.read_bytes(), json.loads(MODEL.with_suffix(".json").read_text("utf-8"))
    if fault == "of another table":
        card["table"] = "0"
    if fault == "of a newer version":
        card["version"] = 1000
    if fault == "of the first version":
        del card["version"]
    if fault != "missing":
        (models / MODEL.name).write_bytes(weights[:1000] if fault == "cut off" else weights)
        (models / MODEL.name).with_suffix(".json").write_text(json.dumps(card), "utf-8")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("missing", "no weights 'mika.onnx' beside the package: install Antithesis again"),
        ("of another table", "trained for another parameter table: train it again"),
        ("of a newer version", "of version 1000, .* update Antithesis"),
        ("of the first version", "of version 1, .* train it again"),
        ("cut off", "not a model onnxruntime can load"),
    ],
)
def test_model_that_is_no_good_is_one_line_and_ends_it(tmp_path, monkeypatch, fault, told):
    damaged(tmp_path / "models", fault)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(network, "__file__", str(tmp_path / "antithesis" / "network.py"))
        with pytest.raises(ModelError, match=told) as caught:
            run_companion(settings(tmp_path))
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(companion.Companion, "run", lambda self: None)
    # Nothing of the first one is in the way.
    run_companion(settings(tmp_path), matcher=FakeMatcher())


def test_synth_that_was_killed_is_told_with_the_way_to_start_it(tmp_path, monkeypatch):
    port = free_port()
    wav = tmp_path / "synth.wav"
    chosen = changed(
        Config(),
        {
            "synth": {"port": port, "wav": str(wav)},
            "state": {"folder": str(tmp_path / "state")},
        },
    )
    (tmp_path / "config.toml").write_text(f"[synth]\nport = {port}\nwav = '{wav}'\n")
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(tmp_path / "config.toml"))
    others = psutil.Process().children()  # the servers that other tests share
    with open_router(chosen) as router:
        with built_in_synth(chosen, router) as ready:
            ready()
            assert router.apply(at_distance(3.0).preset).grade == "confirmed"
            (synth,) = set(psutil.Process().children()) - set(others)
            synth.kill()
            synth.wait(PATIENCE_S)
            lost = router.apply(at_distance(2.0).preset)
            assert lost.grade == "failed"
            assert "start" in lost.reason
        with BuiltInSynth(osc_port=port, wav=wav):
            assert router.apply(at_distance(2.0).preset).grade == "confirmed"


@pytest.fixture
def sound_card(tmp_path, monkeypatch):
    """Plugs in a sound card: a JACK server of its own, with the dummy driver."""
    name = f"antithesis-gone-{os.getpid()}"
    for variable, value in jackd.environment(name).items():
        monkeypatch.setenv(variable, value)
    return lambda: jackd.serving(name, tmp_path / "jackd.txt")


LISTENS = """
import logging, sys, threading
from daemon.capture.listener import Listener
logging.basicConfig(level="INFO", stream=sys.stdout, format="%(message)s")
with Listener(backend="jack"):
    sys.stdin.read()
"""


@pytest.mark.timeout(120)
def test_audio_device_that_is_pulled_out_is_told_and_listened_to_again_when_it_is_back(sound_card):
    command = [sys.executable, "-u", "-c", LISTENS]
    with ExitStack() as plugged:
        plugged.enter_context(sound_card())
        with subprocess.Popen(command, text=True, **PIPES) as ear:
            assert "listening to everything that plays" in ear.stdout.readline()
            plugged.close()
            told = ear.stdout.readline()
            assert "everything that plays is gone; not listening: " in told
            assert "nothing here hears what the computer plays" in told
            plugged.enter_context(sound_card())
            assert "listening to everything that plays" in ear.stdout.readline()
            ear.stdin.close()
            assert ear.wait(PATIENCE_S) == 0


PLAYS_AND_HEARS = """
import logging, sys
from mido import Message
from daemon.midiear import MidiEar
from daemon.midiends import MidiOut
logging.basicConfig(level="INFO", stream=sys.stdout, format="%(message)s")
heard = lambda message, port, at: print("heard", message.note, flush=True)
own = "Antithesis Out:Antithesis Out"
with MidiOut(backend="jack") as out, MidiEar(heard, [own], backend="jack"):
    print("ready")
    for line in sys.stdin:
        try:
            out.refresh()
            out.send([Message("note_on", note=int(line))])
        except Exception as error:
            print(error)
"""


@pytest.mark.timeout(120)
def test_midi_ports_go_with_their_jack_server_and_come_back_with_it(sound_card):
    command = [sys.executable, "-u", "-c", PLAYS_AND_HEARS]
    with ExitStack() as plugged:
        plugged.enter_context(sound_card())
        with subprocess.Popen(command, text=True, **PIPES) as program:

            def said(word):
                while word not in (line := program.stdout.readline()):
                    assert line, f"it ended before it said {word!r}"
                return line

            def play(note):
                program.stdin.write(f"{note}\n")
                program.stdin.flush()

            said("ready")
            play(60)
            said("heard 60")
            plugged.close()
            assert "the MIDI port Antithesis In is gone" in said("is gone")
            play(61)
            said("no JACK server answers")
            plugged.enter_context(sound_card())
            said("hearing the MIDI port")
            play(62)
            said("heard 62")
            program.stdin.close()
            assert program.wait(PATIENCE_S) == 0


ASKS_A_SCRIPT = f"""
import sys
from antithesis.errors import SendError
from daemon.hosts import find_host
from daemon.senders import open_sender
ports = dict(port="{jackstudio.CLIENT}:in", answers="{jackstudio.CLIENT}:out", backend="jack")
with open_sender(find_host("fl-studio", **ports)) as sender:
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            sender.look()
            print(sender.where, flush=True)
        except SendError as error:
            print(error, flush=True)
"""


@pytest.mark.timeout(120)
def test_script_in_a_daw_is_reached_again_when_its_jack_server_is_back(sound_card):
    command = [sys.executable, "-c", ASKS_A_SCRIPT]
    with ExitStack() as plugged:

        def plug():
            plugged.enter_context(sound_card())
            plugged.enter_context(opened())

        plug()
        with subprocess.Popen(command, text=True, **PIPES) as program:

            def look():
                program.stdin.write("look\n")
                program.stdin.flush()
                return program.stdout.readline().strip()

            assert program.stdout.readline() == "ready\n"
            assert look() == "Lead on channel 1"
            plugged.close()
            assert "no JACK server answers" in look()
            plug()
            assert look() == "Lead on channel 1"
            program.stdin.close()
            assert program.wait(PATIENCE_S) == 0


@pytest.mark.timeout(60)
def test_audio_device_that_goes_ends_the_synth_with_the_reason(sound_card):
    program = (
        "from daemon.synthserver import run_synth; from antithesis.errors import DeviceError\n"
        "try: run_synth(osc_port=0, device='system')\n"
        "except DeviceError as error: print(error, flush=True)"
    )
    with ExitStack() as plugged:
        plugged.enter_context(sound_card())
        with subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as synth:
            said = synth.stdout.readline()
            if "sound into system" not in said:
                pytest.skip(f"no synth plays on JACK here: {said}")
            plugged.close()
            assert "lost system: it takes no more sound" in synth.stdout.readline()
