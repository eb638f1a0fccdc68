"""Orders to the running daemon, by OSC from this machine: commands, controllers and scripts.

    /antithesis/capture [i]     match the sound just heard, or so many before it
    /antithesis/hold i          1 begins to record, 0 ends that and matches it
    /antithesis/arm             capture each sound by itself, or no longer
    /antithesis/next            apply the next match of the last sound
    /antithesis/previous        and the one before
    /antithesis/undo            put back what the host held before the last sound
    /antithesis/stop            stop refining
    /antithesis/learn           obey the hotkeys that the configuration has by now

Each is answered, when it is done, by /antithesis/answer iss: 1 or 0, a line, and facts as JSON.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from antithesis.errors import DeviceError
from daemon import osc
from daemon.living import working
from daemon.osc import Argument, MalformedOsc, OscMessage
from daemon.presses import Action, Answer, Press

ADDRESS: Final = "127.0.0.1"
PREFIX: Final = "/antithesis/"
ANSWER: Final = "/antithesis/answer"
_PATIENCE_S: Final = 20.0
_FURTHEST_BACK: Final = 1000

_log: Final = logging.getLogger(__name__)


@contextmanager
def taking_orders(port: int, press: Callable[[Press], object]) -> Iterator[None]:
    """Turn what comes to a port of this machine into presses.

    Without the port there are no orders, and everything else goes on.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((ADDRESS, port))
        except OSError as error:
            _log.warning(
                "UDP port %d is taken (%s): no command reaches this daemon; see orders.port",
                port,
                error.strerror,
            )
            yield
            return
        ended = threading.Event()

        def end() -> None:
            ended.set()
            sock.sendto(b"", sock.getsockname())

        with working(partial(_listen, sock, ended, press), "orders", end):
            yield


def order(port: int, action: Action, *arguments: int) -> Answer | None:
    """Have the running daemon do something; None where none runs.

    Raises:
        DeviceError: it runs, and does not answer.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(_PATIENCE_S)
        asking.connect((ADDRESS, port))
        asking.send(osc.encode(OscMessage(f"{PREFIX}{action}", arguments)))
        try:
            (answer,) = osc.decode(asking.recv(osc.MAX_BYTES))
            well, said, facts = answer.arguments
            return Answer(bool(well), str(said), json.loads(str(facts)))
        except ConnectionError:
            return None
        except (OSError, MalformedOsc, ValueError) as error:
            raise DeviceError(f"the daemon on UDP port {port} does not answer: {error}") from error


def pressed(message: OscMessage) -> Press:
    """What a message asks for.

    Raises:
        MalformedOsc: nothing that there is.
    """
    name, arguments = message.address.removeprefix(PREFIX), message.arguments
    if not message.address.startswith(PREFIX) or name not in set(Action):
        raise MalformedOsc(f"no order {message.address!r}")
    action = Action(name)
    if action is Action.HOLD:
        return Press(action, down=bool(_number(arguments, default=1)))
    if action is Action.CAPTURE:
        return Press(action, back=_number(arguments, default=0))
    return Press(action)


def _number(arguments: tuple[Argument, ...], default: int) -> int:
    value = arguments[0] if arguments else default
    if not isinstance(value, int | float) or not 0 <= value <= _FURTHEST_BACK:
        raise MalformedOsc(f"{value!r}: send a number from 0 to {_FURTHEST_BACK}")
    return int(value)


def _listen(sock: socket.socket, ended: threading.Event, press: Callable[[Press], object]) -> None:
    while not ended.is_set():
        try:
            datagram, sender = sock.recvfrom(osc.MAX_BYTES + 1)
            asked = [pressed(message) for message in osc.decode(datagram) if datagram]
        except (OSError, MalformedOsc) as error:  # Windows: the one who asked last has gone
            if not ended.is_set():
                _log.debug("an order that is none: %s", error)
            continue
        for each in asked:
            press(_answered_to(each, sock, sender))


def _answered_to(press: Press, sock: socket.socket, to: tuple[str, int]) -> Press:
    def answer(answer: Answer) -> None:
        facts = json.dumps(answer.facts, default=str)
        message = OscMessage(ANSWER, (int(answer.well), answer.said, facts))
        try:
            sock.sendto(osc.encode(message), to)
        except OSError as error:
            _log.debug("whoever asked is gone: %s", error)

    return replace(press, answer=answer)
