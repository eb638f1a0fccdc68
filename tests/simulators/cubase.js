// Cubase with our MIDI Remote script in it: the script itself runs, in a world of the objects that
// the MIDI Remote API documents, and is handed the system exclusive messages that a port would bring.
//
// What Cubase does that one would not expect: it runs scripts of ES5 alone; a slot has parameters of
// its own, and the plug-in is an object below it; tags of parameters are Cubase's, not the plug-in's;
// a VST3 of this kind lists "Preset" before its own; direct access works while the page is active,
// and only then.

"use strict";

const fs = require("fs");
const path = require("path");
const readline = require("readline");
const vm = require("vm");

const { Documented } = require("./documented.js");

const SCRIPT = path.join(__dirname, "../../daemon/hostfiles/Antithesis_MikaMicro.js");
const MIKA = JSON.parse(fs.readFileSync(path.join(__dirname, "mika.json")));
const FIRST_TAG = 4096;

const api = new Documented(require("./cubase_api.js"));

// The project -----------------------------------------------------------------------------------

function plugin(title, parameters) {
    return { title, parameters: parameters.map(([name, value]) => ({ name, value })), children: [] };
}

function slot(...children) {
    return { ...plugin("Instrument", [["Freeze", 0], ["Activate Output", 1]]), children };
}

const tracks = {
    Lead: slot(plugin("Mika Micro", [["Preset", 0], ...MIKA])),
    Other: slot(plugin("Other", [["Filter cutoff", 0.5]])),
    Empty: slot(),
    Audio: null,
};
let selected = "Lead";

const objects = [null]; // by their identifiers
function idOf(object) {
    if (!object) return -1;
    if (!objects.includes(object)) objects.push(object);
    return objects.indexOf(object);
}

// What a script sees of it ------------------------------------------------------------------------

const sent = [];
const fields = {}; // what the script gave values of its own
const filters = [];
const device = api.make("ActiveDevice", {});
let mapping = null;
let accessing = false;

function parameter(id, tag) {
    const found = objects[id].parameters[tag - FIRST_TAG];
    if (!found) throw new Error(`object ${id} has no parameter of tag ${tag}`);
    return found;
}

function directAccess() {
    const active = (method) => (given, ...rest) => {
        if (!accessing || given !== mapping) throw new Error("the direct access is not active");
        return method(...rest);
    };
    return api.make("HostObjectDirectAccess", {
        activate(given) {
            if (given !== mapping) throw new Error("this mapping is not active");
            accessing = true;
        },
        deactivate() {
            accessing = false;
        },
        update: active(() => {}),
        getBaseObjectID: active(() => idOf(tracks[selected])),
        getNumberOfChildObjects: active((id) => objects[id].children.length),
        getChildObjectID: active((id, index) => idOf(objects[id].children[index])),
        getObjectTitle: active((id) => objects[id].title),
        getNumberOfParameters: active((id) => objects[id].parameters.length),
        getParameterTagByIndex: active((id, index) => FIRST_TAG + index),
        getParameterTitle: active((id, tag, most) => parameter(id, tag).name.slice(0, most)),
        getParameterProcessValue: active((id, tag) => parameter(id, tag).value),
        setParameterProcessValue: active((id, tag, value) => {
            parameter(id, tag).value = Math.min(Math.max(value, 0), 1);
        }),
    });
}

function portPair() {
    const expecting = (direction) => (name) => {
        filters.push([direction, name]);
        return pair;
    };
    const pair = api.make("DetectionPortPair", {
        expectInputNameContains: expecting("in"),
        expectOutputNameContains: expecting("out"),
    });
    return pair;
}

function makePage() {
    fields.page = {};
    const mInstrumentPluginSlot = api.make("HostInstrumentPluginSlot", {});
    const mMixerChannel = api.make("SelectedTrackChannel", { mInstrumentPluginSlot });
    const mTrackSelection = api.make("TrackSelection", { mMixerChannel });
    const makeDirectAccess = directAccess;
    const mHostAccess = api.make("HostAccess", { mTrackSelection, makeDirectAccess });
    return api.make("FactoryMappingPage", Object.assign(fields.page, { mHostAccess }));
}

function makeDeviceDriver(vendor, name) {
    fields.input = {};
    const files = `${vendor}_${name}.js`;
    if (path.basename(SCRIPT) !== files) throw new Error(`this script has to be called ${files}`);
    return api.make("DeviceDriver", {
        mPorts: api.make("Ports", {
            makeMidiInput: () => api.make("DeviceMidiInput", fields.input),
            makeMidiOutput: () =>
                api.make("DeviceMidiOutput", {
                    sendMidi: (to, message) => void sent.push([...message]),
                }),
        }),
        mSurface: api.make("DeviceSurface", {
            makeBlindPanel: () => api.make("BlindPanel", {}),
        }),
        mMapping: api.make("FactoryMapping", { makePage }),
        makeDetectionUnit: () => api.make("DeviceDetectionUnit", { detectPortPair: portPair }),
    });
}

// What a person does, and what comes in ----------------------------------------------------------

const commands = {
    activate() {
        mapping = api.make("ActiveMapping", {});
        fields.page.mOnActivate(device, mapping);
    },
    deactivate() {
        fields.page.mOnDeactivate(device, mapping);
        mapping = null;
    },
    sysex(message) {
        fields.input.mOnSysex(device, scope.Array.from(message));
        return sent.splice(0);
    },
    ports: () => filters,
    select: (name) => { selected = name; },
    held: () => tracks.Lead.children[0].parameters.slice(1).map((each) => each.value),
    turn: (number, value) => { tracks.Lead.children[0].parameters[number + 1].value = value; },
    try_script(text) {
        try {
            return String(vm.runInContext(text, scope));
        } catch (error) {
            return `${error.name}: ${error.message}`;
        }
    },
};

function say(what) {
    process.stdout.write(`${JSON.stringify(what === undefined ? null : what)}\n`);
}

const midiremote = api.make("MidiRemoteAPI", { makeDeviceDriver });
const scope = vm.createContext({
    require(name) {
        if (name !== "midiremote_api_v1") throw new Error(`there is no module ${name}`);
        return midiremote;
    },
});
vm.runInContext("this.Array = Array", scope);
vm.runInContext(fs.readFileSync(SCRIPT, "utf8"), scope, { filename: SCRIPT });
commands.activate();
say(0); // it listens on no port of its own

readline.createInterface({ input: process.stdin }).on("line", (text) => {
    const [what, ...values] = JSON.parse(text);
    say(commands[what](...values));
}).on("close", () => process.exit());
