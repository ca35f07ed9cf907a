"""What texts mean in places, as the shipped guide says it; see `engine.guides.shipped.Place`. Arrays are float32."""

from math import cos, erf, log, sin, sqrt

import numpy as np

from engine.kernels.compiling import PICTURE, ROW, ROWS, compiled, inlined
from engine.kernels.pyramid import Array, clamped


@inlined
def _features(box: Array, waves: int, found: Array) -> None:
    """A box (left, top, right, bottom) as middle, half and its logarithm, and as waves of so many octaves of them."""
    for side in range(2):
        half = max((box[side + 2] - box[side]) / 2.0, 0.05)
        found[side], found[side + 2], found[side + 4] = (box[side] + box[side + 2]) / 2.0, half, log(half)
    for octave in range(waves):
        for n in range(6):
            angle = found[n] * (2.0**octave * 1.5)
            found[6 + 12 * octave + n] = sin(angle)
            found[12 + 12 * octave + n] = cos(angle)


@inlined
def _hidden(features: Array, near: Array, bias: Array, found: Array) -> None:
    """The layer `near` (h, f) of a box's features, after GELU."""
    for h in range(len(near)):
        total = bias[h]
        for f in range(len(features)):
            total += near[h, f] * features[f]
        found[h] = 0.5 * total * (1.0 + erf(total / sqrt(2.0)))


@compiled(PICTURE, ROWS, ROWS, ROW, ROWS, ROW, "int64", "float32", ROWS)
def placed(
    boxes: Array, read: Array, near: Array, near_bias: Array, far: Array, far_bias: Array, waves: int, least: float,
    inner: Array,
) -> None:  # fmt: skip
    """What is said of k texts, read as (k, w), in boxes (n, k, 4): rows (n k, w) before they are said.

    `near` (h, f) and `far` (h, 2 w) are the layers that a box's features go through; `least` is the least slope of the
    activation.
    """
    features, hidden = np.empty(near.shape[1], np.float32), np.empty(len(near), np.float32)
    width, told = read.shape[1], np.empty(far.shape[1], np.float32)
    for row in range(len(inner)):
        n, k = row // len(read), row % len(read)
        _features(boxes[n, k], waves, features)
        _hidden(features, near, near_bias, hidden)
        told[:] = far_bias
        for h in range(len(near)):
            for w in range(2 * width):
                told[w] += hidden[h] * far[h, w]
        for w in range(width):
            meant = told[width + w] + read[k, w] * (np.float32(1.0) + told[w])
            slope = clamped(meant, np.float32(least), np.float32(1.0))
            inner[row, w] = (meant - np.float32(0.5) * slope) * slope


@compiled(ROWS, ROWS, ROWS)
def united(said: Array, texts: Array, found: Array) -> None:
    """Unit rows (n k, d) of what is said beside the texts (k, d) themselves."""
    for row in range(len(said)):
        text, total = texts[row % len(texts)], np.float32(0.0)
        for d in range(said.shape[1]):
            found[row, d] = said[row, d] + text[d]
            total += found[row, d] * found[row, d]
        length = np.float32(max(sqrt(total), 1e-12))
        for d in range(said.shape[1]):
            found[row, d] /= length
