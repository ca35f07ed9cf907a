"""What the audience gets with memory mailboxes: standby, the picture, and something whatever fails."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vj.loops import ProgramBoxes, program_loop
from vj.mailboxes import Frame, MemoryFrames, MemoryText
from vj.pace import Pace
from vj.program.mix import HOLDING_AFTER_S, Mix
from vj.pulse import Pulse, read_pulse
from vj.standby import standby

sys.path.insert(0, str(Path(__file__).parent / "rigs"))
from turning import a_look, boxes, turns

SIZE = (64, 36)


class Stage:
    """The program's loop on a hand clock, one turn after the other; keeps every frame the audience got."""

    def __init__(self, look: str | None = None, smooth: float = 0.0) -> None:
        self.looks, self.frames, self.pulse = boxes(look or a_look(smooth=smooth))
        self.program, self.now, self.shown = MemoryFrames(), 0.0, list[Frame]()

    def run(self, count: int, before_each: Callable[[int], None] = lambda n: None) -> list[Frame]:
        """The frames of so many turns of a program that has just been started."""
        seen: list[Frame] = []

        def step(n: int) -> None:
            if n:
                seen.append(self.program.newest())  # type: ignore[arg-type]
            before_each(n)

        pace = Pace(30.0, lambda: self.now, self._sleep)
        boxes = ProgramBoxes(self.looks, self.frames, self.program)
        program_loop(Mix(*SIZE, self.now), boxes, Pulse(self.pulse, 0.0), pace, turns(count, step))
        self.shown = [*seen, self.program.newest()]  # type: ignore[list-item]
        return self.shown

    def paint(self, number: int, level: int = 150) -> None:
        self.frames.put(Frame(np.full((36, 64, 3), level, np.uint8), number, self.now, number, True))

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def test_the_audience_gets_standby_then_the_picture_then_keeps_it_alive() -> None:
    stage = Stage()

    def engine(n: int) -> None:
        if 10 <= n < 20:  # paints for ten turns, then it is dead
            stage.paint(n)

    frames = stage.run(200, engine)
    assert all(np.array_equal(frame.rgb, standby(*SIZE, (n + 1) / 30)) for n, frame in enumerate(frames[:10]))
    assert [frame.is_painted for frame in frames] == [False] * 10 + [True] * 190
    assert all(frame.rgb.mean() > 15 for frame in frames) and all(frame.rgb.mean() > 149 for frame in frames[10:])
    assert read_pulse(stage.pulse)["holding"] is True
    assert [frame.number for frame in frames] == list(range(1, 201))


def test_an_engine_that_comes_back_ends_the_holding() -> None:
    stage = Stage()
    back = 5 + int(30 * HOLDING_AFTER_S) + 30
    holding: list[bool] = []

    def engine(n: int) -> None:
        if n:
            holding.append(read_pulse(stage.pulse)["holding"])
        if n == 5 or n >= back:
            stage.paint(n)

    stage.run(back + 5, engine)
    assert holding[back - 1] and not holding[back] and not holding[10]


def test_a_blackout_is_in_the_very_next_frame_and_so_is_its_end() -> None:
    stage = Stage()
    stage.paint(1)
    looks = {3: a_look(smooth=0.0, blackout=True), 6: a_look(smooth=0.0)}
    frames = stage.run(9, lambda n: stage.looks.put(looks[n]) if n in looks else None)
    assert [bool(frame.rgb.any()) for frame in frames] == [True] * 3 + [False] * 3 + [True] * 3


def test_a_freeze_outlives_new_frames_and_a_dead_engine() -> None:
    stage = Stage()
    stage.paint(1, level=100)

    def engine(n: int) -> None:
        if n == 2:
            stage.looks.put(a_look(smooth=0.0, freeze=True))
        if 3 <= n < 10:
            stage.paint(n, level=200)

    frames = stage.run(120, engine)
    assert all((frame.rgb == 100).all() for frame in frames)


def test_a_program_that_was_killed_goes_on_with_the_next_number_and_never_with_black() -> None:
    stage = Stage(smooth=0.5)
    stage.paint(1)
    stage.run(20)
    frames = stage.run(20)  # a new process: a new mix, the same mailboxes, the engine's frame still there
    assert [frame.number for frame in frames] == list(range(21, 41))
    assert all(frame.rgb.mean() > 149 and frame.is_painted for frame in frames)


def test_a_program_without_any_look_still_shows_something() -> None:
    stage = Stage()
    stage.looks = MemoryText()
    assert all(frame.rgb.mean() > 15 for frame in stage.run(3))
    stage.looks.put("not a look")
    assert all(frame.rgb.mean() > 15 for frame in stage.run(3))


def test_the_canvas_may_change_its_size_while_the_program_keeps_its_own() -> None:
    stage = Stage()

    def engine(n: int) -> None:
        height, width = [(36, 64), (90, 122), (1, 300), (720, 64)][n % 4]
        stage.frames.put(Frame(np.full((height, width, 3), 150, np.uint8), n, 0.0, 1, True))

    assert {frame.rgb.shape for frame in stage.run(40, engine)} == {(36, 64, 3)}


def test_the_program_says_which_look_its_newest_frame_was_painted_from() -> None:
    stage = Stage()
    frames = stage.run(6, lambda n: stage.paint(n, 150) if n in (2, 4) else None)
    assert [frame.look for frame in frames] == [0, 0, 2, 2, 4, 4]
