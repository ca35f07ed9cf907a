"""OSC feedback: every change of a parameter is echoed on its address to whoever subscribed.

`/vj/subscribe` answers to the port it was sent from, `/vj/subscribe 9001` to that port of the sender's machine; both
are sent the whole look first. A subscription ends with `/vj/unsubscribe`, or 60 s after its client's last message of
any kind; at most 16 at a time. Of each address the newest value is sent, at most 30 times a second, and to a client
that moves the control itself only once it has let go for a second.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pythonosc.osc_message_builder import OscMessageBuilder

from engine.parameters import PARAMETERS, Value
from vj.controls.addresses import address_of

MOST_SUBSCRIBERS = 16
EXPIRES_S = 60.0
HOLD_S = 1.0
INTERVAL_S = 1.0 / 30.0

Client = tuple[Any, ...]  # as the socket gives it: host, port, and more under IPv6
_TAGS = {"number": "f", "whole": "i", "switch": "i", "choice": "s", "text": "s"}


@dataclass(slots=True)
class _Subscriber:
    """Where one client listens, where it sends from, and what it has still to be told."""

    listens: Client
    sends: Client
    expires: float
    waiting: dict[str, Value] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)  # parameter → when
    moves: dict[str, float] = field(default_factory=dict)  # parameter → when it moved it itself


class Feedback:
    """Owns the subscribers; sends nothing itself. Called from the socket's thread and from the desk's."""

    def __init__(self) -> None:
        self._subscribers: dict[Client, _Subscriber] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._subscribers)

    def subscribe(self, sender: Client, port: int, values: Mapping[str, Value], now: float) -> bool:
        """Tell this client of every change from now on, and of all values first; False when there are too many."""
        listens = (sender[0], port, *sender[2:])
        with self._lock:
            self._forget(now)
            if listens not in self._subscribers and len(self._subscribers) >= MOST_SUBSCRIBERS:
                return False
            subscriber = _Subscriber(listens, sender, now + EXPIRES_S)
            subscriber.waiting = {name: value for name, value in values.items() if PARAMETERS[name].kind in _TAGS}
            self._subscribers[listens] = subscriber
        return True

    def unsubscribe(self, sender: Client, port: int) -> None:
        """Tell this client nothing more."""
        with self._lock:
            self._subscribers.pop((sender[0], port, *sender[2:]), None)

    def heard(self, sender: Client, parameters: tuple[str, ...], now: float) -> None:
        """A client sent a message that moves these parameters: it is there, and holds these controls."""
        with self._lock:
            for subscriber in self._subscribers.values():
                if sender in (subscriber.sends, subscriber.listens):
                    subscriber.expires = now + EXPIRES_S
                    subscriber.moves.update(dict.fromkeys(parameters, now))

    def changed(self, parameter: str, value: Value) -> None:
        """A parameter has this value now."""
        if PARAMETERS[parameter].kind not in _TAGS:
            return
        with self._lock:
            for subscriber in self._subscribers.values():
                subscriber.waiting[parameter] = value

    def due(self, now: float) -> list[tuple[Client, bytes]]:
        """What is to be sent now, and where to."""
        with self._lock:
            self._forget(now)
            return [
                (subscriber.listens, _datagram(name, subscriber.waiting.pop(name)))
                for subscriber in self._subscribers.values()
                for name in _ready(subscriber, now)
            ]

    def _forget(self, now: float) -> None:
        for listens in [key for key, subscriber in self._subscribers.items() if subscriber.expires <= now]:
            del self._subscribers[listens]


def _ready(subscriber: _Subscriber, now: float) -> list[str]:
    """The parameters this client may be told of now; they are marked as told."""
    names = [
        name
        for name in subscriber.waiting
        if now - subscriber.told.get(name, -1e9) >= INTERVAL_S and now - subscriber.moves.get(name, -1e9) >= HOLD_S
    ]
    subscriber.told.update(dict.fromkeys(names, now))
    return names


def _datagram(parameter: str, value: Value) -> bytes:
    builder = OscMessageBuilder(address_of(parameter))
    tag = _TAGS[PARAMETERS[parameter].kind]
    builder.add_arg(str(value) if tag == "s" else int(value) if tag == "i" else float(value), tag)
    return bytes(builder.build().dgram)
