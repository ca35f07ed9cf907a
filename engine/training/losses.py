"""What the guide is trained for: telling scenes apart, and gradients that point from a canvas to the scene."""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.training.recipes import NONE

LEVELS = (1, 2, 4, 8, 16)
"""Pool sizes at which gradients are compared: those of a pyramid canvas."""

SLACK = 0.02**2
"""Squared error of a pixel at which a canvas counts as half finished, and its direction half as much."""


def holds(said: Tensor, true: Tensor) -> Tensor:
    """Which caption is true of which scene, (scenes, captions) bool, from words and facts (n, 6)."""
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
        found, wanted = (F.avg_pool2d(x, level).flatten(1) for x in (pull, way))
        length = wanted.square().mean(1)
        turned.append((1 - F.cosine_similarity(found, wanted, eps=1e-12)) * length / (length + SLACK))
    return torch.stack(turned).mean(0)
