"""OSC messages with holes: filled in to be sent, matched to be understood.

A hole is a word in braces, in an address or as an argument: `/track/{track}/name`, `{value}`. What
is sent may have holes within a longer text. In what is heard, `{values...}` takes all that is left,
and `...` is any number of arguments that say nothing to us.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeGuard

from daemon.osc import Argument, OscMessage

Filling = Mapping[str, Argument]
Found = dict[str, Any]
"""What was in the holes: an argument each, or a tuple of them; hosts may say anything."""

_HOLE: Final = re.compile(r"\\\{(\w+)\\\}")
_WHOLE: Final = re.compile(r"\{\w+(\.\.\.)?\}")
_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_ANYTHING: Final = "..."
_DIGITS: Final = 9  # of a number in an address; Python makes none at all of more than 4300


def parse_message(text: str) -> OscMessage:
    """A message as a user writes it: the address, then whole and other numbers, and words."""
    address, *words = text.split()
    return OscMessage(address, tuple(map(_argument, words)))


def holes(text: str) -> list[str]:
    """What stands in the braces of a message as a user writes it.

    Raises:
        ValueError: a brace lacks the other one.
    """
    if re.search("[{}]", _BRACES.sub("", text)):
        raise ValueError("a brace lacks the other one")
    return _BRACES.findall(text)


def fill(pattern: OscMessage, filling: Filling) -> OscMessage:
    """The message itself; an argument keeps the type of what fills it."""
    arguments = tuple(_filled(argument, filling) for argument in pattern.arguments)
    return OscMessage(pattern.address.format(**filling), arguments)


def match(pattern: OscMessage, message: OscMessage) -> Found | None:
    """What is in the holes, or None where the message is another one."""
    place = _regex(pattern.address).fullmatch(message.address)
    if place is None:
        return None
    found: Found = {name: _number(text) for name, text in place.groupdict().items()}
    return found if _match_arguments(pattern.arguments, message.arguments, found) else None


def _argument(word: str) -> Argument:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _filled(argument: Argument, filling: Filling) -> Argument:
    if _is_hole(argument):
        return filling[argument[1:-1]]
    return argument.format(**filling) if isinstance(argument, str) else argument


def _is_hole(argument: Argument) -> TypeGuard[str]:
    return isinstance(argument, str) and _WHOLE.fullmatch(argument) is not None


def _match_arguments(
    wanted: tuple[Argument, ...], heard: tuple[Argument, ...], found: Found
) -> bool:
    for position, argument in enumerate(wanted):
        if argument == _ANYTHING:
            behind = len(wanted) - position - 1
            rest = heard[len(heard) - behind :] if behind else ()
            return len(heard) >= position + behind and _match_arguments(
                wanted[position + 1 :], rest, found
            )
        if _is_hole(argument) and argument.endswith("...}"):
            found[argument[1:-4]] = heard[position:]
            return True
        if position >= len(heard):
            return False
        if _is_hole(argument):
            name = argument[1:-1]
            if found.setdefault(name, heard[position]) != heard[position]:
                return False
        elif argument != heard[position]:
            return False
    return len(wanted) == len(heard)


def _number(text: str) -> Argument:
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else text


@cache
def _regex(address: str) -> re.Pattern[str]:
    return re.compile(_HOLE.sub(r"(?P<\1>[^/]+)", re.escape(address)))
