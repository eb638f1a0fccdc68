"""Renoise's OSC server: it runs the Lua that it is sent (Lua 5.1, in a sandbox), and tells nothing.

A piece that raises an error does nothing from there on. Values are strict: out of 0 to 1 is one.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

from host import DEFAULTS, NAMES, Host, run

_SONG = """
local function device(name, names, values)
    local parameters = {}
    for n, title in ipairs(names) do
        local held = values[n]
        parameters[n] = setmetatable({name = title}, {
            __index = function(_, key) if key == "value" then return held end end,
            __newindex = function(_, key, new)
                assert(key == "value" and new >= 0 and new <= 1, "invalid parameter value")
                held = new
            end,
        })
    end
    return {name = name, parameters = parameters}
end
local instruments = {
    {plugin_properties = {}},
    {plugin_properties = {plugin_device = device("VST: Other", {"Filter cutoff"}, {0.5})}},
    {plugin_properties = {plugin_device = device("VST: Tesselode: Mika Micro", NAMES, VALUES)}},
}
renoise = {song = function() return {instruments = instruments} end}
PIECES
for _, number in ipairs({2, 3}) do
    for _, p in ipairs(instruments[number].plugin_properties.plugin_device.parameters) do
        io.write(string.format("%.17g ", p.value))
    end
end
"""


class Renoise(Host):
    def __init__(self, **line: Any) -> None:
        super().__init__(**line)
        self.pieces: list[str] = []

    def held(self) -> list[float]:
        return self._values()[1:]

    def others(self) -> list[float]:
        return self._values()[:1]

    def obey(self, address: str, arguments: list[Any]) -> None:
        if address == "/renoise/evaluate":
            self.pieces.append(arguments[0])

    def _values(self) -> list[float]:
        pieces = "\n".join(f"pcall(loadstring({json.dumps(piece)}))" for piece in self.pieces)
        lua = _SONG.replace("NAMES", _table(NAMES)).replace("VALUES", _table(DEFAULTS))
        program = ["lua5.1", "-"]
        song = lua.replace("PIECES", pieces)
        out = subprocess.run(program, input=song, capture_output=True, text=True, check=True)
        return list(map(float, out.stdout.split()))


def _table(values: list[Any]) -> str:
    return "{" + ", ".join(map(json.dumps, values)) + "}"


if __name__ == "__main__":
    run(Renoise)
