"""The arithmetic limit of a step: what the guide must compute, over how fast this machine multiplies matrices."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from engine.devices import wait_for
from engine.guides.guide import Guide
from engine.parameters import Look

SIDES = {"cuda": (2048, 4096, 8192), "cpu": (512, 1024, 2048)}
"""Sides of the square matrices tried; of another device, those of a CPU."""
AT_LEAST_S = 0.15


@dataclass(frozen=True, slots=True)
class Rate:
    """The fastest matrix product that was measured."""

    flops_per_s: float
    side: int
    dtype: torch.dtype


def limit(guides: Sequence[Guide], look: Look, step_ms: float) -> dict[str, float | int | str]:
    """The time below which no step can be, ms, and what share of that speed a step of `step_ms` reaches.

    Counted are only the guide's forward and backward pass to the picture: cutting views, losses and the optimiser
    are what could be done without.
    """
    rate = matrix_rate(guides[0].device, precisions(guides))
    flops = of_a_step([guide_flops(guide, look.whole("crops")) for guide in guides], look)
    limit_ms = 1000.0 * flops / rate.flops_per_s
    return {
        "guide_gflop_per_step": round(flops / 1e9, 3),
        "matrix_gflops_per_s": round(rate.flops_per_s / 1e9, 1),
        "matrix_dtype": str(rate.dtype).removeprefix("torch."),
        "matrix_side": rate.side,
        "limit_step_ms": round(limit_ms, 4),
        "share_of_limit": round(limit_ms / step_ms, 4),
    }


def of_a_step(each: Sequence[float], look: Look) -> float:
    """What a step takes when the guides take so much each: the sum where they add up, else the mean over the steps."""
    if look.text("guide_mix") == "sum":
        return sum(each)
    steps = look.whole("steps")
    return sum(each[step % len(each)] for step in range(steps)) / steps


def guide_flops(guide: Guide, views: int) -> int:
    """Operations of one look at so many views, forward and backward to the views, the weights being frozen.

    A multiplication and an addition are two. Only products of matrices and convolutions are counted, as torch does.
    """
    seen = torch.rand(views, 3, guide.image_size, guide.image_size, device=guide.device, requires_grad=True)
    # The counter knows no fused attention of a CPU; as plain products of matrices it is counted everywhere.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        # The model's own way: the counter does not know the operators of weights that are laid out.
        guide.model.encode_image(seen.to(guide.image_dtype)).float().sum().backward()
    return int(counter.get_total_flops())


def precisions(guides: Sequence[Guide]) -> set[torch.dtype]:
    """In what the guides compute here, single precision, and on CUDA also half of it, whatever the guides do."""
    halves = {torch.bfloat16} if guides[0].device.type == "cuda" else set()
    return {torch.float32, *(guide.image_dtype for guide in guides), *halves}


def matrix_rate(device: torch.device, dtypes: set[torch.dtype]) -> Rate:
    """The fastest product of two square matrices over some sizes and these precisions, on the threads torch has now."""
    sides = SIDES.get(device.type, SIDES["cpu"])
    return max((_rate(device, side, dtype) for side in sides for dtype in dtypes), key=lambda rate: rate.flops_per_s)


def _rate(device: torch.device, side: int, dtype: torch.dtype) -> Rate:
    a, b = (torch.rand(side, side, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(a)
    torch.mm(a, b, out=out)
    wait_for(device)
    best_s, began = float("inf"), time.perf_counter()
    while time.perf_counter() - began < AT_LEAST_S:
        at = time.perf_counter()
        for _ in range(4):
            torch.mm(a, b, out=out)
        wait_for(device)
        best_s = min(best_s, (time.perf_counter() - at) / 4)
    return Rate(2.0 * side**3 / best_s, side, dtype)
