"""Layer normalisation with the sum beside it, there and back (Ba, Kiros and Hinton 2016)."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from engine.fused.launching import power_of_two, start


@triton.jit(do_not_specialize=("length",))
def _ahead(x, more, weight, bias, found, mean, scale, length, eps, BLOCK: tl.constexpr):
    row, d = tl.program_id(0), tl.arange(0, BLOCK)
    is_in, at = d < length, row * length + d
    both = tl.load(x + at, mask=is_in, other=0.0).to(tl.float32)
    both = (both + tl.load(more + at, mask=is_in, other=0.0).to(tl.float32)).to(x.dtype.element_ty)
    tl.store(x + at, both, mask=is_in)
    both = both.to(tl.float32)
    middle = tl.sum(both) / length
    apart = tl.where(is_in, both - middle, 0.0)
    steep = 1.0 / tl.sqrt(tl.sum(apart * apart) / length + eps)
    tl.store(mean + row, middle)
    tl.store(scale + row, steep)
    gain = tl.load(weight + d, mask=is_in, other=0.0).to(tl.float32)
    shift = tl.load(bias + d, mask=is_in, other=0.0).to(tl.float32)
    tl.store(found + at, (apart * steep * gain + shift).to(found.dtype.element_ty), mask=is_in)


@triton.jit(do_not_specialize=("length",))
def _back(gradient, x, weight, mean, scale, more, found, length, BLOCK: tl.constexpr):
    row, d = tl.program_id(0), tl.arange(0, BLOCK)
    is_in, at = d < length, row * length + d
    steep = tl.load(scale + row)
    seen = (tl.load(x + at, mask=is_in, other=0.0).to(tl.float32) - tl.load(mean + row)) * steep
    seen = tl.where(is_in, seen, 0.0)
    pull = tl.load(gradient + at, mask=is_in, other=0.0).to(tl.float32)
    pull *= tl.load(weight + d, mask=is_in, other=0.0).to(tl.float32)
    pull -= tl.sum(pull) / length + seen * (tl.sum(pull * seen) / length)
    beside = tl.load(more + at, mask=is_in, other=0.0).to(tl.float32)
    tl.store(found + at, (pull * steep + beside).to(found.dtype.element_ty), mask=is_in)


def norm_of_sum(x: Tensor, more: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """Rows x (n, d) and more added up in place of x; that normalised, with mean and scale (n, 1) of each row."""
    n, length = x.shape
    found = x.new_empty(n, length)
    mean, scale = (x.new_empty(n, 1, dtype=torch.float32) for _ in range(2))
    block = power_of_two(length)
    start(_ahead, (n,), x, more, weight, bias, found, mean, scale, length, eps, BLOCK=block)
    return found, mean, scale


def norm_back_and_sum(gradient: Tensor, x: Tensor, weight: Tensor, mean: Tensor, scale: Tensor, more: Tensor) -> Tensor:
    """The gradient of rows x (n, d) from that of what they were normalised to, and more added."""
    n, length = x.shape
    found, block = x.new_empty(n, length), power_of_two(length)
    start(_back, (n,), gradient, x, weight, mean, scale, more, found, length, BLOCK=block)
    return found
