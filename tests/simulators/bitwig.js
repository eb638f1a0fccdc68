// Bitwig Studio with our controller script in it: the script itself runs, in a world of the objects
// that Bitwig's controller API documents, and its OSC goes over real UDP.
//
// What Bitwig does that one would not expect: what a script knows of anything comes from observers,
// a little after it happened; a value can be read only where an interest in it was marked, in
// init(); most objects can only be made in init(); a cursor arrives some time after it was sent, and
// values of its new place come after that; a value that is merely set may be swallowed by the user's
// take-over mode; whole numbers leave as integers; without the device there are neither names nor
// values. An exception in a script ends it.

"use strict";

const dgram = require("dgram");
const fs = require("fs");
const path = require("path");
const readline = require("readline");
const vm = require("vm");

const { Documented } = require("./documented.js");
const { BadLine, bundle, decode, encode } = require("./osc.js");

const SCRIPT = path.join(__dirname, "../../daemon/hostfiles/Antithesis.control.js");
const MIKA = JSON.parse(fs.readFileSync(path.join(__dirname, "mika.json")));
const OBSERVED_MS = 20;
const FOLLOWED_MS = 150; // until the values of a cursor's new place are known

const settings = JSON.parse(process.argv[2] || "{}");
const api = new Documented(require("./bitwig_api.js"));
const line = new BadLine(settings);

// The project: what there is, whatever a script knows of it ------------------------------------

function device(name, ids, parameters) {
    return { name, ids, parameters: parameters.map(([title, value]) => ({ name: title, value })) };
}

function mika() {
    const format = settings.format || "vst2";
    const id = { vst2: 0x5465734d, vst3: "F2AEE70D00DE4F4E546573615465734D" }[format];
    return device("Mika Micro", { [format]: id }, MIKA);
}

const there = settings.device !== false;
const tracks = [
    { name: "Drums", devices: [device("Drum Machine", {}, [["Volume", 0.5]])] },
    { name: "Other", devices: [device("Other", { vst2: 7 }, [["Filter cutoff", 0.5]])] },
    { name: "Lead", devices: [device("EQ-5", {}, [["Gain", 0.5]]), ...(there ? [mika()] : [])] },
    { name: "Pad", devices: there ? [mika()] : [] },
];
const played = [];
const heard = [];
const popups = [];
const preferences = {
    "Port of this script": settings.port,
    "Port of Antithesis": settings.reply_port,
};

// What a script sees of it ----------------------------------------------------------------------

let running; // the values that it may observe, what it asked to be done, its sockets
let initialising = false;
let announced = false;

function onlyInInit(what) {
    if (!initialising) throw new Error(`${what} can only be called in init()`);
}

function value(kind, truth, more = {}) {
    const watched = { truth, shown: truth(), marked: false, observers: [] };
    running.watched.push(watched);
    const observe = (callback) => {
        onlyInInit("addValueObserver");
        watched.marked = true;
        watched.observers.push(callback);
        running.later.push(() => callback(watched.shown));
    };
    return api.make(kind, {
        markInterested() {
            onlyInInit("markInterested");
            watched.marked = true;
        },
        addValueObserver: observe,
        addRawValueObserver: observe,
        get() {
            if (!watched.marked) throw new Error("this value has not been marked as interested");
            return watched.shown;
        },
        ...more,
    });
}

function parameter(target, id) {
    const own = () => (target() ? target().parameters[id] : undefined);
    const exists = value("BooleanValue", () => Boolean(own()));
    const name = value("StringValue", () => (own() ? own().name : ""));
    const level = value("SettableRangedValue", () => (own() ? own().value : 0), {
        setImmediately(now) {
            if (own()) own().value = Math.fround(Math.min(Math.max(now, 0), 1));
        },
        set() {}, // the user's take-over mode: not before the knob meets the value
    });
    return api.make("Parameter", { exists: () => exists, name: () => name, value: () => level });
}

function plugin(target, format, ids) {
    const own = () => (target() && ids.includes(target().ids[format]) ? target() : undefined);
    return api.make("SpecificPluginDevice", {
        createParameter(id) {
            onlyInInit("createParameter");
            return parameter(own, id);
        },
    });
}

