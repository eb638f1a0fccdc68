"""OSC datagrams: what python-osc and the specification say, and everything that is no OSC."""

from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import osc
from daemon.osc import MalformedOsc, OscMessage
from tests import oscpeer

# From the OSC 1.0 specification, "OSC Message Examples".
SPECIFIED = {
    bytes.fromhex("2f6f7363696c6c61746f722f342f6672657175656e6379002c66000043dc0000"): OscMessage(
        "/oscillator/4/frequency", (440.0,)
    ),
    bytes.fromhex(
        "2f666f6f000000002c69697366660000000003e8ffffffff68656c6c6f0000003f9df3b640b5b22d"
    ): OscMessage(
        "/foo", (1000, -1, "hello", 1.2339999675750732, 5.677999973297119)
    ),
}  # fmt: skip

addresses = st.from_regex(r"/[a-zA-Z0-9/_]{0,40}", fullmatch=True)
arguments = st.lists(
    st.one_of(
        st.floats(width=32, allow_nan=False),
        st.integers(-(2**63), 2**63 - 1),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
        st.binary(min_size=1, max_size=20),
        st.booleans(),
        st.none(),
    ),
    max_size=8,
).map(tuple)
messages = st.builds(OscMessage, addresses, arguments)


@pytest.mark.parametrize("datagram", SPECIFIED)
def test_reads_and_writes_the_examples_of_the_specification(datagram: bytes) -> None:
    assert osc.decode(datagram) == (SPECIFIED[datagram],)
    assert osc.encode(SPECIFIED[datagram]) == datagram


@given(messages)
def test_a_message_comes_back_and_python_osc_reads_the_same(message: OscMessage) -> None:
    encoded = osc.encode(message)

    assert osc.decode(encoded) == (message,)
    assert oscpeer.read(encoded) == [(message.address, *message.arguments)]


def test_name_that_is_no_utf8_travels_with_its_bytes_told() -> None:
    encoded = osc.encode(OscMessage("/antithesis/answer", (1, os.fsdecode(b"\xffbad"))))

    assert osc.decode(encoded) == (OscMessage("/antithesis/answer", (1, r"\udcffbad")),)


@given(st.lists(messages, max_size=30), st.integers(64, 2000))
def test_bundles_keep_every_message_in_order_and_stay_small(
    sent: list[OscMessage], max_bytes: int
) -> None:
    encoded = [osc.encode(message) for message in sent]

    packets = list(osc.bundles(encoded, max_bytes))

    assert [m for packet in packets for m in osc.decode(packet)] == sent
    largest = max([len(m) + 20 for m in encoded], default=0)
    assert all(len(packet) <= max(max_bytes, largest) for packet in packets)


def bundle(*elements: bytes) -> bytes:
    return osc.EMPTY_BUNDLE + b"".join(struct.pack(">i", len(e)) + e for e in elements)


def test_nested_bundles_are_read_in_order() -> None:
    one, two, three = (osc.encode(OscMessage("/m", (n,))) for n in (1, 2, 3))

    nested = bundle(one, bundle(two, bundle()), three)

    assert [m.arguments for m in osc.decode(nested)] == [(1,), (2,), (3,)]


def deep(levels: int) -> bytes:
    packet = b""
    for _ in range(levels):
        packet = bundle(packet) if packet else bundle()
    return packet


def test_bundles_nested_as_deep_as_a_datagram_allows_are_read() -> None:
    assert osc.decode(deep(400)) == ()


def test_an_address_without_type_tags_is_a_message_without_arguments() -> None:
    assert osc.decode(b"/mika/get\0\0\0") == (OscMessage("/mika/get"),)


@pytest.mark.parametrize(
    "datagram",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="another protocol"),
        pytest.param(b"/mika/get", id="address without end"),
        pytest.param(b"/\xff\xfe\0", id="address not UTF-8"),
        pytest.param(b"/a\0\0f\0\0\0", id="type tags without comma"),
        pytest.param(b"/a\0\0,f\0\0", id="argument missing"),
        pytest.param(b"/a\0\0,f\0\0\x3f", id="argument cut off"),
        pytest.param(b"/a\0\0,Q\0\0", id="unknown type tag"),
        pytest.param(b"/a\0\0,s\0\0abcd", id="string without end"),
        pytest.param(b"/a\0\0,b\0\0\xff\xff\xff\xf0", id="blob of negative size"),
        pytest.param(b"/a\0\0,b\0\0\x7f\xff\xff\xff", id="blob larger than the datagram"),
        pytest.param(b"#bundle\0\0\0", id="bundle without time tag"),
        pytest.param(osc.EMPTY_BUNDLE + b"\xff\xff\xff\xfc" * 4, id="element of negative size"),
        pytest.param(osc.EMPTY_BUNDLE + b"\0\0\0\0" * 4, id="element of no size"),
        pytest.param(osc.EMPTY_BUNDLE + b"\0\0\0\x40/a\0\0", id="element larger than the bundle"),
        pytest.param(osc.EMPTY_BUNDLE + b"\0\0", id="element's size cut off"),
        pytest.param(bundle(b"/a\0\0", b"nonsense"), id="element that is no message"),
        pytest.param(bundle(b"/a\0\0" * 3000), id="too large"),
    ],
)
def test_what_is_no_osc_is_refused(datagram: bytes) -> None:
    with pytest.raises(MalformedOsc):
        osc.decode(datagram)


@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_else(noise: bytes) -> None:
    for datagram in (noise, b"/a\0\0," + noise, osc.EMPTY_BUNDLE + noise):
        try:
            osc.decode(datagram)
        except MalformedOsc:
            continue


@given(messages, st.data())
def test_no_damaged_message_raises_anything_else(message: OscMessage, data: st.DataObject) -> None:
    damaged = bytearray(bundle(osc.encode(message)))
    for _ in range(3):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    try:
        osc.decode(bytes(damaged[:cut]))
    except MalformedOsc:
        return
