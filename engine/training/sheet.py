"""See what a guide has learnt: paint a sheet of prompts. python -m engine.training.sheet --out sheet.png."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from engine.guides.shipped import SHIPPED_PATH, ShippedGuide, load_shipped
from engine.training.measure import normalised

PROMPTS = (
    "a red heart on white", "starry night", "sun on blue", "love", "a lonely lighthouse in a storm",
    "red and blue stripes", "ocean waves", "fire", "a skull", "three green frogs on ocean waves",
    "golden stars", "the moon over mountains", "a butterfly", "an eye", "a rose on black",
    "a ship on the sea", "tree in the snow", "a mushroom in the forest", "guitar with laser beams", "city lights",
    "yellow and purple rings", "sunset", "a wolf howling at the moon", "pizza", "rocket in space",
    "a penguin", "house burning", "rainbow over grass",
)  # fmt: skip

LEVELS = (3, 6, 12, 24, 48, 96)
"""Heights of the pyramid's pictures; each is as wide as the canvas demands."""

NEUTRAL = 0.35
"""Grey the canvas starts from."""


class Pyramid:
    """Canvases as sums of pictures of several sizes (Fort & Whitaker 2025). Owns its leaves."""

    def __init__(self, n: int, height: int, width: int) -> None:
        self.size = (height, width)
        sides = [side for side in LEVELS if side <= height]
        self.leaves = [torch.zeros(n, 3, side, round(side * width / height), requires_grad=True) for side in sides]

    def draw(self) -> Tensor:
        """The pictures, (n, 3, h, w) in 0..1."""
        layers = [F.interpolate(leaf, self.size, mode="bilinear", align_corners=False) for leaf in self.leaves]
        start = torch.logit(torch.tensor(NEUTRAL))
        return torch.sigmoid(torch.stack(layers).sum(0) + start)


def boxes(count: int, aspect: float, generator: torch.Generator) -> Tensor:
    """Where views lie, (count, 4): the middle square, the whole width, and the squares at either end, in turns."""
    kind = torch.arange(count)[:, None] % 4
    wide = torch.where(kind == 1, aspect, 1.0)
    end = (aspect - 1.0) * ((kind == 2).float() - (kind == 3).float())
    middle = (torch.rand(count, 2, generator=generator) * 2 - 1) * 0.03
    middle = middle + torch.cat([end, torch.zeros_like(end)], dim=1)
    half = torch.cat([wide, torch.ones_like(wide)], dim=1)
    return torch.cat([middle - half, middle + half], dim=1)


def views(pictures: Tensor, where: Tensor, size: int) -> Tensor:
    """What these boxes (m, 4) show of each picture (n, 3, h, w): (n * m, 3, size, size)."""
    n, _, height, width = pictures.shape
    across = torch.tensor([height / width, 1.0])
    theta = torch.zeros(len(where), 2, 3)
    theta[:, :, 2] = (where[:, :2] + where[:, 2:]) / 2 * across
    theta[:, [0, 1], [0, 1]] = (where[:, 2:] - where[:, :2]) / 2 * across
    grid = F.affine_grid(theta.repeat(n, 1, 1), [n * len(where), 3, size, size], align_corners=False)
    # A view has fewer pixels than what it shows: unblurred, some of the canvas's would be left out.
    blurred = F.avg_pool2d(F.pad(pictures, (1, 0, 1, 0), mode="replicate"), 2, 1)
    seen = blurred.repeat_interleave(len(where), 0)
    return F.grid_sample(seen, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def paint(guide: ShippedGuide, prompts: Sequence[str], steps: int, count: int, seed: int = 0) -> Tensor:
    """Pictures (n, 3, 96, 160) in 0..1 optimised for these prompts."""
    generator = torch.Generator().manual_seed(seed)
    canvas = Pyramid(len(prompts), 96, 160)
    for leaf in canvas.leaves:
        leaf.data.add_(torch.randn(leaf.shape, generator=generator) * 0.05)
    texts = guide.model.encode_text(guide.tokenizer(prompts))
    optimiser = torch.optim.Adam(canvas.leaves, lr=0.08, betas=(0.5, 0.99))
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 0.08 * (1 - 0.7 * step / steps)
        pictures = canvas.draw()
        where = boxes(count, 160 / 96, generator)
        found = guide.model.encode_image(normalised(views(pictures, where, guide.image_size)), normalize=True)
        wanted = (
            guide.model.place_text(texts, where[:, None].expand(-1, len(texts), -1))
            .transpose(0, 1)
            .reshape(found.shape)
        )
        variation = pictures.diff(dim=2).abs().mean() + pictures.diff(dim=3).abs().mean()
        loss = -(found * wanted).sum(1).mean() + 0.02 * variation
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return canvas.draw().detach()


def sheet(pictures: Tensor, labels: Sequence[str], columns: int = 7) -> Image.Image:
    """The pictures side by side, each with its prompt below."""
    n, _, height, width = pictures.shape
    rows = -(-n // columns)
    whole = Image.new("RGB", (columns * (width + 4), rows * (height + 18)), "#181818")
    pen = ImageDraw.Draw(whole)
    for i, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        corner = (i % columns * (width + 4), i // columns * (height + 18))
        pixels = (picture.permute(1, 2, 0) * 255).round().byte().numpy()
        whole.paste(Image.fromarray(pixels), corner)
        pen.text((corner[0] + 2, corner[1] + height + 2), label, fill="white")
    return whole


def main() -> None:
    """Write a sheet and say how long it took."""
    parser = argparse.ArgumentParser(prog="python -m engine.training.sheet", description=__doc__)
    parser.add_argument("--guide", type=Path, default=SHIPPED_PATH)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--prompts", nargs="*", default=PROMPTS)
    options = parser.parse_args()
    began = time.monotonic()
    pictures = paint(load_shipped(options.guide), options.prompts, options.steps, options.views)
    sheet(pictures, options.prompts).save(options.out)
    print(f"{len(options.prompts)} prompts, {options.steps} steps: {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
