"""What all commands share: the kinds of arguments, and how a trouble is told."""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

from antithesis.errors import AntithesisError

if TYPE_CHECKING:
    from daemon.presses import Answer

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
SECONDS = click.FloatRange(min=0)
_LONGEST_SEARCH_S = 3600


class Refusal(click.ClickException):
    """An expected trouble: one line, exit status 2."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line on standard error."""
        click.echo(f"antithesis: {self.message}", file=file or sys.stderr)


class Commands(click.Group):
    """Commands whose expected troubles end in one line; whatever else is raised is a bug."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except AntithesisError as error:
            raise Refusal(str(error)) from error


def to_note(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """Return the MIDI note that an option says: a number from 0 to 127, or a name such as A#2."""
    if value is None:
        return None
    from antithesis.pitch import note_from_name

    note = int(value) if value.isdecimal() else note_from_name(value)
    if note is None or not 0 <= note <= 127:
        raise click.BadParameter(f"{value!r} is no note: give 0 to 127, or a name such as A#2")
    return note


def to_budget(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    """Return the seconds of searching that an option says: a number, or "instant"."""
    text = value.strip().removesuffix("s").strip()
    seconds = 0.0 if text == "instant" else _number(text)
    if seconds is None or not 0 <= seconds <= _LONGEST_SEARCH_S:
        longest = f"seconds up to {_LONGEST_SEARCH_S}"
        raise click.BadParameter(f"{value!r} is no time to search: give {longest}, or instant")
    return seconds


def to_locks(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> dict[str, float]:
    """Return the plain values by id that options say: kFilterCutoff=3000, as the panel shows it."""
    from antithesis.parameters import BY_ID

    locks = {}
    for value in values:
        id, _, plain = value.partition("=")
        if id not in BY_ID:
            near = "".join(f"; did you mean {name}?" for name in get_close_matches(id, BY_ID, 1))
            raise click.BadParameter(f"no parameter {id!r}{near}")
        try:
            locks[id] = BY_ID[id].parse(plain)
        except AntithesisError as error:
            raise click.BadParameter(f"{id}: {error}") from None
    return locks


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def say(answer: Answer, as_json: bool) -> NoReturn:
    """Tell what the running daemon answered, and end: with status 1 if it could not do it."""
    told = {"well": answer.well, "said": answer.said, **answer.facts}
    click.echo(json.dumps(told) if as_json else answer.said)
    sys.exit(0 if answer.well else 1)


def examples(*lines: str) -> str:
    """Return an epilog of examples that click does not wrap."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
