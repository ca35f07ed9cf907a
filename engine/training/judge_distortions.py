"""What the judge sees of a scene in training: mirrored, bent, repainted, faded; nothing made with a guide."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.training.patterns import Chance


def distorted(pictures: Tensor, chance: Chance) -> Tensor:
    """The pictures (n, 3, s, s) in 0..1 as a rough, unsteady painter might leave them."""
    found = bent(pictures, chance)
    for change, share in ((brushed, 0.4), (faded, 0.5), (coloured, 0.7), (blurred, 0.4), (grained, 0.5)):
        found = _some(found, change, share, chance)
    return found


def bent(pictures: Tensor, chance: Chance) -> Tensor:
    """Half of them mirrored; turned by up to 15°, zoomed by up to a third, shifted and warped as if hand-drawn."""
    n, _, side, _ = pictures.shape
    turn = chance.normal(n) * 0.12
    zoom = torch.exp(chance.between(math.log(0.7), math.log(1.15), n))
    mirror = chance.below(2, n) * 2.0 - 1
    theta = torch.zeros(n, 2, 3, device=pictures.device)
    theta[:, 0, 0], theta[:, 0, 1] = turn.cos() * zoom * mirror, -turn.sin() * zoom
    theta[:, 1, 0], theta[:, 1, 1] = turn.sin() * zoom * mirror, turn.cos() * zoom
    theta[:, :, 2] = chance.between(-0.12, 0.12, n, 2)
    grid = F.affine_grid(theta, [n, 3, side, side], align_corners=False)
    for cells, most in ((4, 0.12), (9, 0.05)):
        push = chance.normal(n, 2, cells, cells) * chance.between(0, most, n, 1, 1, 1)
        grid = grid + F.interpolate(push, (side, side), mode="bicubic", align_corners=False).permute(0, 2, 3, 1)
    return F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)


def brushed(pictures: Tensor, chance: Chance) -> Tensor:
    """Light or dark spread over its neighbours, as strokes do, and the tones of half of them reduced to a few."""
    half = len(pictures) // 2
    spread = [F.max_pool2d(pictures[:half], 3, 1, 1), -F.max_pool2d(-pictures[half:], 3, 1, 1)]
    levels = chance.below(6, len(pictures), 1, 1, 1) + 3.0
    return _some(
        torch.cat(spread), lambda found, _: (found * levels[: len(found)]).round() / levels[: len(found)], 0.5, chance
    )


def faded(pictures: Tensor, chance: Chance) -> Tensor:
    """Under a veil of another scene, or of clouds, of up to half: what a picture still shows of the one before."""
    n, _, side, _ = pictures.shape
    clouds = chance.between(0.1, 0.9, n, 3, 1, 1).repeat(1, 1, side, side)
    for cells in (3, 6, 12, 24):
        layer = chance.normal(n, 3, cells, cells) * chance.between(0, 0.2, n, 1, 1, 1)
        clouds = clouds + F.interpolate(layer, (side, side), mode="bilinear", align_corners=False)
    is_scene = chance.between(0, 1, n)[:, None, None, None] < 0.4
    veil = torch.where(is_scene, pictures.roll(1, 0), clouds.clamp(0, 1))
    return pictures + (veil - pictures) * chance.between(0, 0.5, n, 1, 1, 1)


def coloured(pictures: Tensor, chance: Chance) -> Tensor:
    """More or less contrast, colour, brightness and warmth; hues stay what they are called."""
    n = len(pictures)
    grey = pictures.mean(1, keepdim=True)
    found = grey + (pictures - grey) * chance.between(0.4, 2.0, n, 1, 1, 1)
    mean = found.mean((1, 2, 3), keepdim=True)
    found = mean + (found - mean) * chance.between(0.5, 1.7, n, 1, 1, 1)
    return (found * chance.between(0.85, 1.15, n, 3, 1, 1) + chance.between(-0.1, 0.1, n, 1, 1, 1)).clamp(0, 1)


def blurred(pictures: Tensor, chance: Chance) -> Tensor:
    """As seen at a half to a quarter of the fineness, some of them blocky."""
    side = pictures.shape[-1]
    coarse = F.avg_pool2d(pictures, int(chance.below(3, 1)) + 2)
    mode = "nearest" if int(chance.below(4, 1)) == 0 else "bicubic"
    return F.interpolate(coarse, (side, side), mode=mode).clamp(0, 1)


def grained(pictures: Tensor, chance: Chance) -> Tensor:
    """With noise in every pixel, of a deviation up to 0.12."""
    noise = chance.normal(*pictures.shape) * chance.between(0, 0.12, len(pictures), 1, 1, 1)
    return (pictures + noise).clamp(0, 1)


def _some(pictures: Tensor, change: Callable[[Tensor, Chance], Tensor], share: float, chance: Chance) -> Tensor:
    """This share of the pictures, drawn by chance, changed; the others cost nothing."""
    rows = chance.between(0, 1, len(pictures)).argsort()[: round(share * len(pictures))]
    found = pictures.clone()
    found[rows] = change(pictures[rows], chance)
    return found
