"""Loss terms of a picture with their gradients, in one pass. Arrays are (c, h, w), float32."""

import numpy as np

from engine.kernels.compiling import PICTURE, compiled, inlined
from engine.kernels.pyramid import Array


@inlined
def _sign(x: np.float32) -> np.float32:
    return np.float32(x > 0.0) - np.float32(x < 0.0)


@compiled(PICTURE, PICTURE, result="float32")
def variation(picture: Array, gradient: Array) -> np.float32:
    """The mean absolute difference of neighbours across plus that down, and its gradient."""
    channels, height, width = picture.shape
    across = np.float32(1.0 / (channels * height * (width - 1)))
    down = np.float32(1.0 / (channels * (height - 1) * width))
    total_across, total_down = np.float32(0.0), np.float32(0.0)
    for c in range(channels):
        for y in range(height):
            row, found = picture[c, y], gradient[c, y]
            above, below = picture[c, max(y - 1, 0)], picture[c, min(y + 1, height - 1)]
            for x in range(width):
                found[x] = down * (_sign(row[x] - above[x]) - _sign(below[x] - row[x]))
                total_down += abs(below[x] - row[x])
            for x in range(1, width - 1):
                found[x] += across * (_sign(row[x] - row[x - 1]) - _sign(row[x + 1] - row[x]))
                total_across += abs(row[x] - row[x - 1])
            total_across += abs(row[width - 1] - row[width - 2])
            found[0] -= across * _sign(row[1] - row[0])
            found[width - 1] += across * _sign(row[width - 1] - row[width - 2])
    return total_across * across + total_down * down


@compiled(PICTURE, PICTURE, PICTURE, result="float32")
def distance(picture: Array, other: Array, gradient: Array) -> np.float32:
    """The mean absolute difference of two pictures, and its gradient for the first."""
    one, two, found = picture.ravel(), other.ravel(), gradient.ravel()
    share, total = np.float32(1.0 / len(one)), np.float32(0.0)
    for n in range(len(one)):
        apart = one[n] - two[n]
        found[n] = share * _sign(apart)
        total += abs(apart)
    return total * share


@compiled(PICTURE, PICTURE, "float32", "float32", PICTURE)
def pulls(picture: Array, other: Array, hold: float, smoothness: float, gradient: Array) -> None:
    """The gradient of `hold` times the distance to the other picture and `smoothness` times the variation."""
    variation(picture, gradient)
    one, two, found = picture.ravel(), other.ravel(), gradient.ravel()
    share, smooth = np.float32(hold / len(one)), np.float32(smoothness)
    for n in range(len(one)):
        found[n] = smooth * found[n] + share * _sign(one[n] - two[n])
