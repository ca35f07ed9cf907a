"""How far views are from what they should show, and which way that pulls their embeddings; see `engine.objectives`."""

import triton
import triton.language as tl
from torch import Tensor

from engine.fused.launching import power_of_two, start


@triton.jit(do_not_specialize=("weights", "shares", "count", "length", "of_view", "of_prompt"))
def _agreed(
    seen, wanted, weights, shares, found, count, length, of_view, of_prompt, bend, beyond,
    IS_SPHERICAL: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    n, d = tl.program_id(0), tl.arange(0, BLOCK)
    is_in = d < length
    one = tl.load(seen + n * length + d, mask=is_in, other=0.0)
    norm = tl.maximum(tl.sqrt(tl.sum(one * one)), 1e-12)
    one = one / norm
    pull = tl.zeros((BLOCK,), tl.float32)
    for k in range(count):
        toward = tl.load(wanted + n * of_view + k * of_prompt + d, mask=is_in, other=0.0)
        weight, slope = tl.load(weights + k), -1.0
        if IS_SPHERICAL:
            cosine = tl.sum(one * toward)
            c = tl.minimum(tl.maximum(cosine, bend), 1.0 - 1e-6)
            # The angle to 2e-8, Abramowitz and Stegun 4.4.46.
            a = tl.abs(c)
            rest = 0.0308918810 + a * (-0.0170881256 + a * (0.0066700901 - a * 0.0012624911))
            rest = 1.5707963050 + a * (-0.2145988016 + a * (0.0889789874 + a * (-0.0501743046 + a * rest)))
            angle = tl.sqrt(1.0 - a) * rest
            angle = tl.where(c < 0.0, 3.14159265359 - angle, angle)
            slope = -angle / tl.sqrt(1.0 - c * c)
            slope = tl.where(cosine < bend, -beyond, tl.where(cosine > 1.0 - 1e-6, 0.0, slope))
        # What is pushed away costs its cosine whatever the distance.
        part = tl.load(shares + n * count + k) * (slope * tl.maximum(weight, 0.0) - tl.minimum(weight, 0.0))
        pull += part * toward
    pull = (pull - one * tl.sum(one * pull)) / norm
    tl.store(found + n * length + d, pull, mask=is_in)


def agreed(
    seen: Tensor, wanted: Tensor, weights: Tensor, shares: Tensor, is_spherical: bool, bend: tuple[float, float]
) -> Tensor:
    """The gradient (n, d) of embeddings (n, d), from unit vectors wanted (n, k, d), weights (k,), shares (n, k).

    `bend` is the cosine below which the spherical distance is a straight line, and that line's slope.
    """
    (n, length), wanted = seen.shape, wanted if wanted.stride(-1) == 1 else wanted.contiguous()
    found = seen.new_empty(n, length)
    start(
        _agreed, (n,), seen.contiguous(), wanted, weights, shares.contiguous(), found,
        wanted.shape[1], length, wanted.stride(0), wanted.stride(1), *bend,
        IS_SPHERICAL=is_spherical, BLOCK=power_of_two(length),
    )  # fmt: skip
    return found
