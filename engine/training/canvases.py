"""The canvases a guide will meet: scenes buried under noise or other scenes, overdone, or half painted."""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.training.patterns import Chance


def pyramid_noise(n: int, size: int, chance: Chance) -> Tensor:
    """Coloured noise of many scales around a random grey, (n, 3, s, s): what an unfinished canvas looks like."""
    noise = chance.between(0.15, 0.85, n, 1, 1, 1) + 0.18 * chance.normal(n, 3, 1, 1) * chance.between(0, 1, n, 1, 1, 1)
    side = 2
    while side <= size:
        layer = chance.normal(n, 3, side, side) * chance.between(0, 0.16, n, 1, 1, 1)
        noise = noise + F.interpolate(layer, (size, size), mode="bilinear", align_corners=False)
        side *= 2
    return noise


def bury(pictures: Tensor, chance: Chance) -> tuple[Tensor, Tensor]:
    """Canvases (n, 3, s, s) on which these pictures are yet to be painted, and how much of each is hidden (n)."""
    n, _, size, _ = pictures.shape
    hidden = chance.between(-0.25, 1.15, n).clamp(0, 1)
    other = pictures.roll(1, 0)
    noise = pyramid_noise(n, size, chance)
    kind = chance.between(0, 1, n)[:, None, None, None]
    cover = torch.where(kind < 0.55, noise, torch.where(kind < 0.85, other, (other + noise) / 2))
    canvas = pictures + (cover - pictures) * hidden[:, None, None, None]
    canvas = torch.where((hidden == 0)[:, None, None, None], pictures, overdo(canvas, chance))
    grain = chance.normal(n, 3, size, size) * chance.between(0, 0.1, n, 1, 1, 1)
    return (canvas + grain).clamp(0, 1), hidden


def overdo(canvas: Tensor, chance: Chance) -> Tensor:
    """A fifth of the canvases with too much contrast and colour, a fifth blurred: both ask to be put right."""
    n, _, size, _ = canvas.shape
    kind = chance.between(0, 1, n)[:, None, None, None]
    mean = canvas.mean((1, 2, 3), keepdim=True)
    strong = mean + (canvas - mean) * chance.between(1.0, 2.0, n, 1, 1, 1)
    grey = strong.mean(1, keepdim=True)
    strong = grey + (strong - grey) * chance.between(0.7, 2.2, n, 1, 1, 1)
    blurred = F.interpolate(F.avg_pool2d(canvas, 4), (size, size), mode="bilinear", align_corners=False)
    return torch.where(kind < 0.2, strong, torch.where(kind < 0.4, blurred, canvas))


def moved(canvas: Tensor, pull: Tensor, way: Tensor, chance: Chance) -> Tensor:
    """The canvases a step later: most follow the pull as the engine would, some are pushed the other way.

    A step along the pull is 0.2 to 1.3 of what brings it nearest to the scene, so the guide learns what its own
    painting leads to. A push away is an attack (L2 length 1 to 3), its gradient taken from the step just trained
    ("free" adversarial training, Shafahi 2019).
    """
    n = len(canvas)
    kind = chance.between(0, 1, n)[:, None, None, None]
    unit = pull / pull.flatten(1).norm(dim=1)[:, None, None, None].clamp(min=1e-12)
    best = (unit * way).sum((1, 2, 3), keepdim=True).clamp(min=1.0)
    painted = canvas + unit * best * chance.between(0.2, 1.3, n, 1, 1, 1)
    return torch.where(kind < 0.2, canvas - unit * chance.between(1.0, 3.0, n, 1, 1, 1), painted).clamp(0, 1)
