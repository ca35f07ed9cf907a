"""The views a guide sees: random cut-outs of the picture, tilted or straight, all of them at once."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from engine.canvas import resized
from engine.doubling import halved
from engine.kept import kept
from engine.kernels.loading import kernels_for
from engine.parameters import Look
from engine.regions import frames, owned, owners
from engine.sampling import looked, sampled, sampling_grid, straight_grid

FINENESS = 1.1
"""Pixels of the source to one of a middling view: hardly more than one, so that every pixel is reached."""
NEARLY = 0.03
"""How far from a half, or half as far from the whole, the source's size may be meant to be.

A half takes an eighth of the time of any other share, and the whole none.
"""
DIALS = ("low", "high", "squeeze", "ends", "aspect", "overhang")
"""What of a cut says how views lie, tilts aside."""
GRAINS = 20
"""Sizes the source may have while the smallest inner view is turned from nothing to the whole."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How views are cut. Shares are of the picture's area, `tilt` and `overhang` of its sides and of the view's.

    What is no whole number may lie on the device, so that it can be another in a step that is recorded.
    """

    overviews: int
    inner: int
    low: float | Tensor
    high: float | Tensor
    tilt: float | Tensor
    overhang: float | Tensor
    is_mirrored: bool
    owners: tuple[str, ...] = ()
    """Whose each view is, those of the whole picture first; empty where all are."""
    squeeze: float | Tensor = 4 / 3
    """How much longer than its other side an overview may be, in the picture; the guide sees it as a square."""
    ends: float | Tensor = 1 / 3
    """Share of the inner views that lie at an end of their part, either way."""
    aspect: float | Tensor = 4 / 3
    """How much longer than its other side an inner view may be, in pixels of the picture."""
    is_tilted: bool = True
    """Whether views are tilted at all; where those that are not look is found in a tenth of the time."""
    is_turned: bool = False
    """Whether views show the picture as a mirror does: what they are guided to comes the other way round."""
    grain: float | None = None
    """The share of the smallest inner view as far as it decides how fine a picture is looked at; None is `low`."""

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
            squeeze=look.number("squeeze"),
            ends=look.number("ends"),
            aspect=look.number("aspect"),
            is_tilted=look.number("perspective") > 0.0,
            grain=max(1, round(GRAINS * low)) / GRAINS,
        )

    def shared(self, regions: Sequence[str], turn: int) -> "Cut":
        """The cut with views for each part that a prompt owns; `turn` counts the steps (see `engine.regions`)."""
        if not owned(regions):
            return self
        whose = owners(regions, self.overviews, self.inner, turn)
        overviews = min(self.overviews, whose.count("whole"))
        return replace(self, overviews=overviews, inner=len(whose) - overviews, owners=whose)

    def shape(self) -> Hashable:
        """What of it decides what is computed, rather than with which numbers."""
        return self.overviews, self.inner, self.is_mirrored, self.is_tilted, self.is_turned, self.owners, self.grain

    def numbers(self) -> tuple[float, ...] | None:
        """What says how views lie; None where it is on the device."""
        found = [getattr(self, name) for name in DIALS]
        return None if any(isinstance(number, Tensor) for number in found) else tuple(float(each) for each in found)

    def of_parts(self) -> tuple[str, ...]:
        """Whose each inner view is."""
        return self.owners[self.overviews :] or ("whole",) * self.inner


@dataclass(frozen=True, slots=True)
class Sight:
    """What a guide sees in one step, and where it looks."""

    views: Tensor
    """(n, 3, s, s)."""
    points: Callable[[], Tensor]
    """Finds the point of the picture each pixel of a view shows, (n, s, s, 2), where the picture spans -1..1."""
    boxes: Tensor
    """(left, top, right, bottom) of each view before it is tilted, (n, 4), in the same measure."""


def views(picture: Tensor, cut: Cut, size: int, generator: torch.Generator) -> Tensor:
    """Views (n, 3, size, size) of a picture (1, 3, h, w), overviews first; beyond the border a mirror, or white."""
    return look_at(picture, cut, size, generator).views


def look_at(picture: Tensor, cut: Cut, size: int, generator: torch.Generator) -> Sight:
    """Views of a picture (1, 3, h, w), overviews first, and where they lie.

    The tilt is the authors': the picture's corners move inward by up to tilt / 2 of its sides, each on its own.
    """
    chance = Chance.of(cut, generator)
    boxes = boxes_by(chance, cut, picture.shape[-2], picture.shape[-1])
    turned, source = mirrored(boxes) if cut.is_turned else boxes, averaged(picture, cut, size)
    if cut.is_mirrored and not cut.is_tilted and (kernels := kernels_for(source, turned)) is not None:
        return Sight(looked(source, turned, size, kernels), partial(straight_grid, turned, size), boxes)
    grid = grid_of(boxes, chance, cut, size)
    return Sight(sampled(source, grid, cut.is_mirrored), lambda: grid, boxes)


@dataclass(frozen=True, slots=True)
class Chance:
    """What is left to chance in n views, each value in 0..1: where they lie (n, 4), how they are tilted (n, 4, 2)."""

    lie: Tensor
    tilt: Tensor

    @classmethod
    def of(cls, cut: Cut, generator: torch.Generator) -> "Chance":
        """For one step."""
        n, device = cut.overviews + cut.inner, generator.device
        lie = torch.rand(n, 4, generator=generator, device=device)
        return cls(lie, torch.rand(n, 4, 2, generator=generator, device=device))


def grid_of(boxes: Tensor, chance: Chance, cut: Cut, size: int) -> Tensor:
    """The points of the picture that views in these boxes see, (n, size, size, 2)."""
    turned = mirrored(boxes) if cut.is_turned else boxes
    if not cut.is_tilted:
        return straight_grid(turned, size)
    return sampling_grid(turned, corners_by(chance, cut.tilt), size)


def corners_by(chance: Chance, tilt: float | Tensor) -> Tensor:
    """Where the picture's corners go, (n, 4, 2), clockwise from the top left, each inward by up to `tilt`."""
    return _corners(chance.tilt.device) * (1.0 - tilt * chance.tilt)


