"""Pictures twice and half as large, as a pyramid's levels are: torch's bilinear, in a third of its time on a CPU."""

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.kernels.loading import array, kernels_for

SMALL = 80
"""Longer side of the smaller picture up to which two matrix products are quicker than a dozen operations."""


def is_double(large: torch.Size, small: torch.Size) -> bool:
    """Whether one picture is exactly twice as high and wide as the other, of at least two pixels both ways."""
    height, width = small[-2:]
    return tuple(large[-2:]) == (2 * height, 2 * width) and min(height, width) > 1


def doubled(picture: Tensor) -> Tensor:
    """The picture (n, c, h, w) twice as large, bilinear: every pixel four times, softened by 1 2 1 both ways."""
    height, width = picture.shape[-2:]
    if not picture.requires_grad and (kernels := kernels_for(picture)) is not None:
        large = picture.new_zeros(*picture.shape[:-2], 2 * height, 2 * width)
        kernels.grow(array(picture), array(large), 1.0)
        return large
    if max(height, width) <= SMALL:
        return _spread(height, picture.device) @ (picture @ _spread(width, picture.device).t())
    large = F.interpolate(picture, scale_factor=2.0, mode="nearest")
    for dim in (-1, -2):
        last = large.shape[dim] - 1
        soft = large * 0.5
        soft.narrow(dim, 1, last).add_(large.narrow(dim, 0, last), alpha=0.25)
        soft.narrow(dim, 0, last).add_(large.narrow(dim, 1, last), alpha=0.25)
        for edge in (0, last):
            soft.narrow(dim, edge, 1).add_(large.narrow(dim, edge, 1), alpha=0.25)
        large = soft
    return large


def doubled_back(gradient: Tensor) -> Tensor:
    """The gradient of a picture from that of its `doubled`, (n, c, 2 h, 2 w)."""
    height, width = gradient.shape[-2] // 2, gradient.shape[-1] // 2
    if (kernels := kernels_for(gradient)) is not None:
        small = gradient.new_empty(*gradient.shape[:-2], height, width)
        kernels.shrink(array(gradient), array(small))
        return small
    if max(height, width) <= SMALL:
        return _spread(height, gradient.device).t() @ (gradient @ _spread(width, gradient.device))
    for dim in (3, 2):
        last = gradient.shape[dim] // 2 - 1
        even, odd = gradient.unflatten(dim, (last + 1, 2)).unbind(dim + 1)
        small = (even + odd).mul_(0.75)
        small.narrow(dim, 0, last).add_(even.narrow(dim, 1, last), alpha=0.25)
        small.narrow(dim, 1, last).add_(odd.narrow(dim, 0, last), alpha=0.25)
        small.narrow(dim, 0, 1).add_(even.narrow(dim, 0, 1), alpha=0.25)
        small.narrow(dim, last, 1).add_(odd.narrow(dim, last, 1), alpha=0.25)
        gradient = small
    return gradient


@cache
def _spread(length: int, device: torch.device) -> Tensor:
    """The matrix (2 n, n) that makes n values in a row twice as many, bilinear. Kept: n is `SMALL` at most."""
    alone = torch.eye(length, device=device)[None]
    found: Tensor = F.interpolate(alone, scale_factor=2.0, mode="linear", align_corners=False)[0].t().contiguous()
    return found


def halved(picture: Tensor) -> Tensor:
    """The means (n, c, h / 2, w / 2) of two by two pixels; height and width must be even."""
    # A GPU has a kernel of its own for this, which is quicker than several plain ones.
    found: Tensor = _Halved.apply(picture) if picture.device.type == "cpu" else F.avg_pool2d(picture, 2)
    return found


class _Halved(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, picture: Tensor) -> Tensor:
        """The means."""
        if (kernels := kernels_for(picture)) is not None:
            half = picture.new_empty(*picture.shape[:-2], picture.shape[-2] // 2, picture.shape[-1] // 2)
            kernels.halve(array(picture), array(half))
            return half
        wide = picture[..., 0::2] + picture[..., 1::2]
        return (wide[..., 0::2, :] + wide[..., 1::2, :]).mul_(0.25)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """A quarter of each mean's gradient for each of its pixels."""
        if (kernels := kernels_for(gradient)) is not None:
            whole = gradient.new_zeros(*gradient.shape[:-2], 2 * gradient.shape[-2], 2 * gradient.shape[-1])
            kernels.halve_back(array(gradient), array(whole))
            return whole
        return F.interpolate(gradient * 0.25, scale_factor=2.0, mode="nearest")
