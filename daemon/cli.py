"""The command line `antithesis`.

Commands import what they need when they run, so that help and typing errors answer at once.
"""

from __future__ import annotations

import click

from daemon.commands import capturing, daws, presets, service, sounds
from daemon.commands.grammar import Commands, examples

COMMANDS = (
    service.start,
    service.status,
    capturing.capture,
    capturing.press,
    capturing.devices,
    capturing.learn,
    service.undo,
    daws.install,
    daws.uninstall,
    sounds.match,
    sounds.render,
    presets.preset,
    service.synth,
    service.demo,
    service.manage_service,
    service.doctor,
    service.show_config,
)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "antithesis demo                      hear the whole path on three sounds",
        "antithesis start                     watch a folder; drop a sound, hear it back",
        "antithesis match lead.wav            one file: prediction, then ever better matches",
        "antithesis render preset.txt -o a.wav",
        "antithesis doctor                    what this machine has, and what to do about the rest",
    ),
)
@click.version_option(package_name="antithesis", message="%(prog)s %(version)s")
def cli() -> None:
    """Drop a sound, get the Mika Micro preset that resembles it, live in your DAW.

    Every command has its own --help. An expected trouble is one line and exit status 2.
    """


for _command in COMMANDS:
    cli.add_command(_command)


def main() -> None:
    """Run the command line; the entry point of the package."""
    cli(prog_name="antithesis")
