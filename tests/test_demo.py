"""The demo: its sounds, how it judges, and all of it from the first line to the exit status."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from antithesis.audio import Sound
from antithesis.distances import mss
from antithesis.errors import DeviceError
from antithesis.pitch import track
from antithesis.preset import Preset
from antithesis.report import write_match
from antithesis.sampling import musical
from antithesis.synth import render_notes
from daemon import child
from daemon.demo import MARGIN, Refusal, Stage, mean_preset, run_demo
from daemon.demosounds import make_sounds, pluck
from daemon.hosts import find_host
from daemon.outputs import wav_header
from daemon.senders import open_sender
from daemon.synthclient import Played, SynthClient
from tests.fakematch import FakeMatch

RATE = 44100
PRESET = Preset.init().replace(kOsc1Wave=3, kFilterEnabled=1, kFilterCutoff=900.0, kVoiceMode=0)


def note(preset, seconds=2.0, key=57, gate_s=0.3):
    return render_notes(
        preset.normalized[None], key, 100, gate_s, duration_s=seconds, drift=False, threads=1
    )[0]


def test_sounds_are_those_of_the_seed(tmp_path):
    def sounds(name, seed):
        (tmp_path / name).mkdir()
        made = make_sounds(tmp_path / name, np.random.default_rng(seed))
        return [(sound.path.name, soundfile.read(sound.path)[0]) for sound in made]

    first, again, other = sounds("first", 1), sounds("again", 1), sounds("other", 2)
    assert len({name for name, _ in first}) == 3
    for (name, samples), (_, same), (_, different) in zip(first, again, other, strict=True):
        assert name.endswith(".wav")
        assert np.array_equal(samples, same)
        assert not np.array_equal(samples, different)
        assert 10 * np.log10(np.mean(samples**2)) > -45


def test_plucked_string_sounds_at_its_pitch_and_dies_away():
    samples = pluck(196.0, np.random.default_rng(1))
    assert track(samples, RATE).f0_hz == pytest.approx(196.0, rel=0.02)
    assert np.std(samples[-RATE // 4 :]) < 0.2 * np.std(samples[: RATE // 4])


def test_mean_preset_is_the_middle_of_the_prior():
    assert mean_preset() == mean_preset()
    others = musical(np.random.default_rng(7), 4096).normalized.mean(axis=0)
    continuous = [2, 3, 8, 13, 14, 18, 23]
    assert mean_preset().normalized[continuous] == pytest.approx(others[continuous], abs=0.03)


@pytest.fixture
def synth(built_in_synth):
    with SynthClient(built_in_synth.port) as client:
        yield client


def hold(built_in_synth, preset):
    with open_sender(find_host("builtin", port=built_in_synth.port)) as sender:
        assert sender.send(preset).grade == "confirmed"
    settled = built_in_synth.rendered + RATE  # the cutoff glides to where it was set
    while built_in_synth.rendered < settled:
        built_in_synth.wait(0.05)


@pytest.fixture
def stage(tmp_path, synth):
    """A stage whose daemon is whatever a test says it said."""
    return Stage(tmp_path, SimpleNamespace(stdout=io.StringIO()), synth)


def test_note_is_cut_from_the_recording_to_the_sample(stage, built_in_synth):
    hold(built_in_synth, PRESET)
    played = stage.record(57, 100, 0.3)
    expected = note(PRESET)
    held = round(0.25 * RATE)
    assert played[:held] == pytest.approx(expected[:held], abs=1e-6)
    assert len(played) == len(expected)
    assert mss(played, expected) < 1.0


def test_note_held_too_long_is_played_again(tmp_path, monkeypatch):
    # A client of nobody: a synth that runs would go on writing the recording.
    stage = Stage(tmp_path, SimpleNamespace(stdout=io.StringIO()), object.__new__(SynthClient))
    takes = iter([Played(100, 0.5), Played(200, 0.03), Played(300, 0.001), Played(400, 0.0)])
    monkeypatch.setattr(SynthClient, "play", lambda *_arguments: next(takes))
    samples = np.arange(100_000, dtype="<f4")
    (stage.home / "synth.wav").write_bytes(wav_header(0, RATE) + samples.tobytes())
    assert stage.record(57, 100, 0.3)[0] == 300
    assert next(takes).start == 400


def test_synth_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr("daemon.synthclient._PATIENCE_S", 0.05)
    with SynthClient(9) as client, pytest.raises(DeviceError, match="antithesis synth"):
        client.position()


def matched(home, preset, grade="confirmed"):
    """What a daemon leaves of a sound that is `PRESET`'s, matched as `preset`."""
    target = Sound(note(PRESET), RATE, "a.wav")
    sent = {"distance": 1.0, "at": 100.5, "grade": grade}
    facts = {"first_sent": sent, "last_sent": sent}
    write_match(FakeMatch(preset), target, home / "a.wav.antithesis", facts=facts)


