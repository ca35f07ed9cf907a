"""Products of few rows with long weights, cut into as many parts as the GPU at hand computes them most quickly.

On an H200 the library's own choice for 200 rows of 3,072 values took 15 to 23 microseconds, for 768 values 6.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from engine.guides.timing import device_seconds

log = logging.getLogger("engine.guides")

PARTS = (1, 2, 4)
"""Into how many parts rows may be cut; what comes of them is added up."""
LONG = 2048
"""Values in a row from which on it is tried."""
GAIN = 0.95
"""Part of the time of the whole product that one in parts may take at most, to be worth it."""

Seconds = Callable[[Callable[[], object], torch.device], float]


def product(x: Tensor, weight: Tensor, parts: int = 1, bias: Tensor | None = None) -> Tensor:
    """x (m, k) times weight (k, n), and the bias (n,) if there is one; k must be a multiple of `parts`."""
    if parts == 1:
        return x @ weight if bias is None else torch.addmm(bias, x, weight)
    rows, columns = x.unflatten(1, (parts, -1)).transpose(0, 1), weight.unflatten(0, (parts, -1))
    found = torch.bmm(rows, columns).sum(0)
    return found if bias is None else found + bias


def parts_for(weights: Sequence[Tensor], rows: int, seconds: Seconds | None = None) -> int:
    """Into how many parts so many rows are best cut for products with weights (k, n) like these, in half the bits.

    Where there is no CUDA, and where it cannot be tried, 1. Takes some milliseconds.
    """
    first = weights[0]
    is_tried = first.is_cuda and first.dtype == torch.bfloat16 and len(first) >= LONG
    if seconds is None and not is_tried:
        return 1
    x = torch.ones(rows, len(first), dtype=first.dtype, device=first.device)
    times: dict[int, float] = {}
    try:
        for parts in (each for each in PARTS if len(first) % each == 0):
            times[parts] = (seconds or device_seconds)(partial(_all, x, weights, parts), x.device)
    except RuntimeError as err:  # a device that is busy or full: nothing is lost but time
        log.info("products: they cannot be tried here: %s", err)
        return 1
    best = min(times, key=times.__getitem__)
    log.info("products: %d x %d in parts: %s", *first.shape, times)
    return best if times[best] < GAIN * times[1] else 1


def _all(x: Tensor, weights: Sequence[Tensor], parts: int) -> None:
    for weight in weights:
        product(x, weight, parts)
