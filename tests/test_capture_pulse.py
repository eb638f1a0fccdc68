"""Capturing what a real PulseAudio plays: a null sink, its monitor, and another process at it."""

from __future__ import annotations

import shutil
import subprocess
import time

import numpy as np
import pytest
import soundfile

from antithesis.audio import write_wav
from antithesis.preset import Preset
from antithesis.synth import render_notes
from daemon import child, config
from daemon.capture import pulse as pulsesources
from daemon.capture import sources
from daemon.capture.clips import Cutter
from daemon.capture.contract import choose
from daemon.capture.listener import Listener
from daemon.capture.notes import Notes
from daemon.orders import order
from daemon.ports import free_port
from daemon.presses import Action
from daemon.synthserver import BuiltInSynth
from tests.scenes import RATE

pytestmark = pytest.mark.timeout(300)

PATIENCE_S = 30
WITHIN = 0.005

TAKES = 5


@pytest.fixture(scope="module")
def pulse(tmp_path_factory):
    """A PulseAudio of our own, which plays into nothing."""
    for program in ("pulseaudio", "pactl", "paplay"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing: apt-get install pulseaudio pulseaudio-utils")
    home = tmp_path_factory.mktemp("pulse")
    socket = home / "socket"
    settings = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PULSE_SERVER": f"unix:{socket}"}
    command = [
        *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
        *("--realtime=no", "--high-priority=no"),
        *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={socket}"),
        *("-L", "module-null-sink sink_name=loop rate=44100 channels=2 format=float32le"),
    ]
    with pytest.MonkeyPatch.context() as patched, (home / "said.txt").open("wb") as said:
        for name, value in settings.items():
            patched.setenv(name, value)
        patched.setenv("JACK_DEFAULT_SERVER", "antithesis-nobody")
        server = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            end = time.monotonic() + 10
            while not pactl_answers():
                if server.poll() is not None or time.monotonic() > end:
                    pytest.skip(f"pulseaudio does not start: {(home / 'said.txt').read_text()}")
                time.sleep(0.05)
            yield home
        finally:
            server.terminate()
            server.wait(10)


def pactl_answers():
    return subprocess.run(["pactl", "info"], capture_output=True, check=False).returncode == 0


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def known():
    preset = Preset.init().replace(kOsc1Wave=2, kVolEnvD=990, kVolEnvS=0.0)
    sound = render_notes(preset.normalized[None], 57, 100, 0.8, duration_s=0.8)[0]
    return 0.5 * sound


def play(home):
    """Another process plays the known sound, with quiet around it, into the sink."""
    quiet = np.zeros(RATE // 2)
    write_wav(home / "played.wav", np.concatenate([quiet, known(), quiet]), RATE)
    subprocess.run(["paplay", "--device=loop", str(home / "played.wav")], check=True)


def offset_s(clip, rate):
    """By how much a clip begins too early, against the known sound."""
    sound = np.interp(np.arange(0, 0.2, 1 / rate), np.arange(len(known())) / RATE, known())
    near = np.concatenate([np.zeros(rate // 10), clip[: rate // 2], np.zeros(rate // 2)])
    return (int(np.argmax(np.correlate(near, sound, "valid"))) - rate // 10) / rate


def test_monitor_is_listed_as_hearing_the_computer_and_is_what_is_listened_to(pulse):
    found, _ = sources("pulse")
    monitor = choose("", found)
    assert monitor.name == "loop.monitor"
    assert monitor.loopback
    assert monitor.usual
    assert (monitor.sample_rate, monitor.channels) == (44100, 2)


def test_what_another_process_plays_is_cut_within_5_ms(pulse):
    with Listener(backend="pulse") as ear:
        until(lambda: ear.take)
        play(pulse)
        clip = Cutter(ear, Notes()).just_heard(time.monotonic())
    assert abs(offset_s(clip.frames[:, 0], clip.sample_rate)) <= WITHIN
    assert clip.gaps == 0


def test_sink_that_goes_and_comes_back_at_another_rate_is_heard_again(pulse):
    with Listener(backend="pulse") as ear:
        until(lambda: ear.take)
        subprocess.run(["pactl", "unload-module", "module-null-sink"], check=True)
        until(lambda: ear.condition.trouble)
        loop = ["pactl", "load-module", "module-null-sink", "sink_name=loop", "rate=48000"]
        subprocess.run(loop, check=True, capture_output=True)
        until(lambda: not ear.condition.trouble and ear.take.device.sample_rate == 48000)
        play(pulse)
        clip = Cutter(ear, Notes()).just_heard(time.monotonic())
    assert clip.sample_rate == 48000
    assert abs(offset_s(clip.frames[:, 0], 48000)) <= WITHIN


def test_usual_output_that_is_another_now_is_followed_unless_one_was_named(pulse, monkeypatch):
    monkeypatch.setattr(pulsesources, "_LOOK_S", 0.1)
    load = ["pactl", "load-module", "module-null-sink", "sink_name=phones", "rate=44100"]
    phones = subprocess.run(load, check=True, capture_output=True, text=True).stdout.strip()
    with Listener(backend="pulse") as ear, Listener("loop.monitor", backend="pulse") as named:
        until(lambda: ear.take and named.take)
        assert ear.take.device.name == "loop.monitor"
        subprocess.run(["pactl", "set-default-sink", "phones"], check=True)
        until(lambda: ear.take.device.name == "phones.monitor")
        subprocess.run(["pactl", "unload-module", phones], check=True)
        until(lambda: ear.take.device.name == "loop.monitor")
        assert named.take.device.name == "loop.monitor"
        assert not named.take.gaps


def test_daemon_matches_what_pulseaudio_played_and_the_synth_has_the_preset(pulse, tmp_path):
    orders = free_port()
    with BuiltInSynth(osc_port=0, wav=tmp_path / "synth.wav", drift=False) as synth:
        sections = {
            "watch": {"folder": str(tmp_path / "drops"), "output": str(tmp_path)},
            "match": {"budget_s": 0.0},
            "host": {"route": "builtin"},
            "synth": {"port": synth.port},
            "state": {"folder": str(tmp_path / "state")},
            "orders": {"port": orders},
            "capture": {"backend": "pulse"},
        }
        path = tmp_path / "config.toml"
        path.write_text(config.as_toml(config.changed(config.Config(), sections)), "utf-8")
        environment = {config.ENVIRONMENT_VARIABLE: str(path)}
        with child.running("start", environment=environment, stderr=subprocess.STDOUT) as daemon:
            child.hear(daemon, "listening to loop.monitor")
            for _ in range(TAKES):  # the recorder may take a moment to begin
                play(pulse)
                answer = order(orders, Action.CAPTURE)
                if answer.well:
                    break
            assert answer.well, answer
            assert answer.facts["grade"] == "confirmed"
            assert answer.facts["device"] == "loop.monitor"
            child.hear(daemon, ": matched")
    (saved,) = (tmp_path / "drops").iterdir()
    samples, rate = soundfile.read(saved)
    assert abs(offset_s(samples[:, 0], rate)) <= WITHIN
    assert (tmp_path / f"{saved.name}.antithesis" / "match.wav").exists()
