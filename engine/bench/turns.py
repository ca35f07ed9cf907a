"""Several ways of doing the same thing, measured turn and turn about, so that a busy machine hits them all alike."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from engine.devices import wait_for

WARM_UP_S = 2.0
"""Each way runs at least this long, and one frame, before anything counts."""
TURN_S = 0.25
"""About how long a turn is; one frame at least."""
MOST_FRAMES = 60
FEWEST_REPEATS = 5
LONGEST_S = 60.0
"""After so much measuring there are no more turns than `FEWEST_REPEATS`."""

Clock = Callable[[], float]


@dataclass(slots=True)
class Way:
    """One way of making frames, one for each `next`. Owns what its turns took."""

    frames: Iterator[None]
    turn_frames: int = 1
    spent_ms: list[float] = field(default_factory=list)
    """Milliseconds a frame, for each turn."""

    def warm_up(self, device: torch.device, clock: Clock = time.perf_counter) -> None:
        """Run until everything that is done once has been done, and find how many frames a turn holds."""
        began, frame_s, count = clock(), 0.0, 0
        while count == 0 or clock() - began < WARM_UP_S:
            frame_s, count = self._run(1, device, clock), count + 1
        self.turn_frames = min(MOST_FRAMES, max(1, round(TURN_S / max(frame_s, 1e-9))))

    def turn(self, device: torch.device, clock: Clock = time.perf_counter) -> None:
        """One turn that counts."""
        self.spent_ms.append(1000.0 * self._run(self.turn_frames, device, clock) / self.turn_frames)

    def _run(self, count: int, device: torch.device, clock: Clock) -> float:
        wait_for(device)
        began = clock()
        for _ in range(count):
            next(self.frames)
        wait_for(device)
        return clock() - began


def take_turns(ways: Mapping[str, Way], device: torch.device, repeats: int, clock: Clock = time.perf_counter) -> int:
    """Give every warmed-up way a turn, so many times over; how often it was, for slow ones have fewer turns."""
    began = clock()
    for n in range(repeats):
        if n >= FEWEST_REPEATS and clock() - began > LONGEST_S:
            return n
        for way in ways.values():
            way.turn(device, clock)
    return repeats


def spread(name: str, unit: str, values: Sequence[float]) -> dict[str, float]:
    """The median and both quartiles: `name_unit`, `name_q1_unit`, `name_q3_unit` ("" for no unit)."""
    end = f"_{unit}" if unit else ""
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return {
        f"{name}{end}": round(quartiles[1], 4),
        f"{name}_q1{end}": round(quartiles[0], 4),
        f"{name}_q3{end}": round(quartiles[2], 4),
    }
