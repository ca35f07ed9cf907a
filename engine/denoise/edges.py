"""An edge-preserving filter: smooths surfaces and keeps outlines, whatever their colour."""

import torch
import torch.nn.functional as F
from torch import Tensor

WIDEST = 0.025
"""Radius at full strength, as a share of the picture's height."""
CONTRAST = 0.12
"""Deviation of brightness that counts as an edge at full strength."""


def keep_edges(picture: Tensor, strength: float) -> Tensor:
    """Fast guided filter (He & Sun 2015, algorithm 2) with the picture's own brightness as its guide.

    Takes (1, 3, h, w) in 0..1 and a strength of 0..1. The coefficients are found at a size where the radius is
    about two pixels, so the price hardly depends on it.
    """
    if strength <= 0.0:
        return picture
    height, width = picture.shape[-2:]
    radius = max(2.0, WIDEST * strength * height)
    shrink = max(2, round(radius / 2.0))
    bright = picture.mean(dim=1, keepdim=True)
    small = F.avg_pool2d(torch.cat([bright, picture], dim=1), shrink, ceil_mode=True, count_include_pad=False)
    side = 2 * max(1, round(radius / shrink)) + 1
    slope, offset = _coefficients(small[:, :1], small[:, 1:], side, (CONTRAST * strength) ** 2)
    lines = F.interpolate(torch.cat([slope, offset], dim=1), size=(height, width), mode="bilinear", align_corners=False)
    return (lines[:, :3] * bright + lines[:, 3:]).clamp(0.0, 1.0)


def _coefficients(bright: Tensor, colours: Tensor, side: int, edge: float) -> tuple[Tensor, Tensor]:
    """Slope and offset (1, 3, h, w) each that turn brightness into colour around every pixel."""
    maps = torch.cat([bright, bright * bright, colours, bright * colours], dim=1)
    mean, square, colour, product = torch.split(_box(maps, side), [1, 1, 3, 3], dim=1)
    slope = (product - mean * colour) / ((square - mean * mean).clamp(min=0.0) + edge)
    means = _box(torch.cat([slope, colour - slope * mean], dim=1), side)
    return means[:, :3], means[:, 3:]


def _box(maps: Tensor, side: int) -> Tensor:
    """Means over squares of this odd side, of what lies inside the picture; (1, c, h, w) to the same."""
    half = side // 2
    across = F.avg_pool2d(maps, (1, side), stride=1, padding=(0, half), count_include_pad=False)
    return F.avg_pool2d(across, (side, 1), stride=1, padding=(half, 0), count_include_pad=False)
