"""OSC in and feedback out: one UDP socket, one thread. Addresses stand in addresses.py, feedback in feedback.py."""

import errno
import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.parameters import Look, Value
from vj.changes import Change
from vj.controls.addresses import Args, Refused, translate
from vj.controls.feedback import MOST_SUBSCRIBERS, Client, Feedback
from vj.controls.packets import Message, read_packet
from vj.errors import DeviceError

log = logging.getLogger("vj.osc")

LARGEST_DATAGRAM = 65_535
_WAIT_S = 0.2
_FEEDBACK_S = 1.0 / 60.0
_ADDRESSES_LOGGED = 32


def check(host: str, port: int) -> None:
    """Raise DeviceError when this port cannot be listened on now. Leaves nothing open."""
    _bound(host, port).close()


class OscInput:
    """Listens for OSC and hands over changes. Owns the socket, its thread and the counters."""

    def __init__(
        self,
        host: str,
        port: int,
        put: Callable[[Change], None],
        look: Callable[[], Look],
        note: Callable[[str], None],
    ) -> None:
        """`put` takes each change, `look` gives the values a new subscriber is told, `note` a line for the monitor."""
        self._host, self._port = host, port
        self._put, self._look, self._note = put, look, note
        self._feedback = Feedback()
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._received = self._clamped = self._refused = 0
        self._last_refused = ""
        self._logged: set[str] = set()

    def start(self) -> None:
        """Bind and listen. Raises DeviceError naming the port when it is taken."""
        self._socket = _bound(self._host, self._port)
        self._ended.clear()
        self._thread = threading.Thread(target=self._listen, args=(self._socket,), daemon=True, name="osc")
        self._thread.start()

    def stop(self) -> None:
        """Listen no more and free the port."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(2.0)
        if self._socket is not None:
            self._socket.close()
        self._socket = self._thread = None

    def changed(self, parameter: str, value: Value, source: str = "") -> None:
        """A parameter has this value now, whoever moved it: subscribers are told. From any thread; never waits."""
        self._feedback.changed(parameter, value)

    def report(self) -> dict[str, Any]:
        """Counters for the pulse. `received` counts every message, also those clamped or refused."""
        return {
            "received": self._received,
            "clamped": self._clamped,
            "refused": self._refused,
            "address": self._address(),
            "last_refused": self._last_refused,
            "subscribers": len(self._feedback),
        }

    def _address(self) -> str:
        port = self._port
        if self._socket is not None:
            port = self._socket.getsockname()[1]
        return f"{self._host}:{port}"

    def _listen(self, link: socket.socket) -> None:
        feedback_due = 0.0
        while not self._ended.is_set():
            link.settimeout(_FEEDBACK_S if len(self._feedback) else _WAIT_S)
            try:
                self._take(*link.recvfrom(LARGEST_DATAGRAM))
            except TimeoutError:
                pass
            except OSError:
                # Windows reports here that a subscriber has closed its port; a broken socket must not spin.
                self._ended.wait(0.01)
            except Exception as err:  # noqa: BLE001 - the boundary: no datagram may end the thread
                self._refuse("", f"fault {type(err).__name__}, see the log")
                self._log_once(f"fault {type(err).__name__}", err)
            now = time.monotonic()
            if now >= feedback_due:
                feedback_due = now + _FEEDBACK_S
                self._send_feedback(link, now)

    def _send_feedback(self, link: socket.socket, now: float) -> None:
        for client, datagram in self._feedback.due(now):
            try:
                link.sendto(datagram, client)
            except OSError as err:
                self._log_once(f"no feedback to {client[0]}:{client[1]}: {err}")

    def _take(self, datagram: bytes, sender: Client) -> None:
        for message in read_packet(datagram):
            self._received += 1
            shown = f"osc {sender[0]} {_shown(message.address, message.args)}"
            try:
                self._make(message, sender)
            except Refused as why:
                self._refuse(shown, str(why))
                self._log_once(f"{message.address}", why)
            else:
                self._note(shown)

    def _make(self, message: Message, sender: Client) -> None:
        """Do what a message asks for. Raises Refused."""
        if message.problem:
            raise Refused(message.problem)
        now = time.monotonic()
        if message.address in ("/vj/subscribe", "/vj/unsubscribe"):
            self._subscribe(message, sender, now)
            return
        asked = translate(message.address, message.args)
        self._clamped += asked.is_clamped
        self._feedback.heard(sender, tuple(change.parameter for change in asked.changes), now)
        for change in asked.changes:
            self._put(replace(change, source=f"osc {sender[0]}"))

    def _subscribe(self, message: Message, sender: Client, now: float) -> None:
        port = _port(message.args, sender)
        if message.address == "/vj/unsubscribe":
            self._feedback.unsubscribe(sender, port)
        elif not self._feedback.subscribe(sender, port, self._look().values, now):
            raise Refused(f"{MOST_SUBSCRIBERS} clients are subscribed already")

    def _refuse(self, shown: str, why: str) -> None:
        self._refused += 1
        self._last_refused = f"{shown}: {why}" if shown else why
        self._note(f"{shown} refused: {why}")

    def _log_once(self, what: str, why: Exception | None = None) -> None:
        """Write to the log what was not there yet; a flood of different ones is cut short."""
        if what in self._logged or len(self._logged) >= _ADDRESSES_LOGGED:
            return
        self._logged.add(what)
        is_fault = why is not None and not isinstance(why, Refused)
        log.warning("osc: %s%s", _printable(what), f": {why}" if why else "", exc_info=why if is_fault else None)


def _bound(host: str, port: int) -> socket.socket:
    """A UDP socket on this host and port (0: a free one). Raises DeviceError saying why there is none."""
    if not 0 <= port <= 65_535:
        raise DeviceError(f"osc: port must be from 1 to 65535, not {port}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as err:
        raise DeviceError(f"osc: {host!r} is no address: {err}") from err
    # Senders that are told "localhost" mostly mean 127.0.0.1, whichever the system names first.
    family, kind, _, _, address = min(found, key=lambda row: row[0] != socket.AF_INET)
    link = socket.socket(family, kind)
    try:
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)  # Windows alone lets two programs share a port
        if exclusive is not None:
            link.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        link.bind(address)
    except OSError as err:
        link.close()
        raise DeviceError(_why_not(host, port, err)) from err
    return link


def _why_not(host: str, port: int, err: OSError) -> str:
    another = "choose another with --osc HOST:PORT"
    if err.errno == errno.EADDRINUSE:
        return f"osc: port {port} on {host} is taken by another program; close it, or {another}"
    if err.errno in (errno.EACCES, errno.EPERM):
        return f"osc: port {port} on {host} is not allowed for this user; {another}"
    return f"osc: port {port} on {host} cannot be listened on ({err.strerror or err}); {another}"


def _port(args: Args, sender: Client) -> int:
    if not args:
        return int(sender[1])
    port = args[0]
    if len(args) > 1 or isinstance(port, str | bool) or not (1 <= port <= 65_535) or port != round(port):
        raise Refused("takes the port to answer to, or nothing for the port it was sent from")
    return round(port)


def _shown(address: str, args: Args) -> str:
    """A message as one short line without anything a terminal would obey."""
    texts = [f"{arg:g}" if isinstance(arg, float) else repr(arg) for arg in args[:8]]
    line = _printable(" ".join([address, *texts]))
    return line if len(line) <= 100 else line[:99] + "…"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
