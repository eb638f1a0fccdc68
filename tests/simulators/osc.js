// OSC 1.0 datagrams as Bitwig's module makes and takes them, and a bad line to carry them.

"use strict";

const BUNDLE = Buffer.from("#bundle\0");

function padded(text) {
    const bytes = Buffer.from(`${text}\0`);
    return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

// A number of JavaScript's that is whole comes to Java as an Integer, any other as a Double.
function typed(value) {
    if (value === null) return ["N", Buffer.alloc(0)];
    if (typeof value === "boolean") return [value ? "T" : "F", Buffer.alloc(0)];
    if (typeof value === "string") return ["s", padded(value)];
    const bytes = Buffer.alloc(Number.isInteger(value) ? 4 : 8);
    if (Number.isInteger(value)) bytes.writeInt32BE(value);
    else bytes.writeDoubleBE(value);
    return [Number.isInteger(value) ? "i" : "d", bytes];
}

exports.encode = function (address, values) {
    const parts = values.map(typed);
    const types = parts.map(([type]) => type).join("");
    return Buffer.concat([padded(address), padded(`,${types}`), ...parts.map(([, bytes]) => bytes)]);
};

exports.bundle = function (messages) {
    const sized = messages.map((message) => {
        const size = Buffer.alloc(4);
        size.writeInt32BE(message.length);
        return Buffer.concat([size, message]);
    });
    return Buffer.concat([BUNDLE, Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), ...sized]);
};

function string(data, at) {
    const end = data.indexOf(0, at);
    return [data.toString("utf8", at, end), (Math.floor(end / 4) + 1) * 4];
}

exports.decode = function decode(data) {
    if (!data.subarray(0, 8).equals(BUNDLE)) return [message(data)];
    const messages = [];
    for (let at = 16; at < data.length; ) {
        const size = data.readInt32BE(at);
        messages.push(...decode(data.subarray(at + 4, at + 4 + size)));
        at += 4 + size;
    }
    return messages;
};

function message(data) {
    let [address, at] = string(data, 0);
    let types;
    [types, at] = string(data, at);
    const values = [];
    for (const type of types.slice(1)) {
        if (type === "s") {
            let text;
            [text, at] = string(data, at);
            values.push(text);
        } else {
            values.push(type === "f" ? data.readFloatBE(at) : data.readInt32BE(at));
            at += 4;
        }
    }
    return { address, types, values };
}

// What arrives of a datagram: nothing, it, or it with late ones behind it, twice.
exports.BadLine = class {
    constructor({ lose = 0, trouble = 0 }) {
        Object.assign(this, { lose, trouble, late: [], state: 5 });
    }

    chance() {
        this.state = (Math.imul(this.state, 1103515245) + 12345) & 0x7fffffff;
        return this.state / 0x80000000;
    }

    carry(datagram) {
        if (datagram.length > 20 && this.chance() < this.lose) return [];
        if (this.chance() < this.trouble) {
            this.late.push(datagram);
            return [];
        }
        const late = this.late.splice(0);
        return [datagram, ...late, ...late];
    }
};
