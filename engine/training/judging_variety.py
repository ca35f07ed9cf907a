""" "It all looks the same": how much pictures of different prompts differ, against pictures of the same prompt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from engine.guides.guide import Guide
from engine.parameters import Look
from engine.score.critic import Critic, Rgb
from engine.training.sheets_painting import painted

SMALL = (32, 18)
"""Pixels across and down in which pictures are compared by colour: composition, not texture."""


@dataclass(frozen=True, slots=True)
class Variety:
    """A prompt and its pictures: of several seeds, or of several turns of a show."""

    prompt: str
    rgbs: tuple[Rgb, ...]


def variety(found: Sequence[Variety], critic: Critic) -> dict[str, Any]:
    """Mean distances of pictures of different prompts and of the same one, by colour and in the critic's eyes.

    By colour: root mean square difference of pictures reduced to 32x18, 0..1. In the critic's eyes: 1 - cosine. A
    ratio of 1 means that prompts make no difference; None where no prompt has two pictures.
    """
    pictures = [rgb for one in found for rgb in one.rgbs]
    owner = torch.tensor([n for n, one in enumerate(found) for _ in one.rgbs])
    is_same = owner[:, None] == owner[None]
    pair = torch.ones_like(is_same).triu(1)
    seen = torch.cat([critic.see(pictures[n : n + 16]) for n in range(0, len(pictures), 16)])
    seen = F.normalize(seen, dim=-1)
    colours = torch.stack([_reduced(rgb) for rgb in pictures]).flatten(1)
    distances = {"colour": torch.cdist(colours, colours) / colours.shape[1] ** 0.5, "critic": 1.0 - seen @ seen.T}
    report: dict[str, Any] = {}
    for name, distance in distances.items():
        apart, same = distance[pair & ~is_same], distance[pair & is_same]
        report[f"{name}_between_prompts"] = _mean(apart)
        report[f"{name}_same_prompt"] = _mean(same)
        report[f"{name}_ratio"] = round(float(apart.mean() / same.mean()), 3) if len(same) and len(apart) else None
    return report


def show_frames(guides: Sequence[Guide], look: Look, turns: Sequence[str], passes: int, frames: int) -> list[Variety]:
    """A show on one canvas: each prompt for so many frames, in another order in each pass; each turn's last frame.

    Orders come from a fixed seed, so that a prompt does not always follow the same one.
    """
    chance = np.random.default_rng(7)
    orders = [list(range(len(turns))), *(chance.permutation(len(turns)).tolist() for _ in range(passes - 1))]
    looks = (replace(look, line=turns[n]) for order in orders for n in order for _ in range(frames))
    ends: list[list[Rgb]] = [[] for _ in turns]
    sung = (n for order in orders for n in order for _ in range(frames))
    for count, (n, rgb) in enumerate(zip(sung, painted(guides, looks), strict=True)):
        if count % frames == frames - 1:
            ends[n].append(rgb)
    return [Variety(text, tuple(rgbs)) for text, rgbs in zip(turns, ends, strict=True)]


def _reduced(rgb: Rgb) -> torch.Tensor:
    small = np.asarray(Image.fromarray(rgb).resize(SMALL, Image.Resampling.BOX), dtype=np.float32)
    return torch.from_numpy(small / 255.0)


def _mean(values: torch.Tensor) -> float | None:
    return round(float(values.mean()), 4) if len(values) else None
