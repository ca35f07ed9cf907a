"""OSC datagrams: every message of every bundle is read, and what is no message is a problem and no fault."""

import struct
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from vj.controls.packets import Message, read_packet


def _message(address: str, *args: Any) -> bytes:
    builder = OscMessageBuilder(address)
    for arg in args:
        builder.add_arg(arg)
    return bytes(builder.build().dgram)


def _bundle(*contents: bytes, time_tag: int = 1) -> bytes:
    return b"#bundle\0" + struct.pack(">Q", time_tag) + b"".join(struct.pack(">i", len(c)) + c for c in contents)


def test_messages_and_nested_bundles_are_read_in_order() -> None:
    first, second, third = _message("/a", 1, 2.5, "x", True), _message("/b"), _message("/c", "é")
    assert read_packet(first) == [Message("/a", (1, 2.5, "x", True))]
    assert read_packet(_bundle(first, _bundle(second), third)) == [
        Message("/a", (1, 2.5, "x", True)),
        Message("/b"),
        Message("/c", ("é",)),
    ]
    assert read_packet(_bundle()) == []


def test_a_bundle_for_the_future_is_read_at_once() -> None:
    builder = OscBundleBuilder(time.time() + 3600)
    builder.add_content(OscMessageBuilder("/a").build())
    assert read_packet(builder.build().dgram) == [Message("/a")]
    assert IMMEDIATELY == 0


@pytest.mark.parametrize("tag", "cISbrmtN[]{")
def test_argument_types_that_are_not_known_are_refused_and_never_shift_the_others(tag: str) -> None:
    data = b"/vj/prompt\0\0" + f",{tag}f\0".encode() + struct.pack(">if", 65, 1.0)
    assert read_packet(data) == [
        Message("/vj/prompt", problem=f"argument type {tag!r} is not understood; send numbers and texts")
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no OSC message: it does not begin with a slash"),
        (b"hello", "no OSC message: it does not begin with a slash"),
        (b"/", "a message that is not whole"),
        (b"/abc", "a message that is not whole"),
        (b"/ab\0,f\0\0", "a message whose arguments do not fill it"),  # python-osc alone reads 0.0 here
        (b"/ab\0,f\0\0\0\0", "a message whose arguments do not fill it"),
        (b"/ab\0,i\0\0\0\0", "a message that is not whole"),
        (b"/ab\0,i\0\0\0\0\0\1\0\0\0\2", "a message whose arguments do not fill it"),
        (b"/ab\0,s\0\0abc", "a message that is not whole"),
        (b"/ab\0A\0\0\1", "a message without the types of its arguments"),
        (b"/ab\0,s\0\0\xe9t\xe9\0", "a text that is not UTF-8"),
        (b"#bundle\0", "a bundle that is not whole"),
        (b"#bundle\0" + bytes(7), "a bundle that is not whole"),
        (b"#bundle\0" + bytes(8) + b"\0\0", "a bundle that is not whole"),
        (b"#bundle\0" + bytes(8) + b"\0\0\0\0", "a bundle that is not whole"),
        (b"#bundle\0" + bytes(8) + b"\xff\xff\xff\xfc", "a bundle that is not whole"),  # python-osc never returns
        (b"#bundle\0" + bytes(8) + b"\0\0\0\x08/ab\0", "a bundle that is not whole"),
    ],
)
def test_half_packets_and_garbage_are_problems(data: bytes, problem: str) -> None:
    found = read_packet(data)
    assert [message.problem for message in found] == [problem]


def test_one_bad_message_does_not_lose_the_others_of_its_bundle() -> None:
    found = read_packet(_bundle(_message("/a"), b"/b\0\0,c\0\0\0\0\0A", _message("/c")))
    assert [(message.address, bool(message.problem)) for message in found] == [("/a", 0), ("/b", 1), ("/c", 0)]


def test_the_deepest_bundle_a_datagram_holds_is_read() -> None:
    data = _message("/a")
    while len(data) + 20 <= 65_507:
        data = _bundle(data)
    assert read_packet(data) == [Message("/a")]


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda data: b"#bundle\0" + data))
def test_any_bytes_are_messages_or_problems(data: bytes) -> None:
    assert all(message.problem or message.address.startswith("/") for message in read_packet(data))
