"""An old picture that gives way to a new one from many places at once."""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.canvas import resized
from engine.motion import Warp

SOFTNESS = 0.4
"""Share of the whole time that one place takes to turn."""


class Dissolve:
    """What is still seen of an old picture. Owns that picture and how far it has gone."""

    def __init__(self, old: Tensor, random: torch.Generator, lasts_s: float) -> None:
        """`old` (1, 3, h, w) goes within `lasts_s` seconds, in patches of a fifth of its height."""
        self._old, self._lasts_s, self._passed_s = old, lasts_s, 0.0
        heights = torch.randn(1, 1, 5, 8, generator=random, device=random.device)
        heights = F.interpolate(heights, size=old.shape[-2:], mode="bicubic", align_corners=False)
        # By rank, so that every moment turns as much of the picture.
        ranks = heights.flatten().argsort().argsort().view_as(heights)
        self._turns = ranks / ranks.numel()

    def after(self, passed_s: float, warp: Warp | None) -> "Dissolve | None":
        """Let so many seconds pass, in which the old picture moves too; None once nothing is left of it."""
        self._passed_s += passed_s
        if warp is not None:
            self._old = warp.picture(self._old)
        return self if self._passed_s < self._lasts_s else None

    def over(self, picture: Tensor) -> Tensor:
        """The new picture (1, 3, h, w) with what is left of the old one."""
        way = self._passed_s / self._lasts_s * (1.0 + SOFTNESS) - resized(self._turns, *picture.shape[-2:])
        share = (way / SOFTNESS).clamp(0.0, 1.0)
        return resized(self._old, *picture.shape[-2:]).lerp(picture, share * share * (3.0 - 2.0 * share))
