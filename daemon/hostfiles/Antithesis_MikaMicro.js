// Antithesis for Cubase and Nuendo 13 and newer: a MIDI Remote script (ES5, as they want it).
//
// It finds a Mika Micro in the instrument slot of the selected track by the names of its parameters,
// and sets and tells them when Antithesis asks, in system exclusive messages:
//
//   F0  7D 41 54  version  command  sequence  payload ...  check  F7
//
// From the version on all adds up to a multiple of 128. Of a parameter there are four bytes: its
// number, and its normalized value times 2^21 - 1, highest seven bits first.

var midiremote_api = require('midiremote_api_v1');

var VERSION = 1;
var OURS = [0xf0, 0x7d, 0x41, 0x54];
var END = 0xf7;
var HIGHEST = 0x1fffff;

var HELLO = 1; // answered by DEVICE or TROUBLE
var SET = 2; // parameters; answered as GET
var GET = 3; // answered by VALUES or TROUBLE
var DEVICE = 65; // where the plug-in is, in words
var VALUES = 66; // parameters
var TROUBLE = 67; // why it cannot be done, in words

var NAMES = [
    'Oscillator 1 waveform', 'Oscillator 1 coarse', 'Oscillator 1 fine', 'Oscillator 1 split',
    'Oscillator 2 waveform', 'Oscillator 2 coarse', 'Oscillator 2 fine', 'Oscillator 2 split',
    'Oscillator mix', 'FM mode', 'FM coarse', 'FM fine',
    'Filter enabled', 'Filter cutoff', 'Filter resonance', 'Filter key tracking',
    'Volume envelope attack', 'Volume envelope decay', 'Volume envelope sustain',
    'Volume envelope release', 'Volume envelope velocity sensitivity',
    'Modulation envelope attack', 'Modulation envelope decay', 'Modulation envelope sustain',
    'Modulation envelope release', 'Modulation envelope velocity sensitivity',
    'Vibrato amount', 'Vibrato frequency', 'Vibrato delay',
    'Volume envelope to FM amount', 'Volume envelope to filter cutoff',
    'Modulation envelope to FM amount', 'Modulation envelope to filter cutoff',
    'Vibrato to FM amount', 'Vibrato to filter cutoff',
    'Voice mode', 'Glide speed', 'Master volume'
];
var KEY_LENGTH = 24; // so much of a squashed name tells it from all others; hosts cut the rest

var driver = midiremote_api.makeDeviceDriver('Antithesis', 'MikaMicro', 'Antithesis');
var input = driver.mPorts.makeMidiInput();
var output = driver.mPorts.makeMidiOutput();
driver.makeDetectionUnit().detectPortPair(input, output)
    .expectInputNameContains('Antithesis Script Out')
    .expectOutputNameContains('Antithesis Script In');
driver.mSurface.makeBlindPanel(0, 0, 8, 2);

var page = driver.mMapping.makePage('Mika Micro');
var access = page.mHostAccess.makeDirectAccess(
    page.mHostAccess.mTrackSelection.mMixerChannel.mInstrumentPluginSlot
);
var mapping = null; // while the page is active

page.mOnActivate = function (activeDevice, activeMapping) {
    mapping = activeMapping;
    access.activate(activeMapping);
};

page.mOnDeactivate = function (activeDevice, activeMapping) {
    access.deactivate(activeMapping);
    mapping = null;
};

input.mOnSysex = function (activeDevice, message) {
    var frame = decode(message);
    if (frame !== null) {
        output.sendMidi(activeDevice, answer(frame));
    }
};

function answer(frame) {
    if (frame.version !== VERSION) {
        return trouble(frame, 'run antithesis install cubase, and restart it');
    }
    var plugin = mapping === null ? null : findPlugin();
    if (plugin === null) {
        return trouble(frame, 'select a track that has a Mika Micro as its instrument');
    }
    if (frame.command === HELLO) {
        return encode(frame, DEVICE, bytesOf(access.getObjectTitle(mapping, plugin.id)));
    }
    if (frame.command === SET) {
        setValues(plugin, frame.payload);
    }
    return encode(frame, VALUES, valuesOf(plugin));
}

function trouble(frame, why) {
    return encode(frame, TROUBLE, bytesOf(why));
}

// The plug-in ------------------------------------------------------------------------------------

// The slot has parameters of its own; the plug-in is an object below it.
function findPlugin() {
    access.update(mapping);
    var slot = access.getBaseObjectID(mapping);
    if (slot < 0) {
        return null;
    }
    for (var index = 0; index < access.getNumberOfChildObjects(mapping, slot); index++) {
        var id = access.getChildObjectID(mapping, slot, index);
        var tags = tagsOf(id);
        if (tags !== null) {
            return { id: id, tags: tags };
        }
    }
    return null;
}

// The host's tags of our parameters, in our order; null where one is missing.
function tagsOf(id) {
    var found = {};
    for (var index = 0; index < access.getNumberOfParameters(mapping, id); index++) {
        var tag = access.getParameterTagByIndex(mapping, id, index);
        var key = keyOf(access.getParameterTitle(mapping, id, tag, 128));
        if (!found.hasOwnProperty(key)) {
            found[key] = tag;
        }
    }
    var tags = NAMES.map(function (name) {
        return found[keyOf(name)];
    });
    return tags.indexOf(undefined) < 0 ? tags : null;
}

function keyOf(name) {
    return name.toLowerCase().replace(/[^a-z0-9]/g, '').slice(0, KEY_LENGTH);
}

function setValues(plugin, payload) {
    for (var at = 0; at + 4 <= payload.length; at += 4) {
        var tag = plugin.tags[payload[at]];
        var value = payload[at + 1] << 14 | payload[at + 2] << 7 | payload[at + 3];
        if (tag !== undefined) {
            access.setParameterProcessValue(mapping, plugin.id, tag, value / HIGHEST);
        }
    }
}

function valuesOf(plugin) {
    var payload = [];
    plugin.tags.forEach(function (tag, index) {
        var held = access.getParameterProcessValue(mapping, plugin.id, tag);
        var value = Math.round(Math.min(Math.max(held, 0), 1) * HIGHEST);
        payload.push(index, value >> 14, value >> 7 & 127, value & 127);
    });
    return payload;
}

// The messages -----------------------------------------------------------------------------------

function decode(message) {
    var last = message.length - 1;
    var body = message.slice(OURS.length, last);
    var ours = OURS.every(function (byte, at) {
        return message[at] === byte;
    });
    if (!ours || message[last] !== END || body.length < 4 || sum(body) % 128 !== 0) {
        return null;
    }
    return { version: body[0], command: body[1], sequence: body[2], payload: body.slice(3, -1) };
}

function encode(question, command, payload) {
    var body = [VERSION, command, question.sequence].concat(payload);
    return OURS.concat(body, [-sum(body) & 127, END]);
}

function sum(bytes) {
    return bytes.reduce(function (so, byte) {
        return so + byte;
    }, 0);
}

function bytesOf(text) {
    return text.split('').map(function (letter) {
        return letter.charCodeAt(0) & 127;
    });
}
