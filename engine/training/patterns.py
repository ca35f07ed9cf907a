"""Grounds that any two colours can make: masks (n, s, s) in 0..1 of how much of the second colour is seen."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

WIDE = 16 / 9
"""Grounds are painted for the widest picture: pixels of a square bank are this much wider than high."""


class Chance:
    """Random numbers of one seed on one device. Owns its generator."""

    def __init__(self, seed: int, device: torch.device | str) -> None:
        self.device = torch.device(device)
        self.source = torch.Generator(self.device).manual_seed(seed)

    def between(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform numbers of this shape."""
        return torch.rand(shape, generator=self.source, device=self.device) * (high - low) + low

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers of this shape."""
        return torch.randn(shape, generator=self.source, device=self.device)

    def below(self, end: int, *shape: int) -> Tensor:
        """Whole numbers 0 .. end - 1 of this shape."""
        return torch.randint(end, shape, generator=self.source, device=self.device)

    def fractal(self, n: int, size: int, first: int = 2, octaves: int = 5, fall: float = 0.55) -> Tensor:
        """Cloudy noise (n, s, s), roughly in 0..1: octaves of smooth noise, each weaker and finer."""
        total = torch.zeros(n, 1, size, size, device=self.device)
        for octave in range(octaves):
            side = min(first * 2**octave, size)
            layer = self.normal(n, 1, side, min(round(side * WIDE), size)) * fall**octave
            total = total + F.interpolate(layer, (size, size), mode="bicubic", align_corners=False)
        return (total[:, 0] * 0.3 + 0.5).clamp(0, 1)


def places(n: int, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Coordinates x to the right, -16/9..16/9, and y down, -1..1, each (n, s, s)."""
    line = torch.linspace(-1, 1, size, device=device)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return (x * WIDE).expand(n, -1, -1), y.expand(n, -1, -1)


def soft(value: Tensor, sharpness: float = 8.0) -> Tensor:
    """A soft step around 0."""
    return torch.sigmoid(value * sharpness)


@dataclass(frozen=True, slots=True)
class Plane:
    """Where a pattern is drawn, each (n, s, s): polar coordinates, and a turned and scaled pair of axes."""

    radius: Tensor
    angle: Tensor
    across: Tensor
    along: Tensor


def _rays(plane: Plane, chance: Chance) -> Tensor:
    count = chance.below(5, len(plane.angle), 1, 1) + 5
    return soft((plane.angle * count).sin() * plane.radius.clamp(max=0.5) * 2)


PATTERNS: dict[str, Callable[[Plane, Chance], Tensor]] = {
    "flat": lambda plane, _: torch.zeros_like(plane.radius),
    "gradient": lambda plane, _: (plane.across * 0.6 + 0.5).clamp(0, 1),
    "stripes": lambda plane, _: soft((plane.across * 9).sin()),
    "checkerboard": lambda plane, _: soft((plane.across * 7).sin() * (plane.along * 7).sin(), 14),
    "rings": lambda plane, _: soft((plane.radius * 13).sin()),
    "dots": lambda plane, _: soft((plane.across * 9).cos() * (plane.along * 9).cos() - 0.3, 12),
    "spiral": lambda plane, _: soft((plane.angle * 2 + plane.radius * 10).sin()),
    "rays": _rays,
    "zigzag": lambda plane, _: soft((plane.along * 9 + (plane.across * 6).sin().asin() * 1.4).sin()),
    "blobs": lambda plane, chance: soft(chance.fractal(len(plane.radius), plane.radius.shape[1], 4, 2) - 0.5, 25),
}


def draw_pattern(name: str, n: int, size: int, chance: Chance) -> Tensor:
    """Masks (n, s, s) of this pattern, each with its own scale, place and turn."""
    x, y = places(n, size, chance.device)
    scale, turn = chance.between(0.7, 1.4, n, 1, 1), chance.between(0, math.pi, n, 1, 1)
    x = (x - chance.between(-0.25, 0.25, n, 1, 1)) / scale
    y = (y - chance.between(-0.25, 0.25, n, 1, 1)) / scale
    radius, angle = (x * x + y * y + 1e-6).sqrt(), torch.atan2(y, x)
    plane = Plane(radius, angle, x * turn.cos() + y * turn.sin(), y * turn.cos() - x * turn.sin())
    return PATTERNS[name](plane, chance)
