"""What all commands share: the kinds of arguments, and how a trouble is told."""

from __future__ import annotations

import json
import sys
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


def say(answer: Answer, as_json: bool) -> NoReturn:
    """Tell what the running daemon answered, and end: with status 1 if it could not do it."""
    told = {"well": answer.well, "said": answer.said, **answer.facts}
    click.echo(json.dumps(told) if as_json else answer.said)
    sys.exit(0 if answer.well else 1)


def examples(*lines: str) -> str:
    """Return an epilog of examples that click does not wrap."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
