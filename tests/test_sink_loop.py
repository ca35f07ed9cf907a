"""The sink's loop: a device that fails blinks alone, is opened again with more and more patience, and never ends it."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from vj.errors import DeviceError
from vj.loops import HELD_AFTER_S, sink_loop
from vj.mailboxes import Frame, MemoryFrames, MemoryText, Rgb
from vj.pulse import Pulse, read_pulse

SIZE = (64, 36)
RETRY_S = (0.1, 0.3, 0.6)


class Device:
    """A sink's double, shared by every sink made for it: keeps what was done to it and fails as it is told."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.sent: list[tuple[float, Rgb]] = []
        self.opened_at: list[float] = []
        self.faults: dict[str, Exception] = {}
        self.opening_s = 0.0

    def _do(self, what: str) -> None:
        self.did.append(what)
        if what in self.faults:
            raise self.faults[what]

    def open(self, width: int, height: int, fps: float) -> None:
        self.opened_at.append(time.monotonic())
        time.sleep(self.opening_s)
        self._do("open")

    def send(self, rgb: Rgb) -> None:
        self.sent.append((time.monotonic(), rgb))
        self._do("send")

    def report(self) -> dict[str, Any]:
        if "report" in self.faults:
            raise self.faults["report"]
        return {"url": "http://somewhere"}

    def close(self) -> None:
        self._do("close")

    def check(self) -> None:
        """Never asked for by the loop."""