def boxes_by(chances: Chance, cut: Cut, height: int, width: int) -> Tensor:
    """Each view's (left, top, right, bottom), (n, 4), where the picture spans -1..1 both ways; overviews first.

    An overview is as tall as the picture (as wide, where that is the shorter side), up to `squeeze` times as long the
    other way, and in the middle but for `overhang`: wandering further, it would smear the subject along the picture.
    An inner view has a share low..high of the area of its part, or of the picture, no longer than `aspect` allows.
    """
    chance = chances.lie
    if (kernels := kernels_for(chance)) is not None and (numbers := cut.numbers()) is not None:
        found, parts = torch.empty_like(chance), part_numbers(cut.of_parts(), chance.device)
        size = (float(width), float(height))
        kernels.boxes(chance.numpy(), cut.overviews, parts.numpy(), size, numbers, found.numpy())
        return found
    whole = _overviews(chance[: cut.overviews], cut, height, width)
    inner = _inner_views(chance[cut.overviews :], cut, height, width)
    middle, half = (torch.cat(both) for both in zip(whole, inner, strict=True))
    return torch.cat([middle - half, middle + half], dim=1)


def mirrored(boxes: Tensor) -> Tensor:
    """Boxes (n, 4) with left and right exchanged: views of them show the picture as a mirror does."""
    left, top, right, bottom = boxes.unbind(dim=1)
    return torch.stack([right, top, left, bottom], dim=1)


