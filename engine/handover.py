"""Painted frames on their way from the device to the host, while the device goes on with the next."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.marks import Mark

NAP_S = 0.0003
"""Time between two looks at whether a frame is there."""


@dataclass(frozen=True, slots=True)
class Painted:
    """A painted frame on the device, and what is to be known of it."""

    levels: Tensor
    """(h, w, 3) uint8."""
    is_sound: Tensor
    """Whether its picture holds numbers only, a truth value without dimensions."""
    serial: int
    """Of the newest look that took part."""
    effort: tuple[int, int]
    """Steps and crops."""
    marks: tuple[Mark, Mark, Mark]
    """Before the steps, after them, and when it was finished."""
    size: tuple[int, int]
    """The canvas's height and width."""


class Copy(Protocol):
    """A frame coming into the host's memory."""

    painted: Painted

    def is_there(self) -> bool:
        """Whether all of it has come. Raises RuntimeError where the device has failed."""
        ...

    def frame(self) -> tuple[NDArray[np.uint8], bool]:
        """The frame in memory of its own, and whether it is sound; waits until it is there. Raises RuntimeError."""
        ...


class PlainCopy:
    """A frame that is there at once, as the host waits for the device if that is another."""

    def __init__(self, painted: Painted) -> None:
        self.painted = painted
        self._rgb, self._is_sound = painted.levels.cpu().numpy(), bool(painted.is_sound)

    def is_there(self) -> bool:
        """Always."""
        return True

    def frame(self) -> tuple[NDArray[np.uint8], bool]:
        """The frame, and whether it is sound."""
        return self._rgb, self._is_sound


class PinnedCopy:
    """A frame that CUDA copies in a stream of its own, into memory it need not be helped with."""

    def __init__(self, painted: Painted, stream: torch.cuda.Stream) -> None:
        self.painted = painted
        self._levels, self._is_sound = (
            torch.empty(one.shape, dtype=one.dtype, pin_memory=True) for one in (painted.levels, painted.is_sound)
        )
        stream.wait_stream(torch.cuda.current_stream(painted.levels.device))
        with torch.cuda.stream(stream):
            self._levels.copy_(painted.levels, non_blocking=True)
            self._is_sound.copy_(painted.is_sound, non_blocking=True)
        for one in (painted.levels, painted.is_sound):
            one.record_stream(stream)  # not to be given to others before it is copied
        self._done = torch.cuda.Event()
        self._done.record(stream)

    def is_there(self) -> bool:
        """Whether the copy is done."""
        return bool(self._done.query())

    def frame(self) -> tuple[NDArray[np.uint8], bool]:
        """The frame, and whether it is sound; waits for the copy."""
        self._done.synchronize()
        return self._levels.numpy(), bool(self._is_sound)


class Handover:
    """Hands frames out in order. Owns those under way, two at most; used by one thread.

    A frame that the device finishes in time is handed out at once. Where the device is what limits the rate, the one
    before is handed out instead, so that the device always has the next to work on: such frames are older by one.
    """

    def __init__(
        self,
        device: torch.device,
        waits: bool,
        clock: Callable[[], float] = time.perf_counter,
        copy: Callable[[Painted], Copy] | None = None,
    ) -> None:
        """With `waits` every frame is waited for. `copy` copies in place of what the device has for it."""
        self._waits, self._clock = waits, clock
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._copy = copy or self._own_copy
        self._under_way: deque[Copy] = deque()
        self._has_handed = False

    def give(self, painted: Painted) -> None:
        """Take a frame that the device has been asked for."""
        self._under_way.append(self._copy(painted))

    def take(self, until: float) -> Copy | None:
        """The frame to show now, by a time of the clock if it can be; None is the last one once more.

        Never more than two frames are under way: the older of them is waited for.
        """
        newest = self._under_way[-1]
        is_late = len(self._under_way) > 1
        if is_late:
            self._under_way[0].frame()
        is_first = not self._has_handed
        if self._waits or is_first or self._comes_by(newest, until):
            self._under_way.clear()
            self._has_handed = True
            return newest
        return self._under_way.popleft() if is_late else None

    def drop(self) -> None:
        """Nothing that is under way is wanted any more."""
        self._under_way.clear()

    def _comes_by(self, copy: Copy, until: float) -> bool:
        while not copy.is_there():
            if self._clock() >= until:
                return False
            time.sleep(NAP_S)
        return True

    def _own_copy(self, painted: Painted) -> Copy:
        return PlainCopy(painted) if self._stream is None else PinnedCopy(painted, self._stream)
