"""A pyramid's levels: drawn into the picture, and given their gradients. Arrays are (c, h, w), float32.

Doubling is bilinear, as in `engine.doubling`.
"""

import numpy as np
from numpy.typing import NDArray

from engine.kernels.compiling import PICTURE, compiled, inlined

Array = NDArray[np.float32]


@inlined
def clamped(x: np.float32, low: np.float32, high: np.float32) -> np.float32:
    """x within low..high; what is no number stays none."""
    return low if x < low else (high if x > high else x)


@inlined
def _between(coarse: Array, y: int, line: Array) -> None:
    """Row y of the picture twice as high, as wide as before, into `line`."""
    height, width = coarse.shape
    near = y // 2
    other = min(max(near + (1 if y % 2 else -1), 0), height - 1)
    for x in range(width):
        line[x] = np.float32(0.75) * coarse[near, x] + np.float32(0.25) * coarse[other, x]


@inlined
def _widened(line: Array, level: Array, gain: np.float32) -> None:
    """level = gain level + the line twice as wide."""
    last = len(line) - 1
    three, one = np.float32(0.75), np.float32(0.25)
    level[0] = gain * level[0] + line[0]
    for x in range(last):
        level[2 * x + 1] = gain * level[2 * x + 1] + three * line[x] + one * line[x + 1]
        level[2 * x + 2] = gain * level[2 * x + 2] + three * line[x + 1] + one * line[x]
    level[2 * last + 1] = gain * level[2 * last + 1] + line[last]


@compiled(PICTURE, PICTURE, "float32")
def grow(coarse: Array, level: Array, gain: np.float32) -> None:
    """level (c, 2 h, 2 w) = gain level + coarse (c, h, w) at its size."""
    line = np.empty(coarse.shape[2], np.float32)
    for c in range(level.shape[0]):
        for y in range(level.shape[1]):
            _between(coarse[c], y, line)
            _widened(line, level[c, y], gain)


@compiled(PICTURE, PICTURE)
def settle(picture: Array, change: Array) -> None:
    """picture = clamp(picture + change), and the change is none."""
    flat, moved = picture.ravel(), change.ravel()
    for n in range(len(flat)):
        flat[n] = clamped(flat[n] + moved[n], np.float32(0.0), np.float32(1.0))
        moved[n] = np.float32(0.0)


@compiled(PICTURE, PICTURE)
def shrink(fine: Array, coarse: Array) -> None:
    """coarse (c, h, w) = the gradient of a picture from that of its double, fine (c, 2 h, 2 w)."""
    three, one = np.float32(0.75), np.float32(0.25)
    height, width = coarse.shape[1:]
    line = np.empty(2 * width, np.float32)
    for c in range(coarse.shape[0]):
        for y in range(height):
            above, below = max(2 * y - 1, 0), min(2 * y + 2, 2 * height - 1)
            for x in range(2 * width):
                line[x] = three * (fine[c, 2 * y, x] + fine[c, 2 * y + 1, x]) + one * (
                    fine[c, above, x] + fine[c, below, x]
                )
            row = coarse[c, y]
            for x in range(1, width - 1):
                row[x] = three * (line[2 * x] + line[2 * x + 1]) + one * (line[2 * x - 1] + line[2 * x + 2])
            end = 2 * width - 1
            row[0] = three * (line[0] + line[1]) + one * (line[0] + line[min(2, end)])
            row[width - 1] = three * (line[end - 1] + line[end]) + one * (line[max(end - 2, 0)] + line[end])
