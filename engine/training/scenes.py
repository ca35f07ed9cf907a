"""Painting recipes: a bank of grounds made once, glyphs laid over it, all in batches on the device."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.guides.shipped_text import WordTokenizer
from engine.training.concepts import Concepts
from engine.training.facts import MOOD, Figure, Recipe
from engine.training.grounds import LANDS, SKIES
from engine.training.landscapes import PAINTERS
from engine.training.moods import in_moods
from engine.training.patterns import WIDE, Chance, draw_pattern

BANK_SIDE = 128
"""Pixels of a ground kept, both ways, for a picture of 16:9: a view of half its height is still sharp."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """A batch: views (n, 3, s, s) in 0..1, tokens (n, L), facts and words (n, 8), how much of the subject is to be

    seen (n), 0..1 (1 where there is none to see), and where in their pictures the views lie (n, 4).
    """

    pictures: Tensor
    tokens: Tensor
    true: Tensor
    said: Tensor
    seen: Tensor
    boxes: Tensor


@dataclass(frozen=True, slots=True)
class Bank:
    """How many pictures of each ground there are, and by which chance; else by the studio's.

    Studios whose banks begin with chances of one seed have the same grounds.
    """

    variants: int = 4
    chance: Chance | None = None


class Studio:
    """Paints scenes. Owns the glyphs, the bank of grounds and the painting's source of chance."""

    def __init__(self, concepts: Concepts, glyphs: Tensor, chance: Chance, size: int = 64, bank: Bank = Bank()) -> None:
        """Views are `size` pixels wide and high."""
        self.size = size
        self.chance = chance
        self.variants = bank.variants
        self.landscapes = list(concepts.grounds)
        self.patterns = list(concepts.patterns)
        self.moods = [mood.phrases[0] for mood in concepts.moods]
        self.skies, self.lands = (
            [self.landscapes.index(name) for name in names if name in self.landscapes] for names in (SKIES, LANDS)
        )
        self.colours = torch.tensor([c.rgb for c in concepts.colours], device=chance.device)
        # A second, softened copy for small figures: sampling the sharp one there would alias.
        soft = F.avg_pool2d(F.pad(glyphs, (1, 1, 1, 1)), 3, 1)
        self.glyphs = torch.cat([glyphs, soft]).to(chance.device)
        self.cover = glyphs[:, 3].mean((1, 2)).to(chance.device)
        self._paint_bank(bank.chance or chance)

    def _paint_bank(self, chance: Chance) -> None:
        painted = [PAINTERS[name](self.variants, BANK_SIDE, chance) for name in self.landscapes]
        drawn = [draw_pattern(name, self.variants, BANK_SIDE, chance) for name in self.patterns]
        self.ground_bank = _bank(torch.cat(painted)).to(self.chance.device)
        self.pattern_bank = _bank(torch.cat(drawn)[:, None]).to(self.chance.device)

    def paint(self, recipes: Sequence[Recipe], tokenizer: WordTokenizer) -> Scenes:
        """The scenes of these recipes."""
        device = self.chance.device
        true = torch.tensor([r.true for r in recipes], device=device)
        said = torch.tensor([r.said for r in recipes], device=device)
        boxes = torch.tensor([r.box for r in recipes], device=device)
        pictures = self._grounds(recipes, true, boxes)
        seen, expected = (torch.zeros(len(recipes), device=device) for _ in range(2))
        for slot in range(max((len(r.figures) for r in recipes), default=0)):
            rows = [i for i, r in enumerate(recipes) if len(r.figures) > slot]
            alpha, whole = self._lay(pictures, rows, [recipes[i].figures[slot] for i in rows], boxes[rows])
            seen[rows] += alpha
            expected[rows] += whole
        seen = torch.where(expected > 0, (seen / expected.clamp(min=1e-6)).clamp(0, 1), torch.ones_like(seen))
        pictures = in_moods(pictures, true[:, MOOD], self.moods)
        gain = self.chance.between(0.98, 1.02, len(recipes), 1, 1, 1)
        tokens = tokenizer([r.caption for r in recipes]).to(device)
        return Scenes((pictures * gain).clamp(0, 1), tokens, true, said, seen, boxes)

    def _grounds(self, recipes: Sequence[Recipe], true: Tensor, boxes: Tensor) -> Tensor:
        own = len(self.landscapes)
        variant = torch.tensor([r.variant for r in recipes], device=true.device) % self.variants
        # A view as high as the picture has fewer pixels than the ground: unsoftened, it would be grainy.
        soft = ((boxes[:, 3] - boxes[:, 1]) > 1.6).long()
        pattern = (true[:, 3] - own).clamp(0) * self.variants + variant
        mask = self.pattern_bank[soft, pattern].float() / 255
        first, second = (self.colours[true[:, i].clamp(0)][:, :, None, None] for i in (4, 5))
        flat = torch.tensor([r.plain or (-1.0, 0.0, 0.0) for r in recipes], device=mask.device)[:, :, None, None]
        plain = torch.where(flat[:, :1] < 0, first * (1 - mask) + second * mask, flat)
        is_landscape = (true[:, 3] < own)[:, None, None, None]
        return self._part(torch.where(is_landscape, self._landscapes(true, soft, variant), plain), boxes)

    def _landscapes(self, true: Tensor, soft: Tensor, variant: Tensor) -> Tensor:
        """The landscapes (n, 3, s, s), in a colour or two in one where the facts say so."""
        first = self.ground_bank[soft, true[:, 3].clamp(0, len(self.landscapes) - 1) * self.variants + variant] / 255
        second = self.ground_bank[soft, true[:, 6].clamp(0) * self.variants + variant] / 255
        tint = self.colours[true[:, 4].clamp(0)][:, :, None, None]
        light = first.mean(1, keepdim=True)
        tinted = (0.2 * first + 0.8 * tint * (0.25 + 1.2 * light)).clamp(max=1)
        seen = torch.where((true[:, 4] >= 0)[:, None, None, None], tinted, first)
        both = self._both(seen, second, true[:, 3], true[:, 6])
        return torch.where((true[:, 6] >= 0)[:, None, None, None], both, seen)

    def _both(self, first: Tensor, second: Tensor, number: Tensor, other: Tensor) -> Tensor:
        """Two landscapes in one: the sky above the land, or, where there is no such pair, both all over."""
        down = torch.linspace(-1, 1, first.shape[-2], device=first.device)[:, None]
        land = ((down + 0.25) / 0.5).clamp(0, 1)
        above, below = (_one_of(number, self.skies), _one_of(other, self.lands))
        turned = _one_of(other, self.skies) & _one_of(number, self.lands)
        upper, lower = torch.where(turned, second, first), torch.where(turned, first, second)
        over = (first + second) / 4 + torch.maximum(first, second) / 2
        return torch.where((above & below) | turned, upper + (lower - upper) * land, over)

    def _part(self, grounds: Tensor, boxes: Tensor) -> Tensor:
        """What the boxes show of each ground, at the view's size."""
        n = len(grounds)
        theta = _window(boxes)
        theta[:, 0] /= WIDE
        grid = F.affine_grid(theta, [n, 3, self.size, self.size], align_corners=False)
        return F.grid_sample(grounds, grid, align_corners=False, padding_mode="reflection")

    def _lay(self, pictures: Tensor, rows: list[int], figures: list[Figure], boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Lay one figure over each of these views, in place; its visible and its whole area."""
        device = pictures.device
        places = torch.tensor([[f.x, f.y, f.size, f.turn] for f in figures], device=device)
        number = torch.tensor([f.subject for f in figures], device=device)
        colour = torch.tensor([f.colour for f in figures], device=device)
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / 4
        small = (places[:, 2] / area.sqrt() < 0.75).long() * len(self.cover)
        grid = F.affine_grid(_within(places, boxes), [len(rows), 4, self.size, self.size], align_corners=False)
        layer = F.grid_sample(self.glyphs[number + small], grid, align_corners=False)
        ink, alpha = layer[:, :3], layer[:, 3:]
        tint = self.colours[colour.clamp(0)][:, :, None, None]
        tinted = (tint * (0.4 * alpha + 0.75 * ink.mean(1, keepdim=True))).clamp(max=1)
        ink = torch.where((colour >= 0)[:, None, None, None], torch.minimum(tinted, alpha), ink)
        pictures[rows] = pictures[rows] * (1 - alpha) + ink
        return alpha.mean((1, 2, 3)), self.cover[number] * places[:, 2].square() / area


def _one_of(numbers: Tensor, those: Sequence[int]) -> Tensor:
    """Which of these numbers (n) are among those, (n, 1, 1, 1)."""
    return torch.isin(numbers, torch.tensor(those, device=numbers.device))[:, None, None, None]


def _bank(pictures: Tensor) -> Tensor:
    """These pictures (n, c, s, s) as bytes (2, n, c, s, s): sharp, and softened for views of fewer pixels."""
    soft = F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), "replicate"), 3, 1)
    return (torch.stack([pictures, soft]).clamp(0, 1) * 255).byte()


def _window(boxes: Tensor) -> Tensor:
    """The affine maps (n, 2, 3) from a view's -1..1 to the picture, for boxes (left, top, right, bottom)."""
    theta = torch.zeros(len(boxes), 2, 3, device=boxes.device)
    for axis in (0, 1):
        theta[:, axis, axis] = (boxes[:, axis + 2] - boxes[:, axis]) / 2
        theta[:, axis, 2] = (boxes[:, axis + 2] + boxes[:, axis]) / 2
    return theta


def _within(places: Tensor, boxes: Tensor) -> Tensor:
    """The affine maps (n, 2, 3) from a view's -1..1 to a glyph's, for places (x, y, size, turn)."""
    x, y, size, turn = places.unbind(1)
    window = _window(boxes)
    window[:, 0, 2] -= x
    window[:, 1, 2] -= y
    turned = torch.stack([turn.cos(), turn.sin(), -turn.sin(), turn.cos()], dim=1).view(-1, 2, 2)
    return turned @ window / size[:, None, None]
