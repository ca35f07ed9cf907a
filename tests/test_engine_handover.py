"""Frames on their way from the device: handed out at once, or one later where the device would have to idle else."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.guides.loading import load_guide
from engine.handover import Handover, Painted
from engine.marks import Marks
from engine.parameters import Look
from engine.picture import as_levels, as_rgb
from engine.step import Engine

CPU = torch.device("cpu")


@dataclass
class Clock:
    """A clock that goes on by a millisecond whenever it is read, or as far as something takes."""

    now: float = 0.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


@dataclass
class Slow:
    """A frame of a device that works on one after the other."""

    painted: Painted
    clock: Clock
    done_at: float
    waited: list[int] = field(default_factory=list)

    def is_there(self) -> bool:
        return self.clock.now >= self.done_at

    def frame(self) -> tuple[NDArray[np.uint8], bool]:
        self.clock.now = max(self.clock.now, self.done_at)
        return self.painted.levels.numpy(), bool(self.painted.is_sound)


def a_frame(number: int, is_sound: bool = True) -> Painted:
    levels = torch.full((4, 6, 3), number, dtype=torch.uint8)
    return Painted(levels, torch.tensor(is_sound), number, (2, 4), (0.0, 0.0, 0.0), (4, 6))


def a_show(takes_s: float, waits: bool = False, frames: int = 8, every_s: float = 0.02) -> tuple[list[int], float]:
    """The numbers of the frames handed out by a device that takes so long for each, and when the last one was."""
    clock, busy_until = Clock(), 0.0

    def copy(painted: Painted) -> Slow:
        nonlocal busy_until
        busy_until = max(busy_until, clock.now) + takes_s
        return Slow(painted, clock, busy_until)

    handover, shown = Handover(CPU, waits, clock, copy), [0]
    for number in range(1, frames + 1):
        until = clock.now + every_s
        handover.give(a_frame(number))
        found = handover.take(until)
        shown.append(shown[-1] if found is None else int(found.frame()[0].max()))
        clock.now = max(clock.now, until)
    return shown[1:], clock.now


@pytest.fixture(autouse=True)
def no_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.handover.NAP_S", 0.0)


def test_a_device_that_keeps_up_hands_each_frame_out_at_once() -> None:
    shown, _ = a_show(takes_s=0.012)
    assert shown == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_device_that_is_the_limit_always_has_the_next_frame_to_work_on() -> None:
    shown, ended = a_show(takes_s=0.03)
    assert shown == [1, 1, 2, 3, 4, 5, 6, 7]
    # Eight frames of 30 ms, the last one still under way; beside them the wait for the first, and for a turn.
    assert ended < 8 * 0.03 + 0.03


def test_a_render_waits_for_every_frame() -> None:
    shown, _ = a_show(takes_s=0.03, waits=True)
    assert shown == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_device_that_is_quick_again_hands_out_at_once_again() -> None:
    clock = Clock()
    done = iter([0.01, 0.05, 0.07, 0.075])
    handover = Handover(CPU, False, clock, lambda painted: Slow(painted, clock, next(done)))
    shown = []
    for number in range(1, 5):
        handover.give(a_frame(number))
        found = handover.take(until=0.02 * number)
        shown.append(None if found is None else int(found.frame()[0].max()))
    assert shown == [1, None, 2, 4]


def test_what_is_dropped_is_never_handed_out() -> None:
    clock = Clock()
    handover = Handover(CPU, False, clock, lambda painted: Slow(painted, clock, 9.0 * painted.serial - 9.0))
    for number in (1, 2):
        handover.give(a_frame(number))
        handover.take(until=clock.now)
    handover.drop()
    handover.give(a_frame(1))
    found = handover.take(until=clock.now)
    assert found is not None and found.painted.serial == 1


def test_on_a_cpu_a_frame_is_there_with_what_is_known_of_it() -> None:
    handover, picture = Handover(CPU, False), torch.rand(1, 3, 8, 12)
    for is_sound in (True, False):
        painted = Painted(as_levels(picture), torch.tensor(is_sound), 3, (2, 4), (0.0, 1.0, 2.0), (8, 12))
        handover.give(painted)
        found = handover.take(until=0.0)
        assert found is not None and found.painted is painted
        assert np.array_equal(found.frame()[0], as_rgb(picture)) and found.frame()[1] is is_sound


def test_marks_tell_the_time_between_them() -> None:
    marks = Marks(CPU, Clock())
    first, second = marks.mark(), marks.mark()
    assert marks.seconds(first, second) == pytest.approx(0.001)


@pytest.mark.parametrize(("overlaps", "behind"), [(False, 0), (True, 1)])
def test_an_engine_that_is_measured_hands_out_the_frame_before(overlaps: bool, behind: int) -> None:
    clock = Clock()
    look = Look(line="a red heart").with_values({"canvas_width": 96, "canvas_height": 64, "upscale": 1})
    engine = Engine([load_guide("shipped", CPU)], CPU, 0, is_live=False, clock=clock, overlaps=overlaps)

    def copy(painted: Painted) -> Slow:
        return Slow(replace(painted, levels=torch.full((2, 2, 3), painted.serial)), clock, clock.now + 10.0)

    engine._handover = Handover(CPU, engine._handover._waits, clock, copy)
    shown = [int(engine.paint(replace(look, serial=serial))[0, 0, 0]) for serial in range(1, 6)]
    engine.close()
    assert shown == [1, *range(2 - behind, 6 - behind)]
