"""The canvases a guide will meet: scenes buried under noise or other scenes, overdone, or half painted."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.training.patterns import Chance
from engine.training.scenes import Scenes

LONGEST = 40
"""Most steps that canvases are painted on: those of a second of the show."""

ATTACKS = 0.1
"""Share of the canvases that are pushed away from their scene instead."""

GAINS = {1: 0.15, 2: 0.5, 4: 1.0, 8: 1.0, 16: 1.0}
"""How far the engine's optimiser moves each level of its pyramid (engine.canvas.level_gain)."""


@dataclass(slots=True)
class Easel:
    """Scenes and the canvases (n, 3, s, s) on which they are being painted. Owns the canvases.

    They stay for many steps: what the guide's own pull leads to after a second is what it must know how to mend.
    """

    scenes: Scenes
    canvas: Tensor
    hidden: Tensor
    steps_left: int
    steps_done: int = 0

    @classmethod
    def of(cls, scenes: Scenes, chance: Chance, brief: float = 0.5) -> "Easel":
        """New canvases for these scenes: `brief` is the share of them that stay for a few steps only."""
        canvas, hidden = bury(scenes.pictures, chance)
        longest = 4 if chance.between(0, 1, 1).item() < brief else LONGEST
        return cls(scenes, canvas, hidden, 1 + int(chance.below(longest, 1).item()))


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


def moved(canvas: Tensor, pull: Tensor, way: Tensor, chance: Chance, attacks: float = ATTACKS) -> Tensor:
    """The canvases a step later: most follow the pull, some are pushed the other way.

    Half follow it straight, by 0.2 to 1.3 of what brings them nearest to the scene, half as the engine's optimiser
    would, so the guide learns what its own painting leads to. A push away is an attack (L2 length 1 to 3), its
    gradient taken from the step just trained ("free" adversarial training, Shafahi 2019).
    """
    n = len(canvas)
    kind = chance.between(0, 1, n)[:, None, None, None]
    unit = pull / pull.flatten(1).norm(dim=1)[:, None, None, None].clamp(min=1e-12)
    best = (unit * way).sum((1, 2, 3), keepdim=True).clamp(min=1.0)
    painted = canvas + unit * best * chance.between(0.2, 1.3, n, 1, 1, 1)
    painted = torch.where(kind < 0.55, painted, canvas + chance.between(0.01, 0.06, n, 1, 1, 1) * stride(pull))
    attacked = canvas - unit * chance.between(1.0, 3.0, n, 1, 1, 1)
    return torch.where(kind < attacks, attacked, painted).clamp(0, 1)


def stride(pull: Tensor) -> Tensor:
    """The way Adam goes on a pyramid canvas: on each level nearly as far wherever the pull is strong."""
    total = torch.zeros_like(pull)
    for level, gain in GAINS.items():
        part = F.avg_pool2d(pull, level)
        strong = part.square().mean((1, 2, 3), keepdim=True).sqrt().clamp(min=1e-20)
        total = total + gain * F.interpolate((part / strong).tanh(), pull.shape[-2:], mode="bilinear")
    return total
