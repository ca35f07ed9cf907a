"""Views of a picture and the way back from them without autograd, where they are neither tilted nor resampled."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from engine.crops import Chance, Cut, Sight, boxes_by, look_at, mirrored, shrinking
from engine.doubling import halved
from engine.kernels.loading import Kernels, array
from engine.sampling import straight_grid

Back = Callable[[Tensor, Tensor], None]
"""Adds to a gradient of the picture (1, 3, h, w) what that of its views (n, 3, s, s) is for it."""


def sight_and_back(
    kernels: Kernels, picture: Tensor, cut: Cut, size: int, random: torch.Generator
) -> tuple[Sight, Back]:
    """What `look_at` gives, and the way back; quicker for most cuts."""
    halvings, rest = shrinking(cut, picture.shape[-2], picture.shape[-1], size)
    if cut.is_tilted or not cut.is_mirrored or rest is not None:
        return _by_autograd(picture, cut, size, random)
    boxes = boxes_by(Chance.of(cut, random), cut, picture.shape[-2], picture.shape[-1])
    turned = (mirrored(boxes) if cut.is_turned else boxes).numpy()
    steps = [picture]
    for _ in range(halvings):
        steps.append(halved(steps[-1]))
    views = picture.new_empty(len(boxes), picture.shape[1], size, size)
    kernels.look(array(steps[-1]), turned, views.numpy())

    def back(gradient: Tensor, found: Tensor) -> None:
        pulled = [found, *(torch.zeros_like(step) for step in steps[1:])]
        kernels.look_back(gradient.contiguous().numpy(), turned, array(pulled[-1]))
        for coarse, fine in zip(pulled[:0:-1], pulled[-2::-1], strict=True):
            kernels.halve_back(array(coarse), array(fine))

    return Sight(views, partial(straight_grid, torch.from_numpy(turned), size), boxes), back


def _by_autograd(picture: Tensor, cut: Cut, size: int, random: torch.Generator) -> tuple[Sight, Back]:
    leaf = picture.detach().requires_grad_(True)
    with torch.enable_grad():
        sight = look_at(leaf, cut, size, random)

    def back(gradient: Tensor, found: Tensor) -> None:
        found += torch.autograd.grad(sight.views, leaf, gradient)[0]

    return sight, back
