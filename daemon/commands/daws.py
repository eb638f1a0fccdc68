"""Commands about what lies in a DAW's own folders: install and uninstall."""

from __future__ import annotations

from pathlib import Path

import click

from daemon.commands.grammar import EXISTING_FILE, examples


@click.command(
    epilog=examples(
        "antithesis install reaper",
        "antithesis install ableton --from ~/Downloads/AbletonOSC-master.zip",
    )
)
@click.argument("name")
@click.option("--from", "archive", type=EXISTING_FILE, help="The archive of another project.")
def install(name: str, archive: Path | None) -> None:
    """Put the files in place that the DAW called NAME needs, and say what is left to do."""
    from daemon import installing

    row = installing.find_installation(name)
    put = installing.install(row, archive)
    for path in put:
        click.echo(f"installed {path}")
    if not put:
        click.echo(f"{row.unpacked} is there already: {row.folder() / row.unpacked}")
    for step in row.steps:
        click.echo(f"    {step}")


@click.command(epilog=examples("antithesis uninstall reaper"))
@click.argument("name")
def uninstall(name: str) -> None:
    """Take away what `antithesis install NAME` put in place."""
    from daemon import installing

    gone = installing.uninstall(installing.find_installation(name))
    for path in gone:
        click.echo(f"removed {path}")
    if not gone:
        click.echo("nothing was installed")
