"""An edge-preserving filter: smooths surfaces, keeps outlines whatever their colour, and makes them crisp."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

WIDEST = 0.025
"""Radius of the smoothing at full strength, as a share of the picture's height."""
CONTRAST = 0.12
"""Deviation of brightness that counts as an edge at full strength."""
CRISPNESS = 3.0
"""How many times what sets a pixel apart from its surroundings is added again at full strength."""
OUTLINE = 1 / 80
"""How far an outline's two sides lie apart, as a share of the picture's height."""


def keep_edges(picture: Tensor, strength: float) -> Tensor:
    """Surfaces smoothed and outlines sharpened, (1, 3, h, w) in 0..1 to the same; a strength of 0..1."""
    if strength <= 0.0:
        return picture
    return crisp(smooth(picture, strength), strength)


def smooth(picture: Tensor, strength: float) -> Tensor:
    """Fast guided filter (He & Sun 2015, algorithm 2) with the picture's own brightness as its guide.

    The coefficients are found at a size where the radius is about two pixels, so the price hardly depends on it.
    """
    height, width = picture.shape[-2:]
    radius = max(2.0, WIDEST * strength * height)
    shrink = max(2, round(radius / 2.0))
    bright = picture.mean(dim=1, keepdim=True)
    small = F.avg_pool2d(torch.cat([bright, picture], dim=1), shrink, ceil_mode=True, count_include_pad=False)
    reach = max(1, round(radius / shrink))
    slope, offset = _coefficients(small[:, :1], small[:, 1:], reach, (CONTRAST * strength) ** 2)
    lines = F.interpolate(torch.cat([slope, offset], dim=1), size=(height, width), mode="bilinear", align_corners=False)
    return (lines[:, :3] * bright + lines[:, 3:]).clamp(0.0, 1.0)


def crisp(picture: Tensor, strength: float) -> Tensor:
    """What sets each pixel apart added again, but never beyond its neighbours: steeper outlines without halos."""
    reach = max(1, round(OUTLINE * picture.shape[-2]))
    apart = picture - _mean(picture, reach + 1)
    darkest, brightest = _over(picture, reach, torch.minimum), _over(picture, reach, torch.maximum)
    return (picture + CRISPNESS * strength * apart).clamp(darkest, brightest)


def _coefficients(bright: Tensor, colours: Tensor, reach: int, edge: float) -> tuple[Tensor, Tensor]:
    """Slope and offset (1, 3, h, w) each that turn brightness into colour around every pixel."""
    maps = torch.cat([bright, bright * bright, colours, bright * colours], dim=1)
    mean, square, colour, product = torch.split(_mean(maps, reach), [1, 1, 3, 3], dim=1)
    slope = (product - mean * colour) / ((square - mean * mean).clamp(min=0.0) + edge)
    means = _mean(torch.cat([slope, colour - slope * mean], dim=1), reach)
    return means[:, :3], means[:, 3:]


def _mean(maps: Tensor, reach: int) -> Tensor:
    """Means over squares this far to every side, the border repeated; (1, c, h, w) to the same."""
    return _over(maps, reach, torch.add) / (2 * reach + 1) ** 2


def _over(maps: Tensor, reach: int, join: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """`join` of every value in squares this far to every side, the border repeated.

    Whole rows joined at a time, each power of two from the one before: several times quicker than pooling.
    """
    joined = F.pad(maps, (reach, reach, reach, reach), mode="replicate")
    for dim in (-1, -2):
        joined = _along(joined, dim, 2 * reach + 1, join)
    return joined


def _along(maps: Tensor, dim: int, count: int, join: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    length = maps.shape[dim] - count + 1
    block, size, at, joined = maps, 1, 0, None
    while True:
        if count & size:
            piece = block.narrow(dim, at, length)
            joined = piece if joined is None else join(joined, piece)
            at += size
        if size * 2 > count:
            break
        rest = block.shape[dim] - size
        block, size = join(block.narrow(dim, 0, rest), block.narrow(dim, size, rest)), size * 2
    return maps if joined is None else joined
