"""OSC: what each address asks for, what is refused, and that nothing a sender does ends the input."""

import random
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket
from pythonosc.udp_client import SimpleUDPClient

from engine.parameters import PARAMETERS, Look
from vj.changes import Change
from vj.controls import osc
from vj.controls.addresses import address_of
from vj.controls.feedback import EXPIRES_S, HOLD_S, MOST_SUBSCRIBERS, Feedback
from vj.errors import DeviceError

HOST = "127.0.0.1"
needs_oscsend = pytest.mark.skipif(shutil.which("oscsend") is None, reason="oscsend (liblo-tools) is not installed")


def _message(address: str, *args: Any) -> bytes:
    builder = OscMessageBuilder(address)
    for arg in args:
        builder.add_arg(arg)
    return bytes(builder.build().dgram)


def _bundle(*contents: bytes, time_tag: int = 1) -> bytes:
    return b"#bundle\0" + struct.pack(">Q", time_tag) + b"".join(struct.pack(">i", len(c)) + c for c in contents)


@dataclass
class Heard:
    """An OSC input on a free port, and what it handed over."""

    look: Look = field(default_factory=Look)
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.osc = osc.OscInput(HOST, 0, self.changes.append, lambda: self.look, self.notes.append)

    @property
    def port(self) -> int:
        return int(self.osc.report()["address"].rpartition(":")[2])

    def client(self) -> SimpleUDPClient:
        return SimpleUDPClient(HOST, self.port)

    def until(self, is_so: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Wait until something is so; True when it is."""
        end = time.monotonic() + timeout_s
        while not (was_so := is_so()) and time.monotonic() < end:
            time.sleep(0.005)
        return was_so

    def until_received(self, count: int) -> dict[str, Any]:
        self.until(lambda: self.osc.report()["received"] >= count)
        return self.osc.report()


@pytest.fixture
def heard() -> Iterator[Heard]:
    world = Heard()
    world.osc.start()
    yield world
    world.osc.stop()


@needs_oscsend
def test_oscsend_turns_the_temperature(heard: Heard) -> None:
    for types, value in (("f", "42.5"), ("i", "42"), ("d", "42"), ("h", "42"), ("T", None)):
        command = ["oscsend", HOST, str(heard.port), "/vj/temperature", types]
        subprocess.run(command + ([value] if value else []), check=True, timeout=10)
    report = heard.until_received(5)
    assert [change.value for change in heard.changes] == [42.5, 42.0, 42.0, 42.0, 1.0]
    assert heard.changes[0] == Change("set", 42.5, "temperature", "osc 127.0.0.1")
    assert (report["received"], report["clamped"], report["refused"]) == (5, 0, 0)
    assert heard.notes[0] == "osc 127.0.0.1 /vj/temperature 42.5"


@needs_oscsend
def test_oscsend_sends_a_prompt_with_its_fade_and_a_character_is_refused(heard: Heard) -> None:
    send = ["oscsend", HOST, str(heard.port), "/vj/prompt"]
    subprocess.run([*send, "sf", "a lighthouse in the rain", "1.5"], check=True, timeout=10)
    subprocess.run([*send, "csf", "x", "wrong", "1.5"], check=True, timeout=10)
    report = heard.until_received(2)
    assert heard.changes == [Change("prompt", "a lighthouse in the rain", "", "osc 127.0.0.1", 1.5)]
    assert report["refused"] == 1
    assert "argument type 'c' is not understood" in report["last_refused"]


def test_bad_messages_are_counted_and_shown_and_the_next_good_one_is_made(heard: Heard) -> None:
    client = heard.client()
    client.send_message("/vj/temperature", 900.0)
    client.send_message("/vj/temperature", "hot")
    client.send_message("/vj/\x1b[31mred", 1)
    client.send_message("/vj/temperature", [])
    client.send_message("/vj/temperature", float("nan"))
    client.send_message("/vj/master", 0.5)
    report = heard.until_received(6)
    assert [(change.parameter, change.value) for change in heard.changes] == [("temperature", 100.0), ("master", 0.5)]
    assert (report["received"], report["clamped"], report["refused"]) == (6, 1, 4)
    assert report["last_refused"] == "osc 127.0.0.1 /vj/temperature nan: takes a finite number, not nan"
    assert not any("\x1b" in line for line in heard.notes)


def test_nothing_a_sender_does_ends_the_input(heard: Heard) -> None:
    dice = random.Random(7)
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    whole = [_message("/vj/temperature", 5.0), _bundle(_message("/vj/kick"), _message("/vj/prompt", "x"))]
    deep = _message("/vj/kick")
    while len(deep) + 20 <= 65_507:
        deep = _bundle(deep)
    for datagram in (b"", deep, b"/" * 65_507, b"#bundle\0" * 8_000, b"#bundle\0" + b"\xff" * 4_000):
        link.sendto(datagram, (HOST, heard.port))
        time.sleep(0.01)
    for sent in range(10_000):
        data = bytearray(dice.choice(whole) if dice.random() < 0.5 else dice.randbytes(dice.randrange(120)))
        for _ in range(dice.randrange(4)):
            if data:
                data[dice.randrange(len(data))] = dice.randrange(256)
        link.sendto(bytes(data[: dice.randrange(len(data) + 1)]), (HOST, heard.port))
        if sent % 200 == 0:
            time.sleep(0.01)
    link.close()
    heard.changes.clear()
    assert heard.until(lambda: _answers(heard))
    assert heard.osc.report()["refused"] > 1000
    assert len(heard.osc._logged) <= 32


def _answers(heard: Heard) -> bool:
    heard.client().send_message("/vj/fade", 7.0)
    time.sleep(0.05)
    return any(change.parameter == "fade" and change.value == 7.0 for change in heard.changes)


def test_a_fault_further_in_is_counted_and_the_input_goes_on() -> None:
    heard = Heard()

    def put(change: Change) -> None:
        if change.value == 13.0:
            raise RuntimeError("a fault")
        heard.changes.append(change)

    heard.osc = osc.OscInput(HOST, 0, put, lambda: heard.look, heard.notes.append)
    heard.osc.start()
    try:
        heard.client().send_message("/vj/temperature", 13.0)
        heard.client().send_message("/vj/temperature", 14.0)
        assert heard.until(lambda: len(heard.changes) == 1)
        assert heard.osc.report()["last_refused"] == "fault RuntimeError, see the log"
    finally:
        heard.osc.stop()


def test_a_taken_port_is_named_before_the_show_and_at_the_start(heard: Heard) -> None:
    with pytest.raises(DeviceError, match=f"osc: port {heard.port} on 127.0.0.1 is taken"):
        osc.check(HOST, heard.port)
    other = osc.OscInput(HOST, heard.port, heard.changes.append, lambda: heard.look, heard.notes.append)
    with pytest.raises(DeviceError, match="is taken"):
        other.start()
    other.stop()
    port = heard.port
    heard.osc.stop()
    osc.check(HOST, port)


@pytest.mark.parametrize(
    ("host", "port", "why"),
    [
        ("no.such.host.invalid", 9000, "is no address"),
        ("192.0.2.1", 9000, "cannot be"),
        (HOST, 70000, "from 1 to 65535"),
    ],
)
def test_a_host_or_port_that_cannot_be_is_refused(host: str, port: int, why: str) -> None:
    with pytest.raises(DeviceError, match=why):
        osc.check(host, port)


class Listener:
    """A client with one socket that sends from it and listens on it."""

    def __init__(self, heard: Heard) -> None:
        self.heard = heard
        self.link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.link.bind((HOST, 0))
        self.link.settimeout(0.05)

        self.port = int(self.link.getsockname()[1])

    def send(self, address: str, *args: Any) -> None:
        self.link.sendto(_message(address, *args), (HOST, self.heard.port))

    def told(self, for_s: float = 0.3) -> dict[str, list[Any]]:
        """What came in this time: address → values, oldest first."""
        found: dict[str, list[Any]] = {}
        end = time.monotonic() + for_s
        while time.monotonic() < end:
            try:
                data = self.link.recv(65_535)
            except TimeoutError:
                continue
            message = OscPacket(data).messages[0].message
            found.setdefault(message.address, []).append(message.params[0])
        return found


@pytest.fixture
def listener(heard: Heard) -> Iterator[Listener]:
    client = Listener(heard)
    yield client
    client.link.close()


def test_a_subscriber_is_told_the_whole_look_and_then_every_change(heard: Heard, listener: Listener) -> None:
    heard.look = heard.look.with_values({"temperature": 61.0, "prompt_2": "a rose", "freeze": True})
    listener.send("/vj/subscribe")
    told = listener.told(0.6)
    expected = {address_of(name) for name, row in PARAMETERS.items() if row.kind != "trigger"}
    assert set(told) == expected
    assert (told["/vj/temperature"], told["/vj/prompt/2/text"], told["/vj/freeze"]) == ([61.0], ["a rose"], [1])
    heard.osc.changed("master", 0.25, "midi x")
    assert listener.told() == {"/vj/master": [0.25]}
    assert heard.osc.report()["subscribers"] == 1
    listener.send("/vj/unsubscribe")
    assert heard.until(lambda: not heard.osc.report()["subscribers"])
    heard.osc.changed("master", 0.5, "midi x")
    assert listener.told() == {}


def test_feedback_goes_to_the_port_that_was_asked_for(heard: Heard, listener: Listener) -> None:
    heard.client().send_message("/vj/subscribe", listener.port)
    assert listener.told(0.5)
    for wrong in (0, 70_000, 1.5, "x", float("nan")):
        heard.client().send_message("/vj/subscribe", wrong)
    assert heard.until(lambda: heard.osc.report()["refused"] == 5)


def test_the_newest_value_wins_at_most_thirty_times_a_second(heard: Heard, listener: Listener) -> None:
    listener.send("/vj/subscribe")
    listener.told(0.4)
    start = time.monotonic()
    for n in range(400):
        heard.osc.changed("temperature", n / 4, "midi x")
        time.sleep(0.001)
    spent = time.monotonic() - start
    values = listener.told(0.4)["/vj/temperature"]
    assert values[-1] == 99.75
    assert values == sorted(values)
    assert len(values) <= 30 * (spent + 0.1) + 2


def test_a_control_that_is_being_moved_is_not_echoed_to_who_moves_it(heard: Heard, listener: Listener) -> None:
    other = Listener(heard)
    for client in (listener, other):
        client.send("/vj/subscribe")
        client.told(0.4)
    listener.send("/vj/temperature", 77.0)
    assert heard.until(lambda: bool(heard.changes))
    heard.osc.changed("temperature", 77.0, "osc 127.0.0.1")
    heard.osc.changed("master", 0.5, "osc 127.0.0.1")
    assert other.told(0.4) == {"/vj/temperature": [77.0], "/vj/master": [0.5]}
    assert listener.told(0.2) == {"/vj/master": [0.5]}
    assert listener.told(HOLD_S + 0.3) == {"/vj/temperature": [77.0]}
    other.link.close()


def test_a_subscriber_that_has_closed_its_port_disturbs_nobody(heard: Heard, listener: Listener) -> None:
    (gone := Listener(heard)).send("/vj/subscribe")
    assert heard.until(lambda: heard.osc.report()["subscribers"] == 1)
    gone.link.close()
    listener.send("/vj/subscribe")
    listener.told(0.4)
    heard.osc.changed("temperature", 5.0, "key")
    assert listener.told() == {"/vj/temperature": [5.0]}


def test_subscriptions_expire_and_are_bounded() -> None:
    feedback, values = Feedback(), Look().values
    clients = [(HOST, 5000 + n) for n in range(MOST_SUBSCRIBERS + 1)]
    assert [feedback.subscribe(client, client[1], values, 0.0) for client in clients] == [True] * 16 + [False]
    feedback.heard(clients[0], ("temperature",), 50.0)
    assert {client for client, _ in feedback.due(EXPIRES_S + 1.0)} == {clients[0]}
    assert len(feedback) == 1
    assert feedback.subscribe(clients[-1], clients[-1][1], values, EXPIRES_S + 1.0)
    for n in range(1000):
        for name in PARAMETERS:
            feedback.changed(name, n)
    assert len(feedback.due(EXPIRES_S + 20.0)) <= 2 * len(PARAMETERS)
