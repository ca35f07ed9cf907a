"""The door: the desk's control socket, through which dashboards send changes. Loopback only, with a token.

One JSON object a line: first {"token": …}, then changes (`Change.to_json`). Each change taken is answered with ".",
each refused with "!".
"""

import hmac
import json
import logging
import os
import secrets
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vj.changes import Change

log = logging.getLogger("vj.door")

LINE_LIMIT = 1 << 15


class Door:
    """Listens on a free loopback port and writes host, port and token to a file only the user can read."""

    def __init__(self, file: Path, put: Callable[[Change], None], note: Callable[[str], None]) -> None:
        self._file, self._put, self._note = file, put, note
        self._token = secrets.token_hex(16)
        self._received = self._refused = 0
        self._server: socketserver.ThreadingTCPServer | None = None

    def start(self) -> None:
        """Bind, write the file and answer in threads of their own."""
        door = self

        class Visit(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                door._visit(self)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 64  # of the usual five, more visitors at once would be turned away

        self._server = Server(("127.0.0.1", 0), Visit)
        port = self._server.server_address[1]
        draft = self._file.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"host": "127.0.0.1", "port": port, "token": self._token}, file)
        draft.replace(self._file)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="door").start()

    def stop(self) -> None:
        """Close the socket and take the file away."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._file.unlink(missing_ok=True)

    def report(self) -> dict[str, Any]:
        """Counters for the desk's pulse."""
        return {"received": self._received, "refused": self._refused}

    def _visit(self, visit: Any) -> None:
        try:
            hello = json.loads(visit.rfile.readline(LINE_LIMIT))
            if not hmac.compare_digest(str(hello["token"]), self._token):
                raise ValueError("wrong token")
            while line := visit.rfile.readline(LINE_LIMIT):
                if not line.endswith(b"\n"):
                    raise ValueError("half a line, or one too long")
                visit.wfile.write(b"." if self._take(line) else b"!")
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as err:
            log.info("door: a visitor left: %s", err)

    def _take(self, line: bytes) -> bool:
        try:
            change = Change.from_json(json.loads(line))
        except (ValueError, RecursionError) as err:
            self._refused += 1
            self._note(f"door refused: {err}")
            return False
        self._received += 1
        self._note(f"{change.source or 'door'} {change.action} {change.parameter} {_short(change.value)}".rstrip())
        self._put(change)
        return True


def _short(value: Any) -> str:
    return "" if value is None else str(value)[:60]
