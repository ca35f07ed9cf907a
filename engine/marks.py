"""When the device got to a point of its work: read by the clock, or on CUDA told by the device later on."""

from collections.abc import Callable

import torch

from engine.devices import wait_for

Mark = float | torch.cuda.Event


class Marks:
    """Makes marks on one device and tells the time between two."""

    def __init__(self, device: torch.device, clock: Callable[[], float]) -> None:
        self._device, self._clock = device, clock

    def mark(self) -> Mark:
        """Here, in what the device is asked for. Waits for no CUDA device; for others, so that the clock is right."""
        if self._device.type != "cuda":
            wait_for(self._device)
            return self._clock()
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event

    def seconds(self, earlier: Mark, later: Mark) -> float:
        """The time between two marks, both of which the device has reached."""
        if isinstance(earlier, torch.cuda.Event) and isinstance(later, torch.cuda.Event):
            return float(earlier.elapsed_time(later)) / 1000.0
        if isinstance(earlier, float) and isinstance(later, float):
            return later - earlier
        raise TypeError("marks of two kinds of devices have no time between them")
