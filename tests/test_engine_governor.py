"""The governor spends fewer steps and crops rather than miss the engine's rate."""

import itertools

from engine.governor import Governor, rungs
from engine.parameters import Look

LOOK = Look().with_values({"steps": 4, "crops": 8, "engine_fps": 10.0, "governor": True})


def governed(seconds_of_work: float, frames: int = 200, governor: Governor | None = None) -> Governor:
    """A governor on a machine where one step of one crop takes so long."""
    governor = governor or Governor()
    for _ in range(frames):
        steps, crops = governor.effort(LOOK)
        governor = governor.after(steps * crops * seconds_of_work, LOOK)
    return governor


def test_everything_asked_is_done_while_there_is_time():
    assert governed(0.001).effort(LOOK) == (4, 8)
    assert governed(0.001).sentence(LOOK) == ""


def test_a_slow_machine_does_less_until_the_rate_is_held():
    steps, crops = governed(0.006).effort(LOOK)
    assert steps * crops * 0.006 <= 0.105
    assert steps * crops > 6


def test_it_says_what_it_does():
    governor = governed(0.006)
    steps, crops = governor.effort(LOOK)
    assert governor.sentence(LOOK) == f"{steps} of 4 steps, {crops} of 8 crops to hold 10 fps"


def test_it_never_goes_below_one_step_and_two_crops():
    assert governed(10.0).effort(LOOK) == (1, 2)


def test_it_does_not_swing_to_and_fro():
    governor, efforts = governed(0.006), set()
    for _ in range(300):
        efforts.add(governor.effort(LOOK))
        steps, crops = governor.effort(LOOK)
        governor = governor.after(steps * crops * 0.006, LOOK)
    assert len(efforts) <= 2


def test_it_does_more_again_once_there_is_room():
    assert governed(0.0005, governor=governed(10.0), frames=400).effort(LOOK) == (4, 8)


def test_one_late_frame_changes_nothing():
    governor = governed(0.002).after(0.12, LOOK)
    assert governor.effort(LOOK) == (4, 8)


def test_switched_off_it_does_what_is_asked():
    look = LOOK.with_values({"governor": False})
    assert governed(10.0).effort(look) == (4, 8)
    assert governed(10.0).sentence(look) == ""


def test_a_look_that_asks_for_less_is_obeyed_at_once():
    assert governed(10.0).effort(LOOK.with_values({"steps": 1, "crops": 1})) == (1, 1)


def test_every_rung_is_cheaper_than_the_one_before():
    for steps, crops in [(50, 64), (4, 8), (2, 4), (1, 2), (1, 1), (50, 2), (1, 64)]:
        ladder = rungs(steps, crops)
        assert ladder[0] == (steps, crops)
        assert all(a[0] * a[1] > b[0] * b[1] for a, b in itertools.pairwise(ladder))
        assert ladder[-1] == (1, min(2, crops))
