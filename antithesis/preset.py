"""A preset: 38 checked values, as the plug-in itself holds them.

What is stored is plain float64, because that is what the plug-in's own parameters are: nothing that
it can hold is lost. Going from normalized to plain and back moves a value by at most 1e-12 (5e-9
for the vibrato's frequency); whatever has a normalized number in the first place keeps it. Plain
values that have none (`antithesis.parameters`) are kept here, but not by any host.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from antithesis import rules
from antithesis.errors import PresetError
from antithesis.parameters import (
    BY_ID,
    DEFAULT,
    N_PARAMETERS,
    PARAMETERS,
    Parameter,
    number,
    shorten,
    to_normalized,
)

Floats = npt.NDArray[np.float64]

_LONGEST_NAME = 100


@dataclass(frozen=True)
class Preset:
    """One setting of all 38 knobs; presets with equal values are equal, whatever their names.

    `values` are plain, in the table's order. Building one checks them (PresetError names id, value
    and range) and rounds integers, enumerations and booleans as the plug-in does. The name is only
    a label: it is made one printable line.
    """

    values: tuple[float, ...]
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        given = tuple(self.values)
        _expect_all(len(given))
        checked = (p.check(v) for p, v in zip(PARAMETERS, given, strict=True))
        object.__setattr__(self, "values", tuple(checked))
        object.__setattr__(self, "name", _label(self.name))

    @classmethod
    def init(cls) -> Preset:
        """The plug-in's own Init."""
        return cls(tuple(DEFAULT), "Init")

    @classmethod
    def from_plain(
        cls, plain: Sequence[float] | Floats | Mapping[str, float], name: str = ""
    ) -> Preset:
        """From 38 plain values in the table's order, or from all of them by id."""
        if not isinstance(plain, Mapping):
            return cls(tuple(plain), name)
        for id in plain:
            parameter(id)
        missing = [id for id in BY_ID if id not in plain]
        if missing:
            raise PresetError(
                f"{listed(missing)} missing; give all {N_PARAMETERS} values, "
                "or start from Preset.init().replace(...)"
            )
        return cls(tuple(plain[id] for id in BY_ID), name)

    @classmethod
    def from_normalized(cls, normalized: Sequence[float] | Floats, name: str = "") -> Preset:
        """From 38 numbers in 0..1, in the table's order."""
        _expect_all(len(normalized))
        pairs = zip(PARAMETERS, normalized, strict=True)
        return cls(tuple(p.to_plain(_position(p.id, u)) for p, u in pairs), name)

    @property
    def plain(self) -> Floats:
        """Plain values, float64 (38,), read-only."""
        return _read_only(np.array(self.values))

    @property
    def normalized(self) -> Floats:
        """Normalized values, float64 (38,), read-only."""
        return _read_only(to_normalized(self.plain))

    def __getitem__(self, id: str) -> float:
        return self.values[parameter(id).index]

    def replace(self, **plain: float) -> Preset:
        """The same with some plain values, given by id, changed."""
        values = list(self.values)
        for id, value in plain.items():
            values[parameter(id).index] = value
        return Preset(tuple(values), self.name)

    def named(self, name: str) -> Preset:
        """The same under another name."""
        return Preset(self.values, name)

    def by_id(self) -> dict[str, float]:
        """Plain values by id, in the table's order."""
        return dict(zip(BY_ID, self.values, strict=True))

    def diff(self, other: Preset) -> tuple[int, ...]:
        """Indices of the parameters that differ."""
        return tuple(p.index for p in PARAMETERS if self[p.id] != other[p.id])

    def greyed(self) -> frozenset[str]:
        """Ids of the controls that the panel greys out."""
        return _ids(rules.greyed(self.plain))

    def audible(self, **played: Any) -> frozenset[str]:
        """Ids of the parameters that can be heard; keywords as of `antithesis.rules.audible`."""
        return _ids(rules.audible(self.plain, **played))


def parameter(id: str) -> Parameter:
    """The table's row of that id, or a PresetError that names the nearest one."""
    if id in BY_ID:
        return BY_ID[id]
    near = difflib.get_close_matches(str(id), BY_ID, n=1)
    hint = f"did you mean {near[0]}?" if near else f"ids are {PARAMETERS[0].id} and so on"
    raise PresetError(f"no parameter is called {shorten(str(id))}; {hint}")


def listed(ids: Sequence[str]) -> str:
    """Up to three ids, how many more, and the verb."""
    more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
    return ", ".join(ids[:3]) + more + (" is" if len(ids) == 1 else " are")


def _expect_all(count: int) -> None:
    if count != N_PARAMETERS:
        raise PresetError(f"{count} values; a preset has {N_PARAMETERS}, in the table's order")


def _position(id: str, value: object) -> float:
    position = number(id, value)
    if not 0.0 <= position <= 1.0:  # NaN too
        raise PresetError(f"{id} is {position}; choose a normalized value from 0 to 1")
    return position


def _label(name: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(printable.split())[:_LONGEST_NAME].strip()


def _read_only(array: Floats) -> Floats:
    array.flags.writeable = False
    return array


def _ids(chosen: Iterable[np.bool_]) -> frozenset[str]:
    return frozenset(id for id, yes in zip(BY_ID, chosen, strict=True) if yes)
