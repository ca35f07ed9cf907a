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


@compiled(PICTURE, PICTURE, "float32")
def grow(coarse: Array, level: Array, gain: float) -> None:
    """level (c, 2 h, 2 w) = gain level + coarse (c, h, w) at its size."""
    channels, height, width = coarse.shape
    near, far, kept = np.float32(0.75), np.float32(0.25), np.float32(gain)
    # Rows are not taken out of arrays: each would be counted in and out, which takes as long as its pixels.
    line = np.empty(width + 2, np.float32)
    for c in range(channels):
        for y in range(2 * height):
            here = y // 2
            other = min(max(here + (1 if y % 2 else -1), 0), height - 1)
            for x in range(width):
                line[x + 1] = near * coarse[c, here, x] + far * coarse[c, other, x]
            line[0], line[width + 1] = line[1], line[width]
            for x in range(width):
                level[c, y, 2 * x] = kept * level[c, y, 2 * x] + near * line[x + 1] + far * line[x]
                level[c, y, 2 * x + 1] = kept * level[c, y, 2 * x + 1] + near * line[x + 1] + far * line[x + 2]


@compiled(PICTURE, PICTURE)
def settle(picture: Array, change: Array) -> None:
    """picture = clamp(picture + change), and the change is none."""
    flat, moved = picture.ravel(), change.ravel()
    for n in range(len(flat)):
        flat[n] = clamped(flat[n] + moved[n], np.float32(0.0), np.float32(1.0))
        moved[n] = np.float32(0.0)


@compiled(PICTURE, PICTURE, "float32", "float32")
def mix(picture: Array, other: Array, kept: float, added: float) -> None:
    """picture = kept picture + added other."""
    flat, moved = picture.ravel(), other.ravel()
    for n in range(len(flat)):
        flat[n] = np.float32(kept) * flat[n] + np.float32(added) * moved[n]


@compiled(PICTURE, PICTURE)
def shrink(fine: Array, coarse: Array) -> None:
    """coarse (c, h, w) = the gradient of a picture from that of its double, fine (c, 2 h, 2 w)."""
    channels, height, width = coarse.shape
    near, far = np.float32(0.75), np.float32(0.25)
    line = np.empty(2 * width + 2, np.float32)
    for c in range(channels):
        for y in range(height):
            above, below = max(2 * y - 1, 0), min(2 * y + 2, 2 * height - 1)
            for x in range(2 * width):
                line[x + 1] = near * (fine[c, 2 * y, x] + fine[c, 2 * y + 1, x]) + far * (
                    fine[c, above, x] + fine[c, below, x]
                )
            line[0], line[2 * width + 1] = line[1], line[2 * width]
            for x in range(width):
                coarse[c, y, x] = near * (line[2 * x + 1] + line[2 * x + 2]) + far * (line[2 * x] + line[2 * x + 3])
