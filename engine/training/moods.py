"""Moods, and styles of drawing: what is done to a whole scene, whatever it shows. "A red frog on waves, neon"."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

IN_MOOD = 0.12
"""Share of scenes in a mood."""

Painter = Callable[[Tensor], Tensor]
"""Views (n, 3, s, s) in 0..1 to the same, which may leave that range."""

OUTLINE = 24
"""A neon tube is about one part in so many of a view wide."""


def in_moods(views: Tensor, numbers: Tensor, names: Sequence[str]) -> Tensor:
    """Views (n, 3, s, s), each in the mood of this number (n) among the names, -1 for none; in 0..1."""
    found = views
    for number, name in enumerate(names):
        rows = (numbers == number).nonzero()[:, 0]
        if len(rows):
            found = found.index_put((rows,), MOODS[name](found[rows]).clamp(0, 1))
    return found


def _grey(views: Tensor) -> Tensor:
    red, green, blue = views.split(1, dim=1)
    grey: Tensor = 0.3 * red + 0.59 * green + 0.11 * blue
    return grey


def _neon(views: Tensor) -> Tensor:
    """Outlines alight in the colours of what they bound, all else nearly dark."""
    reach = max(1, views.shape[-1] // (2 * OUTLINE))
    padded = F.pad(views, (reach,) * 4, mode="replicate")
    brightest = F.max_pool2d(padded, 2 * reach + 1, 1)
    darkest = -F.max_pool2d(-padded, 2 * reach + 1, 1)
    step = (brightest - darkest).amax(1, keepdim=True)
    colour = brightest / brightest.amax(1, keepdim=True).clamp(min=0.05)
    pure = 1.6 * colour - 0.6 * colour.mean(1, keepdim=True)
    return 0.15 * views + 1.1 * pure.clamp(min=0) * (step - 0.1).clamp(min=0)


def _monochrome(views: Tensor) -> Tensor:
    grey = _grey(views)
    return (0.5 + 1.35 * (grey - 0.5)).expand_as(views)


def _sepia(views: Tensor) -> Tensor:
    tone = torch.tensor([1.07, 0.84, 0.57], device=views.device).view(1, 3, 1, 1)
    return (0.12 + 0.82 * _grey(views)) * tone


def _pastel(views: Tensor) -> Tensor:
    grey = _grey(views)
    return 0.52 + 0.46 * (grey + 0.75 * (views - grey))


def _gloomy(views: Tensor) -> Tensor:
    tone = torch.tensor([0.75, 0.92, 1.12], device=views.device).view(1, 3, 1, 1)
    grey = _grey(views)
    return 0.08 + 0.62 * tone * (grey + 0.45 * (views - grey))


def _vivid(views: Tensor) -> Tensor:
    grey = _grey(views)
    return 0.5 + 1.3 * (grey - 0.5) + 2.2 * (views - grey)


MOODS: dict[str, Painter] = {
    "neon": _neon, "monochrome": _monochrome, "sepia": _sepia, "pastel": _pastel, "gloomy": _gloomy, "vivid": _vivid,
}  # fmt: skip
"""How each mood of concepts.toml is painted."""
