"""Loss terms of a picture with their gradients, in one pass. Arrays are (c, h, w), float32."""

import numpy as np

from engine.kernels.compiling import PICTURE, compiled, inlined
from engine.kernels.pyramid import Array


@inlined
def _sign(x: np.float32) -> np.float32:
    nothing, one = np.float32(0.0), np.float32(1.0)
    return (one if x > nothing else nothing) - (one if x < nothing else nothing)


@compiled(PICTURE, PICTURE, "float32")
def variation_back(picture: Array, gradient: Array, weight: float) -> None:
    """The gradient of the mean absolute difference of neighbours across plus that down, times a weight."""
    channels, height, width = picture.shape
    across = np.float32(weight / (channels * height * (width - 1)))
    down = np.float32(weight / (channels * (height - 1) * width))
    along, before, here = np.zeros(width + 1, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    for c in range(channels):
        before[:] = np.float32(0.0)
        for y in range(height):
            below = min(y + 1, height - 1)
            for x in range(1, width):
                along[x] = across * _sign(picture[c, y, x] - picture[c, y, x - 1])
            for x in range(width):
                here[x] = down * _sign(picture[c, below, x] - picture[c, y, x])
            for x in range(width):
                gradient[c, y, x] = before[x] - here[x] + along[x] - along[x + 1]
                before[x] = here[x]


@compiled(PICTURE, PICTURE, result="float32")
def variation(picture: Array, gradient: Array) -> float:
    """The mean absolute difference of neighbours across plus that down, and its gradient."""
    variation_back(picture, gradient, 1.0)
    channels, height, width = picture.shape
    across, down = np.float32(0.0), np.float32(0.0)
    for c in range(channels):
        for y in range(height):
            below = min(y + 1, height - 1)
            for x in range(width):
                down += abs(picture[c, below, x] - picture[c, y, x])
            for x in range(1, width):
                across += abs(picture[c, y, x] - picture[c, y, x - 1])
    total: float = across / (channels * height * (width - 1)) + down / (channels * (height - 1) * width)
    return total


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
    variation_back(picture, gradient, smoothness)
    one, two, found = picture.ravel(), other.ravel(), gradient.ravel()
    share = np.float32(hold / len(one))
    for n in range(len(one)):
        found[n] += share * _sign(one[n] - two[n])