function deviceProxy(target) {
    const exists = value("BooleanValue", () => Boolean(target()));
    const name = value("StringValue", () => (target() ? target().name : ""));
    return api.make("Device", {
        exists: () => exists,
        name: () => name,
        createSpecificVst2Device: (...ids) => plugin(target, "vst2", ids),
        createSpecificVst3Device: (...ids) => plugin(target, "vst3", ids),
    });
}

function deviceBank(track, size) {
    onlyInInit("createDeviceBank");
    const bank = { matches: () => true };
    const shown = () => (track() ? track().devices.filter((each) => bank.matches(each)) : []);
    const items = Array.from({ length: size }, (_, at) => deviceProxy(() => shown()[at]));
    return api.make("DeviceBank", {
        getItemAt: (at) => items[at],
        setDeviceMatcher(matcher) {
            bank.matches = matchers.get(matcher);
        },
    });
}

const targets = new WeakMap(); // what proxies point to
const matchers = new WeakMap(); // what they let through

function track(kind, target, more = {}) {
    const exists = value("BooleanValue", () => Boolean(target()));
    const name = value("SettableStringValue", () => (target() ? target().name : ""));
    const proxy = api.make(kind, {
        exists: () => exists,
        name: () => name,
        createDeviceBank: (size) => deviceBank(target, size),
        createEqualsValue(other) {
            onlyInInit("createEqualsValue");
            const theirs = targets.get(other);
            return value("BooleanValue", () => Boolean(target()) && target() === theirs());
        },
        startNote: (key, velocity) => played.push([target().name, key, velocity]),
        stopNote: (key) => played.push([target().name, key, 0]),
        ...more,
    });
    targets.set(proxy, target);
    return proxy;
}

// Where a cursor says it is, and where what hangs on it still is.
function cursorTrack() {
    onlyInInit("createCursorTrack");
    const at = { now: tracks[0] };
    return track("CursorTrack", () => at.now, {
        createDeviceBank: (size) => deviceBank(() => at.behind, size),
        selectChannel(other) {
            const wanted = targets.get(other)();
            running.later.push(() => {
                at.now = wanted;
                running.timers.push(setTimeout(() => { at.behind = wanted; }, FOLLOWED_MS));
            });
        },
    });
}

function trackBank(size) {
    onlyInInit("createTrackBank");
    const items = Array.from({ length: size }, (_, at) => track("Track", () => tracks[at]));
    return api.make("TrackBank", { getItemAt: (at) => items[at] });
}

function matcher(matches) {
    onlyInInit("a matcher");
    const made = api.make("DeviceMatcher", {});
    matchers.set(made, matches);
    return made;
}

function numberSetting(label, category, low, high, step, unit, initial) {
    onlyInInit("getNumberSetting");
    const stored = preferences[label];
    if (stored === undefined) preferences[label] = initial;
    const raw = () => preferences[label];
    return value("SettableRangedValue", raw, { getRaw: raw });
}

// OSC -------------------------------------------------------------------------------------------

function oscModule() {
    return api.make("OscModule", {
        createAddressSpace() {
            const methods = {};
            const space = api.make("OscAddressSpace", {
                registerMethod(address, types, description, callback) {
                    methods[address] = callback;
                },
            });
            targets.set(space, methods);
            return space;
        },
        createUdpServer(port, space) {
            onlyInInit("createUdpServer");
            const socket = open();
            socket.on("message", (datagram) => {
                for (const arrived of line.carry(datagram)) dispatch(targets.get(space), arrived);
            });
            socket.bind(port, "127.0.0.1", () => {
                if (!announced) say(port);
                announced = true;
            });
        },
        connectToUdpServer(host, port) {
            onlyInInit("connectToUdpServer");
            return connection(open(), host, port);
        },
    });
}

function open() {
    const socket = dgram.createSocket("udp4");
    running.sockets.push(socket);
    return socket;
}

function connection(socket, host, port) {
    const open = []; // a list of messages for each bundle that was started
    const send = (packet) => {
        for (const carried of line.carry(packet)) socket.send(carried, port, host);
    };
    const pass = (packet) => (open.length ? open[open.length - 1].push(packet) : send(packet));
    return api.make("OscConnection", {
        startBundle: () => void open.push([]),
        sendMessage: (address, ...values) => void pass(encode(address, values)),
        endBundle: () => void pass(bundle(open.pop())),
    });
}

function dispatch(methods, datagram) {
    for (const { address, types, values } of decode(datagram)) {
        heard.push([address, ...values]);
        if (methods[address]) guarded(() => methods[address](null, oscMessage(address, types, values)));
    }
}

