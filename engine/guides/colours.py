"""A guide that knows a few colours and nothing else: quick and computed by hand, for tests and trials."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine.guides.guide import Guide

COLOURS = {
    "black": (-1.0, -1.0, -1.0),
    "red": (1.0, -1.0, -1.0),
    "green": (-1.0, 1.0, -1.0),
    "blue": (-1.0, -1.0, 1.0),
    "white": (1.0, 1.0, 1.0),
}
"""What it knows; every other text is grey, which it agrees with nowhere."""

SIDE = 8

ROAMING = {"crop_low": 0.35, "crop_high": 0.9, "ends": 0.33, "aspect": 1.33, "overhang": 0.1, "perspective": 0.02}
"""Settings of views of many sizes and places: seeing means only, it corrects nothing within a view that stays."""


class Colours(nn.Module):
    """Sees the mean of each quarter of a picture, twelve numbers; reads the first colour of a text."""

    def encode_image(self, image: Tensor) -> Tensor:
        """(n, 12) from normalised pictures (n, 3, s, s)."""
        return nn.functional.adaptive_avg_pool2d(image, 2).flatten(1)

    def encode_text(self, text: Tensor) -> Tensor:
        """(n, 12) from colours (n, 3)."""
        return text.repeat_interleave(4, dim=1)


def colour_guide(device: torch.device, name: str = "colours") -> Guide:
    """The guide; pictures become -1..1, so a picture of one colour points exactly at its word."""
    return Guide(name, Colours(), _read, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), SIDE, device)


def _read(texts: Sequence[str]) -> Tensor:
    return torch.tensor([next((COLOURS[w] for w in text.split() if w in COLOURS), (0.0, 0.0, 0.0)) for text in texts])
