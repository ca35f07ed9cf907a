"""The door: who may come in, what is taken, and that no visitor can do harm to the show or to the next one."""

import json
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from vj.changes import NAME_LIMIT, Change
from vj.controls.door import LINE_LIMIT, Door
from vj.runtime import Door as Client
from vj.runtime import Folder


class Desk:
    """Where the door leads: keeps what was let in and what was noted."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.notes: list[str] = []


@contextmanager
def open_door(root: Path, desk: Desk) -> Iterator[Door]:
    door = Door(root / "door.json", desk.changes.append, desk.notes.append)
    door.start()
    try:
        yield door
    finally:
        door.stop()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def door(tmp_path: Path, desk: Desk) -> Iterator[Door]:
    with open_door(tmp_path, desk) as door:
        yield door


@pytest.fixture
def client(tmp_path: Path, door: Door) -> Iterator[Client]:
    client = Client(Folder(tmp_path, tmp_path, tmp_path))
    yield client
    client.close()


class Visitor:
    """A bare socket at the door."""

    def __init__(self, root: Path, token: str | None = None) -> None:
        found = json.loads((root / "door.json").read_text())
        self.link = socket.create_connection((found["host"], found["port"]), timeout=5.0)
        if token is None:
            self.send(json.dumps({"token": found["token"]}).encode() + b"\n")
        elif token:
            self.send(token.encode() + b"\n")

    def send(self, raw: bytes) -> None:
        self.link.sendall(raw)

    def ask(self, raw: bytes) -> bytes:
        """The answer to a line, b"" when the door was closed instead."""
        try:
            self.send(raw)
            return self.link.recv(1)
        except ConnectionError:
            return b""


PANIC = json.dumps(Change("panic", source="key").to_json()).encode() + b"\n"


def test_a_change_arrives_as_it_was_sent(client: Client, desk: Desk) -> None:
    sent = [
        Change("set", 0.5, "temperature", "key"),
        Change("prompt", "ein Haus aus Glas ❤", source="key", seconds=1.5),
        Change("cue_go", "refrain"),
        Change("panic"),
    ]
    assert all(client.send(change) for change in sent)
    assert desk.changes == sent
    assert client.send(Change("lyric", ("now", "then"))) and list(desk.changes[-1].value) == ["now", "then"]


def test_the_report_counts_what_came_and_what_was_refused(client: Client, door: Door, desk: Desk) -> None:
    client.send(Change("panic", source="key"))
    assert not client.send(Change("explode"))
    assert not client.send(Change("cue_seek", "late"))
    assert door.report() == {"received": 1, "refused": 2}
    assert (
        desk.notes[0] == "key panic" and "not a change" in desk.notes[1] and "cue_seek does not take" in desk.notes[2]
    )


@pytest.mark.parametrize(
    "hello",
    ['{"token": "wrong"}', '{"token": "ü"}', '{"token": null}', '{"tok": 1}', "[]", "5", "null", "no json",
     "[" * 30_000, "GET / HTTP/1.1", "x" * (3 * LINE_LIMIT)],
    ids=range(11),
)  # fmt: skip
def test_without_the_token_nothing_gets_in(tmp_path: Path, door: Door, desk: Desk, hello: str) -> None:
    assert Visitor(tmp_path, hello).ask(PANIC) == b""
    assert desk.changes == [] and door.report()["received"] == 0
    assert Visitor(tmp_path).ask(PANIC) == b"."


GARBAGE = [
    b"\n", b"{}\n", b"5\n", b"null\n", b"no json\n", b"\xff\xfe\x00\n", b'{"action": ["set"]}\n', b'{"action": {}}\n',
    b'{"action": "set"}\n', b'{"action": "set", "value": [1]}\n', b'{"action": "norm", "value": true}\n',
    b'{"action": "norm", "value": NaN}\n', b'{"action": "cue_seek", "value": 1e400}\n',
    b'{"action": "lyric", "value": []}\n', b'{"action": "lyric", "value": ["a", 1]}\n',
    b'{"action": "prompt", "value": "x", "seconds": -1}\n', b'{"action": "prompt", "value": "x", "seconds": NaN}\n',
    b'{"action": "panic", "value": 1}\n', b"[" * 20_000 + b"\n",
    b'{"action": "norm", "value": 1' + b"0" * 5000 + b"}\n",
]  # fmt: skip


def test_garbage_is_refused_line_by_line_and_the_next_change_is_taken(tmp_path: Path, door: Door, desk: Desk) -> None:
    visitor = Visitor(tmp_path)
    for line in GARBAGE:
        assert visitor.ask(line) == b"!", line
    assert visitor.ask(PANIC) == b"."
    assert len(desk.changes) == 1 and door.report() == {"received": 1, "refused": len(GARBAGE)}


def test_a_line_in_pieces_is_one_change_and_half_a_line_is_none(tmp_path: Path, door: Door, desk: Desk) -> None:
    visitor = Visitor(tmp_path)
    for piece in (PANIC[:7], PANIC[7:20]):
        visitor.send(piece)
        time.sleep(0.02)
    assert visitor.ask(PANIC[20:]) == b"."
    visitor.send(PANIC[:-1])
    visitor.link.shutdown(socket.SHUT_WR)
    assert visitor.link.recv(1) == b"" and len(desk.changes) == 1


def test_two_lines_at_once_are_two_changes(tmp_path: Path, door: Door, desk: Desk) -> None:
    visitor = Visitor(tmp_path)
    assert visitor.ask(PANIC + PANIC) == b"."
    assert visitor.link.recv(1) == b"." and len(desk.changes) == 2


def test_a_huge_line_ends_the_visit_and_nobody_else_s(tmp_path: Path, client: Client, desk: Desk) -> None:
    assert client.send(Change("panic"))
    visitor = Visitor(tmp_path)
    assert visitor.ask(b'{"action": "prompt", "value": "' + b"x" * (50 * LINE_LIMIT) + b'"}\n') == b""
    assert client.send(Change("panic")) and len(desk.changes) == 2


def test_names_that_a_visitor_gives_are_cut(tmp_path: Path, door: Door, desk: Desk) -> None:
    line = {"action": "set", "value": 1, "parameter": "p" * 9000, "source": "s" * 9000}
    assert Visitor(tmp_path).ask(json.dumps(line).encode() + b"\n") == b"."
    assert desk.changes == [Change("set", 1, "p" * NAME_LIMIT, "s" * NAME_LIMIT)]


def test_many_visitors_at_once_are_all_heard(tmp_path: Path, door: Door, desk: Desk) -> None:
    idle = [Visitor(tmp_path, "") for _ in range(10)]  # come in and say nothing
    answers: list[bytes] = []

    def visit() -> None:
        visitor = Visitor(tmp_path)
        answers.extend(visitor.ask(PANIC) for _ in range(20))

    threads = [threading.Thread(target=visit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == [b"."] * 400 and len(desk.changes) == 400
    for visitor in idle:
        visitor.link.close()


@pytest.mark.skipif(os.name == "nt", reason="file modes are POSIX's")
def test_only_the_user_can_read_the_token(tmp_path: Path, door: Door) -> None:
    assert stat.S_IMODE((tmp_path / "door.json").stat().st_mode) == 0o600


def test_the_file_goes_with_the_door(tmp_path: Path, desk: Desk) -> None:
    with open_door(tmp_path, desk):
        assert json.loads((tmp_path / "door.json").read_text())["host"] == "127.0.0.1"
    assert list(tmp_path.iterdir()) == []


# The client's side


def test_without_a_desk_nothing_is_sent(tmp_path: Path) -> None:
    client = Client(Folder(tmp_path, tmp_path, tmp_path))
    assert client.send(Change("panic")) is False
    (tmp_path / "door.json").write_text('{"host": "127.0.0.1", "port": 1, "token": ""}')
    assert client.send(Change("panic")) is False


def test_the_first_change_after_a_desk_came_back_is_not_lost(tmp_path: Path) -> None:
    for _ in range(3):
        client, taken = Client(Folder(tmp_path, tmp_path, tmp_path)), list[bytes]()
        with _desk_that_dies(tmp_path, taken, answers=1):
            assert client.send(Change("panic")) is True
        after = Desk()
        with open_door(tmp_path, after):
            assert client.send(Change("cue_next")) is True
            assert [change.action for change in after.changes] == ["cue_next"]


def test_a_change_whose_answer_does_not_come_is_not_sent_twice(tmp_path: Path) -> None:
    taken: list[bytes] = []
    client = Client(Folder(tmp_path, tmp_path, tmp_path))
    with _desk_that_dies(tmp_path, taken, answers=0):
        assert client.send(Change("toggle", parameter="blackout")) is False
    assert sum(b"toggle" in line for line in taken) == 1


@contextmanager
def _desk_that_dies(root: Path, taken: list[bytes], answers: int) -> Iterator[None]:
    """A desk in another process, as far as its visitors can tell: answers so often, then hangs, then is gone."""
    server = socket.create_server(("127.0.0.1", 0))
    host, port = server.getsockname()
    (root / "door.json").write_text(json.dumps({"host": host, "port": port, "token": "t"}))
    links: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                link, _ = server.accept()
            except OSError:
                return
            links.append(link)
            lines = link.makefile("rb")
            taken.append(lines.readline())
            with suppress(ConnectionError):  # the visitor gave up first
                for n, line in enumerate(lines):
                    taken.append(line)
                    if n < answers:
                        link.sendall(b".")

    threading.Thread(target=serve, daemon=True).start()
    yield
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    for link in links:
        with suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)
        link.close()
