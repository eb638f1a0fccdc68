"""OSC 1.0 datagrams: messages to bytes and back.

Encoding is python-osc's. Decoding is strict and our own, because anything at all may arrive on a
port: python-osc's parser runs for ever on a bundle element of negative size, recurses as deep as
the sender likes and logs every type tag that it does not know.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from antithesis.errors import AntithesisError

Argument = float | int | str | bytes | bool | None

# The largest datagram looked into: all 38 parameters in one bundle take a quarter of it.
MAX_BYTES: Final = 8192
_BUNDLE: Final = b"#bundle\x00"
_IMMEDIATELY: Final = b"\x00" * 7 + b"\x01"
EMPTY_BUNDLE: Final = _BUNDLE + _IMMEDIATELY
_ELEMENT_HEADER: Final = 4
_FIXED_WIDTH: Final = {
    "i": ">i", "h": ">q", "f": ">f", "d": ">d", "t": ">Q", "c": ">i", "r": ">I", "m": ">4s",
}  # fmt: skip
_WITHOUT_BYTES: Final = {"T": True, "F": False, "N": None, "I": float("inf")}


class OscMessage(NamedTuple):
    """An address and its arguments."""

    address: str
    arguments: tuple[Argument, ...] = ()


class MalformedOsc(AntithesisError):
    """A datagram is not OSC 1.0."""


def encode(message: OscMessage) -> bytes:
    """Bytes of one message; a float travels as `f`, an int as `i` (or `h` beyond 32 bits).

    What of a text is no Unicode, as in a file's name, is told by its escapes.
    """
    from pythonosc.osc_message_builder import OscMessageBuilder

    builder = OscMessageBuilder(message.address)
    for argument in message.arguments:
        if isinstance(argument, str):
            argument = argument.encode("utf-8", "backslashreplace").decode()
        builder.add_arg(argument)
    return builder.build().dgram


def bundles(messages: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """Pack encoded messages, in their order, into bundles of at most `max_bytes`."""
    packet = EMPTY_BUNDLE
    for message in messages:
        if packet != EMPTY_BUNDLE and len(packet) + _ELEMENT_HEADER + len(message) > max_bytes:
            yield packet
            packet = EMPTY_BUNDLE
        packet += struct.pack(">i", len(message)) + message
    if packet != EMPTY_BUNDLE:
        yield packet


def decode(datagram: bytes) -> tuple[OscMessage, ...]:
    """Messages of a datagram, those of nested bundles in order; time tags are not waited for.

    Raises:
        MalformedOsc: whatever else the datagram is.
    """
    if len(datagram) > MAX_BYTES:
        raise MalformedOsc(f"datagram of {len(datagram)} bytes: send at most {MAX_BYTES}")
    messages = []
    pending = [datagram]
    while pending:
        element = pending.pop()
        if element.startswith(_BUNDLE):
            pending.extend(reversed(list(_elements(element))))
        else:
            messages.append(_decode_message(element))
    return tuple(messages)


def _elements(bundle: bytes) -> Iterator[bytes]:
    if len(bundle) < len(EMPTY_BUNDLE):
        raise MalformedOsc("bundle without a time tag")
    at = len(EMPTY_BUNDLE)
    while at < len(bundle):
        (size,) = _unpack(">i", bundle, at)
        at += _ELEMENT_HEADER
        if size <= 0 or size % 4 or at + size > len(bundle):
            raise MalformedOsc(f"bundle element of {size} bytes at {at}")
        yield bundle[at : at + size]
        at += size


def _decode_message(data: bytes) -> OscMessage:
    address, at = _string(data, 0)
    if not address.startswith("/"):
        raise MalformedOsc(f"address {address[:40]!r} does not start with a slash")
    if at >= len(data):  # some senders leave out the type tags where there is no argument
        return OscMessage(address)
    tags, at = _string(data, at)
    if not tags.startswith(","):
        raise MalformedOsc(f"type tags {tags[:40]!r} do not start with a comma")
    return OscMessage(address, tuple(_arguments(tags[1:], data, at)))


def _arguments(tags: str, data: bytes, at: int) -> Iterator[Argument]:
    for tag in tags:
        if tag in _FIXED_WIDTH:
            layout = _FIXED_WIDTH[tag]
            yield _unpack(layout, data, at)[0]
            at += struct.calcsize(layout)
        elif tag in _WITHOUT_BYTES:
            yield _WITHOUT_BYTES[tag]
        elif tag in "sS":
            text, at = _string(data, at)
            yield text
        elif tag == "b":
            blob, at = _blob(data, at)
            yield blob
        elif tag not in "[]":  # an array's members are taken as if it had no brackets
            raise MalformedOsc(f"type tag {tag!r}")


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(0, at)
    if end < 0:
        raise MalformedOsc(f"string at {at} has no end")
    try:
        return data[at:end].decode(), (end // 4 + 1) * 4
    except UnicodeDecodeError as error:
        raise MalformedOsc(f"string at {at}: {error.reason}") from error


def _blob(data: bytes, at: int) -> tuple[bytes, int]:
    (size,) = _unpack(">i", data, at)
    start = at + 4
    if not 0 <= size <= len(data) - start:
        raise MalformedOsc(f"blob of {size} bytes at {at}")
    return data[start : start + size], start + -(-size // 4) * 4


def _unpack(layout: str, data: bytes, at: int) -> tuple[Any, ...]:
    try:
        return struct.unpack_from(layout, data, at)
    except struct.error as error:
        raise MalformedOsc(f"datagram ends at {len(data)}: {error}") from error
