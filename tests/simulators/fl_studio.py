"""FL Studio as its MIDI scripts see it: a channel rack, and modules with the documented functions.

Names, orders, defaults and types of the arguments are those of Image-Line's reference and of
IL-Group's FL Studio API stubs, 37.0.1. As in FL Studio they are told by their places. The rack is
told by tests; a VST has 4240 parameters there, of which the last are 128 controllers and 16
aftertouches, and those that it does not have are called "".
"""

from __future__ import annotations

import inspect
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path

VST_PARAMETERS = 4240
ALLOWED = {"channels", "device", "general", "plugins"}  # what the sandbox lets our script import


@dataclass
class Event:
    """FL Studio's FlMidiMsg of a system exclusive message."""

    sysex: bytes
    handled: bool = False


@dataclass
class Plugin:
    names: list[str]
    values: list[float] = field(default_factory=list)

    def __post_init__(self):
        self.values = self.values or [0.0] * len(self.names)


@dataclass
class Channel:
    name: str
    plugin: Plugin | None = None


class Undocumented(Exception):
    """A call that the reference does not have."""


class Studio:
    """A running FL Studio with our script in it; `sent` is what came out of the MIDI output."""

    def __init__(self, rack: list[Channel]):
        self.rack = rack
        self.group = rack  # of the channels, what the rack shows
        self.sent: list[bytes] = []
        self.notes: list[tuple[int, int, int]] = []
        self.safe = True
        self.linked = True
        self.ignored: set[int] = set()  # parameters that do not follow

    def load(self, path: Path) -> types.ModuleType:
        """Run a script as FL Studio does: these modules are all that there is to import."""
        lines = path.read_text("utf-8").splitlines()
        if not lines[0].startswith("# name="):
            raise Undocumented("the first line has to be # name=")
        script = types.ModuleType("script")
        before = {name: sys.modules.get(name) for name in ALLOWED}
        sys.modules.update({name: self._module(name) for name in ALLOWED})
        try:
            exec(compile("\n".join(lines), str(path), "exec"), script.__dict__)
        finally:
            for name, module in before.items():
                sys.modules.pop(name)
                if module is not None:
                    sys.modules[name] = module
        return script

    def _module(self, name: str) -> types.ModuleType:
        module = types.ModuleType(name)
        prefix = f"{name}_"
        for attribute in dir(self):
            if attribute.startswith(prefix):
                setattr(module, attribute[len(prefix) :], checked(getattr(self, attribute)))
        return module

    # channels

    def channels_channelCount(self, globalCount: bool = False, /) -> int:
        return len(self.rack if globalCount else self.group)

    def channels_getChannelName(self, index: int, useGlobalIndex: bool = False, /) -> str:
        return self._channel(index, useGlobalIndex).name

    def channels_midiNoteOn(
        self, indexGlobal: int, note: int, velocity: int, channel: int = -1, /
    ) -> None:
        self._channel(indexGlobal, True)
        self.notes.append((indexGlobal, note, velocity))

    # device

    def device_isAssigned(self) -> bool:
        return self.linked

    def device_midiOutSysex(self, message: bytes, /) -> None:
        if message[0] != 0xF0 or message[-1] != 0xF7 or len(message) > 1000:
            raise Undocumented(f"a message of {len(message)} bytes: {message[:8]!r}")
        self.sent.append(message)

    # general

    def general_safeToEdit(self) -> bool:
        return self.safe

    # plugins

    def plugins_isValid(
        self, index: int, slotIndex: int = -1, useGlobalIndex: bool = False, /
    ) -> bool:
        return self._channel(index, useGlobalIndex, slotIndex).plugin is not None

    def plugins_getParamCount(
        self, index: int, slotIndex: int = -1, useGlobalIndex: bool = False, /
    ) -> int:
        self._plugin(index, slotIndex, useGlobalIndex)
        return VST_PARAMETERS

    def plugins_getParamName(
        self, paramIndex: int, index: int, slotIndex: int = -1, useGlobalIndex: bool = False, /
    ) -> str:
        names = self._plugin(index, slotIndex, useGlobalIndex).names
        return names[paramIndex] if paramIndex < len(names) else ""

    def plugins_getParamValue(
        self, paramIndex: int, index: int, slotIndex: int = -1, useGlobalIndex: bool = False, /
    ) -> float:
        return self._plugin(index, slotIndex, useGlobalIndex).values[paramIndex]

    def plugins_setParamValue(
        self,
        value: float,
        paramIndex: int,
        index: int,
        slotIndex: int = -1,
        pickupMode: int = 0,
        useGlobalIndex: bool = False,
        /,
    ) -> None:
        if not 0.0 <= value <= 1.0 or not self.safe:
            raise Undocumented(f"parameter {paramIndex} set to {value}, safe: {self.safe}")
        if paramIndex not in self.ignored:
            self._plugin(index, slotIndex, useGlobalIndex).values[paramIndex] = value

    def _channel(self, index: int, useGlobalIndex: bool, slotIndex: int = -1) -> Channel:
        rack = self.rack if useGlobalIndex else self.group
        if slotIndex != -1 or not 0 <= index < len(rack):
            raise Undocumented(f"no channel {index}, slot {slotIndex}")
        return rack[index]

    def _plugin(self, index: int, slotIndex: int, useGlobalIndex: bool) -> Plugin:
        plugin = self._channel(index, useGlobalIndex, slotIndex).plugin
        if plugin is None:
            raise Undocumented(f"no plug-in on channel {index}")
        return plugin


def checked(function):
    """The function, refusing arguments of other types than it documents."""
    kinds = {"int": int, "bool": bool, "float": (float, int), "bytes": bytes, "str": str}

    def call(*arguments):
        parameters = list(inspect.signature(function).parameters.values())
        if len(arguments) > len(parameters):
            raise Undocumented(f"{function.__name__}{arguments}")
        for given, parameter in zip(arguments, parameters, strict=False):
            kind = parameter.annotation
            if not isinstance(given, kinds[kind]) or (kind == "int" and isinstance(given, bool)):
                raise Undocumented(f"{function.__name__}: {parameter.name} is {given!r}")
        return function(*arguments)

    return call
