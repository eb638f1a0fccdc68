# name=Antithesis
# supportedDevices=Antithesis Script Out
"""Antithesis for FL Studio (MIDI scripting API 29 or newer): a MIDI script.

It finds a Mika Micro on the channel rack by its name and those of its parameters, and sets and
tells them when Antithesis asks, in system exclusive messages:

    F0  7D 41 54  version  command  sequence  payload ...  check  F7

From the version on all adds up to a multiple of 128. Of a parameter there are four bytes: its
number, and its normalized value times 2^21 - 1, highest seven bits first.
"""

import channels
import device
import general
import plugins

VERSION = 1
OURS = (0xF0, 0x7D, 0x41, 0x54)
END = 0xF7
HIGHEST = 0x1FFFFF

HELLO = 1  # answered by DEVICE or TROUBLE
SET = 2  # parameters; answered by VALUES or TROUBLE
GET = 3  # answered by VALUES or TROUBLE
NOTE = 4  # note and velocity; 0 ends it
DEVICE = 65  # where the plug-in is, in words
VALUES = 66  # parameters
TROUBLE = 67  # why it cannot be done, in words

NAMES = (
    "Oscillator 1 waveform", "Oscillator 1 coarse", "Oscillator 1 fine", "Oscillator 1 split",
    "Oscillator 2 waveform", "Oscillator 2 coarse", "Oscillator 2 fine", "Oscillator 2 split",
    "Oscillator mix", "FM mode", "FM coarse", "FM fine",
    "Filter enabled", "Filter cutoff", "Filter resonance", "Filter key tracking",
    "Volume envelope attack", "Volume envelope decay", "Volume envelope sustain",
    "Volume envelope release", "Volume envelope velocity sensitivity",
    "Modulation envelope attack", "Modulation envelope decay", "Modulation envelope sustain",
    "Modulation envelope release", "Modulation envelope velocity sensitivity",
    "Vibrato amount", "Vibrato frequency", "Vibrato delay",
    "Volume envelope to FM amount", "Volume envelope to filter cutoff",
    "Modulation envelope to FM amount", "Modulation envelope to filter cutoff",
    "Vibrato to FM amount", "Vibrato to filter cutoff",
    "Voice mode", "Glide speed", "Master volume",
)  # fmt: skip
KEY_LENGTH = 24  # so much of a squashed name tells it from all others; hosts cut the rest
LISTED = 64  # of the 4240 parameters that FL Studio gives a VST, those that can be its own
ON_THE_RACK = -1
PICKUP_NONE = 0
GLOBAL = True  # channels are counted through all groups

found = None  # channel and numbers there, by our number


def OnSysEx(event):
    """Obey a message of Antithesis, and answer it."""
    frame = decode(event.sysex)
    if frame is None:
        return
    event.handled = True
    answer = answered(frame)
    if answer is not None and device.isAssigned():
        device.midiOutSysex(answer)


def answered(frame):
    """The answer to a message; None where it has none."""
    version, command, sequence, payload = frame
    if version != VERSION:
        return trouble(sequence, "run antithesis install fl-studio, and reload the script")
    if not general.safeToEdit():
        return trouble(sequence, "a window of FL Studio waits for an answer: close it")
    place = find()
    if place is None:
        return trouble(sequence, "put a Mika Micro on the channel rack")
    return obeyed(place, command, sequence, payload)


def obeyed(place, command, sequence, payload):
    """Do what a message asks of the plug-in, and return the answer."""
    channel, numbers = place
    if command == NOTE and len(payload) == 2:
        channels.midiNoteOn(channel, payload[0], payload[1])
    if command == HELLO:
        return encode(DEVICE, sequence, words(channel))
    if command == SET:
        for index, value in values_in(payload):
            plugins.setParamValue(value, numbers[index], channel, ON_THE_RACK, PICKUP_NONE, GLOBAL)
    if command in (SET, GET):
        return encode(VALUES, sequence, values_of(channel, numbers))
    return None


def trouble(sequence, why):
    """The answer that says why it cannot be done."""
    return encode(TROUBLE, sequence, why.encode("ascii"))


def find():
    """The channel of a Mika Micro, and its parameters' numbers by ours; None if there is none."""
    global found
    if found is None or not is_there(found):
        rack = range(channels.channelCount(GLOBAL))
        places = ((channel, numbers_on(channel)) for channel in rack)
        found = next((place for place in places if place[1] is not None), None)
    return found


def is_there(place):
    """Whether a channel still has what was found there: it may have been moved or replaced."""
    channel, numbers = place
    return (
        channel < channels.channelCount(GLOBAL)
        and plugins.isValid(channel, ON_THE_RACK, GLOBAL)
        and all(
            squashed(plugins.getParamName(numbers[index], channel, ON_THE_RACK, GLOBAL)).startswith(
                key(NAMES[index])
            )
            for index in (0, len(NAMES) - 1)
        )
    )


def numbers_on(channel):
    """The numbers of our parameters on a channel; None if it lacks any."""
    if not plugins.isValid(channel, ON_THE_RACK, GLOBAL):
        return None
    count = min(LISTED, plugins.getParamCount(channel, ON_THE_RACK, GLOBAL))
    told = (plugins.getParamName(number, channel, ON_THE_RACK, GLOBAL) for number in range(count))
    names = [squashed(name) for name in told]
    numbers = []
    for ours in NAMES:
        alike = [number for number, name in enumerate(names) if name.startswith(key(ours))]
        if len(alike) != 1:
            return None
        numbers.append(alike[0])
    return numbers


def key(ours):
    """How a name of ours begins in FL Studio, upper case and spaces aside: hosts cut names."""
    return squashed(ours)[:KEY_LENGTH]


def squashed(name):
    """A name without what hosts change in it."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def words(channel):
    """What a channel is called, in the seven bits of MIDI."""
    said = channels.getChannelName(channel, GLOBAL) + " on channel " + str(channel + 1)
    return said.encode("ascii", "replace")


def values_in(payload):
    """Our numbers and normalized values in a payload."""
    for at in range(0, len(payload) - 3, 4):
        index, high, middle, low = payload[at : at + 4]
        if index < len(NAMES):
            yield index, (high << 14 | middle << 7 | low) / HIGHEST


def values_of(channel, numbers):
    """All values as a payload."""
    payload = []
    for index, number in enumerate(numbers):
        value = plugins.getParamValue(number, channel, ON_THE_RACK, GLOBAL)
        steps = round(min(max(value, 0.0), 1.0) * HIGHEST)
        payload += [index, steps >> 14, steps >> 7 & 0x7F, steps & 0x7F]
    return bytes(payload)


def decode(message):
    """Version, command, sequence and payload of a message; None if it is not one of ours."""
    data = tuple(message or ())
    body = data[len(OURS) : -1]
    if len(body) < 4 or data[: len(OURS)] != OURS or data[-1] != END or sum(body) & 0x7F:
        return None
    return body[0], body[1], body[2], body[3:-1]


def encode(command, sequence, payload):
    """A message, ready to be sent."""
    body = (VERSION, command, sequence, *payload)
    return bytes((*OURS, *body, -sum(body) & 0x7F, END))
