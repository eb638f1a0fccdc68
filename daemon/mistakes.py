"""What is wrong in a configuration, said so that a person can mend it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from typing import NamedTuple, Self

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails


def explain(error: ValidationError, model: type[BaseModel], text: str = "") -> list[str]:
    """Return every mistake as a line, in the order of the TOML `text` that was read as `model`."""
    mistakes = sorted(_Mistake.of(details, model, text) for details in error.errors())
    return [mistake.said for mistake in mistakes]


class _Mistake(NamedTuple):
    """What is wrong where, in the order of the file."""

    line: int
    said: str

    @classmethod
    def of(cls, details: ErrorDetails, model: type[BaseModel], text: str) -> Self:
        place = tuple(str(part) for part in details["loc"])
        line = _line_of(place, text)
        where = f"line {line}, {'.'.join(place)}" if line else ".".join(place)
        return cls(line, f"{where}{_complaint(details, model, place)}")


def _complaint(details: ErrorDetails, model: type[BaseModel], place: tuple[str, ...]) -> str:
    if details["type"] == "extra_forbidden":
        return f" is unknown: {suggest(place[-1], _fields(model, place[:-1]))}"
    value = json.dumps(details["input"], ensure_ascii=False, default=str)
    if details["type"] == "literal_error":
        choices = re.findall(r"[^\s',]+", details["ctx"]["expected"].replace(" or ", " "))
        return f" = {value}: {suggest(str(details['input']), dict.fromkeys(choices))}"
    return f" = {value}: {details['msg'].removeprefix('Value error, ')}"


def suggest(word: str, known: Mapping[str, object]) -> str:
    """Return what there is to choose from, and what was probably meant."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    choices = f"choose among {', '.join(known)}"
    return f"did you mean {near[0]}? ({choices})" if near else choices


def _fields(model: type[BaseModel], place: tuple[str, ...]) -> Mapping[str, object]:
    for name in place:
        annotation = model.model_fields[name].annotation
        assert isinstance(annotation, type)
        assert issubclass(annotation, BaseModel)
        model = annotation
    return model.model_fields


def _line_of(place: tuple[str, ...], text: str) -> int:
    """Find the line of `section.key` or of `[section]`; 0 where TOML is written otherwise."""
    section, key = place[0], place[1] if len(place) > 1 else None
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
        current = header.group(1) if header else current
        if current != section:
            continue
        if (header and not key) or (key and re.match(rf"\s*{re.escape(key)}\s*=", line)):
            return number
    return 0
