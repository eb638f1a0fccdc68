"""Ports that nobody listens on, for servers that are told where to listen."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

ADDRESS = "127.0.0.1"

# Below those that Linux (32768 up), macOS and Windows (49152 up) give to whoever asks for any, so
# that nobody is given ours between our asking and our server's listening.
_RANGE = range(20_000, 32_768)
_TRIES = 100


def free_port() -> int:
    """A port of the loopback interface that is free for UDP and for TCP now.

    Raises:
        OSError: each of a hundred ports was taken.
    """
    for port in random.sample(_RANGE, _TRIES):
        if _is_free(port):
            return port
    raise OSError(f"each of {_TRIES} ports tried on {ADDRESS} is taken")


def _is_free(port: int) -> bool:
    with ExitStack() as open_sockets:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            probe = open_sockets.enter_context(socket.socket(socket.AF_INET, kind))
            try:
                probe.bind((ADDRESS, port))
            except OSError:
                return False
        return True
