"""What the guide is trained for: telling scenes apart, and gradients that point from a canvas to the scene."""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.training.facts import NONE

LEVELS = (1, 2, 4, 8, 16)
"""Pool sizes at which gradients are compared: those of a pyramid canvas; each twice the one before."""

TINY = 1e-20

SLACK = 0.02**2
"""Squared error of a pixel at which a canvas counts as half finished, and its direction half as much."""


def holds(said: Tensor, true: Tensor) -> Tensor:
    """Which caption is true of which scene, (scenes, captions) bool, from words and facts (n, 8)."""
    unsaid = said[None] == NONE
    exact = unsaid | (said[None] == true[:, None])
    crossed = said[None, :, :2] == true[:, None, [1, 0]]
    subjects = exact[..., :2] | crossed
    return torch.cat([subjects, exact[..., 2:]], dim=-1).all(-1)


def contrastive(images: Tensor, texts: Tensor, scale: Tensor, said: Tensor, true: Tensor, weight: Tensor) -> Tensor:
    """CLIP's loss (Radford et al. 2021) of normalised embeddings (n, d).

    Captions that say the same are all right answers; captions that are also true are left out, not punished.
    """
    same = (said[:, None] == said[None]).all(-1)
    also_true = holds(said, true) & ~same
    logits = (scale.exp() * images @ texts.T).masked_fill(also_true, -1e4)
    wanted = same / same.sum(1, keepdim=True)
    by_image = -(wanted * logits.log_softmax(1)).sum(1)
    by_text = -(wanted * logits.log_softmax(0)).sum(0)
    return ((by_image + by_text) * weight).sum() / (2 * weight.sum().clamp(min=1))


def alignment(pull: Tensor, way: Tensor) -> Tensor:
    """How far the pull on the pixels is turned from the way to the scene, both (n, 3, s, s); per canvas, (n).

    One minus the cosine, averaged over the levels of a pyramid canvas: 0 is the same direction, 1 no relation.
    The best answer is the mean way, as in denoising score matching (Vincent 2011); gradients so trained are
    "perceptually aligned" (Ganz, Kawar & Elad 2023). Lengths are left free, as the engine's Adam ignores them.
    """
    turned = []
    for level in LEVELS:
        if level > 1:
            pull, way = (F.avg_pool2d(x, 2) for x in (pull, way))
        length = way.square().sum((1, 2, 3))
        both = (length * pull.square().sum((1, 2, 3)) + TINY).sqrt()
        close = (pull * way).sum((1, 2, 3)) / both
        mean = length / way[0].numel()
        turned.append((1 - close) * mean / (mean + SLACK))
    return torch.stack(turned).mean(0)
