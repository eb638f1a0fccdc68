"""In which order the controls are set: those that are greyed out ignore the mouse.

First whatever greys others out is put where it does not; at the end it goes where it belongs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from antithesis.parameters import BY_ID
from antithesis.rules import PANEL

OPENING: Final = {
    "kOscMix": 0.5,
    "kOsc1Wave": 0.4,
    "kOsc2Wave": 0.4,
    "kFmMode": 0.5,
    "kFilterEnabled": 1.0,
    "kVoiceMode": 0.5,
    "kModEnvFm": 1.0,
    "kLfoAmount": 1.0,
}
CLOSING: Final = (
    *("kLfoFm", "kLfoCutoff", "kLfoAmount", "kModEnvCutoff", "kModEnvFm"),
    *("kFmMode", "kFilterEnabled", "kVoiceMode", "kOsc1Wave", "kOsc2Wave", "kOscMix"),
)
GREYED_AT_TIMES: Final = frozenset(BY_ID[id].index for ids, _ in PANEL for id in ids)

_OPENING: Final = {BY_ID[id].index: value for id, value in OPENING.items()}
_CLOSING: Final = tuple(BY_ID[id].index for id in CLOSING)


def steps(values: Mapping[int, float], known: Mapping[int, float]) -> Iterator[tuple[int, float]]:
    """Index and normalized value of each control to set, so that all `values` are reached.

    `known` is what the others were set to before: what has to be moved out of the way is put back
    there, and what is in neither is not touched.
    """
    if GREYED_AT_TIMES.isdisjoint(values):
        yield from values.items()
        return
    ends = {**known, **values}
    yield from ((index, value) for index, value in _OPENING.items() if index in ends)
    yield from ((index, value) for index, value in values.items() if index not in _CLOSING)
    last = values.keys() | _OPENING.keys()
    yield from ((index, ends[index]) for index in _CLOSING if index in ends and index in last)