function oscMessage(address, types, values) {
    const of = (wanted) => (at) => {
        if (types[at + 1] !== wanted) throw new TypeError(`argument ${at} of ${address} is no ${wanted}`);
        return values[at];
    };
    return api.make("OscMessage", {
        getAddressPattern: () => address,
        getTypeTag: () => types,
        getInt: of("i"),
        getFloat: of("f"),
        getString: of("s"),
    });
}

// A controller script's life --------------------------------------------------------------------

function start() {
    running = { watched: [], later: [], timers: [], sockets: [], scope: null };
    const host = api.make("ControllerHost", {
        loadAPI() {},
        setShouldFailOnDeprecatedUse() {},
        defineController() {},
        restart: () => void setImmediate(restart),
        showPopupNotification: (text) => void popups.push(text),
        println: (text) => void process.stderr.write(`${text}\n`),
        scheduleTask(callback, delay) {
            running.timers.push(setTimeout(() => guarded(callback), delay));
        },
        getPreferences: () => api.make("Settings", { getNumberSetting: numberSetting }),
        getOscModule: oscModule,
        createTrackBank: trackBank,
        createCursorTrack: cursorTrack,
        createVST2DeviceMatcher: (id) => matcher((each) => each.ids.vst2 === id),
        createVST3DeviceMatcher: (id) => matcher((each) => each.ids.vst3 === id),
        createOrDeviceMatcher: (...all) =>
            matcher((each) => all.some((one) => matchers.get(one)(each))),
    });
    running.scope = vm.createContext({ host, loadAPI: host.loadAPI, println: host.println });
    let text = fs.readFileSync(SCRIPT, "utf8");
    if (settings.version) text = text.replace(/var VERSION = \d+/, `var VERSION = ${settings.version}`);
    vm.runInContext(text, running.scope, { filename: SCRIPT });
    initialising = true;
    running.scope.init();
    initialising = false;
    running.ticking = setInterval(observe, OBSERVED_MS);
}

function stop() {
    clearInterval(running.ticking);
    running.timers.forEach(clearTimeout);
    running.sockets.forEach((socket) => socket.close());
    running.sockets = [];
}

function restart() {
    running.scope.exit();
    stop();
    start();
}

function observe() {
    const due = running.later.splice(0);
    guarded(() => due.forEach((step) => step()));
    for (const watched of running.watched.filter((each) => each.marked)) {
        const now = watched.truth();
        if (now === watched.shown) continue;
        watched.shown = now;
        guarded(() => watched.observers.forEach((observer) => observer(now)));
    }
    guarded(() => running.scope.flush());
}

function guarded(step) {
    try {
        step();
    } catch (error) {
        process.stderr.write(`the script was ended: ${error.stack}\n`);
        stop();
    }
}

// What a person does -----------------------------------------------------------------------------

const commands = {
    held: (number = 3) => {
        const own = tracks[number - 1].devices.find((each) => each.name === "Mika Micro");
        return own.parameters.map((each) => each.value);
    },
    // Some time ago, so that the script knows.
    turn(number, now, on = 3) {
        tracks[on - 1].devices.find((each) => each.name === "Mika Micro").parameters[number].value = now;
        observe();
    },
    insert_track: (name) => tracks.unshift({ name, devices: [] }),
    remove_devices: (number) => tracks[number - 1].devices.splice(0).length,
    prefer(label, now) {
        preferences[label] = now;
    },
    messages_heard: () => heard,
    forget_heard: () => heard.splice(0).length,
    played: () => played,
    popups: () => popups,
    // What comes of a line that a script could have in its init().
    try_script(text) {
        initialising = true;
        try {
            return String(vm.runInContext(text, running.scope));
        } catch (error) {
            return `${error.name}: ${error.message}`;
        } finally {
            initialising = false;
        }
    },
};

function say(what) {
    process.stdout.write(`${JSON.stringify(what === undefined ? null : what)}\n`);
}

readline.createInterface({ input: process.stdin }).on("line", (text) => {
    const [what, ...values] = JSON.parse(text);
    say(commands[what](...values));
}).on("close", () => process.exit());

const probe = dgram.createSocket("udp4");
probe.bind(0, "127.0.0.1", () => {
    preferences["Port of this script"] ??= probe.address().port;
    probe.close(start);
});
