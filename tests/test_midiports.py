"""Finding MIDI ports by the names users give."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from antithesis.errors import DeviceError
from daemon import midiports
from daemon.midiports import match

JACK = "jack"
ALSA = ["Midi Through:Midi Through Port-0 14:0", "VirMIDI 1-0:VirMIDI 1-0 20:0", "DAW:in 128:0"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("VirMIDI 1-0:VirMIDI 1-0 20:0", ALSA[1]),
        ("VirMIDI 1-0:VirMIDI 1-0", ALSA[1]),
        ("midi through", ALSA[0]),
        ("in", ALSA[2]),
        ("daw", ALSA[2]),
        ("DAW:out", None),
        ("", ALSA[0]),
    ],
)
def test_a_port_is_found_without_the_numbers_that_alsa_changes(
    name: str, found: str | None
) -> None:
    assert match(name, ALSA) == found


def test_the_exact_name_comes_before_a_longer_one() -> None:
    ports = ["loopMIDI Port 10", "loopMIDI Port 1"]

    assert match("loopMIDI Port 1", ports) == "loopMIDI Port 1"


def test_no_port_matches_where_there_is_none() -> None:
    assert match("anything", []) is None


def test_an_unknown_back_end_is_an_error_with_a_remedy() -> None:
    with pytest.raises(DeviceError, match=r"No module named .no.*back end is the right one"):
        midiports.open_output("anything", backend="no.such")


def test_a_missing_jack_server_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "antithesis-nobody")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")

    with pytest.raises(DeviceError, match=r"no JACK server answers.*start it"):
        midiports.open_output("anything", backend=JACK)


def test_a_missing_alsa_sequencer_is_told_by_us_and_not_by_alsa(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(midiports, "_SEQUENCER", tmp_path / "seq")
    monkeypatch.delenv("MIDO_BACKEND", raising=False)

    with pytest.raises(DeviceError, match=r"no ALSA sequencer .*modprobe snd-seq"):
        midiports.open_output("anything", virtual=True)

    assert capfd.readouterr().err == ""


def test_a_missing_port_is_an_error_that_names_those_that_exist(jack_server: str) -> None:
    with (
        midiports.open_input("somebody", backend=JACK, virtual=True),
        pytest.raises(
            DeviceError, match="no MIDI output is called 'nobody'; there are: 'somebody:somebody'"
        ),
    ):
        midiports.open_output("nobody", backend=JACK)


def test_no_port_at_all_is_said(jack_server: str) -> None:
    with pytest.raises(DeviceError, match="there are: none at all"):
        midiports.open_output("nobody", backend=JACK)


def test_windows_is_told_to_make_a_port_with_loopmidi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(DeviceError, match="make one with loopMIDI and give its name"):
        midiports.open_output("Antithesis Out", virtual=True)
