"""The views a guide sees: random tilted cut-outs of the picture, all of them in one batched grid_sample."""

from dataclasses import dataclass
from math import log

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.canvas import resized
from engine.parameters import Look

ASPECTS = (3 / 4, 4 / 3)
"""Widest range of an inner view's width to its height, in pixels of the picture."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How views are cut. Shares are of the picture's area, `tilt` and `overhang` of its sides and of the view's."""

    overviews: int
    inner: int
    low: float
    high: float
    tilt: float
    overhang: float
    is_mirrored: bool

    @classmethod
    def of(cls, look: Look, crops: int) -> "Cut":
        """What this look asks for, with this many views: some of both kinds, unless it wants all of one."""
        share = look.number("overview")
        overviews = round(share * crops)
        if 0.0 < share < 1.0 and crops > 1:
            overviews = min(max(overviews, 1), crops - 1)
        low, high = sorted((look.number("crop_low"), look.number("crop_high")))
        return cls(
            overviews=overviews,
            inner=crops - overviews,
            low=low,
            high=high,
            tilt=look.number("perspective"),
            overhang=look.number("overhang"),
            is_mirrored=look.text("beyond") == "mirror",
        )


def views(picture: Tensor, cut: Cut, size: int, generator: torch.Generator) -> Tensor:
    """Views (n, 3, size, size) of a picture (1, 3, h, w), overviews first; beyond the border a mirror, or white.

    The tilt is the authors': the picture's corners move inward by up to tilt / 2 of its sides, each on its own.
    """
    n = cut.overviews + cut.inner
    boxes = view_boxes(cut, picture.shape[-2], picture.shape[-1], generator)
    tilts = corner_tilts(n, cut.tilt, generator)
    grid = sampling_grid(boxes, tilts, size)
    source = _averaged(picture, cut, size).expand(n, -1, -1, -1)
    if cut.is_mirrored:
        return F.grid_sample(source, grid, padding_mode="reflection", align_corners=False)
    return F.grid_sample(source - 1.0, grid, padding_mode="zeros", align_corners=False) + 1.0


def view_boxes(cut: Cut, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Each view's (left, top, right, bottom), (n, 4), where the picture spans -1..1 both ways."""
    chance = torch.rand(cut.overviews + cut.inner, 4, generator=generator, device=generator.device)
    whole = _whole_boxes(chance[: cut.overviews], cut.overhang)
    area = (cut.low + (cut.high - cut.low) * chance[cut.overviews :, 0]) * height * width
    aspect = torch.exp(log(ASPECTS[0]) + (log(ASPECTS[1]) - log(ASPECTS[0])) * chance[cut.overviews :, 1])
    high = (area / aspect).sqrt().clamp(max=height)
    wide = torch.minimum((area * aspect).sqrt(), high * ASPECTS[1]).clamp(max=width)
    high = torch.minimum(high, wide / ASPECTS[0]) / height
    wide = wide / width
    x = _placed(chance[cut.overviews :, 2], wide, cut.overhang)
    y = _placed(chance[cut.overviews :, 3], high, cut.overhang)
    inner = torch.stack([x - wide, y - high, x + wide, y + high], dim=1)
    return torch.cat([whole, inner])


def corner_tilts(n: int, tilt: float, generator: torch.Generator) -> Tensor:
    """Where the picture's corners go, (n, 4, 2), clockwise from the top left, each inward by up to `tilt`."""
    corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]], device=generator.device)
    moved = torch.rand(n, 4, 2, generator=generator, device=generator.device)
    return corners * (1.0 - tilt * moved)


def sampling_grid(boxes: Tensor, tilts: Tensor, size: int) -> Tensor:
    """Points of the picture each view's pixels look at, (n, size, size, 2), from boxes (n, 4) and tilts (n, 4, 2)."""
    at = (torch.arange(size, device=boxes.device) + 0.5) / size
    x = boxes[:, 0:1] + (boxes[:, 2:3] - boxes[:, 0:1]) * at
    y = boxes[:, 1:2] + (boxes[:, 3:4] - boxes[:, 1:2]) * at
    n = len(boxes)
    across, down = x[:, None, :].expand(n, size, size), y[:, :, None].expand(n, size, size)
    points = torch.stack([across, down, torch.ones_like(across)], dim=-1)
    seen = points.view(n, size * size, 3) @ untilting(tilts).transpose(1, 2)
    return (seen[..., :2] / seen[..., 2:]).view(n, size, size, 2)


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
    back = torch.stack(
        [torch.linalg.cross(down, start), torch.linalg.cross(start, right), torch.linalg.cross(right, down)],
        dim=1,
    )
    # Heckbert's square is 0..1, ours -1..1.
    u, v, w = back.unbind(dim=1)
    return torch.stack([2.0 * u - w, 2.0 * v - w, w], dim=1)


def _whole_boxes(chance: Tensor, overhang: float) -> Tensor:
    """Boxes that show the whole picture and up to `overhang` / 2 beyond each border."""
    more = 1.0 + 0.5 * overhang * chance
    return more * torch.tensor([-1.0, -1.0, 1.0, 1.0], device=chance.device)


def _placed(chance: Tensor, half: Tensor, overhang: float) -> Tensor:
    """Centres for views of this half size, so that none hangs over by more than its share."""
    reach = 1.0 - half + 2.0 * half * overhang
    return (2.0 * chance - 1.0) * reach


def _averaged(picture: Tensor, cut: Cut, size: int) -> Tensor:
    """The picture no finer than the smallest view can show.

    Sampling a finer one would reach few of its pixels in each step and leave the rest as noise and grid.
    """
    height, width = picture.shape[-2:]
    shrink = size / (cut.low * height * width) ** 0.5 if cut.inner else size / height
    if shrink >= 1.0:
        return picture
    return resized(picture, max(1, round(height * shrink)), max(1, round(width * shrink)))
