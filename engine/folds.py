"""Mirrors: one part of the picture shown in place of the others, so that it is symmetrical at any time."""

from math import exp, pi

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.parameters import Look
from engine.sending import passed_on

DONE = 0.999
"""Share of a fold from which it is taken for whole."""


class Folds:
    """The folds of the present picture. Owns how far they have grown in."""

    def __init__(self) -> None:
        self._asked = ("off", 0)
        self._share = 0.0
        self._grids: dict[tuple[int, int, int], Tensor] = {}

    def follow(self, look: Look, passed_s: float) -> None:
        """Take up what the look asks for, `passed_s` seconds after the last time; a new fold grows in over `ease`."""
        asked = look.text("mirror"), look.whole("kaleidoscope")
        if asked != self._asked:
            self._asked, self._share = asked, 0.0
            self._grids.clear()
        tau_s = look.number("ease") / 3.0
        self._share = 1.0 - (1.0 - self._share) * (exp(-passed_s / tau_s) if tau_s > 0.0 else 0.0)
        if self._share > DONE:
            self._share = 1.0

    def of(self, picture: Tensor) -> Tensor:
        """The picture (1, 3, h, w) as far as it is folded by now; itself when nothing folds it."""
        mirror, segments = self._asked
        folded = picture
        if segments > 1:
            folded = self._kaleidoscope(folded, segments)
        if mirror in ("across", "both"):
            folded = _mirrored(folded, -1)
        if mirror in ("down", "both"):
            folded = _mirrored(folded, -2)
        return folded if self._share == 1.0 or folded is picture else picture.lerp(folded, self._share)

    def _kaleidoscope(self, picture: Tensor, segments: int) -> Tensor:
        height, width = picture.shape[-2:]
        key = height, width, segments
        if key not in self._grids:
            self._grids = {key: passed_on(kaleidoscope_grid(height, width, segments), picture.device)}
        return F.grid_sample(picture, self._grids[key], "bilinear", "border", align_corners=False)


def kaleidoscope_grid(height: int, width: int, segments: int) -> Tensor:
    """Where each pixel of a kaleidoscope looks, (1, h, w, 2) in -1..1.

    All look into the half segment below the line from the centre to the right, which looks at itself. What lies
    beyond the right border, seen from the corners, is mirrored back.
    """
    aspect, segment = width / height, 2.0 * pi / segments
    y = ((torch.arange(height) + 0.5) * (2.0 / height) - 1.0)[:, None].double()
    x = (((torch.arange(width) + 0.5) * (2.0 / width) - 1.0) * aspect)[None, :].double()
    radius, angle = torch.hypot(x, y), torch.atan2(y, x)
    angle = (angle - segment * torch.round(angle / segment)).abs()
    across, down = radius * angle.cos() / aspect, radius * angle.sin()
    across, down = across.clamp(max=1.0) * 2.0 - across, down.clamp(max=1.0) * 2.0 - down
    return torch.stack([across, down], dim=-1)[None].float()


def _mirrored(picture: Tensor, dim: int) -> Tensor:
    """The picture with its first half along this dimension mirrored onto the second."""
    first = picture.narrow(dim, 0, (picture.shape[dim] + 1) // 2)
    rest = first.narrow(dim, 0, picture.shape[dim] // 2).flip(dim)
    return torch.cat([first, rest], dim=dim)
