"""A match as files: what is in them, and what the picture shows."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.image import imread

from antithesis.audio import Sound
from antithesis.parameters import BY_ID
from antithesis.preset import Preset
from antithesis.presetfiles import read_preset
from antithesis.report import key_name, likeness, result_stem, write_match
from antithesis.report.panel import HEIGHT, LAYOUT, WIDTH, Widget, draw_panel
from antithesis.report.picture import ENVELOPE_RANGE_DB, RANGE_DB, envelope, spectrogram
from antithesis.report.readings import reading
from antithesis.report.style import ACCENT
from tests.fakematch import FakeMatch

RATE = 44100
PRESET = Preset.init().replace(kFilterEnabled=1, kFilterCutoff=1234.5, kVolEnvS=0.25)


def sine(hz, seconds=1.0):
    return np.sin(2 * np.pi * hz * np.arange(int(RATE * seconds)) / RATE)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    target = Sound(sine(220.0, 0.5), RATE, "/drops/Bass A2.aiff", start_s=1.5)
    folder = tmp_path_factory.mktemp("results") / "new"
    return write_match(FakeMatch(PRESET), target, folder, facts={"delivery": "sent"})


def by_name(paths):
    return {path.name: path for path in paths}


def test_every_result_is_named_and_there(written):
    names = ["Bass A2.txt", "Bass A2.json", "Bass A2.fxp", "target.wav", "match.wav", "match.png"]
    assert [path.name for path in written] == names
    assert sorted(path.name for path in written[0].parent.iterdir()) == sorted(names)


@pytest.mark.parametrize("suffix", [".txt", ".json", ".fxp"])
def test_every_preset_file_reads_back(written, suffix):
    preset = read_preset(by_name(written)[f"Bass A2{suffix}"])
    assert preset.normalized == pytest.approx(PRESET.normalized, abs=1e-6)
    assert preset.name == "Bass A2"


def test_json_tells_the_match_its_source_and_further_facts(written):
    content = json.loads(by_name(written)["Bass A2.json"].read_text("utf-8"))
    assert content["plain"]["kFilterCutoff"] == 1234.5
    assert content["match"] == {
        "note": 57,
        "note_name": "A3",
        "velocity": 100,
        "gate_s": 0.3,
        "distance": 3.0,
        "likeness": "related",
        "similarity_percent": 50,
        "remarks": [],
        "elapsed_s": 0.25,
        "evaluations": 17,
        "level_error_db": 0.0,
    }
    source = {"file": "/drops/Bass A2.aiff", "start_s": 1.5, "duration_s": 0.5}
    assert content["source"] == source
    assert content["delivery"] == "sent"


def test_both_sounds_are_written(written):
    files = by_name(written)
    target, rate = soundfile.read(files["target.wav"])
    assert rate == RATE
    assert target == pytest.approx(sine(220.0, 0.5), abs=1e-6)
    played, _ = soundfile.read(files["match.wav"])
    assert played == pytest.approx(FakeMatch(PRESET).render(), abs=1e-6)


def test_match_sounds_for_as_long_as_a_long_target(tmp_path):
    paths = write_match(FakeMatch(PRESET), Sound(sine(220.0, 3.0), RATE, "pad.wav"), tmp_path)
    assert soundfile.info(by_name(paths)["match.wav"]).duration == pytest.approx(3.0)


def test_picture_is_an_image(written):
    image = imread(by_name(written)["match.png"])
    assert image.shape[0] > 800
    assert image.shape[1] > 1000
    assert image[..., :3].std() > 0.05


@pytest.mark.parametrize("name", ["日本 $a_b$ \n.wav", "x" * 250 + ".wav", "k\udce9ck.wav", ""])
def test_any_source_name_makes_a_report(tmp_path, name):
    paths = write_match(FakeMatch(PRESET), Sound(sine(220.0, 0.1), RATE, name), tmp_path)
    assert all(path.exists() for path in paths)
    assert json.loads(paths[1].read_bytes())["source"]["file"] == name


def test_two_matches_may_go_into_one_folder(tmp_path):
    pictures = []
    for name, hz in (("a.wav", 220.0), ("b.wav", 440.0)):
        paths = write_match(FakeMatch(PRESET), Sound(sine(hz, 0.5), RATE, name), tmp_path)
        pictures.append(by_name(paths)["match.png"].read_bytes())
    assert pictures[0] != pictures[1]


def test_long_stems_are_cut_between_letters():
    assert result_stem("日" * 80 + ".wav") == "日" * 66
    assert result_stem("/a/b.c/Lead.v2.wav") == "Lead.v2"


def test_keys_are_named_as_midi_does():
    assert [key_name(note) for note in (0, 60, 70, 127)] == ["C-1", "C4", "A#4", "G9"]


def test_likeness_falls_with_distance():
    words = [likeness(distance) for distance in (0.1, 1.0, 2.0, 4.0, 20.0)]
    assert len(set(words)) == 5


@pytest.mark.parametrize(
    ("id", "plain", "text"),
    [
        ("kOsc1Wave", 4, "pulse"),
        ("kOsc1Coarse", -12, "-12 st"),
        ("kOsc1Coarse", 0, "0 st"),
        ("kOsc1Fine", 0.07, "+7 ct"),
        ("kOsc1Fine", -0.052, "-5.2 ct"),
        ("kOsc2Split", 0.025, "+43 ct"),
        ("kOscMix", 0.67, "67 : 33"),
        ("kFmMode", 2, "oscillator 2"),
        ("kFilterEnabled", 1, "on"),
        ("kFilterCutoff", 440, "440 Hz"),
        ("kFilterCutoff", 1234.5, "1.23 kHz"),
        ("kFilterKeyTrack", -0.5, "-50 %"),
        ("kVolEnvA", 0.5, "2.4 ms"),
        ("kVolEnvD", 998, "959 ms"),
        ("kVolEnvS", 0.25, "25 %"),
        ("kLfoFrequency", 4, "4.00 Hz"),
        ("kLfoCutoff", -4000, "-2.00 kHz"),
        ("kModEnvCutoff", 300, "+300 Hz"),
        ("kModEnvFm", 7.5, "+7.5 st"),
        ("kVoiceMode", 2, "legato"),
        ("kGlideSpeed", 1, "1.0 ms"),
        ("kMasterVolume", 0.25, "-12.0 dB"),
        ("kMasterVolume", 0, "silent"),
    ],
)
def test_knobs_read_as_a_producer_would(id, plain, text):
    shown = reading(Preset.init().replace(**{id: plain}), id)
    assert shown.replace("\N{MINUS SIGN}", "-") == text


@pytest.mark.parametrize("end", ["min", "max"])
def test_every_knob_has_a_short_reading_at_both_ends(end):
    preset = Preset.from_plain([getattr(p, end) for p in BY_ID.values()])
    for id in BY_ID:
        assert 0 < len(reading(preset, id)) <= 12


def test_attack_of_the_reading_is_that_of_the_sound():
    preset = Preset.init().replace(kOsc1Wave=3, kVolEnvA=990.0)
    sound = FakeMatch(preset, gate_s=1.5).render()
    level = abs(sound)
    reached = np.argmax(level > 0.995 * level.max()) / RATE
    assert reading(preset, "kVolEnvA") == "228 ms"
    assert reached == pytest.approx(0.228, rel=0.1)


def test_panel_has_every_knob_within_and_apart():
    assert set(LAYOUT) == set(BY_ID)
    places = [(at.x, at.y) for at in LAYOUT.values()]
    assert all(20 < x < WIDTH - 20 and 20 < y < HEIGHT - 20 for x, y in places)
    apart = min(abs(a - c) + abs(b - d) for a, b in places for c, d in places if (a, b) != (c, d))
    assert apart >= 38


def panel_texts(preset):
    axes = Figure().add_subplot()
    draw_panel(axes, preset)
    return {text.get_position(): text for text in axes.texts}, axes


def test_greyed_knobs_are_drawn_grey():
    preset = PRESET.replace(kModEnvCutoff=500)
    texts, _ = panel_texts(preset)
    colours = {True: set(), False: set()}
    for id, at in LAYOUT.items():
        near = [text for (x, y), text in texts.items() if x == at.x and 0 < y - at.y < 50]
        value = next(text for text in near if text.get_text() == reading(preset, id))
        colours[id in preset.greyed()].add(value.get_color())
    assert preset.greyed()
    assert not colours[True] & colours[False]


def test_only_live_knobs_are_lit():
    _, axes = panel_texts(Preset.init())
    lit = sum(to_hex(colour) == ACCENT for colour in axes.collections[0].get_colors())
    choices = [id for id, at in LAYOUT.items() if at.widget is Widget.CHOICE and at.y < 346]
    # Init: its one waveform, its switches, and the six faders that are live.
    assert lit == 1 + len(choices) + 6


def test_spectrogram_shows_a_tone_at_its_pitch():
    level = spectrogram(sine(1000.0), RATE)
    rows = np.geomspace(40.0, 18_000.0, len(level))
    assert level.max() == 0.0
    assert level.min() == -RANGE_DB
    assert rows[level[:, level.shape[1] // 2].argmax()] == pytest.approx(1000.0, rel=0.03)


def test_envelope_shows_a_decay_in_decibels():
    decaying = sine(1000.0) * np.exp(-np.arange(RATE) / RATE * 4.0)
    level = envelope(decaying, RATE)
    fall = (level[70] - level[20]) / 0.5
    assert fall == pytest.approx(-20.0 * np.log10(np.e) * 4.0, rel=0.02)


def test_silence_is_drawn_as_silence():
    silence = np.zeros(RATE // 10)
    assert np.all(spectrogram(silence, RATE) <= 0.0)
    assert np.all(envelope(silence, RATE) >= -ENVELOPE_RANGE_DB)
