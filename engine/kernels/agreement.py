"""How far views are from what they should show, and which way that pulls their embeddings; see `engine.objectives`."""

from math import asin, sqrt

import numpy as np
from numpy.typing import NDArray

from engine.kernels.compiling import PICTURE, ROW, ROWS, compiled, inlined
from engine.kernels.pyramid import Array


@inlined
def _slope(cosine: float, bend: float, beyond: float) -> float:
    """Of the spherical distance, half the squared angle, by the cosine; a straight line below `bend`."""
    if cosine < bend:
        return -beyond
    if cosine > 1.0 - 1e-6:
        return 0.0
    return -2.0 * asin(sqrt((1.0 - cosine) / 2.0)) / sqrt(1.0 - cosine * cosine)


@inlined
def _product(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    total = np.float32(0.0)
    for d in range(len(one)):
        total += one[d] * other[d]
    return float(total)


@compiled(ROWS, PICTURE, ROW, ROWS, "boolean", "UniTuple(float64, 2)", ROWS)
def agree(
    seen: Array,
    wanted: Array,
    weights: Array,
    shares: Array,
    is_spherical: bool,
    bend: tuple[float, float],
    found: Array,
) -> None:
    """The gradient (n, d) of embeddings (n, d), from unit vectors wanted (n, k, d), weights (k,), shares (n, k).

    `bend` is the cosine below which the spherical distance is a straight line, and that line's slope.
    """
    for n in range(len(seen)):
        one, pull = seen[n], found[n]
        length = max(sqrt(_product(one, one)), 1e-12)
        pull[:] = np.float32(0.0)
        for k in range(len(weights)):
            slope = -1.0
            if is_spherical:
                slope = _slope(_product(one, wanted[n, k]) / length, bend[0], bend[1])
            # What is pushed away costs its cosine whatever the distance.
            part = np.float32(shares[n, k] * (slope * max(weights[k], 0.0) - min(weights[k], 0.0)))
            for d in range(len(one)):
                pull[d] += part * wanted[n, k, d]
        along = np.float32(_product(one, pull) / (length * length))
        for d in range(len(one)):
            pull[d] = (pull[d] - along * one[d]) / np.float32(length)
