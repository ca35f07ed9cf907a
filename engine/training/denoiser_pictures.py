"""What a picture on the wall should look like: crisp scenes, squares (n, 3, s, s) in 0..1, far larger than needed."""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.denoise.edges import crisp
from engine.training.landscapes import PAINTERS
from engine.training.patterns import PATTERNS, Chance, draw_pattern

SHARPEST = 60.0
"""Slope of the outlines of cut-outs: about one pixel wide at 256 pixels."""


def draw_scenes(n: int, size: int, glyphs: Tensor, chance: Chance) -> Tensor:
    """Grounds with cut-outs and glyphs (m, 4, s, s) on them, a few at a time so that every painter has its turn."""
    painters = list(PAINTERS.values())
    done: list[Tensor] = []
    while sum(map(len, done)) < n:
        painter = painters[int(chance.below(len(painters), 1))]
        ground = plain(4, size, chance)
        if float(chance.between(0, 1, 1)) < 0.55:
            # Painters paint soft: an outline that is soft here would never be drawn crisp.
            ground = crisp(painter(4, size, chance).clamp(0, 1), 1.0)
        for _ in range(int(chance.below(4, 1))):
            ground = cut_out(ground, chance)
        for _ in range(int(chance.below(3, 1))):
            ground = stand(ground, glyphs, chance)
        done.append(recoloured(ground.clamp(0, 1), chance))
    return torch.cat(done)[:n]


def plain(n: int, size: int, chance: Chance) -> Tensor:
    """Two colours flowing into each other, a third of them dark."""
    corners = chance.between(0, 1, n, 3, 2, 2)
    dim = torch.where(chance.between(0, 1, n, 1, 1, 1) < 0.35, 0.15, 1.0)
    return F.interpolate(corners * dim, (size, size), mode="bilinear", align_corners=True)


def cut_out(ground: Tensor, chance: Chance) -> Tensor:
    """Shapes with sharp outlines in a flowing colour laid over each: islands, bands or a pattern."""
    n, _, size, _ = ground.shape
    kind = float(chance.between(0, 1, 1))
    if kind < 0.5:
        first = int(chance.below(6, 1)) + 2
        height = chance.fractal(n, size, first, 2) - chance.between(0.4, 0.65, n, 1, 1)
        mask = torch.sigmoid(height * SHARPEST * 20 / first)
    elif kind < 0.75:
        height = (chance.fractal(n, size, int(chance.below(4, 1)) + 2, 2) - 0.5).abs() - chance.between(
            0.01, 0.06, n, 1, 1
        )
        mask = torch.sigmoid(-height * SHARPEST * 8)
    else:
        names = list(PATTERNS)
        soft = draw_pattern(names[int(chance.below(len(names), 1))], n, size, chance)
        mask = torch.sigmoid((soft - 0.5) * 40)
    return ground + (plain(n, size, chance) - ground) * mask[:, None]


def stand(ground: Tensor, glyphs: Tensor, chance: Chance) -> Tensor:
    """One glyph laid over each at any place, size and turn."""
    n, _, size, _ = ground.shape
    extent, turn = chance.between(0.3, 1.1, n).square() + 0.05, chance.normal(n) * 0.4
    x, y = chance.between(-0.7, 0.7, n), chance.between(-0.7, 0.7, n)
    rows = torch.stack([turn.cos(), turn.sin(), -turn.sin(), turn.cos()], dim=1).view(n, 2, 2) / extent[:, None, None]
    theta = torch.cat([rows, -(rows @ torch.stack([x, y], dim=1)[..., None])], dim=2)
    # Drawn at twice the size and averaged, so that small ones do not alias.
    grid = F.affine_grid(theta, [n, 4, 2 * size, 2 * size], align_corners=False)
    chosen = glyphs[chance.below(len(glyphs), n)]
    layer = F.grid_sample(chosen, grid, mode="bicubic", align_corners=False).clamp(0, 1)
    ink, alpha = layer[:, :3], layer[:, 3:]
    # An outline is as many times wider as the glyph is larger, and is made as many times steeper.
    wider = (extent * size / glyphs.shape[-1]).clamp(min=1.0)[:, None, None, None]
    colour = crisp(filled(ink, alpha), 1.0)
    alpha = ((alpha - 0.5) * 1.5 * wider + 0.5).clamp(0, 1)
    layer = F.avg_pool2d(torch.cat([colour * alpha, alpha], dim=1), 2)
    return ground * (1 - layer[:, 3:]) + layer[:, :3]


def filled(ink: Tensor, alpha: Tensor, reach: int = 8) -> Tensor:
    """The colour of the ink, carried on beyond its outline by what lies near."""
    near = F.avg_pool2d(torch.cat([ink, alpha], dim=1), reach)
    near = F.interpolate(near, ink.shape[-2:], mode="bilinear", align_corners=False)
    beyond = near[:, :3] / near[:, 3:].clamp(min=1e-3)
    return torch.where(alpha > 0.5, ink / alpha.clamp(min=0.5), beyond).clamp(0, 1)


def recoloured(pictures: Tensor, chance: Chance) -> Tensor:
    """The same pictures with channels exchanged, and brighter or darker, so that no colour belongs to a shape."""
    order = torch.randperm(3, generator=chance.source, device=chance.device)
    chosen = pictures[:, order] if float(chance.between(0, 1, 1)) < 0.5 else pictures
    return (chosen * chance.between(0.7, 1.15, len(pictures), 1, 1, 1)).clamp(0, 1)
