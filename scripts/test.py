"""Run the tests from a checkout.

    python3 scripts/test.py                     all of them
    python3 scripts/test.py tests/test_cli.py   one file
    python3 scripts/test.py -k config -x        pytest's own options

The first start makes `.venv` and installs the pinned packages into it, those for training (2 GB)
among them; later ones begin at once. Everything after `test.py` goes to pytest.
"""

from __future__ import annotations

import os
import sys

import bootstrap


def main(arguments: list[str]) -> None:
    """Prepare the environment and become pytest with `arguments`."""
    if arguments in (["--help"], ["-h"]):
        print(__doc__)
        return
    os.chdir(bootstrap.ROOT)
    bootstrap.start(bootstrap.TEST_LOCKS, ["pytest", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
