"""The gradients of smoothness and stability in one pass over the picture; see `engine.objectives`."""

from typing import Any

import triton
import triton.language as tl
from torch import Tensor

from engine.fused.launching import blocks, start

BLOCK = 512


@triton.jit(do_not_specialize=("previous", "smoothness", "stability", "height", "width"))
def _terms(
    gradient, picture, previous, smoothness, stability, across, down, share, height, width,
    HAS_SMOOTHNESS: tl.constexpr, HAS_STABILITY: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    row, x = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    y, at, is_in = row % height, row * width + x, x < width
    here = tl.load(picture + at, mask=is_in, other=0.0)
    pull = tl.load(gradient + at, mask=is_in, other=0.0)
    if HAS_SMOOTHNESS:
        # What lies beyond the edge is as the edge.
        left = here - tl.load(picture + at - 1, mask=is_in & (x > 0), other=0.0)
        right = tl.load(picture + at + 1, mask=x < width - 1, other=0.0) - here
        above = here - tl.load(picture + at - width, mask=is_in & (y > 0), other=0.0)
        below = tl.load(picture + at + width, mask=is_in & (y < height - 1), other=0.0) - here
        lefts = tl.where(x > 0, (left > 0.0).to(tl.float32) - (left < 0.0).to(tl.float32), 0.0)
        rights = tl.where(x < width - 1, (right > 0.0).to(tl.float32) - (right < 0.0).to(tl.float32), 0.0)
        aboves = tl.where(y > 0, (above > 0.0).to(tl.float32) - (above < 0.0).to(tl.float32), 0.0)
        belows = tl.where(y < height - 1, (below > 0.0).to(tl.float32) - (below < 0.0).to(tl.float32), 0.0)
        pull += tl.load(smoothness) * (across * (lefts - rights) + down * (aboves - belows))
    if HAS_STABILITY:
        away = here - tl.load(previous + at, mask=is_in, other=0.0)
        pull += tl.load(stability) * share * ((away > 0.0).to(tl.float32) - (away < 0.0).to(tl.float32))
    tl.store(gradient + at, pull, mask=is_in)


def add_terms(
    gradient: Tensor, picture: Tensor, smoothness: Tensor | None, stability: Tensor | None, previous: Tensor | None
) -> None:
    """Add to the gradient (1, c, h, w) those of the terms whose weight, without dimensions, is given."""
    if smoothness is None and (stability is None or previous is None):
        return
    n, c, height, width = picture.shape
    across, down = 1.0 / (n * c * height * (width - 1)), 1.0 / (n * c * (height - 1) * width)
    is_stable = stability is not None and previous is not None
    pointers: list[Any] = [each if each is not None else picture for each in (previous, smoothness, stability)]
    start(
        _terms, (n * c * height, blocks(width, BLOCK)), gradient, picture, *pointers,
        across, down, 1.0 / picture.numel(), height, width,
        HAS_SMOOTHNESS=smoothness is not None, HAS_STABILITY=is_stable, BLOCK=BLOCK,
    )  # fmt: skip