def _overviews(chance: Tensor, cut: Cut, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Middles and half sizes of overviews, (n, 2) each."""
    # Every other one is square, where the subject is; the rest are as wide as may be: the sides are one with it.
    wide = (_numbers(tuple(range(len(chance))), chance.device) + (chance[:1, 1] < 0.5)) % 2.0
    longer = _at_most(cut.squeeze, max(height, width) / min(height, width)) - 1.0
    square = _numbers((min(height, width) / width, min(height, width) / height), chance.device)
    along = _numbers((float(width > height), float(height > width)), chance.device)
    half = (square * (1.0 + longer * wide[:, None] * along)).clamp(max=1.0)
    # They wander near the picture's own middle.
    return (2.0 * chance[:, 2:] - 1.0) * cut.overhang, half


def _inner_views(chance: Tensor, cut: Cut, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Middles and half sizes of inner views, (n, 2) each."""
    middle, room = _rooms(cut.of_parts(), chance.device)
    size = _numbers((float(width), float(height)), chance.device)
    broad, tall = (room * size).unbind(dim=1)
    side = ((cut.low + (cut.high - cut.low) * chance[:, 0]) * broad * tall).sqrt()
    aspect = cut.aspect ** (chance[:, 1] - 0.5)
    high = torch.minimum(side / aspect, tall)
    wide = torch.minimum(torch.minimum(side * aspect, high * cut.aspect), broad)
    half = torch.stack([wide, torch.minimum(high, wide * cut.aspect)], dim=1) / size
    kept = part_numbers(cut.of_parts(), chance.device)[:, 4:]
    return middle + _placed(chance[:, 2:], half / room, cut.ends * kept, cut.overhang) * room, half


def _placed(chance: Tensor, half: Tensor, ends: Tensor, overhang: float | Tensor) -> Tensor:
    """Middles for views of this half size, none hanging over by more than its share.

    The share `ends` (n, 1) of them lies at either end, where few would come otherwise: the border is guided like the
    middle.
    """
    reach = 1.0 + half * (2.0 * overhang - 1.0)
    return ((2.0 * chance - 1.0) / (1.0 - ends).clamp(min=1e-6)).clamp(-1.0, 1.0) * reach


def averaged(picture: Tensor, cut: Cut, size: int) -> Tensor:
    """The picture no finer than its middling views can show.

    Sampling a finer one would reach few of its pixels in each step and leave the rest as noise and grid.
    """
    halvings, rest = shrinking(cut, picture.shape[-2], picture.shape[-1], size)
    for _ in range(halvings):
        picture = halved(picture)
    return picture if rest is None else resized(picture, *rest)


def shrinking(cut: Cut, height: int, width: int, size: int) -> tuple[int, tuple[int, int] | None]:
    """How often a picture is halved for views, and the height and width it is brought to then, if to any."""
    low = (float(cut.low) if cut.grain is None else cut.grain) if cut.inner else 1.0
    shrink = FINENESS * size / (min(height, width) * min(1.0, low * max(height, width) / min(height, width)) ** 0.25)
    halvings = 0
    while shrink < 0.5 + NEARLY and height % 2 == width % 2 == 0:
        halvings, shrink, height, width = halvings + 1, 2.0 * shrink, height // 2, width // 2
    if shrink >= 1.0 - 2.0 * NEARLY:
        return halvings, None
    return halvings, (max(1, round(height * shrink)), max(1, round(width * shrink)))


def _at_most(value: float | Tensor, limit: float) -> float | Tensor:
    return value.clamp(max=limit) if isinstance(value, Tensor) else min(value, limit)


@kept
def _numbers(numbers: tuple[float, ...], device: torch.device) -> Tensor:
    """These numbers."""
    return torch.tensor(numbers, dtype=torch.float32, device=device)


@kept
def _rooms(parts: tuple[str, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Middles and half sizes (n, 2) of these parts of the picture."""
    first, last = frames(parts, device).chunk(2, dim=1)
    return (first + last) / 2.0, (last - first) / 2.0


@kept
def part_numbers(parts: tuple[str, ...], device: torch.device) -> Tensor:
    """Middle, half size and share of `ends` of these parts of the picture, (n, 5)."""
    middle, room = _rooms(parts, device)
    # Where a prompt owns a part, few views are its own: most are to cover its middle.
    kept = torch.tensor([1.0 if part == "whole" else 0.25 for part in parts], device=device).view(-1, 1)
    return torch.cat([middle, room, kept], dim=1)


@kept
def _corners(device: torch.device) -> Tensor:
    """The picture's corners, (4, 2)."""
    return torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]], device=device)
