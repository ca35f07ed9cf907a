"""What the optimiser does to a leaf, in one pass each; see `engine.optimiser`. Arrays are of one shape, float32."""

import numpy as np

from engine.kernels.compiling import PICTURE, compiled
from engine.kernels.pyramid import Array, clamped

Pace = tuple[float, ...]

MEMORY, SCALE = "UniTuple(float64, 2)", "UniTuple(float64, 4)"


@compiled(PICTURE, PICTURE, PICTURE, PICTURE, "float32", MEMORY, SCALE)
def move(leaf: Array, mean: Array, square: Array, gradient: Array, gain: float, memory: Pace, scale: Pace) -> None:
    """Take the gradient, times its gain, up into the means of gradients and of their squares, and move the leaf.

    `memory` is how much of both means is kept. `scale` is the power of the mean square and the factor that a step is
    divided by, how far at most it goes then, and the length of its stride. See `engine.optimiser`.
    """
    first, second, seen, moved = mean.ravel(), square.ravel(), gradient.ravel(), leaf.ravel()
    short, long = np.float32(memory[0]), np.float32(memory[1])
    total = np.float32(0.0)
    for n in range(len(seen)):
        pull = np.float32(gain) * seen[n]
        first[n] += (np.float32(1.0) - short) * (pull - first[n])
        second[n] = long * second[n] + (np.float32(1.0) - long) * pull * pull
        total += second[n]
    shared = np.float32((total / len(seen)) ** scale[0] * scale[1])
    farthest, stride = np.float32(scale[2]), np.float32(scale[3])
    for n in range(len(moved)):
        own = np.sqrt(np.sqrt(np.sqrt(second[n])))
        step = first[n] / (shared * own + np.float32(1e-12))
        moved[n] -= stride * clamped(step, -farthest, farthest)
