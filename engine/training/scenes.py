"""Painting recipes: a bank of grounds made once, glyphs laid over it, all in batches on the device."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.guides.shipped_text import WordTokenizer
from engine.training.concepts import Concepts
from engine.training.landscapes import PAINTERS
from engine.training.patterns import Chance, draw_pattern
from engine.training.recipes import Figure, Recipe

BANK_SIDE = 80
"""Grounds are kept a little larger than the view, so that each use sees another part."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """A batch: pictures (n, 3, s, s) in 0..1, tokens (n, L), facts and words (n, 6), and how much of the

    subject is to be seen (n), 0..1 (1 where there is none to see).
    """

    pictures: Tensor
    tokens: Tensor
    true: Tensor
    said: Tensor
    seen: Tensor


class Studio:
    """Paints scenes. Owns the glyphs, the bank of grounds and the painting's source of chance."""

    def __init__(self, concepts: Concepts, glyphs: Tensor, chance: Chance, size: int = 64, variants: int = 48) -> None:
        self.size = size
        self.chance = chance
        self.variants = variants
        self.landscapes = list(concepts.grounds)
        self.patterns = list(concepts.patterns)
        self.colours = torch.tensor([c.rgb for c in concepts.colours], device=chance.device)
        # A second, softened copy for small figures: sampling the sharp one there would alias.
        soft = F.avg_pool2d(F.pad(glyphs, (1, 1, 1, 1)), 3, 1)
        self.glyphs = torch.cat([glyphs, soft]).to(chance.device)
        self.cover = glyphs[:, 3].mean((1, 2)).to(chance.device)
        self._paint_bank()

    def _paint_bank(self) -> None:
        painted = [PAINTERS[name](self.variants, BANK_SIDE, self.chance) for name in self.landscapes]
        drawn = [draw_pattern(name, self.variants, BANK_SIDE, self.chance) for name in self.patterns]
        self.ground_bank = (torch.cat(painted).clamp(0, 1) * 255).byte()
        self.pattern_bank = (torch.cat(drawn).clamp(0, 1) * 255).byte()

    def paint(self, recipes: Sequence[Recipe], tokenizer: WordTokenizer) -> Scenes:
        """The scenes of these recipes."""
        device = self.chance.device
        true = torch.tensor([r.true for r in recipes], device=device)
        said = torch.tensor([r.said for r in recipes], device=device)
        pictures = self._grounds(recipes, true)
        seen, expected = (torch.zeros(len(recipes), device=device) for _ in range(2))
        for slot in range(max((len(r.figures) for r in recipes), default=0)):
            rows = [i for i, r in enumerate(recipes) if len(r.figures) > slot]
            alpha, whole = self._lay(pictures, rows, [recipes[i].figures[slot] for i in rows])
            seen[rows] += alpha
            expected[rows] += whole
        seen = torch.where(expected > 0, (seen / expected.clamp(min=1e-6)).clamp(0, 1), torch.ones_like(seen))
        gain = self.chance.between(0.88, 1.08, len(recipes), 1, 1, 1)
        tokens = tokenizer([r.caption for r in recipes]).to(device)
        return Scenes((pictures * gain).clamp(0, 1), tokens, true, said, seen)

    def _grounds(self, recipes: Sequence[Recipe], true: Tensor) -> Tensor:
        n, own = len(recipes), len(self.landscapes)
        variant = self.chance.below(self.variants, n)
        landscape = true[:, 3].clamp(0, own - 1) * self.variants + variant
        pattern = (true[:, 3] - own).clamp(0) * self.variants + variant
        mask = self.pattern_bank[pattern][:, None].float() / 255
        first, second = (self.colours[true[:, i].clamp(0)][:, :, None, None] for i in (4, 5))
        flat = torch.tensor([r.plain or (-1.0, 0.0, 0.0) for r in recipes], device=mask.device)[:, :, None, None]
        # Unnamed plain grounds fade gently, so that no picture is pulled toward a hard flat one.
        fade = self.chance.between(0.6, 1.4, n, 1, 2, 2)
        fade = F.interpolate(fade, (BANK_SIDE, BANK_SIDE), mode="bilinear", align_corners=True)
        plain = torch.where(flat[:, :1] < 0, first * (1 - mask) + second * mask, flat * fade)
        is_landscape = (true[:, 3] < own)[:, None, None, None]
        return self._part(torch.where(is_landscape, self.ground_bank[landscape].float() / 255, plain))

    def _part(self, grounds: Tensor) -> Tensor:
        """A random part of each ground, mirrored half of the time, at the view's size."""
        n = len(grounds)
        scale = self.chance.between(0.65, 1.0, n)
        mirror = self.chance.below(2, n) * 2.0 - 1
        theta = torch.zeros(n, 2, 3, device=grounds.device)
        theta[:, 0, 0], theta[:, 1, 1] = scale * mirror, scale
        theta[:, :, 2] = self.chance.between(-1, 1, n, 2) * (1 - scale)[:, None]
        grid = F.affine_grid(theta, [n, 3, self.size, self.size], align_corners=False)
        return F.grid_sample(grounds, grid, align_corners=False, padding_mode="border")

    def _lay(self, pictures: Tensor, rows: list[int], figures: list[Figure]) -> tuple[Tensor, Tensor]:
        """Lay one figure over each of these pictures, in place; its visible and its whole area."""
        device = pictures.device
        places = torch.tensor([[f.x, f.y, f.width, f.height, f.turn] for f in figures], device=device)
        number = torch.tensor([f.subject for f in figures], device=device)
        colour = torch.tensor([f.colour for f in figures], device=device)
        small = (places[:, 3] < 0.75).long() * len(self.cover)
        layer = F.grid_sample(self.glyphs[number + small], self._grid(places), align_corners=False)
        ink, alpha = layer[:, :3], layer[:, 3:]
        tint = self.colours[colour.clamp(0)][:, :, None, None]
        tinted = (tint * (0.4 * alpha + 0.75 * ink.mean(1, keepdim=True))).clamp(max=1)
        ink = torch.where((colour >= 0)[:, None, None, None], torch.minimum(tinted, alpha), ink)
        pictures[rows] = pictures[rows] * (1 - alpha) + ink
        return alpha.mean((1, 2, 3)), self.cover[number] * places[:, 2] * places[:, 3]

    def _grid(self, places: Tensor) -> Tensor:
        """Where each point of the view lies in the glyph, (n, s, s, 2)."""
        x, y, width, height, turn = places.unbind(1)
        theta = torch.zeros(len(places), 2, 3, device=places.device)
        theta[:, 0, 0], theta[:, 0, 1] = turn.cos() / width, turn.sin() / width
        theta[:, 1, 0], theta[:, 1, 1] = -turn.sin() / height, turn.cos() / height
        theta[:, 0, 2] = -(theta[:, 0, 0] * x + theta[:, 0, 1] * y)
        theta[:, 1, 2] = -(theta[:, 1, 0] * x + theta[:, 1, 1] * y)
        return F.affine_grid(theta, [len(places), 4, self.size, self.size], align_corners=False)
