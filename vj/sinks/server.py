"""What the browser sink serves: the program page, its frames, an MJPEG stream and the newest frame as JPEG.

    GET /             the page for OBS's browser source; `?fit=contain` shows all of the picture instead of filling
    GET /frames       WebSocket: each text from the client asks for one frame newer than its last, sent as one JPEG
    GET /stream.mjpg  multipart/x-mixed-replace of JPEGs, for media players and OBS's media source
    GET /frame.jpg    the newest frame
    GET /alive        nothing, 204: whether the show is there

Newest frame wins everywhere: a client gets no frame before it took the last one, so that none costs more than its own
delay. A request whose Host or Origin is not this machine's own is refused with 403, against DNS rebinding and pages of
other sites that read along.
"""

import asyncio
import io
import socket
from collections.abc import Awaitable, Callable

from aiohttp import web

from vj.mailboxes import Rgb
from vj.sinks.pages import program_page

# JPEG 4:4:4 at 90: 1 ms at 640x360, 4 ms at 1280x720 on one core; at 4:2:0 saturated edges smear on a projector.
_QUALITY = 90

# Doubled by Linux; about two frames may lie in the kernel for a slow stream before it skips to the newest.
_STREAM_BUFFER = 1 << 16

# Pages that are not served from here but may connect: files ("null" or "file://", by browser), and files in OBS, which
# its browser source loads from this made-up host.
_FILE_ORIGINS = frozenset({"null", "file://", "http://absolute"})

_BOUNDARY = "frame"


class Newest:
    """The newest frame for any number of clients, encoded once and only when one asks. Owned by the server's loop."""

    def __init__(self, rgb: Rgb, loop: asyncio.AbstractEventLoop) -> None:
        self._frame = (1, rgb)
        self._jpeg = (0, b"")
        self._loop = loop
        self._changed = asyncio.Event()

    def put(self, rgb: Rgb) -> None:
        """Replace the frame, from any thread. Raises RuntimeError when the server has ended."""
        self._frame = (self._frame[0] + 1, rgb)
        self._loop.call_soon_threadsafe(self._wake)

    def jpeg(self) -> tuple[int, bytes]:
        """The newest frame's number and the frame as JPEG."""
        number, rgb = self._frame
        if self._jpeg[0] != number:
            self._jpeg = (number, as_jpeg(rgb))
        return self._jpeg

    async def after(self, number: int) -> tuple[int, bytes]:
        """The newest frame as soon as there is one of another number than this."""
        while self._frame[0] == number:
            await self._changed.wait()
        return self.jpeg()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def as_jpeg(rgb: Rgb) -> bytes:
    """A frame, uint8 (h, w, 3), as JPEG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=_QUALITY, subsampling=0)
    return file.getvalue()


class Pages:
    """The routes over one newest frame. `clients` counts those that watch now."""

    def __init__(self, newest: Newest, port: int) -> None:
        self.newest, self.clients = newest, 0
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        self._origins = _FILE_ORIGINS | {f"http://{host}" for host in self._hosts}

    def application(self) -> web.Application:
        """The aiohttp application, guarded."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/", _page)
        app.router.add_get("/alive", _alive)
        app.router.add_get("/frame.jpg", self._frame)
        app.router.add_get("/stream.mjpg", self._stream)
        app.router.add_get("/frames", self._frames)
        return app

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.host.lower() not in self._hosts:
            return web.Response(status=403, text="this show answers to 127.0.0.1 and localhost only\n")
        origin = request.headers.get("Origin")
        if origin is not None and origin.lower() not in self._origins:
            return web.Response(status=403, text="pages of other sites may not read the program\n")
        return await handler(request)

    async def _frame(self, _request: web.Request) -> web.Response:
        return web.Response(body=self.newest.jpeg()[1], content_type="image/jpeg", headers=_FRESH)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        response = web.StreamResponse(headers={"Content-Type": kind, **_FRESH})
        await response.prepare(request)
        _keep_little(request)
        self.clients += 1
        try:
            await response.write(f"--{_BOUNDARY}\r\n".encode())
            number = 0
            while True:
                number, jpeg = await self.newest.after(number)
                head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                # The boundary follows at once: browsers show a part only when they have seen where it ends.
                await response.write(head.encode() + jpeg + f"\r\n--{_BOUNDARY}\r\n".encode())
        except ConnectionError:
            return response
        finally:
            self.clients -= 1

    async def _frames(self, request: web.Request) -> web.StreamResponse:
        link = web.WebSocketResponse(compress=False, max_msg_size=64)
        await link.prepare(request)
        self.clients += 1
        number = 0
        try:
            async for _ in link:
                number, jpeg = await self.newest.after(number)
                await link.send_bytes(jpeg)
        except ConnectionError:
            pass
        finally:
            self.clients -= 1
        return link


_FRESH = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


async def _page(_request: web.Request) -> web.Response:
    return web.Response(text=program_page(), content_type="text/html", headers=_FRESH)


async def _alive(_request: web.Request) -> web.Response:
    return web.Response(status=204, headers=_FRESH)


def _keep_little(request: web.Request) -> None:
    """Let kernel and transport hold as little of a stream as they can: a slow client skips instead of lagging."""
    if request.transport is None:
        return
    request.transport.set_write_buffer_limits(0)
    raw = request.transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _STREAM_BUFFER)
