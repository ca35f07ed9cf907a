"""What words look like: views once painted, as the guide sees them, to be learnt from again and again."""

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.training.patterns import Chance
from engine.training.scenes import Scenes

KEPT, LESSONS = 32_768, 64
"""Views kept, and lessons that they are enough for where those are large; the oldest give way."""

REPEATS = 16
"""How many are learnt from for each one painted anew: painting and seeing a view takes as long as reading four."""

FEW = 12_288
"""Views below which an album is filled faster, so that few are not learnt by heart."""

LESSON = 4
"""Views in a lesson for each canvas in a batch: words are cheap."""


@dataclass(slots=True)
class Lesson:
    """Views of scenes: unit embeddings (n, d), tokens (n, L), words and facts (n, 8), boxes (n, 4)."""

    views: Tensor
    tokens: Tensor
    said: Tensor
    true: Tensor
    boxes: Tensor


class Album:
    """Owns the views kept."""

    def __init__(self, chance: Chance, room: int = KEPT) -> None:
        self.chance = chance
        self.room = room
        self.kept: list[Tensor] = []
        self.count = 0

    def add(self, scenes: Scenes, views: Tensor) -> None:
        """Keep these scenes and the embeddings (n, d) of their views."""
        new = (views.bfloat16(), scenes.tokens, scenes.said, scenes.true, scenes.boxes)
        self.kept = self.kept or [x.new_zeros(self.room, *x.shape[1:]) for x in new]
        places = (self.count + torch.arange(len(views), device=views.device)) % self.room
        for kept, part in zip(self.kept, new, strict=True):
            kept[places] = part
        self.count += len(views)

    def wants(self, count: int) -> int:
        """How many views to add before a lesson of so many."""
        return max(1, count // (LESSON if self.count < FEW else REPEATS))

    def lesson(self, count: int) -> Lesson:
        """So many of them, by chance, cut to the longest prompt among them. Something must have been added."""
        rows = self.chance.below(min(self.count, self.room), count)
        views, tokens, *others = (kept[rows] for kept in self.kept)
        longest = max(1, int((tokens != 0).sum(1).max()))
        return Lesson(views.float(), tokens[:, :longest], *others)
