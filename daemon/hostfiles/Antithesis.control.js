// Antithesis for Bitwig Studio 3.3 and newer.
//
// Bitwig has no OSC of its own: this controller script finds a Mika Micro (VST2 or VST3) on any
// track and lets Antithesis, on this machine, set and read its parameters.
//
//   in   /antithesis/hello ii      the script's version that is wanted; a track from 1, or 0: any
//   out  /antithesis/name is       a parameter, counted from 0, and its name; 38 of them, and then
//   out  /antithesis/device is     the script's version, and what the device is called
//   in   /antithesis/set if        a parameter and its normalized value
//   in   /antithesis/get
//   out  /antithesis/value id      a parameter and its normalized value; 38 of them
//   in   /antithesis/note ii       key and velocity; and /antithesis/note_off i

loadAPI(12);
host.setShouldFailOnDeprecatedUse(true);

var VERSION = 1;

host.defineController(
    "Antithesis", "Antithesis", String(VERSION), "6d6d3d93-a5b8-5da2-b044-bd91127401fe", "Antithesis"
);

var VST2_ID = 0x5465734d; // 'TesM'
var VST3_ID = "F2AEE70D00DE4F4E546573615465734D";
var PARAMETERS = 38;
var TRACKS = 128; // looked at, groups' own included
var SETTLING_MS = 250; // for all values to follow when the cursor has arrived

var connection;
var cursor; // a track cursor of our own, which follows no selection
var mika; // the first Mika Micro on its track
var formats; // the parameters of `mika` as VST2 and as VST3: those of one exist
var slots; // the tracks of the project, and the first Mika Micro on each
var arrivals = 0; // of the cursor
var settled = false;

function init() {
    var matcher = host.createOrDeviceMatcher(
        host.createVST2DeviceMatcher(VST2_ID), host.createVST3DeviceMatcher(VST3_ID)
    );
    cursor = host.createCursorTrack("antithesis", "Antithesis", 0, 0, false);
    cursor.name().markInterested();
    mika = firstOf(cursor, matcher);
    mika.name().markInterested();
    formats = [
        parametersOf(mika.createSpecificVst2Device(VST2_ID)),
        parametersOf(mika.createSpecificVst3Device(VST3_ID))
    ];
    slots = slotsOf(host.createTrackBank(TRACKS, 0, 0, true), matcher);
    listen(port("Port of this script", 9126), port("Port of Antithesis", 9127));
}

function flush() {}

function exit() {}

// Where it is ------------------------------------------------------------------------------------

function firstOf(track, matcher) {
    var bank = track.createDeviceBank(1);
    bank.setDeviceMatcher(matcher);
    var device = bank.getItemAt(0);
    device.exists().markInterested();
    return device;
}

function parametersOf(plugin) {
    var parameters = [];
    for (var id = 0; id < PARAMETERS; id++) {
        var parameter = plugin.createParameter(id);
        parameter.exists().markInterested();
        parameter.name().markInterested();
        parameter.value().markInterested();
        parameters.push(parameter);
    }
    return parameters;
}

function slotsOf(bank, matcher) {
    var found = [];
    for (var index = 0; index < TRACKS; index++) {
        var track = bank.getItemAt(index);
        var here = track.createEqualsValue(cursor);
        here.addValueObserver(settle);
        found.push({ track: track, device: firstOf(track, matcher), here: here });
    }
    return found;
}

function slotFor(number) {
    var wanted = number > 0 ? slots.slice(number - 1, number) : slots;
    for (var index = 0; index < wanted.length; index++) {
        if (wanted[index].device.exists().get()) {
            return wanted[index];
        }
    }
    return null;
}

function settle(arrived) {
    if (arrived) {
        arrivals += 1;
        var arrival = arrivals;
        settled = false;
        host.scheduleTask(function () {
            settled = arrival === arrivals;
        }, SETTLING_MS);
    }
}

// The parameters, or none where there is no Mika Micro or its values are still on their way.
function parameters() {
    for (var index = 0; settled && index < formats.length; index++) {
        if (formats[index][0].exists().get()) {
            return formats[index];
        }
    }
    return [];
}

// What it is told --------------------------------------------------------------------------------

function listen(own, theirs) {
    var osc = host.getOscModule();
    var space = osc.createAddressSpace();
    on(space, "/antithesis/hello", "ii", "who is there", hello);
    on(space, "/antithesis/set", "if", "set a parameter", set);
    on(space, "/antithesis/get", "", "tell all parameters", get);
    on(space, "/antithesis/note", "ii", "start a note", startNote);
    on(space, "/antithesis/note_off", "i", "stop a note", stopNote);
    osc.createUdpServer(own, space);
    connection = osc.connectToUdpServer("127.0.0.1", theirs, null);
}

function on(space, address, types, what, callback) {
    space.registerMethod(address, "*", what, function (source, message) {
        if (message.getTypeTag().replace(",", "") === types) {
            callback(message);
        }
    });
}

function hello(message) {
    if (message.getInt(0) !== VERSION) {
        host.showPopupNotification("Antithesis has changed: run antithesis install bitwig");
        describe("", []);
        return;
    }
    var slot = slotFor(message.getInt(1));
    if (slot === null) {
        describe("", []);
    } else if (!slot.here.get()) {
        cursor.selectChannel(slot.track);
    } else if (parameters().length > 0) {
        describe(mika.name().get() + " on " + cursor.name().get(), parameters());
    }
}

function describe(title, parameters) {
    connection.startBundle();
    parameters.forEach(function (parameter, number) {
        connection.sendMessage("/antithesis/name", number, parameter.name().get());
    });
    connection.sendMessage("/antithesis/device", VERSION, title);
    connection.endBundle();
}

function set(message) {
    var parameter = parameters()[message.getInt(0)];
    var value = message.getFloat(1);
    if (parameter && value >= 0 && value <= 1) {
        parameter.value().setImmediately(value); // whatever the take-over mode is
    }
}

function get() {
    if (parameters().length > 0) {
        connection.startBundle();
        parameters().forEach(function (parameter, number) {
            connection.sendMessage("/antithesis/value", number, parameter.value().get());
        });
        connection.endBundle();
    }
}

function startNote(message) {
    cursor.startNote(message.getInt(0), message.getInt(1));
}

function stopNote(message) {
    cursor.stopNote(message.getInt(0), 0);
}

// What the user may change -----------------------------------------------------------------------

function port(label, usual) {
    var setting = host.getPreferences().getNumberSetting(label, "OSC", 1024, 65535, 1, "", usual);
    setting.addRawValueObserver(function (now) {
        if (now !== used) {
            host.restart();
        }
    });
    var used = setting.getRaw();
    return used;
}
