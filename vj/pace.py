"""The clock of a paced loop: deadlines that do not drift, and rates as a person reads them."""

import time
from collections import deque
from collections.abc import Callable
from itertools import pairwise

EARLY_S = 0.006
"""How long before a tick what it shows should be there."""
MOST_SHIFT = 0.05
"""Share of an interval by which a turn is moved at once."""


class Pace:
    """Keeps turns at a steady rate. Owns the next deadline; a late turn is dropped, never caught up."""

    def __init__(
        self,
        fps: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.interval_s = 1.0 / fps
        self._clock, self._sleep = clock, sleep
        self._deadline = clock()

    def wait(self) -> float:
        """Sleep until the next turn is due and return the time now, in seconds."""
        self._deadline += self.interval_s
        now = self._clock()
        if self._deadline > now:
            self._sleep(self._deadline - now)
            return self._clock()
        if now - self._deadline > self.interval_s:
            self._deadline = now
        return now


def in_step(start: float, work_s: float, tick: float, interval_s: float) -> float:
    """The start of a turn moved a little toward one that ends just before a tick of another loop, in seconds.

    `tick` is any past tick, `interval_s` the time between two, `work_s` what the turn is expected to take. Two loops of
    one rate keep their distance for a whole show: by chance every frame would wait up to an interval to be shown.
    """
    behind_s = (tick - EARLY_S - (start + work_s)) % interval_s
    if behind_s > interval_s / 2:
        behind_s -= interval_s
    return start + max(-MOST_SHIFT * interval_s, min(MOST_SHIFT * interval_s, behind_s))


class Rate:
    """Turns a second and the gaps between them, over the last `window_s` seconds."""

    def __init__(self, window_s: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_s, self._clock = window_s, clock
        self._times: deque[float] = deque()

    def tick(self) -> None:
        """One turn happened now."""
        now = self._clock()
        self._times.append(now)
        self._forget(now)

    def fps(self) -> float:
        """Turns a second over the window; 0.0 before two turns."""
        self._forget(self._clock())
        if len(self._times) < 2:
            return 0.0
        return (len(self._times) - 1) / max(1e-9, self._clock() - self._times[0])

    def gap_p99_ms(self) -> float:
        """The gap that 99 in 100 turns stay under, ms; 0.0 before two turns."""
        times = list(self._times)
        gaps = sorted(after - before for before, after in pairwise(times))
        return 1000.0 * gaps[min(len(gaps) - 1, int(0.99 * len(gaps)))] if gaps else 0.0

    def _forget(self, now: float) -> None:
        while self._times and now - self._times[0] > self._window_s:
            self._times.popleft()
