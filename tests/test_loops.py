"""A frame's way with memory mailboxes: what each loop does when the one before or after it fails."""

import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.parameters import Look
from vj.changes import Change
from vj.desk import ShowDesk
from vj.loops import Looks, desk_loop, engine_loop
from vj.mailboxes import Frame, MemoryFrames, MemoryText, Rgb
from vj.pulse import Pulse, read_pulse
from vj.state import ShowState

sys.path.insert(0, str(Path(__file__).parent / "rigs"))
from turning import a_look, boxes, turns

SIZE = (64, 36)


class PaintsLevels:
    """A painter's double: frame n is of level n; raises where it is told to."""

    def __init__(self, fails_at: int = -1) -> None:
        self.painted: list[Look] = []
        self.serial = 0
        self.started_from: list[Rgb] = []
        self.fails_at = fails_at

    def paint(self, look: Look, newest: Callable[[], Look | None]) -> Rgb:
        self.painted.append(look)
        self.serial = look.serial
        if len(self.painted) == self.fails_at:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return np.full((36, 64, 3), len(self.painted), np.uint8)

    def start_from(self, rgb: Rgb) -> None:
        self.started_from.append(rgb)

    def report(self) -> dict[str, Any]:
        return {"guide": "double"}


def test_a_look_that_cannot_be_read_leaves_the_one_before() -> None:
    looks, _, _ = boxes(a_look(temperature=12))
    reader = Looks(looks)
    first = reader.newest()
    for text in ("", "{", "[]", "null", json.dumps({"values": {"temperature": "hot"}})):
        looks.put(text)
        assert reader.newest() is first
    looks.put(a_look(temperature=13))
    assert reader.newest().number("temperature") == 13  # type: ignore[union-attr]


def test_an_unreadable_look_is_logged_once_not_at_every_turn(caplog: pytest.LogCaptureFixture) -> None:
    looks, _, _ = boxes("{")
    reader = Looks(looks)
    with caplog.at_level(logging.ERROR):
        assert [reader.newest() for _ in range(50)] == [None] * 50
    assert len(caplog.records) == 1


def test_the_desk_publishes_a_look_only_when_it_is_another_one() -> None:
    class Counted(MemoryText):
        puts = 0

        def put(self, text: str) -> None:
            self.puts += 1
            super().put(text)

    looks, desk = Counted(), ShowDesk(ShowState(Look(), Look()))
    change = {3: Change("set", 5, "temperature"), 6: Change("set", 6, "temperature")}
    keep_on = turns(9, lambda n: desk.put(change[n]) if n in change else None)
    desk_loop(desk, looks, MemoryFrames(), Pulse(MemoryText()), keep_on)
    assert looks.puts == 3
    assert Look.from_json(looks.newest() or "").number("temperature") == 6


@pytest.mark.parametrize("is_painted", [True, False])
def test_the_song_starts_when_a_painted_frame_is_seen(is_painted: bool) -> None:
    looks, frames, pulse = boxes()
    desk = ShowDesk(ShowState(Look(), Look()))
    frames.put(Frame(np.zeros((2, 2, 3), np.uint8), 1, 0.0, 1, is_painted))
    desk_loop(desk, looks, frames, Pulse(pulse), turns(2))
    assert desk.state.clock.state == ("running" if is_painted else "waiting")


# The engine's loop


def test_each_frame_says_which_look_it_was_painted_from_and_when_it_was_begun() -> None:
    looks, frames, pulse = boxes(a_look())
    began = time.monotonic()
    engine_loop(PaintsLevels(), looks, frames, Pulse(pulse), turns(3))
    frame = frames.newest()
    assert frame is not None and (frame.number, frame.look, frame.is_painted) == (3, 7, True)
    assert began <= frame.painted_at <= time.monotonic() and (frame.rgb == 3).all()
    assert read_pulse(pulse)["guide"] == "double"


def test_a_look_that_comes_while_a_frame_is_painted_is_there_for_it_and_labels_it() -> None:
    looks, frames, pulse = boxes(a_look())

    class TakesUp(PaintsLevels):
        def paint(self, look: Look, newest: Callable[[], Look | None]) -> Rgb:
            looks.put(replace(look, serial=8).to_json())
            found = newest()
            rgb = super().paint(look, newest)
            self.serial = found.serial if found else -1
            return rgb

    engine_loop(TakesUp(), looks, frames, Pulse(pulse), turns(1))
    assert frames.newest().look == 8  # type: ignore[union-attr]


@pytest.mark.parametrize("look", [None, Look().to_json(), "{"], ids=["no look", "no prompt", "an unreadable look"])
def test_without_anything_to_paint_the_engine_waits_and_says_so(look: str | None) -> None:
    looks, frames, pulse = boxes(look)
    painter = PaintsLevels()
    engine_loop(painter, looks, frames, Pulse(pulse), turns(3))
    assert painter.painted == [] and frames.newest() is None and read_pulse(pulse)["state"] == "waiting"


def test_a_new_engine_goes_on_from_the_frame_and_the_number_that_are_there() -> None:
    looks, frames, pulse = boxes(a_look())
    frames.put(Frame(np.full((36, 64, 3), 99, np.uint8), 41, 0.0, 3, True))
    painter = PaintsLevels()
    engine_loop(painter, looks, frames, Pulse(pulse), turns(1))
    assert [int(rgb.max()) for rgb in painter.started_from] == [99]
    assert frames.newest(after=41).number == 42  # type: ignore[union-attr]


def test_a_standby_frame_is_nothing_to_go_on_from() -> None:
    looks, frames, pulse = boxes(a_look())
    frames.put(Frame(np.zeros((36, 64, 3), np.uint8), 5, 0.0, 0, False))
    painter = PaintsLevels()
    engine_loop(painter, looks, frames, Pulse(pulse), turns(1))
    assert painter.started_from == []


def test_a_fault_of_the_painter_ends_the_process_and_leaves_the_last_frame() -> None:
    looks, frames, pulse = boxes(a_look())
    with pytest.raises(RuntimeError, match="CUDA"):
        engine_loop(PaintsLevels(fails_at=4), looks, frames, Pulse(pulse), turns(9))
    assert frames.newest().number == 3  # type: ignore[union-attr]


def test_the_rate_asked_for_is_a_ceiling_and_lost_time_is_not_caught_up() -> None:
    looks, frames, pulse = boxes(a_look(engine_fps=50.0))
    painter = PaintsLevels()
    began = time.monotonic()
    engine_loop(painter, looks, frames, Pulse(pulse), turns(11, lambda n: time.sleep(0.5) if n == 1 else None))
    assert time.monotonic() - began > 0.5 + 9 / 50 - 0.27


def test_the_engine_is_loading_until_its_first_frame_however_long_that_takes() -> None:
    looks, frames, pulse = boxes()
    said: list[str] = []

    class Watched(PaintsLevels):
        def paint(self, look: Look, newest: Callable[[], Look | None]) -> Rgb:
            said.append(read_pulse(pulse)["state"])
            time.sleep(0.12)
            return super().paint(look, newest)

    keep_on = turns(5, lambda n: looks.put(a_look()) if n == 2 else None)
    engine_loop(Watched(), looks, frames, Pulse(pulse), keep_on)
    assert said == ["loading", "painting", "painting"]
