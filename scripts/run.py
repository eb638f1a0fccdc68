"""Start Antithesis from a checkout.

    python3 scripts/run.py --demo               hear the whole path on three sounds, then end
    python3 scripts/run.py start                watch a folder; drop a sound, hear it back
    python3 scripts/run.py match lead.wav       one file, without the daemon
    python3 scripts/run.py doctor               what this machine has, and what to do about the rest
    python3 scripts/run.py COMMAND --help       more about one command

The first start makes `.venv` and installs the pinned packages into it; later ones begin at once.
Everything after `run.py` goes to the command line `antithesis`; `--demo` is its command `demo`.
"""

from __future__ import annotations

import sys

import bootstrap


def main(arguments: list[str]) -> None:
    """Prepare the environment and become `antithesis` with `arguments`."""
    if arguments in (["--help"], ["-h"]):
        print(__doc__)
        return
    words = ["demo" if word == "--demo" else word for word in arguments]
    bootstrap.start(["runtime"], ["antithesis", *words])


if __name__ == "__main__":
    main(sys.argv[1:])
