// Objects that can do what a host's documentation says of them, and nothing else.
//
// A table has an interface a block: its name and those that it extends, then a line for each member.
//
//   Parameter < SettableRangedValue, ObjectProxy
//     name() StringValue                       a method, the types of its arguments and its result
//     mOnActivate = function                   a field that the script gives a value of its own
//     mPorts Ports                             a field that it reads
//
// A script that calls what is not there, with too few or too many arguments, or with another type,
// gets an exception, where the host itself might well be silent.

"use strict";

const interfaces = new WeakMap(); // of the objects that were made

function parse(table) {
    const parsed = {};
    let members = null;
    for (const line of table.split("\n").filter((text) => text.trim())) {
        const heading = /^(\w+)(?: < (.*))?$/.exec(line);
        const member = /^ +(\w+)(\(.*?\))? ?(= )?(\S*)$/.exec(line);
        if (heading) {
            members = new Map();
            parsed[heading[1]] = { bases: (heading[2] || "").split(", ").filter(Boolean), members };
        } else if (member) {
            const [, name, types, given, result] = member;
            const known = members.get(name) || { overloads: [], given: Boolean(given), result };
            if (types) known.overloads.push(types.slice(1, -1).split(", ").filter(Boolean));
            members.set(name, known);
        } else {
            throw new Error(`not a line of a table: ${line}`);
        }
    }
    return parsed;
}

class Documented {
    constructor(table) {
        this.table = parse(table);
    }

    // What a script gets to see of `implementation`, whose methods are those of the interface.
    make(name, implementation) {
        if (!this.table[name]) throw new Error(`the table has no interface ${name}`);
        const made = new Proxy(implementation, {
            get: (target, key) => this.read(name, target, key),
            set: (target, key, value) => this.give(name, target, key, value),
        });
        interfaces.set(made, name);
        return made;
    }

    read(name, target, key) {
        if (typeof key === "symbol") return undefined;
        const member = this.member(name, key);
        if (!member) throw new TypeError(`${name} has no ${key}`);
        if (member.overloads.length === 0) return target[key];
        return (...values) => {
            if (!member.overloads.some((types) => this.fit(types, values))) {
                const given = values.map((value) => interfaces.get(value) || typeof value);
                const known = member.overloads.map((types) => `(${types.join(", ")})`).join(" or ");
                throw new TypeError(`${name}.${key}(${given.join(", ")}): it takes ${known}`);
            }
            if (!target[key]) throw new Error(`the stand-in has no ${name}.${key}`);
            return target[key](...values);
        };
    }

    give(name, target, key, value) {
        const member = this.member(name, key);
        if (!member || !member.given) throw new TypeError(`${name}.${String(key)} is not to be set`);
        if (!this.fits(member.result, value)) throw new TypeError(`${name}.${key}: ${member.result}`);
        target[key] = value;
        return true;
    }

    member(name, key) {
        const { bases, members } = this.table[name];
        return members.get(key) || bases.map((base) => this.member(base, key)).find(Boolean);
    }

    fit(types, values) {
        const rest = (types[types.length - 1] || "").endsWith("...") ? types.length - 1 : Infinity;
        const enough = rest === Infinity ? types.length === values.length : values.length >= rest;
        return enough && values.every((value, at) => {
            const type = at < rest ? types[at] : types[rest].slice(0, -3);
            return this.fits(type, value);
        });
    }

    fits(type, value) {
        switch (type) {
            case "int": return Number.isInteger(value) && Math.abs(value) < 2 ** 31;
            case "double": return typeof value === "number" && Number.isFinite(value);
            case "boolean": return typeof value === "boolean";
            case "String": return typeof value === "string";
            case "function": return typeof value === "function";
            case "bytes": return Array.isArray(value) && value.every((byte) => byte === (byte & 255));
            case "Object": return value === null || ["number", "string", "boolean"].includes(typeof value);
            default: return value === null || this.extends(interfaces.get(value), type);
        }
    }

    extends(name, base) {
        if (!name) return false;
        return name === base || this.table[name].bases.some((above) => this.extends(above, base));
    }
}

exports.Documented = Documented;
