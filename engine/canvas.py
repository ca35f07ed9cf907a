"""What is optimised: leaves for the optimiser, from which the picture is drawn.

A picture is (1, 3, h, w), 0..1. Every canvas holds one picture that can be read, replaced and resampled at any time.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from engine.doubling import doubled, doubled_back, is_double
from engine.fourier import Fourier
from engine.kernels.loading import Kernels, array, kernels_for
from engine.motion import Warp

SMALLEST_SIDE = 6
"""Pixels of the shorter side below which a pyramid gets no further level."""


class Canvas(Protocol):
    """What the optimiser works on; one owner, the engine."""

    def parameters(self) -> list[Tensor]:
        """The leaves, coarse to fine; the same tensors for the canvas's whole life."""
        ...

    def draw(self) -> Tensor:
        """The picture (1, 3, h, w), differentiable with respect to the leaves."""
        ...

    def at_rest(self) -> Tensor:
        """The same between two steps, when nothing has been done to the leaves since `settle`; quicker."""
        ...

    def settle(self) -> None:
        """Take up what the optimiser just did to the leaves; called after each of its steps."""
        ...

    def become(self, picture: Tensor) -> None:
        """Show this picture of the same size from now on; the leaves stay the same tensors."""
        ...

    def carry(self, mean: Tensor, square: Tensor, warp: Warp) -> tuple[Tensor, Tensor]:
        """What an optimiser remembers of a leaf, the mean of its gradients and of their squares, as they move along."""
        ...


class Pixels:
    """Plain pixels, as in the paper: one leaf, never clamped. Owns that leaf."""

    def __init__(self, picture: Tensor) -> None:
        self._pixels = picture.detach().clone().requires_grad_(True)

    def parameters(self) -> list[Tensor]:
        """The pixels."""
        return [self._pixels]

    def draw(self) -> Tensor:
        """The pixels themselves; they may leave 0..1."""
        return self._pixels

    def at_rest(self) -> Tensor:
        """The pixels themselves."""
        return self._pixels

    def settle(self) -> None:
        """Nothing to do: the leaf is the picture."""

    def become(self, picture: Tensor) -> None:
        """Show this picture from now on."""
        with torch.no_grad():
            self._pixels.copy_(picture)

    def carry(self, mean: Tensor, square: Tensor, warp: Warp) -> tuple[Tensor, Tensor]:
        """The memory moved like the picture."""
        return _carried(mean, square, warp)


class Pyramid:
    """A picture changed through images at several sizes (Direct Ascent Synthesis, arXiv 2502.07753). Owns its leaves.

    The leaves are the *change* of one step, from coarse to fine, and return to zero once it is added to the picture,
    which is clamped then. So the map is linear, nothing can be driven into saturation (a white sky turns dark
    within a few steps), and the picture can be moved or replaced without projecting it back onto the levels.
    """

    def __init__(self, picture: Tensor) -> None:
        self._picture = picture.detach().clamp(0.0, 1.0).clone(memory_format=torch.contiguous_format)
        sizes = pyramid_sizes(picture.shape[-2], picture.shape[-1])
        self._levels = [
            torch.zeros(1, 3, h, w, device=picture.device, dtype=picture.dtype, requires_grad=True)
            for h, w in reversed(sizes)
        ]
        self._arrays: list[NDArray[Any]] | None = None
        self.gains = [level_gain(len(sizes) - 1 - n) for n in range(len(sizes))]
        """How far a step moves each level, coarse to fine."""

    @property
    def picture(self) -> Tensor:
        """The picture as it lies in memory, (1, 3, h, w)."""
        return self._picture

    def parameters(self) -> list[Tensor]:
        """The levels, coarse to fine."""
        return self._levels

    def shares(self, gradient: Tensor) -> list[Tensor]:
        """What this gradient of the picture is for each level, before its gain."""
        return shares(gradient, [level.shape for level in self._levels])

    def draw(self) -> Tensor:
        """The picture plus every level brought to its size."""
        change = self._levels[0] * self.gains[0]
        for level, gain in zip(self._levels[1:], self.gains[1:], strict=True):
            change = enlarged(change, level.shape).add_(level, alpha=gain)
        return self._picture + change

    def at_rest(self) -> Tensor:
        """The picture alone, as every level is zero; its gradient goes to the levels all the same.

        Without gradients it is the very picture, which the next step changes.
        """
        if not torch.is_grad_enabled():
            return self._picture
        found: Tensor = _AtRest.apply(self._picture, self.gains, *self._levels)
        return found

    def settle(self) -> None:
        """Add the levels to the picture, keep it in 0..1, and start them from zero again."""
        with torch.no_grad():
            if (kernels := kernels_for(self._picture, *self._levels)) is not None:
                self._settle_compiled(kernels)
                return
            torch.clamp(self.draw(), 0.0, 1.0, out=self._picture)
            torch._foreach_zero_(self._levels)

    def _settle_compiled(self, kernels: Kernels) -> None:
        """The same in one pass over each level."""
        if self._arrays is None:  # where they lie they stay
            self._arrays = [array(level) for level in self._levels]
        self._arrays[0] *= np.float32(self.gains[0])
        for n in range(1, len(self._levels)):
            level, coarser, gain = self._levels[n], self._levels[n - 1], self.gains[n]
            if is_double(level.shape, coarser.shape):
                kernels.grow(self._arrays[n - 1], self._arrays[n], gain)
            else:
                level.mul_(gain).add_(enlarged(coarser, level.shape))
            self._arrays[n - 1].fill(0.0)
        kernels.settle(array(self._picture), self._arrays[-1])

    def become(self, picture: Tensor) -> None:
        """Show this picture from now on."""
        with torch.no_grad():
            torch.clamp(picture, 0.0, 1.0, out=self._picture)
            torch._foreach_zero_(self._levels)

    def carry(self, mean: Tensor, square: Tensor, warp: Warp) -> tuple[Tensor, Tensor]:
        """The memory moved like the picture, at its level's size."""
        return _carried(mean, square, warp)


