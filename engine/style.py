"""A picture's style: its patches' colours and strokes, compared without a network.

Patches of both pictures are seen through random filters, and what each filter gives, sorted, is compared: the sliced
Wasserstein distance of patches (Elnekave & Weiss 2022, "Generating natural images with direct patch distributions
matching"). Tried against it on the shipped guide: Gram matrices of the guide's early maps, of random and of Gabor
filters; these took many more steps to be seen, and left grids.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.canvas import resized

FILTERS = 12
"""Directions in which patches are compared in each step; others in the next."""
PATCH = 5
"""Pixels of a patch's side, at each of the scales."""
WINDOW = 41
"""Pixels of the window compared in each step and scale, each way: it bounds what the sorting costs."""
SCALES = (1, 2, 4)
STEP = 72
"""Pixels of the shorter side to one of the finest scale: finer strokes than these a canvas hardly shows."""


class Style:
    """One picture's style, at the size of a canvas. Owns the random numbers it is looked at with."""

    def __init__(self, picture: Tensor) -> None:
        """`picture` is (1, 3, h, w), 0..1; what is compared with it must have its size and device."""
        base = max(1, round(min(picture.shape[-2:]) / STEP))
        self._scales = [base * scale for scale in SCALES]
        self._pyramid = [_smaller(picture, scale) for scale in self._scales]
        self.random = torch.Generator(picture.device).manual_seed(0)

    def distance(self, picture: Tensor) -> Tensor:
        """Mean squared difference of the sorted patches of two windows, one of each picture, over the scales."""
        total = picture.new_zeros(())
        for scale, style in zip(self._scales, self._pyramid, strict=True):
            filters = torch.randn(FILTERS, 3, PATCH, PATCH, generator=self.random, device=picture.device)
            filters = filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
            ours, theirs = (_sorted(self._window(one), filters) for one in (_smaller(picture, scale), style))
            total = total + F.mse_loss(ours, theirs)
        return total / len(self._scales)

    def _window(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[-2:]
        high, wide = min(WINDOW, height), min(WINDOW, width)
        # Drawn and looked up on the device: a number drawn by the host would be the same in every recorded step.
        down, across = torch.rand(2, generator=self.random, device=picture.device).unbind()
        rows, columns = _from(down, high, height), _from(across, wide, width)
        return picture.index_select(-2, rows).index_select(-1, columns)


def _from(chance: Tensor, count: int, of: int) -> Tensor:
    """So many places in a row out of `of`, the first by chance (0..1)."""
    return (chance * (of - count + 1)).long() + torch.arange(count, device=chance.device)


def _smaller(picture: Tensor, scale: int) -> Tensor:
    return resized(picture, picture.shape[-2] // scale, picture.shape[-1] // scale)


def _sorted(window: Tensor, filters: Tensor) -> Tensor:
    # Every second patch, both ways: they overlap, so that each pixel is reached, and sorting costs a quarter.
    return F.conv2d(window, filters, stride=2)[0].flatten(1).sort(dim=1).values
