"""The program page in a real Chromium: what the audience sees, read off the screen."""

import io
import shutil
import socket
import threading
import time

import numpy as np
import pytest
from PIL import Image

from vj.sinks import make_sink
from vj.sinks.obs_page import obs_page

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# The last one is what obs-browser sets in its Chromium (pull request 538).
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=LocalNetworkAccessChecksWebSockets",
]
WIDTH, HEIGHT = 640, 360
WARM = ((230, 40, 20), (250, 180, 20), (120, 10, 60), (200, 90, 150))
COLD = ((10, 60, 220), (20, 200, 180), (60, 20, 160), (120, 150, 240))

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A browser sink that is fed four coloured quarters with a moving 12-bit number in the middle, 30 a second."""

    def __init__(self, port: int, colours=WARM) -> None:
        self.sink = make_sink(f"browser:{port}")
        self.number = 0
        self._base = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for quarter, colour in enumerate(colours):
            top, left = HEIGHT // 2 * (quarter // 2), WIDTH // 2 * (quarter % 2)
            self._base[top : top + HEIGHT // 2, left : left + WIDTH // 2] = colour
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._end.wait(1 / 30):
            self.number += 1
            frame = self._base.copy()
            for bit in range(12):
                frame[172:188, 224 + bit * 16 : 240 + bit * 16] = 255 * (self.number >> bit & 1)
            self.sink.send(frame)

    def __enter__(self):
        self.sink.open(WIDTH, HEIGHT, 30.0)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._end.set()
        self._thread.join()
        self.sink.close()


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def screen(chromium):
    page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    yield page
    page.close()


def _seen(screen) -> np.ndarray:
    with Image.open(io.BytesIO(_screenshot(screen))) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def _screenshot(screen) -> bytes:
    """A PNG of the page. Chromium without a GPU sometimes cannot capture on a busy machine and says so at once."""
    from playwright.sync_api import Error

    for _ in range(9):
        try:
            return screen.screenshot()
        except Error as err:
            if "Unable to capture screenshot" not in str(err):
                raise
            time.sleep(0.3)
    return screen.screenshot()


def _number(pixels: np.ndarray) -> int:
    return sum(1 << bit for bit in range(12) if pixels[180, 232 + bit * 16, 0] > 127)


def _shows(pixels: np.ndarray, colours) -> bool:
    corners = [pixels[1, 1], pixels[1, -2], pixels[-2, 1], pixels[-2, -2]]
    return all(np.abs(corner - colour).max() <= 6 for corner, colour in zip(corners, colours, strict=True))


def _watch_until(screen, claim, seconds=20.0) -> list[np.ndarray]:
    """Every picture seen until one fits the claim; fails when none does in time."""
    pictures = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pictures.append(_seen(screen))
        if claim(pictures[-1]):
            return pictures
    raise AssertionError(f"not seen in {seconds} s; corners of the last: {pictures[-1][[1, -2]][:, [1, -2]].tolist()}")


def _is_black(pixels: np.ndarray) -> bool:
    return bool((pixels.max(axis=2) < 12).mean() > 0.05)


def test_the_page_fills_its_source_with_the_program_and_nothing_else(screen):
    with Program(_free_port()) as program:
        screen.goto(program.sink.url, wait_until="commit")
        _watch_until(screen, lambda pixels: _shows(pixels, WARM))
        sizes = screen.evaluate("[document.scrollingElement.scrollWidth, document.scrollingElement.scrollHeight]")
        assert sizes == [WIDTH, HEIGHT]
        assert screen.evaluate("document.body.innerText.trim()") == ""


def test_the_page_shows_advancing_frames_close_to_the_newest(screen):
    with Program(_free_port()) as program:
        screen.goto(program.sink.url, wait_until="commit")
        _watch_until(screen, lambda pixels: _shows(pixels, WARM))
        numbers, behind = [], []
        for _ in range(8):
            numbers.append(_number(_seen(screen)))
            behind.append(program.number - numbers[-1])
        # Two screenshots may fall into one frame of the page; going back or standing still may not happen.
        assert numbers == sorted(numbers)
        assert numbers[-1] > numbers[0]
        # A screenshot itself takes a few frames; a delay that grew would show as a trend far beyond them.
        assert max(behind) <= 30


def test_the_page_waits_in_a_calm_picture_that_is_not_black(screen):
    sink = make_sink(f"browser:{_free_port()}")
    sink.open(WIDTH, HEIGHT, 30.0)
    screen.goto(sink.url, wait_until="commit")
    screen.wait_for_selector("body.live")
    assert not _is_black(_seen(screen))
    sink.close()
    assert not _is_black(_seen(screen))


def test_the_page_comes_back_by_itself_when_the_show_is_restarted(screen):
    port = _free_port()
    with Program(port) as program:
        screen.goto(program.sink.url, wait_until="commit")
        _watch_until(screen, lambda pixels: _shows(pixels, WARM))
    time.sleep(1.5)
    assert _shows(_seen(screen), WARM), "the last picture stays on while the show is away"
    with Program(port, COLD):
        pictures = _watch_until(screen, lambda pixels: _shows(pixels, COLD))
    assert not any(map(_is_black, pictures))


def test_a_page_of_another_shape_is_filled_or_shows_all_when_asked(screen):
    screen.set_viewport_size({"width": 640, "height": 480})
    with Program(_free_port()) as program:
        screen.goto(program.sink.url, wait_until="commit")
        _watch_until(screen, lambda pixels: _shows(pixels, WARM))
        screen.goto(f"{program.sink.url}?fit=contain", wait_until="commit")
        margins = _watch_until(screen, lambda pixels: np.abs(pixels[70, 1] - WARM[0]).max() <= 6)[-1]
    assert not _shows(margins, WARM)
    assert not _is_black(margins)


def test_the_local_page_waits_for_the_show_and_fades_to_it_without_black(screen, tmp_path):
    port = _free_port()
    (tmp_path / "obs.html").write_text(obs_page(port), encoding="utf-8")
    screen.goto((tmp_path / "obs.html").as_uri(), wait_until="commit")
    waiting = [_seen(screen) for _ in range(3)]
    time.sleep(2.5)
    with Program(port):
        pictures = waiting + _watch_until(screen, lambda pixels: _shows(pixels, WARM), seconds=10.0)
    assert not any(map(_is_black, pictures))


def test_the_local_page_connects_at_once_when_the_show_was_first(screen, tmp_path):
    port = _free_port()
    (tmp_path / "obs.html").write_text(obs_page(port), encoding="utf-8")
    with Program(port):
        screen.goto((tmp_path / "obs.html").as_uri(), wait_until="commit")
        _watch_until(screen, lambda pixels: _shows(pixels, WARM))


def test_the_local_page_connects_from_the_address_obs_loads_files_under(screen):
    port = _free_port()
    screen.route("http://absolute/**", lambda route: route.fulfill(body=obs_page(port), content_type="text/html"))
    screen.goto("http://absolute//home/vj/obs.html", wait_until="commit")
    time.sleep(2.5)
    with Program(port):
        _watch_until(screen, lambda pixels: _shows(pixels, WARM))