class _AtRest(torch.autograd.Function):
    """A pyramid whose levels are zero: nothing to be drawn, and what drawing gives the levels for a gradient."""

    @staticmethod
    def forward(ctx: Any, picture: Tensor, gains: list[float], *levels: Tensor) -> Tensor:
        """The picture (1, 3, h, w), of levels coarse to fine."""
        ctx.gains, ctx.sizes = gains, [level.shape for level in levels]
        return picture.view_as(picture)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient of each level: averaged down from the one above as enlarging spreads it, times its gain."""
        found = [pull * gain for pull, gain in zip(shares(gradient, ctx.sizes), ctx.gains, strict=True)]
        return None, None, *found


def shares(gradient: Tensor, sizes: list[torch.Size]) -> list[Tensor]:
    """What a picture's gradient is for levels of these sizes, coarse to fine, before their gains."""
    found: list[Tensor] = []
    for size in reversed(sizes):
        if gradient.shape != size:
            gradient = _enlarged_back(gradient, size)
        found.append(gradient)
    return found[::-1]


def enlarged(change: Tensor, size: torch.Size) -> Tensor:
    """The change at the next finer level's size."""
    # A GPU has a kernel of its own for this, which is quicker than several plain ones.
    if change.device.type == "cpu" and is_double(size, change.shape):
        return doubled(change)
    return resized(change, size[-2], size[-1])


def _enlarged_back(gradient: Tensor, size: torch.Size) -> Tensor:
    """The gradient of a level of this size from that of its `enlarged`."""
    if gradient.device.type == "cpu" and is_double(gradient.shape, size):
        return doubled_back(gradient)
    finer = gradient.shape[-2:]
    found: Tensor = torch.ops.aten.upsample_bilinear2d_backward(gradient, finer, list(size), align_corners=False)
    return found


def _carried(mean: Tensor, square: Tensor, warp: Warp) -> tuple[Tensor, Tensor]:
    mean, square = warp.memory(mean, square)
    return mean, square


CANVASES: dict[str, Callable[[Tensor], Canvas]] = {"pyramid": Pyramid, "pixels": Pixels, "fourier": Fourier}
"""How each choice of the parameter `canvas` is made from a picture."""


def pyramid_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """(height, width) of each level, fine to coarse, halved until the shorter side would be under 6."""
    sizes = [(height, width)]
    while min(sizes[-1]) // 2 >= SMALLEST_SIDE:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def level_gain(octave: int) -> float:
    """How far a step moves the level that is 2^octave times coarser than the canvas, against a coarse one.

    The two finest are held back: an optimiser that moves every pixel alike fills them with speckle.
    """
    return {0: 0.15, 1: 0.5}.get(octave, 1.0)


def resized(picture: Tensor, height: int, width: int) -> Tensor:
    """The picture at another size: smooth when it grows, averaged when it shrinks."""
    if picture.shape[-2:] == (height, width):
        return picture
    shrinks = height < picture.shape[-2] or width < picture.shape[-1]
    return F.interpolate(picture, size=(height, width), mode="bilinear", align_corners=False, antialias=shrinks)


def uniform_noise(height: int, width: int, generator: torch.Generator) -> Tensor:
    """The paper's first picture: every value uniform in 0..1."""
    return torch.rand(1, 3, height, width, generator=generator, device=generator.device)


def cloud_noise(height: int, width: int, generator: torch.Generator) -> Tensor:
    """Soft noise of deviation 1, most of it in the coarse levels, (1, 3, h, w)."""
    total = torch.zeros(1, 3, 1, 1, device=generator.device)
    for octave, (h, w) in reversed(list(enumerate(pyramid_sizes(height, width)))[1:]):
        level = torch.randn(1, 3, h, w, generator=generator, device=generator.device)
        total = _laid_on(level, total, 0.57 ** max(0, 4 - octave))
    return enlarged(total.div_(total.std()), torch.Size((1, 3, height, width)))


def _laid_on(level: Tensor, coarser: Tensor, gain: float) -> Tensor:
    """The coarser picture at the level's size and the level times the gain, in the level's place if it can be."""
    kernels = kernels_for(level, coarser)
    if kernels is None or not is_double(level.shape, coarser.shape):
        return enlarged(coarser, level.shape).add_(level, alpha=gain)
    kernels.grow(array(coarser), array(level), gain)
    return level


def cloud_picture(height: int, width: int, generator: torch.Generator) -> Tensor:
    """Soft clouds about grey."""
    return (0.5 + 0.12 * cloud_noise(height, width, generator)).clamp(0.0, 1.0)


FIRST_PICTURES: dict[str, Callable[[int, int, torch.Generator], Tensor]] = {
    "pixels": uniform_noise,
    "pyramid": cloud_picture,
    "fourier": cloud_picture,
}
"""What each canvas starts from, (1, 3, h, w) in 0..1."""
