"""What the optimiser does to a leaf, in one pass each; see `engine.optimiser`. Arrays are of one shape, float32."""

import numpy as np

from engine.kernels.compiling import PICTURE, compiled
from engine.kernels.pyramid import Array, clamped


@compiled(PICTURE, PICTURE, PICTURE, "float32", "float32", result="float32")
def remember(mean: Array, square: Array, gradient: Array, short: np.float32, long: np.float32) -> np.float32:
    """Take the gradient up into the means of gradients and of their squares; the mean of the latter."""
    first, second, seen = mean.ravel(), square.ravel(), gradient.ravel()
    total = np.float32(0.0)
    for n in range(len(seen)):
        first[n] += (np.float32(1.0) - short) * (seen[n] - first[n])
        second[n] = long * second[n] + (np.float32(1.0) - long) * seen[n] * seen[n]
        total += second[n]
    return total / len(seen)


@compiled(PICTURE, PICTURE, PICTURE, "float32", "float32", "float32")
def move(leaf: Array, mean: Array, square: Array, scale: np.float32, farthest: np.float32, stride: np.float32) -> None:
    """leaf -= stride clamp(mean / (scale square^(1/8)), -farthest, farthest)."""
    moved, first, second = leaf.ravel(), mean.ravel(), square.ravel()
    for n in range(len(moved)):
        own = np.sqrt(np.sqrt(np.sqrt(second[n])))
        step = first[n] / (scale * own + np.float32(1e-12))
        moved[n] -= stride * clamped(step, -farthest, farthest)
