"""How well a guide tells scenes apart that training never showed: retrieval, and naming the subject."""

import torch
from torch import Tensor

from engine.guides.shipped import MEAN, STD, SmallCLIP
from engine.guides.shipped_text import WordTokenizer
from engine.training.losses import holds
from engine.training.scenes import Scenes


@torch.no_grad()
def measure(model: SmallCLIP, tokenizer: WordTokenizer, scenes: Scenes, names: list[str]) -> dict[str, float]:
    """Shares in 0..1: the right caption (or one as true) ranked first, and the right subject's name first.

    And how much of what the pictures' embeddings differ by is `meant` by their captions: 1 is all of it.
    """
    device = scenes.pictures.device
    images = model.encode_image(normalised(scenes.pictures), normalize=True)
    texts = model.encode_text(scenes.tokens, normalize=True)
    # Scenes are measured in views of one place, so that each caption is placed once.
    placed = model.place_text(texts, scenes.boxes[:1, None].expand(1, len(texts), 4))[0]
    missed = (placed - images).square().sum() / (images - images.mean(0)).square().sum()
    first = (images @ texts.T).argmax(1)
    right = holds(scenes.said, scenes.true)[torch.arange(len(first), device=device), first]
    name = (images @ model.encode_text(tokenizer(names).to(device), normalize=True).T).argmax(1)
    return {
        "caption_first": right.float().mean().item(),
        "meant": 1 - missed.item(),
        "name_first": (name == scenes.true[:, 0]).float().mean().item(),
    }


def normalised(pictures: Tensor) -> Tensor:
    """Pictures in 0..1 as the image tower wants them."""
    return (pictures - MEAN[0]) / STD[0]
