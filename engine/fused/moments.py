"""The gradient taken up into every level's memory, and the picture moved by what is remembered.

One pass for each level there, coarser and coarser, and one back; see `engine.optimiser` and `engine.canvas`.
"""

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

from engine.fused.launching import blocks, start
from engine.optimiser import FARTHEST, OWN, SMALLEST, STRIDE

BLOCK, LONGEST = 256, 2048
"""Values of a block: of a row, and of a whole picture."""

SAME = ("total", "height", "width")
"""What no kernel is compiled anew for: it would be when a canvas of another size comes, and hold the picture up."""


@triton.jit
def _shared(finer, plane, y, x, is_in, height, width, fine_height, fine_width, TAPS: tl.constexpr):
    """The gradient of a level's pixel from the finer one's; the other way round than `_grown`."""
    down, right = height / fine_height, width / fine_width
    first_y = tl.maximum(tl.ceil((y - 0.5) / down - 0.5), 0.0).to(tl.int32)
    first_x = tl.maximum(tl.ceil((x - 0.5) / right - 0.5), 0.0).to(tl.int32)
    pull = tl.zeros_like(first_x).to(tl.float32)
    for j in range(TAPS):
        from_y = first_y + j
        lies_y = tl.minimum(tl.maximum((from_y + 0.5) * down - 0.5, 0.0), height - 1.0)
        share_y = tl.maximum(1.0 - tl.abs(lies_y - y), 0.0)
        for i in range(TAPS):
            from_x = first_x + i
            lies_x = tl.minimum(tl.maximum((from_x + 0.5) * right - 0.5, 0.0), width - 1.0)
            is_there = is_in & (from_x < fine_width) & (from_y < fine_height)
            point = finer + (plane * fine_height + from_y) * fine_width + from_x
            pull += share_y * tl.maximum(1.0 - tl.abs(lies_x - x), 0.0) * tl.load(point, mask=is_there, other=0.0)
    return pull


@triton.jit
def _grown(coarser, plane, y, x, is_in, height, width, coarse_height, coarse_width):
    """A coarser level at a pixel of this one, bilinear with the middles of pixels in their places."""
    lies_y = tl.maximum((y + 0.5) * (coarse_height / height) - 0.5, 0.0)
    lies_x = tl.maximum((x + 0.5) * (coarse_width / width) - 0.5, 0.0)
    above, left = lies_y.to(tl.int32), lies_x.to(tl.int32)
    below, right = tl.minimum(above + 1, coarse_height - 1), tl.minimum(left + 1, coarse_width - 1)
    lower, further = lies_y - above, lies_x - left
    above_row = coarser + (plane * coarse_height + above) * coarse_width
    below_row = coarser + (plane * coarse_height + below) * coarse_width
    upper = tl.load(above_row + left, mask=is_in, other=0.0) * (1.0 - further)
    upper += tl.load(above_row + right, mask=is_in, other=0.0) * further
    under = tl.load(below_row + left, mask=is_in, other=0.0) * (1.0 - further)
    under += tl.load(below_row + right, mask=is_in, other=0.0) * further
    return upper * (1.0 - lower) + under * lower


