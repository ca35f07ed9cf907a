"""The browser sink: the program as a page for OBS's browser source and as a stream, on this machine only."""

import asyncio
import errno
import logging
import os
import socket
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from vj.errors import DeviceError, UsageError
from vj.mailboxes import Rgb
from vj.standby import standby

if TYPE_CHECKING:
    from vj.sinks.server import Pages

log = logging.getLogger("vj.sinks.browser")

DEFAULT_PORT = 8090
_HOST = "127.0.0.1"
_START_S = 5.0
_STOP_S = 3.0


class Browser:
    """Serves the newest frame over HTTP. Owns the port, the server's thread and its event loop; `send` never waits."""

    def __init__(self, argument: str) -> None:
        """`argument` is the port, "" for 8090. Raises UsageError."""
        self.port = _port(argument)
        self.url = f"http://{_HOST}:{self.port}/"
        self._pages: Pages | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._fault: BaseException | None = None

    def check(self) -> None:
        """Raise DeviceError when the port is taken."""
        _bind(self.port).close()

    def open(self, width: int, height: int, fps: float) -> None:
        """Take the port and serve; the standby picture is there at once. Raises DeviceError when the port is taken."""
        taken = _bind(self.port)
        ready = threading.Event()
        first = standby(width, height, 0.0)
        self._thread = threading.Thread(target=self._run, args=(taken, first, ready), name="vj-browser", daemon=True)
        self._thread.start()
        if not ready.wait(_START_S) or self._fault is not None:
            raise DeviceError(f"browser: the server did not start: {self._fault or 'no answer'}") from self._fault

    def send(self, rgb: Rgb) -> None:
        """Replace the newest frame. Raises DeviceError when the server has ended."""
        if self._pages is None or self._thread is None or not self._thread.is_alive():
            raise DeviceError(f"browser: the server has ended: {self._fault or 'it was closed'}") from self._fault
        self._pages.newest.put(rgb.copy())

    def report(self) -> dict[str, Any]:
        """`url` of the page, `stream` address, `clients` that watch now."""
        clients = self._pages.clients if self._pages else 0
        return {"url": self.url, "stream": f"{self.url}stream.mjpg", "clients": clients}

    def close(self) -> None:
        """End the server and give the port back; clients keep their last picture and come back by themselves."""
        if self._loop is not None and self._end is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end.set)
        if self._thread is not None:
            self._thread.join(_STOP_S)

    def _run(self, taken: socket.socket, first: Rgb, ready: threading.Event) -> None:
        try:
            asyncio.run(self._serve(taken, first, ready))
        except Exception as fault:  # a thread's boundary: `open` or the next `send` says it
            log.exception("browser: the server ended")
            self._fault = fault
        finally:
            taken.close()
            ready.set()

    async def _serve(self, taken: socket.socket, first: Rgb, ready: threading.Event) -> None:
        from aiohttp import web

        from vj.sinks.server import Newest, Pages

        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._pages = Pages(Newest(first, self._loop), self.port)
        # A stream never ends by itself: without a short time-out closing would wait for its reader.
        runner = web.AppRunner(self._pages.application(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.SockSite(runner, taken).start()
            ready.set()
            await self._end.wait()
        finally:
            await runner.cleanup()

    @staticmethod
    def reason() -> str:
        """Why this sink cannot be had here, or ""."""
        return "" if find_spec("aiohttp") else "aiohttp is not installed: pip install aiohttp"


def _port(argument: str) -> int:
    if not argument:
        return DEFAULT_PORT
    if not argument.isascii() or not argument.isdigit() or not 1 <= int(argument) <= 65535:
        raise UsageError(f"browser takes a port from 1 to 65535, not {argument!r}, as in browser:{DEFAULT_PORT}")
    return int(argument)


def _bind(port: int) -> socket.socket:
    """A listening socket on this machine's own address. Raises DeviceError naming the port and the next free one."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":  # a port comes back at once after a kill; on Windows this option would steal a live one
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((_HOST, port))
        taken.listen(64)
    except OSError as error:
        taken.close()
        raise DeviceError(_why_not(port, error)) from error
    taken.setblocking(False)
    return taken


def _why_not(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"browser: port {port} is taken by another program; use --sink browser:{_next_free(port)}"
    if error.errno == errno.EACCES:
        return f"browser: port {port} is not yours to open; use --sink browser:{DEFAULT_PORT}"
    return f"browser: port {port} cannot be opened: {error.strerror or error}"


def _next_free(port: int) -> int:
    for near in range(port + 1, min(port + 32, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if probe.connect_ex((_HOST, near)):
                return near
    return DEFAULT_PORT
