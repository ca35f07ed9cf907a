"""The authors' way of computing a step, written afresh from what the paper's code is known to do; for the bench only.

Plain pixels and an Adam made anew for every frame, one torchvision chain for each crop in a Python loop, gradients
for the guide's weights too, single precision, and the loss read back after every step. Of several guides each leads
one step after the other.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from engine.guides.guide import Guide
from engine.parameters import Look

PROMPTS = ("a red heart on white", "starry night")


def baseline_frames(guides: Sequence[Guide], look: Look) -> Iterator[None]:
    """Frames of the look's canvas size, steps and crops the authors' way, one for each `next`."""
    trained, device = [_trained(guide) for guide in guides], guides[0].device
    chains, texts = [_augmentation(guide) for guide in guides], [guide.embed_text(PROMPTS) for guide in guides]
    size = (1, 3, look.whole("canvas_height"), look.whole("canvas_width"))
    pixels = torch.rand(size, device=device)
    while True:
        before = pixels.detach().clone()
        pixels = (before / 4.0 + torch.randn(size, device=device)).requires_grad_(True)
        optimiser = torch.optim.Adam([pixels], lr=0.17)
        for step in range(look.whole("steps")):
            n = step % len(guides)
            optimiser.zero_grad()
            crops = torch.cat([chains[n](pixels) for _ in range(look.whole("crops"))])
            loss = _loss(trained[n].model.encode_image(crops), texts[n], pixels, before, step)
            loss.backward()
            loss.item()
            optimiser.step()
        yield


def _trained(guide: Guide) -> Guide:
    """A copy of the guide whose weights get gradients as well; the guide itself stays frozen."""
    trained = replace(guide, model=copy.deepcopy(guide.model))
    trained.model.float().requires_grad_(True)
    return trained


def _augmentation(guide: Guide) -> Callable[[Tensor], Tensor]:
    from torchvision import transforms

    chain: Any = transforms.Compose(
        [
            transforms.Resize(guide.image_size),
            transforms.RandomPerspective(fill=1, p=1, distortion_scale=0.5),
            transforms.RandomResizedCrop(guide.image_size, scale=(0.7, 0.999)),
            transforms.Normalize(guide.mean, guide.std),
        ]
    )
    found: Callable[[Tensor], Tensor] = chain
    return found


def _loss(seen: Tensor, texts: Tensor, pixels: Tensor, before: Tensor, step: int) -> Tensor:
    total = pixels.new_zeros(())
    for n in range(len(seen)):
        for text in texts:
            total = total - 0.5 * torch.cosine_similarity(text[None], seen[n : n + 1], dim=1).sum()
        if step % 4 == 0:
            total = total + 3.0 * (pixels - before).abs().mean()
    return total
