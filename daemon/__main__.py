"""The command line, as `python -m daemon`."""

from daemon.cli import main

main()
