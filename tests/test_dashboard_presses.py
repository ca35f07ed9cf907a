"""Keys tapped, tapped again, and held."""

from collections.abc import Callable

import pytest

from vj.dashboard.presses import Presses


class Clock:
    """Time that is moved by hand, and what is to happen then."""

    def __init__(self) -> None:
        self.now, self.due = 0.0, list[tuple[float, Callable[[], None], list[bool]]]()

    def later(self, seconds: float, act: Callable[[], None]) -> "Waiting":
        stopped: list[bool] = []
        self.due.append((self.now + seconds, act, stopped))
        return Waiting(stopped)

    def move_to(self, now: float) -> None:
        for at, act, stopped in [one for one in self.due if one[0] <= now]:
            self.now = at
            if not stopped:
                act()
        self.due = [one for one in self.due if one[0] > now]
        self.now = now


class Waiting:
    def __init__(self, stopped: list[bool]) -> None:
        self.stop = lambda: stopped.append(True)


@pytest.mark.parametrize(
    ("pressed", "acts"),
    [
        ([0.0], 1),
        ([0.0, 0.2], 2),
        ([0.0, 0.2, 0.4, 0.6], 4),
        ([0.0, 2.0, 4.0], 3),
        ([0.0, 0.5, *(0.533 + 0.033 * n for n in range(40))], 1),  # held, as most terminals repeat
        ([0.0, 0.375, *(0.465 + 0.09 * n for n in range(20))], 1),  # held, as a slow one does
        ([0.0, 0.04], 1),
    ],
)
def test_a_tap_acts_and_a_held_key_acts_once(pressed: list[float], acts: int) -> None:
    clock, done = Clock(), list[float]()
    presses = Presses(clock.later, lambda: clock.now)
    for at in pressed:
        clock.move_to(at)
        presses.once("blackout", lambda: done.append(clock.now))
    clock.move_to(pressed[-1] + 1.0)
    assert len(done) == acts and done[0] == 0.0
    assert all(min(abs(at - press) for press in pressed) <= 0.15 + 1e-9 for at in done)


def test_other_keys_are_not_held_up() -> None:
    clock, done = Clock(), list[str]()
    presses = Presses(clock.later, lambda: clock.now)
    for name in ("blackout", "freeze"):
        presses.once(name, lambda name=name: done.append(name))
    assert done == ["blackout", "freeze"]
