"""How a picture is sampled for views: where their pixels look, and what they see there."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.kept import kept
from engine.kernels.loading import Kernels, array


def sampling_grid(boxes: Tensor, tilts: Tensor, size: int) -> Tensor:
    """Points of the picture each view's pixels look at, (n, size, size, 2), from boxes (n, 4) and tilts (n, 4, 2)."""
    n, straight = len(boxes), straight_grid(boxes, size)
    points = torch.cat([straight, torch.ones_like(straight[..., :1])], dim=-1)
    seen = points.view(n, size * size, 3) @ untilting(tilts).transpose(1, 2)
    return (seen[..., :2] / seen[..., 2:]).view(n, size, size, 2)


def straight_grid(boxes: Tensor, size: int) -> Tensor:
    """The same for views that are not tilted."""
    at = _middles(size, boxes.device)
    x = boxes[:, 0:1] + (boxes[:, 2:3] - boxes[:, 0:1]) * at
    y = boxes[:, 1:2] + (boxes[:, 3:4] - boxes[:, 1:2]) * at
    return torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), dim=-1)


def untilting(tilts: Tensor) -> Tensor:
    """The homographies (n, 3, 3) that take moved corners (n, 4, 2) back to those of the square -1..1.

    Heckbert 1989, section 2.2.3 (square to quadrilateral), and its adjugate for the way back.
    """
    a, b, c, d = tilts.unbind(dim=1)
    over = a - b + c - d
    one, two = b - c, d - c
    scale = one[:, 0] * two[:, 1] - two[:, 0] * one[:, 1]
    g = (over[:, 0] * two[:, 1] - two[:, 0] * over[:, 1]) / scale
    h = (one[:, 0] * over[:, 1] - over[:, 0] * one[:, 1]) / scale
    right = torch.cat([b - a + g[:, None] * b, g[:, None]], dim=1)
    down = torch.cat([d - a + h[:, None] * d, h[:, None]], dim=1)
    start = torch.cat([a, torch.ones_like(g)[:, None]], dim=1)
    back = torch.linalg.cross(torch.stack([down, start, right], dim=1), torch.stack([start, right, down], dim=1))
    # Heckbert's square is 0..1, ours -1..1.
    u, v, w = back.unbind(dim=1)
    return torch.stack([2.0 * u - w, 2.0 * v - w, w], dim=1)


def sampled(source: Tensor, grid: Tensor, is_mirrored: bool) -> Tensor:
    """Views (n, 3, s, s) of a picture (1, 3, h, w) at points (n, s, s, 2); beyond the border a mirror, or white."""
    source = source.expand(len(grid), -1, -1, -1)
    if is_mirrored:
        return F.grid_sample(source, grid, padding_mode="reflection", align_corners=False)
    return F.grid_sample(source - 1.0, grid, padding_mode="zeros", align_corners=False) + 1.0


def looked(source: Tensor, boxes: Tensor, size: int, kernels: Kernels) -> Tensor:
    """Straight views (n, 3, size, size) of a picture (1, 3, h, w) in boxes (n, 4), by a compiled pass; mirrored."""
    found: Tensor = _Looked.apply(source, boxes, size, kernels)
    return found


class _Looked(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, source: Tensor, boxes: Tensor, size: int, kernels: Kernels) -> Tensor:
        """The views."""
        ctx.boxes, ctx.kernels, ctx.source = boxes.numpy(), kernels, source.shape
        views = source.new_empty(len(boxes), source.shape[1], size, size)
        kernels.look(array(source), ctx.boxes, views.numpy())
        return views

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        """For the picture only."""
        gradient, found = gradient.contiguous(), gradient.new_zeros(ctx.source)
        ctx.kernels.look_back(gradient.numpy(), ctx.boxes, array(found))
        return found, None, None, None


@kept
def _middles(size: int, device: torch.device) -> Tensor:
    """Where the middles of a view's pixels lie along one side, 0..1."""
    return (torch.arange(size, device=device) + 0.5) / size
