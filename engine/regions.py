"""Parts of the picture that prompts can own: whose each view is, what it may change, and how much it counts.

A prompt that owns a part has views of its own, cut around that part, and their gradient goes no further than a soft
border. The prompts of the whole picture give way there, but not altogether: it stays one picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.kept import kept
from engine.table import REGIONS

FRAMES: dict[str, tuple[float, float, float, float]] = {
    "whole": (-1.0, -1.0, 1.0, 1.0),
    "left": (-1.0, -1.0, 0.0, 1.0),
    "right": (0.0, -1.0, 1.0, 1.0),
    "top": (-1.0, -1.0, 1.0, 0.0),
    "bottom": (-1.0, 0.0, 1.0, 1.0),
    "centre": (-0.75, -0.75, 0.75, 0.75),
    "edge": (-1.0, -1.0, 1.0, 1.0),
}
"""Each part's bounding box (left, top, right, bottom), where the picture spans -1..1 both ways."""

BORDER = 0.08
"""How soft a part's border is: it falls from 73 % to 27 % over twice this."""
MIDDLE = 0.5
"""Where x² + y² has this value, the centre ends and the edge begins."""
YIELD = 0.75
"""How far the whole picture's prompts give way in a part that is owned with weight 1."""

_LINES: dict[str, tuple[float, float, float, float]] = {
    "left": (-1.0, 0.0, 0.0, 0.0),
    "right": (1.0, 0.0, 0.0, 0.0),
    "top": (0.0, -1.0, 0.0, 0.0),
    "bottom": (0.0, 1.0, 0.0, 0.0),
    "centre": (0.0, 0.0, -1.0, MIDDLE),
    "edge": (0.0, 0.0, 1.0, -MIDDLE),
}
"""Factors of x, y, x² + y² and 1 whose sum is positive inside."""

AREAS = {"whole": 1.0, "left": 0.5, "right": 0.5, "top": 0.5, "bottom": 0.5, "centre": 0.4, "edge": 0.6}
"""Share of the picture each part covers; pi / 8 for the centre."""


def owned(regions: Sequence[str]) -> tuple[str, ...]:
    """The parts among these that are not the whole, each once."""
    return tuple(dict.fromkeys(region for region in regions if region != "whole"))


def owners(regions: Sequence[str], overviews: int, inner: int, turn: int) -> tuple[str, ...]:
    """Whose each view is, those of the whole picture first; empty where nothing is owned.

    Overviews go to the prompts of the whole picture, inner views to the parts (half of them, where there is no
    overview), which take turns where there are fewer views than parts. With nobody asking for the whole all views
    are the parts'; one view alone goes round.
    """
    parts, count = owned(regions), overviews + inner
    if not parts:
        return ()
    is_lone = count == 1 and "whole" in regions
    wholes = 0 if is_lone or "whole" not in regions else _wholes(overviews, count)
    rest = ("whole", *parts) if is_lone else parts
    ours = count - wholes
    return ("whole",) * wholes + tuple(rest[(turn * ours + n) % len(rest)] for n in range(ours))


def _wholes(overviews: int, count: int) -> int:
    return min(overviews, count - 1) if overviews else max(1, count // 2)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who counts where, on the guide's device, for n views, k prompts and r owned parts."""

    lines: Tensor
    """Factors of x, y, x² + y² and 1 for each part, (4, r)."""
    is_theirs: Tensor
    """1 where a view is a part's own, (n, r)."""
    is_whole: Tensor
    """1 where a view is of the whole picture, (n, 1)."""
    belongs: Tensor
    """1 where a prompt is of a part, (r, k)."""
    shares: Tensor
    """How much each view counts for each prompt, (n, k)."""

    def masks(self, points: Tensor, weights: Tensor) -> Tensor:
        """How far each view may change what it sees at points (n, s, s, 2) of the picture, (n, 1, s, s) in 0..1."""
        x, y = points[..., 0], points[..., 1]
        features = torch.stack([x, y, x * x + y * y, torch.ones_like(x)], dim=-1)
        inside = torch.sigmoid(features @ self.lines)
        claims = (self.belongs @ weights.clamp(min=0.0)).clamp(max=1.0)
        factors = self.is_theirs - YIELD * self.is_whole * claims
        changed = self.is_whole[:, :, None] + torch.einsum("nyxr,nr->nyx", inside, factors)
        return changed.clamp(0.0, 1.0)[:, None]


@kept
def ownership(regions: tuple[str, ...], views: tuple[str, ...], device: torch.device) -> Ownership:
    """What follows from the prompts' parts and the views' owners."""
    parts, wholes = owned(regions), views.count("whole")
    is_lone = len(views) == 1 and "whole" in regions
    # Views that take turns count for those of the other turns too.
    turns = len(parts) + 1.0 if is_lone else len(parts) / max(1, len(views) - wholes)
    size = {name: AREAS[name] * turns for name in REGIONS} | {"whole": turns if is_lone else 1.0 / max(1, wholes)}
    return Ownership(
        lines=torch.tensor([_LINES[part] for part in parts], device=device).T / BORDER,
        is_theirs=torch.tensor([[float(view == part) for part in parts] for view in views], device=device),
        is_whole=torch.tensor([[float(view == "whole")] for view in views], device=device),
        belongs=torch.tensor([[float(region == part) for region in regions] for part in parts], device=device),
        shares=torch.tensor([[size[view] * (view == region) for region in regions] for view in views], device=device),
    )


@kept
def frames(views: tuple[str, ...], device: torch.device) -> Tensor:
    """The bounding boxes of the parts these views belong to, (n, 4)."""
    return torch.tensor([FRAMES[view] for view in views], device=device).view(-1, 4)
