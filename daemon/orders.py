"""Orders to the running daemon: `antithesis undo` on a UDP port, or a key of a MIDI keyboard.

OSC addresses:

    /antithesis/undo            answered by /antithesis/undone sss: grade, route, reason
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Final

from antithesis.errors import AntithesisError, DeviceError
from daemon import midiports, osc
from daemon.config import Config
from daemon.osc import MalformedOsc, OscMessage
from daemon.senders import Delivery, Grade
from daemon.watch import Watch

ADDRESS: Final = "127.0.0.1"
MIDI_PORT: Final = "Antithesis Orders"
_UNDO: Final = OscMessage("/antithesis/undo")
_UNDONE: Final = "/antithesis/undone"
_PATIENCE_S: Final = 10.0

Undo = Callable[[], Delivery]

_log: Final = logging.getLogger(__name__)


@contextmanager
def taking_orders(config: Config, watch: Watch, undo: Undo) -> Iterator[None]:
    """Take orders by OSC, and by MIDI where a key is configured, and hand them to the one loop.

    Without the port there are no orders, and everything else goes on.
    """
    with ExitStack() as listening:
        try:
            listening.enter_context(_osc_orders(config.orders.port, watch, undo))
            if config.orders.undo_key >= 0:
                listening.enter_context(_midi_orders(config, watch, undo))
        except DeviceError as error:
            _log.warning("%s; `antithesis undo` cannot reach this daemon", error)
        yield


def order_undo(port: int) -> Delivery | None:
    """Have the running daemon undo; None where none runs.

    Raises:
        DeviceError: it runs, and does not answer.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(_PATIENCE_S)
        asking.connect((ADDRESS, port))
        asking.send(osc.encode(_UNDO))
        try:
            (answer,) = osc.decode(asking.recv(osc.MAX_BYTES))
        except ConnectionError:
            return None
        except (OSError, MalformedOsc, ValueError) as error:
            raise DeviceError(f"the daemon on UDP port {port} does not answer: {error}") from error
    grade, route, reason = map(str, answer.arguments)
    return Delivery(Grade(grade), route, elapsed_s=0.0, reason=reason)


@contextmanager
def _osc_orders(port: int, watch: Watch, undo: Undo) -> Iterator[None]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind((ADDRESS, port))
        except OSError as error:
            raise DeviceError(f"UDP port {port} is taken ({error.strerror})") from error
        ended = threading.Event()
        thread = threading.Thread(target=_listen, args=(sock, ended, watch, undo), name="orders")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            sock.sendto(b"", sock.getsockname())
            thread.join()


def _listen(sock: socket.socket, ended: threading.Event, watch: Watch, undo: Undo) -> None:
    while not ended.is_set():
        try:
            datagram, sender = sock.recvfrom(osc.MAX_BYTES)
            ordered = _UNDO in osc.decode(datagram)
        except (OSError, MalformedOsc):  # Windows: the one who asked last has gone
            continue
        if ordered:
            watch.call(partial(_answer, sock, sender, undo))


def _answer(sock: socket.socket, to: tuple[str, int], undo: Undo) -> None:
    delivery = _carry_out(undo)
    answer = OscMessage(_UNDONE, (str(delivery.grade), delivery.route, delivery.reason))
    try:
        sock.sendto(osc.encode(answer), to)
    except OSError as error:
        _log.debug("whoever wanted to undo is gone: %s", error)


def _carry_out(undo: Undo) -> Delivery:
    try:
        return undo()
    except AntithesisError as error:
        _log.warning("%s", error)
        return Delivery(Grade.FAILED, "", elapsed_s=0.0, reason=str(error))


@contextmanager
def _midi_orders(config: Config, watch: Watch, undo: Undo) -> Iterator[None]:
    name = config.orders.midi_port
    port = midiports.open_input(name or MIDI_PORT, backend=config.midi.backend, virtual=not name)

    def hear(message: Any) -> None:
        pressed = message.type == "note_on" and message.velocity
        if pressed and message.note == config.orders.undo_key:
            watch.call(lambda: _carry_out(undo))

    port.callback = hear
    try:
        yield
    finally:
        port.close()
