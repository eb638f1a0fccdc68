"""A host that somebody made for a plug-in of their own: ids in addresses, plain units."""

from __future__ import annotations

from typing import Any

from host import NAMES, Host, run


class Custom(Host):
    def __init__(self, *, ids: list[str], **line: Any) -> None:
        super().__init__(**line)
        self.values = dict.fromkeys(ids, 0.0)
        assert len(ids) == len(NAMES)

    def held(self) -> list[float]:
        return list(self.values.values())

    def turn(self, number: int, value: float) -> None:
        self.values[list(self.values)[number]] = value

    def obey(self, address: str, arguments: list[Any]) -> None:
        if address == "/synth/get":
            for id, value in self.values.items():
                self.reply(f"/synth/is/{id}", "now", value)
        elif (id := address.removeprefix("/synth/set/")) in self.values:
            self.values[id] = arguments[0]


if __name__ == "__main__":
    run(Custom)
