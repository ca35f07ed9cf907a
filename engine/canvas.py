"""What is optimised: leaves for the optimiser, from which the picture is drawn.

A picture is (1, 3, h, w), 0..1. Every canvas holds one picture that can be read, replaced and resampled at any time.
"""

from collections.abc import Callable
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.fourier import Fourier
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
        self._picture = picture.detach().clamp(0.0, 1.0).clone()
        sizes = pyramid_sizes(picture.shape[-2], picture.shape[-1])
        self._levels = [
            torch.zeros(1, 3, h, w, device=picture.device, dtype=picture.dtype, requires_grad=True)
            for h, w in reversed(sizes)
        ]
        self._gains = [level_gain(len(sizes) - 1 - n) for n in range(len(sizes))]
        self._zeroed = self._versions()

    def parameters(self) -> list[Tensor]:
        """The levels, coarse to fine."""
        return self._levels

    def draw(self) -> Tensor:
        """The picture plus every level brought to its size."""
        if self._versions() == self._zeroed:
            drawn: Tensor = _Unchanged.apply(self._picture, self._gains, *self._levels)
            return drawn
        return self._picture + self._change()

    def _change(self) -> Tensor:
        change = self._levels[0] * self._gains[0]
        for level, gain in zip(self._levels[1:], self._gains[1:], strict=True):
            change = resized(change, level.shape[-2], level.shape[-1]) + level * gain
        return change

    def _versions(self) -> list[int]:
        """Changes whenever a level is written to."""
        return [level._version for level in self._levels]

    def _clear(self) -> None:
        for level in self._levels:
            level.zero_()
        self._zeroed = self._versions()

    def settle(self) -> None:
        """Add the levels to the picture, keep it in 0..1, and start them from zero again."""
        with torch.no_grad():
            torch.clamp(self._picture + self._change(), 0.0, 1.0, out=self._picture)
            self._clear()

    def become(self, picture: Tensor) -> None:
        """Show this picture from now on."""
        with torch.no_grad():
            self._picture.copy_(picture.clamp(0.0, 1.0))
            self._clear()

    def carry(self, mean: Tensor, square: Tensor, warp: Warp) -> tuple[Tensor, Tensor]:
        """The memory moved like the picture, at its level's size."""
        return _carried(mean, square, warp)


class _Unchanged(torch.autograd.Function):
    """A pyramid's picture while all its levels are zero: they need not be drawn to be given their gradients."""

    @staticmethod
    def forward(ctx: Any, picture: Tensor, gains: list[float], *levels: Tensor) -> Tensor:
        """The picture itself, in memory of its own."""
        ctx.gains, ctx.sizes = gains, [level.shape for level in levels]
        return picture.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """What resizing each level to the next finer one passes down, fine to coarse."""
        passed = [gradient]
        for fine, coarse in zip(reversed(ctx.sizes[1:]), reversed(ctx.sizes[:-1]), strict=True):
            down = torch.ops.aten.upsample_bilinear2d_backward(passed[-1], fine[-2:], coarse, False)
            passed.append(down)
        found = [piece * gain for piece, gain in zip(reversed(passed), ctx.gains, strict=True)]
        return None, None, *found


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
        total = resized(total, h, w) + 0.57 ** max(0, 4 - octave) * level
    return resized(total / total.std(), height, width)


def cloud_picture(height: int, width: int, generator: torch.Generator) -> Tensor:
    """Soft clouds about grey."""
    return (0.5 + 0.12 * cloud_noise(height, width, generator)).clamp(0.0, 1.0)


FIRST_PICTURES: dict[str, Callable[[int, int, torch.Generator], Tensor]] = {
    "pixels": uniform_noise,
    "pyramid": cloud_picture,
    "fourier": cloud_picture,
}
"""What each canvas starts from, (1, 3, h, w) in 0..1."""