class Show:
    """A sink's loop in a thread of its own, fed by hand."""

    def __init__(self) -> None:
        self.device, self.program, self.box = Device(), MemoryFrames(), MemoryText()
        self.ended, self.number = threading.Event(), 0
        args = (lambda: self.device, SIZE, 30.0, self.program, Pulse(self.box), lambda: not self.ended.is_set())
        self.thread = threading.Thread(target=sink_loop, args=args, daemon=True)

    def put(self, level: int) -> None:
        self.number += 1
        self.program.put(Frame(np.full((36, 64, 3), level, np.uint8), self.number, 0.0, 1, True))

    def until(self, claim: Callable[[], Any], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not claim():
            assert time.monotonic() < deadline, f"it did not come to that; so far: {self.device.did[-9:]}"
            assert self.thread.is_alive() or self.ended.is_set(), "the loop has ended by itself"
            time.sleep(0.005)

    @property
    def level(self) -> int:
        """The level of the last frame that was sent, -1 when it was no flat one."""
        rgb = self.device.sent[-1][1]
        return int(rgb[0, 0, 0]) if rgb.min() == rgb.max() else -1

    @property
    def pulse(self) -> dict[str, Any]:
        return read_pulse(self.box)


@contextmanager
def running(show: Show) -> Iterator[Show]:
    show.thread.start()
    try:
        yield show
    finally:
        show.ended.set()
        show.thread.join(5.0)
        assert not show.thread.is_alive()


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    monkeypatch.setattr("vj.loops.SINK_RETRY_S", RETRY_S)
    return Show()


def test_before_the_program_has_a_frame_the_standby_picture_is_sent_at_the_rate(show: Show) -> None:
    with running(show):
        show.until(lambda: len(show.device.sent) > 10)
        assert all(15 < rgb.mean() < 140 and rgb.shape == (36, 64, 3) for _, rgb in show.device.sent)
        assert show.device.sent[10][0] - show.device.sent[0][0] > 8 / 30
        show.put(200)
        show.until(lambda: show.level == 200)
        show.until(lambda: show.pulse["state"] in ("ok", "waiting"))
    assert show.device.did[0] == "open" and show.device.did[-1] == "close" and show.device.did.count("close") == 1
    assert show.pulse["url"] == "http://somewhere" and show.pulse["error"] == ""


def test_every_new_frame_is_sent_at_once_and_only_once(show: Show) -> None:
    with running(show):
        show.until(lambda: show.device.sent)
        for level in range(10, 30):
            show.put(level)
            show.until(lambda level=level: show.level == level, 0.2)
    levels = [int(rgb[0, 0, 0]) for _, rgb in show.device.sent if (rgb == rgb[0, 0, 0]).all()]
    assert levels == list(range(10, 30))


def test_when_the_program_is_dead_the_last_frame_is_held(show: Show) -> None:
    show.put(77)
    with running(show):
        show.until(lambda: len(show.device.sent) >= 4)
        show.until(lambda: show.pulse["state"] == "waiting")
    assert all((rgb == 77).all() for _, rgb in show.device.sent)
    gaps = [after - before for (before, _), (after, _) in itertools.pairwise(show.device.sent)]
    assert min(gaps[1:]) >= HELD_AFTER_S * 0.9


def test_a_device_that_fails_in_mid_show_is_closed_opened_again_and_goes_on(show: Show) -> None:
    show.put(50)
    with running(show):
        show.until(lambda: show.device.sent)
        show.device.faults["send"] = OSError("the camera was unplugged")
        show.put(51)
        show.until(lambda: show.pulse["state"] == "failed")
        assert show.pulse["error"] == "the camera was unplugged"
        del show.device.faults["send"]
        show.put(52)
        show.until(lambda: show.level == 52)
        show.until(lambda: show.pulse["state"] != "failed" and show.pulse["error"] == "")
    did = [what for what, _ in itertools.groupby(show.device.did)]
    assert did == ["open", "send", "close"] * (len(did) // 3) and len(did) > 3


@pytest.mark.parametrize("fault", [DeviceError("no camera found"), AssertionError(), MemoryError()])
def test_a_device_that_cannot_be_opened_is_tried_again_with_more_and_more_patience(
    show: Show, fault: Exception
) -> None:
    show.device.faults["open"] = fault
    with running(show):
        show.until(lambda: len(show.device.opened_at) == 3)
        assert show.device.sent == [] and show.pulse["error"] == (str(fault) or type(fault).__name__)
        waits = [after - before for before, after in itertools.pairwise(show.device.opened_at)]
        assert waits[0] >= RETRY_S[0] and waits[1] > 1.5 * waits[0] > 0
        del show.device.faults["open"]
        show.until(lambda: show.device.sent)
    assert show.device.did.count("open") == show.device.did.count("close")


def test_a_device_that_opens_but_takes_nothing_is_not_opened_twice_a_second_for_ever(show: Show) -> None:
    show.device.faults["send"] = OSError("no space left")
    with running(show):
        show.until(lambda: len(show.device.opened_at) == 3)
    first, second, third = show.device.opened_at
    assert third - second > 1.5 * (second - first)


def test_a_device_that_fails_to_close_or_to_report_does_not_end_the_loop(show: Show) -> None:
    show.device.faults |= {"close": OSError("stuck"), "send": OSError("gone"), "report": RuntimeError("no report")}
    with running(show):
        time.sleep(0.3)
        assert show.thread.is_alive()
        show.device.faults.clear()
        show.until(lambda: show.device.sent)


def test_a_slow_opening_is_told_beforehand(show: Show) -> None:
    show.device.faults["open"] = OSError("not yet")
    with running(show):
        show.until(lambda: show.pulse.get("state") == "failed")
        show.device.faults.clear()
        show.device.opening_s = 0.5
        show.until(lambda: len(show.device.opened_at) == 2)
        time.sleep(0.25)
        assert show.pulse["state"] == "opening", "the keeper would take it for a working sink that hangs"


def test_the_end_of_a_show_does_not_wait_for_the_next_try(show: Show) -> None:
    show.device.faults["open"] = OSError("never")
    with running(show):
        show.until(lambda: len(show.device.opened_at) == 3)
        began = time.monotonic()
        show.ended.set()
        show.thread.join(5.0)
    assert time.monotonic() - began < 1.0
