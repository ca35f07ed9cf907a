"""Who judges: the shipped judge, or any guide that is not in the loss, behind one signature."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from engine.guides.guide import Guide
from engine.score.judge import Judge

Rgb = NDArray[np.uint8]

PREFIX = "A photo depicts "
"""What CLIPScore puts before every text (Hessel 2021, section 3.1)."""


class Critic(Protocol):
    """Judges frames against texts. Vectors of frames times those of texts are cosines, or means of them."""

    name: str
    is_published: bool
    """Whether it is a guide in open_clip's format, trained on photographs."""

    def see(self, frames: Sequence[Rgb]) -> Tensor:
        """Vectors (n, d) of frames, uint8 (h, w, 3) each, of one size; at most as long as 1."""
        ...

    def read(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (k, d) of texts."""
        ...


class JudgeCritic:
    """The shipped judge: the mean of what it sees in the middle square and in the whole width, squeezed."""

    name = "judge"
    is_published = False

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def see(self, frames: Sequence[Rgb]) -> Tensor:
        """Means (n, d) of two unit vectors; frames as wide as high are seen once."""
        pictures, sees = _pictures(frames, self.judge.scale.device), self.judge.shape.sees
        views = [_resized(_middle(pictures), sees)]
        if pictures.shape[-1] != pictures.shape[-2]:
            views.append(_resized(pictures, sees))
        with torch.no_grad():
            return torch.stack([self.judge.see(view) for view in views]).mean(0).cpu()

    def read(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (k, d) of texts; words never learnt change nothing."""
        with torch.no_grad():
            return self.judge.read(texts).cpu()


class GuideCritic:
    """A guide that was not in the loss: it sees the middle square, as its own preprocessing would cut it."""

    def __init__(self, guide: Guide) -> None:
        from engine.guides.shipped import SmallCLIP

        self.guide, self.name = guide, guide.name
        self.is_published = not isinstance(guide.model, SmallCLIP)

    def see(self, frames: Sequence[Rgb]) -> Tensor:
        """Unit vectors (n, d)."""
        views = _resized(_middle(_pictures(frames, self.guide.device)), self.guide.image_size)
        with torch.no_grad():
            return self.guide.embed_image(views).cpu()

    def read(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (k, d); a published guide is asked for a photo of the text."""
        return self.guide.embed_text([PREFIX + text if self.is_published else text for text in texts]).cpu()


def _pictures(frames: Sequence[Rgb], device: torch.device) -> Tensor:
    levels = torch.from_numpy(np.stack(frames)).to(device)
    return levels.permute(0, 3, 1, 2).float() / 255.0


def _middle(pictures: Tensor) -> Tensor:
    """The square (n, 3, s, s) in the middle, s being the shorter side."""
    height, width = pictures.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pictures[..., top : top + side, left : left + side]


def _resized(pictures: Tensor, side: int) -> Tensor:
    return F.interpolate(pictures, (side, side), mode="bicubic", align_corners=False, antialias=True).clamp(0.0, 1.0)
