"""A smooth field of currents that changes slowly: nowhere does it gather or thin the picture out."""

from math import pi

import torch
from torch import Tensor

WAVES = 6
LONGEST, SHORTEST = 1.6, 0.5
"""Wavelengths of the currents, in picture heights."""
TURNOVER_S = 12.0
"""Seconds in which a wave of the field moves on by about its own length."""


class Flow:
    """The currents at any time, the same for the same seed. Owns the waves they are made of."""

    def __init__(self, seed: int) -> None:
        # A generator of its own: whether there is a flow changes no other random number of the picture.
        random = torch.Generator().manual_seed(seed)
        angles = 2.0 * pi * (torch.arange(WAVES) + torch.rand(WAVES, generator=random)) / WAVES
        lengths = LONGEST * (SHORTEST / LONGEST) ** torch.rand(WAVES, generator=random)
        numbers = 2.0 * pi / (2.0 * lengths)  # a picture is 2 high
        self._waves = torch.stack([numbers * angles.cos(), numbers * angles.sin()], dim=1)
        self._phases = 2.0 * pi * torch.rand(WAVES, generator=random)
        self._speeds = (2.0 * pi / TURNOVER_S) * (0.5 + torch.rand(WAVES, generator=random))
        # Each wave of the stream function a·sin(k·p) gives a current of root mean square a·|k|/√2.
        self._strength = (2.0 / WAVES) ** 0.5 / numbers

    def at(self, points: Tensor, time_s: float) -> Tensor:
        """The current at points (h, w, 2), counted in half picture heights: (h, w, 2) of root mean square about 1.

        It is the curl of a sum of plane waves, and so free of divergence (Bridson et al. 2007, curl noise).
        """
        waves, strength = self._waves.to(points.device), self._strength.to(points.device)
        phases = (self._phases + time_s * self._speeds).to(points.device)
        slope = (points @ waves.T + phases).cos() * strength
        return torch.stack([slope @ waves[:, 1], -(slope @ waves[:, 0])], dim=-1)
