"""From a key to a preset, with everything in processes of its own around a real JACK server.

One process plays into JACK's outputs, another presses a MIDI key, the daemon cuts what was just
heard, matches it, and the built-in synth has its preset.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from antithesis.audio import write_wav
from antithesis.distances import mss
from antithesis.preset import Preset
from antithesis.presetfiles import read_preset
from antithesis.synth import render_notes
from daemon import child, config
from daemon.orders import order
from daemon.ports import free_port
from daemon.presses import Action
from daemon.synthserver import BuiltInSynth
from tests import scenes
from tests.jackplayer import JACK, Program
from tests.scenes import RATE

pytestmark = pytest.mark.timeout(300)

KEY = 36
WITHIN_MS = 5.0
TAKES = 3  # a JACK server that a busy machine starves loses a block now and then


class Said:
    """What a process says, line by line: waits for the next with a word in it, not for ever."""

    def __init__(self, process):
        self._lines = []
        self._read = 0
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._listen, args=(process.stdout,), daemon=True)
        self._thread.start()

    def _listen(self, stream):
        for line in stream:
            with self._more:
                self._lines.append(line.rstrip("\n"))
                self._more.notify_all()

    def next(self, *words):
        with self._more:
            assert self._more.wait_for(lambda: self._found(words) is not None, 150), self._lines[
                -20:
            ]
            self._read = self._found(words) + 1
            return self._lines[self._read - 1]

    def _found(self, words):
        lines = range(self._read, len(self._lines))
        return next((n for n in lines if any(word in self._lines[n] for word in words)), None)


@dataclass
class Stage:
    """The daemon at work, who plays, who presses, and the synth that gets the presets."""

    home: Path
    daemon: Said
    player: Program
    keys: Program
    witness: Program
    synth: BuiltInSynth
    orders: int
    environment: dict[str, str]

    def play(self, samples, name="played.wav", key=()):
        """Play a sound and, where it has a key, its note, velocity and gate in seconds, that too.

        Both leave in one cycle of JACK, as a DAW's do.
        """
        write_wav(self.home / name, samples, RATE)
        self.player.say(" ".join(map(str, [*key, self.home / name])))

    def takes(self):
        """Once, and again where JACK says that somebody was late, which tears what is played."""
        for _ in range(TAKES):
            self.witness.ask("")
            yield
            if self.witness.ask("") == "0":
                return

    def press(self, key=KEY):
        """Press and release the key; what the daemon says it captured."""
        self.keys.say(f"{key} 100")
        said = self.daemon.next("captured: ", "capture: ", "internal error")
        self.keys.say(f"{key} 0")
        assert "captured: " in said
        return said

    def clip(self, said):
        """The clip that a line speaks of, which is told once it is saved."""
        path = self.home / "drops" / said.split("  ", 1)[1].partition(": captured")[0]
        samples, rate = soundfile.read(path)
        assert rate == RATE
        return path, samples[:, 0]

    def heard_ms(self, sound):
        """By how much the clip of a sound that is played and captured begins too early.

        Played again only where JACK lost a block of it.
        """
        for _ in range(TAKES):
            self.play(np.concatenate([sound, np.zeros(RATE // 10)]))
            said = self.press()
            _, clip = self.clip(said)
            if "dropped block" not in said:
                break
        return offset_ms(clip, sound)

    def outcome(self, path):
        self.daemon.next(f"{path.name}: matched")
        folder = self.home / f"{path.name}.antithesis"
        return folder, json.loads((folder / f"{path.stem}.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def stage(_jackd, tmp_path_factory):
    home = tmp_path_factory.mktemp("capture")
    environment = {"JACK_DEFAULT_SERVER": _jackd, "JACK_NO_START_SERVER": "1"}
    orders = free_port()
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        with BuiltInSynth(osc_port=0, wav=home / "synth.wav", drift=False) as synth:
            sections = {
                "watch": {"folder": str(home / "drops"), "output": str(home)},
                "match": {"budget_s": 0.0},
                "host": {"route": "builtin"},
                "midi": {"backend": JACK},
                "synth": {"port": synth.port},
                "state": {"folder": str(home / "state")},
                "orders": {"port": orders},
                "capture": {"backend": "jack"},
                "hotkeys": {"capture": f"note {KEY}", "hold": "note 37", "previous": "note 38"},
            }
            path = home / "config.toml"
            path.write_text(config.as_toml(config.changed(config.Config(), sections)), "utf-8")
            environment[config.ENVIRONMENT_VARIABLE] = str(path)
            with (
                child.running("start", environment=environment, stderr=subprocess.STDOUT) as daemon,
                Program("sound", "player") as player,
                Program("late", "witness") as witness,
            ):
                said = Said(daemon)
                said.next("listening to everything")
                with Program("midi", "Antithesis In") as keys:
                    yield Stage(home, said, player, keys, witness, synth, orders, environment)


def offset_ms(clip, sound):
    """By how much too early (negative: too late) a clip begins, against what was played.

    By the least difference: a sound that swells is more like its own later periods than itself.
    """
    window = sound[: RATE // 4]
    near = np.concatenate([np.zeros(RATE // 10), clip[: RATE // 2], np.zeros(RATE // 2)])
    sums = np.concatenate([[0.0], np.cumsum(near**2)])
    power = sums[len(window) :] - sums[: -len(window)]
    difference = power - 2 * np.correlate(near, window, "valid")
    return 1000 * (int(np.argmin(difference)) - RATE // 10) / RATE


def known(**plain):
    """A sound of a preset that is known: a saw that falls off, with the filter in its way."""
    preset = Preset.init().replace(
        kOsc1Wave=2, kVolEnvD=990, kVolEnvS=0.0, kFilterEnabled=1, kFilterCutoff=2500, **plain
    )
    return 0.5 * render_notes(preset.normalized[None], 57, 100, 0.8, duration_s=1.6)[0]


def test_a_key_makes_the_synth_play_what_was_just_heard(stage):
    sound = known()
    stage.play(np.concatenate([sound, np.zeros(RATE // 10)]))
    path, clip = stage.clip(stage.press())
    assert abs(offset_ms(clip, sound)) <= WITHIN_MS
    folder, facts = stage.outcome(path)
    assert facts["first_sent"]["grade"] == facts["last_sent"]["grade"] == "confirmed"
    assert facts["captured"]["device"] == "everything that plays"
    match = facts["match"]
    preset = read_preset(folder / f"{path.stem}.fxp")
    played = render_notes(
        preset.normalized[None], match["note"], match["velocity"], match["gate_s"], duration_s=1.6
    )[0]
    silence = render_notes(Preset.init().normalized[None], 57, 100, 0.8, duration_s=1.6)[0]
    assert mss(played, sound) < 0.6 * mss(silence, sound)


def test_ten_sounds_in_a_row_are_each_cut_within_5_ms_of_their_onset(stage):
    rng = np.random.default_rng(0)
    sounds = [scenes.drawn(rng, gate_s=0.3, seconds=0.6) for _ in range(10)]
    for sound in sounds:
        # Now and then JACK loses a block of the player's; what the finder misses, it misses again.
        takes_ms = (abs(stage.heard_ms(sound)) for _ in range(TAKES))
        assert any(take_ms <= WITHIN_MS for take_ms in takes_ms)


def test_pressed_again_it_is_the_one_before_also_of_two_close_together(stage):
    first, second = known(), known(kOsc1Coarse=7)
    both = scenes.in_a_row([first, second], [0.2, 0.55], 2.0)
    stage.play(both)
    _, later = stage.clip(stage.press())
    _, earlier = stage.clip(stage.press())
    assert abs(offset_ms(later, second)) <= WITHIN_MS
    assert abs(offset_ms(earlier, first)) <= WITHIN_MS


def test_under_music_the_sound_is_found_and_the_music_is_said(stage):
    sound = known()
    stretch = scenes.music(np.random.default_rng(5), 4.0, -40.0)
    stretch += scenes.in_a_row([sound], [2.22], 4.0)
    for _ in stage.takes():
        stage.play(stretch[: round(3.3 * RATE)])
        said = stage.press()
        _, clip = stage.clip(said)
    assert "over other sound" in said
    assert abs(offset_ms(clip, sound)) <= WITHIN_MS


def test_held_key_records_from_press_to_release(stage):
    sound = known()
    stage.keys.say("37 100")
    stage.play(np.concatenate([np.zeros(RATE // 4), sound[: RATE // 2], np.zeros(RATE // 4)]))
    stage.keys.say("37 0")
    said = stage.daemon.next("captured: ")
    _, clip = stage.clip(said)
    assert len(clip) / RATE == pytest.approx(1.0, abs=0.25)
    assert stage.outcome(stage.home / "drops" / said.split("  ", 1)[1].partition(": cap")[0])


def test_while_armed_each_sound_is_captured_without_a_key(stage):
    sounds = [known(kOsc1Coarse=4), known(kOsc1Coarse=-3)]
    assert order(stage.orders, Action.ARM).said == "each sound is captured by itself"
    for sound in sounds:
        stage.play(np.concatenate([np.zeros(RATE // 2), sound, np.zeros(RATE // 2)]))
        _, clip = stage.clip(stage.daemon.next("captured: "))
        assert abs(offset_ms(clip, sound)) <= WITHIN_MS
    assert order(stage.orders, Action.ARM).said == "not armed"


def test_note_that_comes_by_midi_is_known_with_velocity_and_gate(stage):
    sound = np.concatenate([known(), np.zeros(RATE // 10)])
    for _ in stage.takes():
        stage.play(sound, key=(57, 90, 0.8))
        said = stage.press()
    assert "A3 by MIDI" in said
    path, _ = stage.clip(said)
    assert path.stem.endswith(" A3")
    _, facts = stage.outcome(path)
    assert facts["captured"]["by_midi"]
    assert (facts["match"]["note"], facts["match"]["velocity"]) == (57, 90)
    assert facts["match"]["gate_s"] == pytest.approx(0.8, abs=0.2)


def test_device_that_goes_and_comes_back_is_heard_again(stage):
    sound = known(kOsc1Coarse=3)
    stage.player.__exit__(None, None, None)
    stage.player.__enter__()
    stage.play(np.concatenate([np.zeros(RATE // 2), sound, np.zeros(RATE // 10)]))
    _, clip = stage.clip(stage.press())
    assert abs(offset_ms(clip, sound)) <= WITHIN_MS


def test_command_line_captures_and_steps_back_as_the_keys_do(stage):
    sound = known(kOsc1Coarse=-5)
    stage.play(np.concatenate([sound, np.zeros(RATE // 10)]))
    answer = order(stage.orders, Action.CAPTURE)
    assert answer.well
    assert answer.said.startswith("captured ")
    assert answer.facts["grade"] == "confirmed"
    time.sleep(0.2)
    undone = order(stage.orders, Action.UNDO)
    assert undone.well
    assert undone.facts["grade"] == "confirmed"


def test_hotkey_is_learned_by_pressing_it(stage, tmp_path, monkeypatch):
    path = tmp_path / "config.toml"  # of another daemon, that does not run
    sections = {"midi": {"backend": JACK}, "orders": {"port": free_port()}}
    path.write_text(config.as_toml(config.changed(config.Config(), sections)), "utf-8")
    environment = stage.environment | {config.ENVIRONMENT_VARIABLE: str(path)}
    with child.running("learn", "hotkey", "hold", environment=environment) as learner:
        while learner.poll() is None:  # it hears as soon as it has found the port
            stage.keys.say("41 100")
            stage.keys.say("41 0")
            time.sleep(0.1)
        said = learner.stdout.read()
    assert learner.returncode == 0
    assert "hold: note 41 channel 1 on " in said
    assert "a daemon obeys it once it is started" in said
    monkeypatch.setenv(config.ENVIRONMENT_VARIABLE, str(path))
    assert config.load().hotkeys.hold.startswith("note 41 channel 1 on ")


def test_hotkey_learned_while_the_daemon_listens_is_obeyed_at_once(stage):
    with child.running("learn", "hotkey", "undo", environment=stage.environment) as learner:
        while learner.poll() is None:
            stage.keys.say("45 100")
            stage.keys.say("45 0")
            time.sleep(0.1)
        assert "the daemon obeys" in learner.stdout.read()
    sound = known(kOsc1Coarse=2)
    stage.play(np.concatenate([sound, np.zeros(RATE // 10)]))
    stage.outcome(stage.clip(stage.press())[0])
    stage.keys.say("45 100")
    assert "confirmed" in stage.daemon.next("undone: ")
    stage.keys.say("45 0")
