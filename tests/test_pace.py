"""A loop falls in step with another of its rate, a little at a time."""

import pytest

from vj.pace import EARLY_S, MOST_SHIFT, in_step

INTERVAL = 1 / 30


@pytest.mark.parametrize("began", [0.0, 0.004, 0.011, 0.02, 0.033])
@pytest.mark.parametrize("work_s", [0.005, 0.028, 0.05])
def test_turns_come_to_end_just_before_a_tick_and_stay_there(began: float, work_s: float):
    start, tick = began, 100.0
    for _ in range(40):
        before, start = start, in_step(start + INTERVAL, work_s, tick, INTERVAL)
        assert abs(start - before - INTERVAL) <= MOST_SHIFT * INTERVAL + 1e-9
    left_s = (tick - (start + work_s)) % INTERVAL
    assert left_s == pytest.approx(EARLY_S, abs=1e-6)
    assert start - began == pytest.approx(40 * INTERVAL, abs=INTERVAL / 2 + 1e-6)
