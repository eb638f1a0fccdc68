"""Commands about preset files: convert and show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from daemon.commands.grammar import AS_JSON, EXISTING_FILE, examples

if TYPE_CHECKING:
    from antithesis.preset import Preset


@click.group()
def preset() -> None:
    """Look at preset files, and turn one format into another.

    Formats are told by the suffix: .txt (38 lines, as the plug-in prints), .csv (a header of ids,
    one preset a row), .json and .fxp (what a VST host loads).
    """


@preset.command(
    epilog=examples(
        "antithesis preset convert preset.txt preset.fxp",
        "antithesis preset convert all.csv folder --to fxp",
    )
)
@click.argument("source", type=EXISTING_FILE)
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--to", "suffix", help="Write each preset of SOURCE into the folder TARGET: fxp, ...")
def convert(source: Path, target: Path, suffix: str | None) -> None:
    """Turn the preset file SOURCE into TARGET, by its suffix."""
    from antithesis.presetfiles import read_presets, write_preset, write_presets

    presets = read_presets(source)
    if suffix is None:
        write_presets(presets, target)
        click.echo(target)
        return
    target.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(presets, start=1):
        path = target / f"{number:03d}{_as_file_name(each.name)}.{suffix.removeprefix('.')}"
        write_preset(each, path)
        click.echo(path)


def _as_file_name(name: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in name)
    return f" {kept.strip()}" if kept.strip() else ""


@preset.command(epilog=examples("antithesis preset show lead.fxp"))
@click.argument("source", type=EXISTING_FILE)
@AS_JSON
def show(source: Path, as_json: bool) -> None:
    """Print every knob of a preset, and which of them are greyed out or cannot be heard."""
    from antithesis.presetfiles import read_presets

    for each in read_presets(source):
        rows = _knobs(each)
        if as_json:
            click.echo(json.dumps({"name": each.name, "knobs": rows}))
            continue
        click.echo(each.name or source.name)
        for row in rows:
            remarks = [word for word in ("greyed", "silent") if row[word]]
            click.echo(f"  {row['name']:36} {row['text']:>12}  {', '.join(remarks)}".rstrip())


def _knobs(preset: Preset) -> list[dict[str, Any]]:
    from antithesis.parameters import PARAMETERS

    greyed, audible = preset.greyed(), preset.audible()
    return [
        {
            "id": knob.id,
            "name": knob.name,
            "plain": preset[knob.id],
            "text": knob.format(preset[knob.id]),
            "greyed": knob.id in greyed,
            "silent": knob.id not in audible,
        }
        for knob in PARAMETERS
    ]
