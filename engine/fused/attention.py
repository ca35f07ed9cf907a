"""Attention of short rows of tokens, whole in one tile each, there and back (Vaswani et al. 2017; Dao et al. 2022).

Queries, keys and values are read where the layer before left them, and found where the next wants it: nothing is
copied between. The way back computes the weights anew.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from engine.fused.launching import power_of_two, start


@triton.jit
def _weights(rows, width, part, t, d, is_in, tokens, scale):
    """Queries, keys, values (t, d) each, and how much each token looks at each."""
    q = tl.load(rows + t[:, None] * width + d[None, :], mask=is_in, other=0.0)
    k = tl.load(rows + part + t[:, None] * width + d[None, :], mask=is_in, other=0.0)
    v = tl.load(rows + 2 * part + t[:, None] * width + d[None, :], mask=is_in, other=0.0)
    logits = tl.where(t[None, :] < tokens, tl.dot(q, tl.trans(k)) * scale, float("-inf"))
    weights = tl.exp(logits - tl.max(logits, axis=1)[:, None])
    return q, k, v, weights / tl.sum(weights, axis=1)[:, None]


@triton.jit(do_not_specialize=("tokens",))
def _attend(seen, found, tokens, length, scale, HEAD: tl.constexpr, BLOCK: tl.constexpr):
    t, d = tl.arange(0, BLOCK), tl.arange(0, HEAD)
    first, head, is_in = tl.program_id(0) * tokens, tl.program_id(1) * HEAD, (t < tokens)[:, None]
    rows = seen + first * 3 * length + head
    _, _, v, weights = _weights(rows, 3 * length, length, t, d, is_in, tokens, scale)
    met = tl.dot(weights.to(v.dtype), v)
    tl.store(found + (first + t[:, None]) * length + head + d[None, :], met.to(v.dtype), mask=is_in)


@triton.jit(do_not_specialize=("tokens",))
def _attend_back(seen, gradient, found, tokens, length, scale, HEAD: tl.constexpr, BLOCK: tl.constexpr):
    t, d = tl.arange(0, BLOCK), tl.arange(0, HEAD)
    first, head, is_in = tl.program_id(0) * tokens, tl.program_id(1) * HEAD, (t < tokens)[:, None]
    q, k, v, weights = _weights(seen + first * 3 * length + head, 3 * length, length, t, d, is_in, tokens, scale)
    g = tl.load(gradient + (first + t[:, None]) * length + head + d[None, :], mask=is_in, other=0.0)
    of_weights = tl.dot(g, tl.trans(v))
    of_logits = weights * (of_weights - tl.sum(weights * of_weights, axis=1)[:, None]) * scale
    of_logits = of_logits.to(q.dtype)
    to = found + (first + t[:, None]) * 3 * length + head + d[None, :]
    tl.store(to, tl.dot(of_logits, k).to(q.dtype), mask=is_in)
    tl.store(to + length, tl.dot(tl.trans(of_logits), q).to(q.dtype), mask=is_in)
    tl.store(to + 2 * length, tl.dot(tl.trans(weights.to(g.dtype)), g).to(q.dtype), mask=is_in)


def attend(seen: Tensor, n: int, tokens: int, heads: int) -> Tensor:
    """What n views' tokens found, (n tokens, d), from their queries, keys and values (n tokens, 3 d)."""
    length = seen.shape[1] // 3
    found = seen.new_empty(n * tokens, length)
    _started(_attend, (n, heads), seen, found, tokens=tokens, length=length)
    return found


def attend_back(seen: Tensor, gradient: Tensor, n: int, tokens: int, heads: int) -> Tensor:
    """The gradient of queries, keys and values from that of what was found."""
    found = torch.empty_like(seen)
    _started(_attend_back, (n, heads), seen, gradient, found, tokens=tokens, length=seen.shape[1] // 3)
    return found


def _started(kernel: object, grid: tuple[int, int], *tensors: Tensor, tokens: int, length: int) -> None:
    head, block = length // grid[1], max(16, power_of_two(tokens))
    start(kernel, grid, *tensors, tokens, length, head**-0.5, HEAD=head, BLOCK=block)
