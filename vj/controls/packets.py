"""OSC datagrams to messages, whatever was sent. Pure; nothing raises.

python-osc decodes the messages. Bundles are taken apart here: its own reader never returns from an element of negative
size, recurses into nested bundles, and waits for future ones. Argument types are checked before it sees a message: it
drops those it does not know, so that the other arguments shift, and reads a missing number as 0.
"""

from dataclasses import dataclass

from pythonosc.osc_message import OscMessage, ParseError

Argument = float | int | bool | str

_BUNDLE = b"#bundle\0"
_SIZES = {"i": 4, "f": 4, "h": 8, "d": 8, "T": 0, "F": 0}


@dataclass(frozen=True, slots=True)
class Message:
    """One OSC message; or, with a `problem`, what was wrong with a part of a datagram that is none."""

    address: str
    args: tuple[Argument, ...] = ()
    problem: str = ""


def read_packet(datagram: bytes) -> list[Message]:
    """The messages of a datagram, those of bundles in order and at once, whatever their time tag says."""
    found: list[Message] = []
    waiting = [(0, len(datagram))]
    while waiting:
        start, end = waiting.pop()
        if datagram[start : start + len(_BUNDLE)] != _BUNDLE:
            found.append(_read_message(datagram[start:end]))
            continue
        elements = _elements(datagram, start + len(_BUNDLE) + 8, end)
        if elements is None:
            return [Message("", problem="a bundle that is not whole")]
        waiting += reversed(elements)
    return found


def _elements(datagram: bytes, at: int, end: int) -> list[tuple[int, int]] | None:
    """Where the elements of a bundle lie from its first size on, or None when they do not fit."""
    if at > end:
        return None
    elements = []
    while at < end:
        size = int.from_bytes(datagram[at : at + 4], "big")
        at += 4
        if size == 0 or size % 4 or at + size > end:
            return None
        elements.append((at, at + size))
        at += size
    return elements


def _read_message(data: bytes) -> Message:
    if not data.startswith(b"/"):
        return Message("", problem="no OSC message: it does not begin with a slash")
    name, _, rest = data.partition(b"\0")
    address = name.decode("utf-8", errors="replace")
    tags_at = _padded(len(name))
    tags = data[tags_at:].partition(b"\0")[0].decode("latin-1")
    if tags and tags[0] != ",":
        return Message(address, problem="a message without the types of its arguments")
    unknown = next((tag for tag in tags[1:] if tag not in _SIZES and tag != "s"), "")
    if unknown:
        return Message(address, problem=f"argument type {unknown!r} is not understood; send numbers and texts")
    try:
        args = tuple(OscMessage(data).params)
    except ParseError:
        return Message(address, problem="a message that is not whole")
    except UnicodeDecodeError:
        return Message(address, problem="a text that is not UTF-8")
    sizes = [_padded(len(arg.encode())) if tag == "s" else _SIZES[tag] for tag, arg in zip(tags[1:], args, strict=True)]
    if rest and tags_at + (_padded(len(tags)) if tags else 0) + sum(sizes) != len(data):
        return Message(address, problem="a message whose arguments do not fill it")
    return Message(address, args)


def _padded(length: int) -> int:
    """Bytes a text takes in a message: at least one zero behind it, up to a multiple of four."""
    return length // 4 * 4 + 4
