"""The browser sink over plain HTTP: who may read, and what a slow reader costs."""

import http.client
import io
import itertools
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import aiohttp
import numpy as np
import psutil
import pytest
from PIL import Image

from vj.errors import DeviceError
from vj.sinks import make_sink
from vj.sinks.obs_page import obs_instructions

WIDTH, HEIGHT = 320, 180
NOISE = np.random.default_rng(3).integers(60, 200, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _numbered(number: int) -> np.ndarray:
    """Noise, which makes large JPEGs, with a 12-bit number as white and black blocks along the top."""
    frame = NOISE.copy()
    for bit in range(12):
        frame[:16, bit * 16 : bit * 16 + 16] = 255 * (number >> bit & 1)
    return frame


def _number(jpeg: bytes) -> int:
    with Image.open(io.BytesIO(jpeg)) as picture:
        pixels = np.asarray(picture)
    return sum(1 << bit for bit in range(12) if pixels[8, bit * 16 + 8, 0] > 127)


class Program:
    """Feeds a sink numbered frames, 60 a second, from a thread. `number` is the newest."""

    def __init__(self, sink) -> None:
        self.number = 0
        self._sink, self._end = sink, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._end.wait(1 / 60):
            self.number += 1
            self._sink.send(_numbered(self.number))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._end.set()
        self._thread.join()


@pytest.fixture
def browser():
    sink = make_sink(f"browser:{_free_port()}")
    sink.check()
    sink.open(WIDTH, HEIGHT, 30.0)
    yield sink
    sink.close()


def _get(sink, path: str, **headers: str) -> http.client.HTTPResponse:
    link = http.client.HTTPConnection("127.0.0.1", sink.port, timeout=10)
    link.putrequest("GET", path, skip_host=True)
    for name, value in {"Host": f"127.0.0.1:{sink.port}", **headers}.items():
        link.putheader(name, value)
    link.endheaders()
    return link.getresponse()


def _parts(response: http.client.HTTPResponse):
    """The JPEGs of a multipart stream, as they come."""
    while True:
        line = response.readline()
        while not line.lower().startswith(b"content-length:"):
            line = response.readline()
        assert response.readline() == b"\r\n"
        yield response.read(int(line.split(b":")[1]))


def test_before_the_first_frame_the_standby_picture_is_served(browser):
    with Image.open(io.BytesIO(_get(browser, "/frame.jpg").read())) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert pixels.max(axis=2).min() > 20


def test_the_newest_frame_is_served_with_its_colours(browser):
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame[:, :160], frame[:, 160:] = (255, 0, 0), (20, 60, 250)
    browser.send(frame)
    frame[:] = 0
    response = _get(browser, "/frame.jpg")
    assert response.headers["Cache-Control"] == "no-store"
    with Image.open(io.BytesIO(response.read())) as picture:
        assert picture.getpixel((80, 90)) == pytest.approx((255, 0, 0), abs=4)
        assert picture.getpixel((158, 90)) == pytest.approx((255, 0, 0), abs=12)
        assert picture.getpixel((240, 90)) == pytest.approx((20, 60, 250), abs=4)


def test_the_stream_brings_advancing_frames(browser):
    with Program(browser):
        response = _get(browser, "/stream.mjpg")
        assert response.headers["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
        numbers = [_number(jpeg) for jpeg in itertools.islice(_parts(response), 20)][1:]
        assert browser.report()["clients"] == 1
        response.close()
    assert numbers == sorted(set(numbers))


def test_a_reader_that_never_reads_does_not_delay_another(browser):
    with Program(browser) as program, socket.create_connection(("127.0.0.1", browser.port)) as hung:
        hung.sendall(f"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1:{browser.port}\r\n\r\n".encode())
        response = _get(browser, "/stream.mjpg")
        behind = [program.number - _number(jpeg) for jpeg in itertools.islice(_parts(response), 60)]
        response.close()
    assert np.median(behind[5:]) <= 6


def test_a_reader_that_pauses_sees_the_newest_frames_when_it_is_back(browser):
    with Program(browser) as program:
        response = _get(browser, "/stream.mjpg")
        parts = _parts(response)
        next(parts)
        time.sleep(2.0)
        back_at = program.number
        old = len(list(itertools.takewhile(lambda jpeg: _number(jpeg) < back_at, parts)))
        response.close()
    # What lies in the socket buffers of both sides is old, and nothing else may be: 120 frames were made meanwhile.
    assert old <= 12


async def test_the_socket_sends_a_frame_only_when_asked_and_then_the_newest(browser):
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{browser.url}frames") as link:
        await link.send_str("more")
        first = await link.receive_bytes(timeout=5)
        assert first.startswith(b"\xff\xd8")
        for number in range(1, 9):
            browser.send(_numbered(number))
        with pytest.raises(TimeoutError):
            await link.receive_bytes(timeout=0.2)
        await link.send_str("more")
        assert _number(await link.receive_bytes(timeout=5)) == 8


def test_other_hosts_are_refused(browser):
    port = browser.port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
        assert _get(browser, "/alive", Host=host).status == 204
    for host in (f"evil.example:{port}", "127.0.0.1", "127.0.0.1:1", f"127.0.0.1.evil.example:{port}", ""):
        for path in ("/", "/frame.jpg", "/stream.mjpg", "/frames", "/alive"):
            assert _get(browser, path, Host=host).status in {400, 403}


def test_pages_of_other_sites_are_refused_and_file_pages_are_not(browser):
    port = browser.port
    for origin in ("null", "file://", "http://absolute", f"http://127.0.0.1:{port}", f"http://localhost:{port}"):
        assert _get(browser, "/frame.jpg", Origin=origin).status == 200
    for origin in ("https://evil.example", "http://127.0.0.1", "http://localhost:1", f"https://127.0.0.1:{port}"):
        for path in ("/", "/frame.jpg", "/stream.mjpg", "/frames"):
            assert _get(browser, path, Origin=origin).status == 403


def test_a_taken_port_is_named_with_one_that_is_free(browser):
    second = make_sink(f"browser:{browser.port}")
    for refused in (second.check, lambda: second.open(WIDTH, HEIGHT, 30.0)):
        with pytest.raises(DeviceError, match=rf"port {browser.port} is taken .*; use --sink browser:\d+"):
            refused()
    second.close()
    assert _get(browser, "/alive").status == 204


def test_only_this_machine_can_connect(browser):
    addresses = [address.address for nic in psutil.net_if_addrs().values() for address in nic]
    outer = [address for address in addresses if address.count(".") == 3 and not address.startswith("127.")]
    if not outer:
        pytest.skip("this machine has no address but loopback")
    with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
        socket.create_connection((outer[0], browser.port), timeout=2)


def test_closing_does_not_wait_for_a_reader_that_hangs():
    sink = make_sink(f"browser:{_free_port()}")
    sink.open(WIDTH, HEIGHT, 30.0)
    with socket.create_connection(("127.0.0.1", sink.port)) as hung:
        hung.sendall(f"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1:{sink.port}\r\n\r\n".encode())
        with Program(sink):
            time.sleep(0.5)
        sink.close()
        make_sink(f"browser:{sink.port}").check()
    with pytest.raises(DeviceError, match="the server has ended"):
        sink.send(_numbered(1))


SERVING = """
import sys, time
import numpy as np
from vj.sinks import make_sink
sink = make_sink("browser:" + sys.argv[1])
sink.open(64, 36, 30.0)
print("open", flush=True)
while True:
    sink.send(np.zeros((36, 64, 3), np.uint8))
    time.sleep(0.02)
"""


def test_the_port_is_free_again_at_once_when_the_process_was_killed():
    port = _free_port()
    process = subprocess.Popen([sys.executable, "-c", SERVING, str(port)], stdout=subprocess.PIPE)
    process.stdout.readline()
    with socket.create_connection(("127.0.0.1", port)) as reader:
        reader.sendall(f"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        reader.recv(1000)
        process.kill()
        process.wait(10)
        process.stdout.close()
        sink = make_sink(f"browser:{port}")
        sink.open(WIDTH, HEIGHT, 30.0)
        sink.close()


def test_the_instructions_name_the_file_and_every_address():
    text = obs_instructions(Path("show") / "obs.html", "http://127.0.0.1:8090/", 1920, 1080)
    for part in (str(Path("show") / "obs.html"), "http://127.0.0.1:8090/stream.mjpg", "mpjpeg", "1920, 1080"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 120