@triton.jit(do_not_specialize=(*SAME, "fine_height", "fine_width"))
def _take_up(
    finer, gradient, mean, square, total, height, width, fine_height, fine_width, gain, short, long,
    IS_FINEST: tl.constexpr, TAPS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    row, x = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    at, is_in = row * width + x, x < width
    if IS_FINEST:
        pull = tl.load(finer + at, mask=is_in, other=0.0)
    else:
        pull = _shared(finer, row // height, row % height, x, is_in, height, width, fine_height, fine_width, TAPS)
        tl.store(gradient + at, pull, mask=is_in)
    pull = pull * gain
    before = tl.load(mean + at, mask=is_in, other=0.0)
    tl.store(mean + at, before + (pull - before) * (1.0 - short), mask=is_in)
    squared = tl.load(square + at, mask=is_in, other=0.0) * long + pull * pull * (1.0 - long)
    tl.store(square + at, squared, mask=is_in)
    tl.atomic_add(total, tl.sum(squared))


@triton.jit(do_not_specialize=(*SAME, "count", "rate", "coarse_height", "coarse_width"))
def _move(
    change, coarser, mean, square, total, count, rate, height, width, coarse_height, coarse_width, gain, short, long,
    IS_FIRST: tl.constexpr, IS_FINEST: tl.constexpr, OWN: tl.constexpr, FARTHEST: tl.constexpr,
    SMALLEST: tl.constexpr, STRIDE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    row, x = tl.program_id(0), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    at, is_in = row * width + x, x < width
    # What the two means, begun at nothing, have of it all.
    steps, area = tl.load(count), 1.0 * width * tl.num_programs(0)
    has_short, has_long = 1.0 - tl.exp2(steps * tl.log2(short)), 1.0 - tl.exp2(steps * tl.log2(long))
    level = tl.exp2(tl.log2(tl.load(total) / area) * ((1.0 - OWN) / 2.0)) * has_short / tl.sqrt(has_long)
    own = tl.sqrt(tl.sqrt(tl.sqrt(tl.load(square + at, mask=is_in, other=0.0))))  # the power OWN / 2
    step = tl.load(mean + at, mask=is_in, other=0.0) / (own * level + SMALLEST)
    step = tl.clamp(step, -FARTHEST, FARTHEST, propagate_nan=tl.PropagateNan.ALL) * gain
    if not IS_FIRST:
        step += _grown(coarser, row // height, row % height, x, is_in, height, width, coarse_height, coarse_width)
    if IS_FINEST:
        step = tl.load(change + at, mask=is_in, other=0.0) - STRIDE * tl.load(rate) * step
        # What is no number stays none: the engine looks for that, and mends it.
        step = tl.clamp(step, 0.0, 1.0, propagate_nan=tl.PropagateNan.ALL)
    tl.store(change + at, step, mask=is_in)


def move(
    picture: Tensor, gradient: Tensor, means: Sequence[Tensor], squares: Sequence[Tensor], counts: Tensor,
    gains: Sequence[float], betas: tuple[float, float], rate: Tensor,
) -> None:  # fmt: skip
    """Take the picture's gradient (1, c, h, w) up into the memory of every level, and move the picture in place.

    Levels are coarse to fine, the finest as large as the picture; each has its count of steps made, this one among
    them, and its gain.
    """
    totals, pull, pulls = counts.new_zeros(len(counts)), gradient, list[Tensor]()
    for n in reversed(range(len(means))):
        is_finest = n == len(means) - 1
        found = gradient if is_finest else torch.empty_like(means[n])
        _taken_up(pull, found, means[n], squares[n], totals[n], gains[n], betas, is_finest)
        pulls.insert(0, found)
        pull = found
    change = pulls[0]
    for n, (mean, square, gain) in enumerate(zip(means, squares, gains, strict=True)):
        is_finest = n == len(means) - 1
        # A level's gradient is not needed any more: its change lies in its place.
        found = picture if is_finest else pulls[n]
        numbers = totals[n], counts[n], rate, gain, betas
        _moved(found, change, mean, square, numbers, (n == 0, is_finest))
        change = found


def _taken_up(
    finer: Tensor, found: Tensor, mean: Tensor, square: Tensor, total: Tensor, gain: float,
    betas: tuple[float, float], is_finest: bool,
) -> None:  # fmt: skip
    (height, width), rows = mean.shape[-2:], mean.shape[:-1].numel()
    if is_finest:  # value by value: the whole picture is one long row
        height, width, rows = 1, mean.numel(), 1
    block = LONGEST if is_finest else BLOCK
    is_double = finer.shape[-2:] == (2 * height, 2 * width)
    start(
        _take_up, (rows, blocks(width, block)), finer, found, mean, square, total, height, width,
        finer.shape[-2], finer.shape[-1], gain, *betas, IS_FINEST=is_finest, TAPS=4 if is_double else 5, BLOCK=block,
    )  # fmt: skip


def _moved(
    found: Tensor, coarser: Tensor, mean: Tensor, square: Tensor,
    numbers: tuple[Tensor, Tensor, Tensor, float, tuple[float, float]], which: tuple[bool, bool],
) -> None:  # fmt: skip
    (height, width), rows = mean.shape[-2:], mean.shape[:-1].numel()
    total, count, rate, gain, betas = numbers
    start(
        _move, (rows, blocks(width, BLOCK)), found, coarser, mean, square, total, count, rate, height, width,
        coarser.shape[-2], coarser.shape[-1], gain, *betas, IS_FIRST=which[0], IS_FINEST=which[1],
        OWN=OWN, FARTHEST=FARTHEST, SMALLEST=SMALLEST, STRIDE=STRIDE, BLOCK=BLOCK,
    )  # fmt: skip