def test_match_that_the_synth_holds_and_plays_is_well(stage, built_in_synth):
    matched(stage.home, PRESET)
    hold(built_in_synth, PRESET)
    verdict = stage.verdict("a.wav", 100.0)
    assert verdict.well
    assert verdict.first_after_s == pytest.approx(0.5)
    assert verdict.played_distance < 1.0 < MARGIN * verdict.mean_distance
    assert (stage.home / "a.wav.antithesis" / "played.wav").exists()
    assert " confirmed by" in str(verdict)


def test_match_that_the_synth_does_not_hold_is_not_well(stage, built_in_synth):
    matched(stage.home, PRESET)
    hold(built_in_synth, PRESET.replace(kFilterCutoff=910.0))
    verdict = stage.verdict("a.wav", 100.0)
    assert verdict.played_distance < MARGIN * verdict.mean_distance
    assert not verdict.well
    assert "NOT confirmed" in str(verdict)


def test_match_that_was_only_sent_is_not_well(stage, built_in_synth):
    matched(stage.home, PRESET, grade="sent")
    hold(built_in_synth, PRESET)
    assert not stage.verdict("a.wav", 100.0).well


def test_match_that_sounds_like_any_preset_is_not_well(stage, built_in_synth):
    matched(stage.home, mean_preset())
    hold(built_in_synth, mean_preset())
    verdict = stage.verdict("a.wav", 100.0)
    assert verdict.confirmed
    assert not verdict.well


def test_refused_sound_is_not_well(stage, tmp_path):
    (tmp_path / "drops").mkdir()
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    stage.daemon.stdout = io.StringIO(
        "12:00  other.wav: matched\n12:01  bad.wav: refused: silent\n"
    )
    outcome = stage.judge(tmp_path / "bad.wav")
    assert outcome == Refusal("bad.wav", "silent")
    assert not outcome.well
    assert (tmp_path / "drops" / "bad.wav").read_bytes() == b"RIFF"


def test_part_that_ends_early_is_told_with_its_last_word(stage, tmp_path):
    (tmp_path / "drops").mkdir()
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    stage.daemon.stdout = io.StringIO("antithesis: no weights\n")
    with pytest.raises(DeviceError, match="no weights"):
        stage.judge(tmp_path / "a.wav")


def test_child_runs_the_command_line_and_is_heard():
    with child.running("config") as process:
        assert child.hear(process, "[synth]", "[watch]") == "[watch]"
        with pytest.raises(DeviceError, match="ended early"):
            child.hear(process, "a word that never comes")


def test_demo_goes_well_from_the_drop_to_what_the_synth_plays(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = tmp_path / "Own sound A3.wav"
    soundfile.write(own, note(PRESET), RATE)
    well = run_demo([own], seed=3, budget_s=1.0, as_json=True)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["file"][:8] for row in told] == ["1-preset", "2-preset", "3-pluck.", "given-1-"]
    for row in told:
        assert row["confirmed"], row
        assert row["played_distance"] <= MARGIN * row["mean_distance"], row
        assert row["best_distance"] <= row["first_distance"]
        assert row["first_after_s"] <= row["best_after_s"]
    assert well
