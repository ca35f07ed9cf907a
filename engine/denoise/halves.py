"""A denoiser shared between two cores: one half of the picture in a thread of its own, the other in the caller's."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from engine.devices import leave_last_core

Work = Callable[[Tensor, float, int], Tensor]
"""(picture (1, 3, h, w), strength, scale) to a picture `scale` times as high and wide."""


class Halves:
    """The same answers as `work`, sooner. Owns the thread beside the caller's; used by one thread.

    Sharing every layer between two threads waits for the slower of them thirty times a frame, this once.
    """

    def __init__(self, work: Work, reach: int, step: int) -> None:
        """`work` looks `reach` pixels far, and its answer is the same wherever a picture is cut at `step` pixels."""
        self._work, self._reach, self._step = work, reach, step
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="denoiser", initializer=leave_last_core)

    def __call__(self, picture: Tensor, strength: float, scale: int) -> Tensor:
        """The picture (1, 3, h, w) denoised, left half beside right half. Raises what `work` raises."""
        height, width = picture.shape[-2:]
        middle = width // 2 // self._step * self._step
        if middle < 2 * self._reach:
            return self._work(picture, strength, scale)
        size = (1, 3, scale * height, scale * width)
        whole = torch.empty(size, dtype=picture.dtype, memory_format=torch.channels_last)
        cut = scale * middle

        def left() -> None:
            with torch.no_grad():  # which each thread has to say for itself
                whole[..., :cut] = self._work(picture[..., : middle + self._reach], strength, scale)[..., :cut]

        beside = self._beside.submit(left)
        seen = self._work(picture[..., middle - self._reach :], strength, scale)
        whole[..., cut:] = seen[..., scale * self._reach :]
        beside.result()
        return whole
