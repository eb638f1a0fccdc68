"""MIDI messages as hotkeys: written, read, learned, and pressed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mido import Message

from antithesis.errors import ConfigError
from daemon.bindings import Binding, Keys
from daemon.presses import Action

bindings = st.builds(
    Binding,
    st.sampled_from(["note", "cc"]),
    st.integers(0, 127),
    st.integers(0, 16),
    st.sampled_from(["", "nanoPAD2", "nanoPAD2:nanoPAD2 MIDI 1 20:0", "an on and a channel"]),
)


@given(bindings)
def test_what_is_written_is_read_back(binding):
    assert Binding.parse(str(binding)) == binding


@pytest.mark.parametrize("text", ["", "note", "note 128", "cc 1 channel 17", "pitch 3", "note -1"])
def test_what_is_no_message_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match=r"note 36|counts to 127"):
        Binding.parse(text)


def test_a_key_on_any_channel_and_port_goes_down_and_up():
    keys = Keys({Action.CAPTURE: Binding.parse("note 36")})
    down = Message("note_on", note=36, velocity=90, channel=9)
    assert keys.hear(down, "a", 1.0) == [(Action.CAPTURE, True)]
    assert keys.hear(down, "a", 1.0) == []
    assert keys.hear(Message("note_on", note=36, velocity=0, channel=9), "a", 1.0) == [
        (Action.CAPTURE, False)
    ]


def test_a_key_whose_release_was_lost_is_obeyed_when_it_is_struck_again():
    keys = Keys({Action.CAPTURE: Binding.parse("note 36")})
    struck = Message("note_on", note=36, velocity=100)
    assert keys.hear(struck, "pad", 10.0) == [(Action.CAPTURE, True)]
    assert keys.hear(struck, "the same pad by another port", 10.02) == []
    assert keys.hear(struck, "pad", 11.0) == [(Action.CAPTURE, False), (Action.CAPTURE, True)]
    assert keys.hear(Message("note_off", note=36), "pad", 11.1) == [(Action.CAPTURE, False)]


def test_a_pedal_is_down_from_its_middle_on():
    keys = Keys({Action.HOLD: Binding.parse("cc 64 channel 1")})
    told = [
        keys.hear(Message("control_change", control=64, value=value), "a", 1.0)
        for value in (10, 63, 64, 127, 70, 63, 0)
    ]
    assert [change for changes in told for change in changes] == [
        (Action.HOLD, True),
        (Action.HOLD, False),
    ]


def test_other_keys_channels_ports_and_messages_mean_nothing():
    keys = Keys({Action.NEXT: Binding.parse("note 36 channel 10 on pad")})
    for message, port in [
        (Message("note_on", note=37, channel=9), "pad"),
        (Message("note_on", note=36, channel=8), "pad"),
        (Message("note_on", note=36, channel=9), "keys"),
        (Message("control_change", control=36, channel=9, value=100), "pad"),
        (Message("pitchwheel", pitch=36, channel=9), "pad"),
        (Message("clock"), "pad"),
    ]:
        assert keys.hear(message, port, 1.0) == []
    assert keys.hear(Message("note_on", note=36, channel=9), "pad", 1.0) == [(Action.NEXT, True)]


@given(bindings)
def test_a_message_says_how_it_would_be_bound(binding):
    if binding.kind == "note":
        message = Message("note_on", note=binding.number, channel=max(binding.channel - 1, 0))
    else:
        message = Message(
            "control_change",
            control=binding.number,
            value=100,
            channel=max(binding.channel - 1, 0),
        )
    learned = Binding.of(message, "port")
    assert learned is not None
    assert learned.down(message, "port") is True
    assert (learned.kind, learned.number) == (binding.kind, binding.number)


@pytest.mark.parametrize(
    "message",
    [
        Message("note_off", note=3),
        Message("note_on", note=3, velocity=0),
        Message("control_change", control=3, value=20),
        Message("clock"),
    ],
)
def test_what_goes_up_is_not_learned(message):
    assert Binding.of(message, "port") is None
