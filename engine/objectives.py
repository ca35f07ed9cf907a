"""What the picture is pulled by: loss terms, one small function each, all of the same signature."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Goal:
    """Prompts as one guide understands them: unit vectors (k, d) and their weights (k,)."""

    vectors: Tensor
    weights: Tensor

    def direction(self) -> Tensor:
        """Where all prompts together pull, a unit vector (d,)."""
        return F.normalize(self.weights @ self.vectors, dim=0)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one step looks at: the picture and the frame before (1, 3, h, w); each guide's goal and views (n, d)."""

    picture: Tensor
    previous: Tensor
    agreements: tuple[tuple[Goal, Tensor], ...]


Term = Callable[[Seen], Tensor]


def text_distance(seen: Seen) -> Tensor:
    """Mean over views of the weighted sum of cosine distances, 1 - cos, to every prompt; guides are added up."""
    total = seen.picture.new_zeros(())
    for goal, views in seen.agreements:
        total = total + ((1.0 - views @ goal.vectors.T) @ goal.weights).mean()
    return total


def stability(seen: Seen) -> Tensor:
    """Mean absolute difference to the frame before (Schaldenbrand 2022, eq. 2 without w_c)."""
    return (seen.picture - seen.previous).abs().mean()


def total_variation(seen: Seen) -> Tensor:
    """Mean absolute difference of neighbouring pixels, both ways."""
    across = seen.picture[..., :, 1:] - seen.picture[..., :, :-1]
    down = seen.picture[..., 1:, :] - seen.picture[..., :-1, :]
    return across.abs().mean() + down.abs().mean()


def weighted(terms: Sequence[tuple[float, Term]], seen: Seen) -> Tensor:
    """The sum of terms by their weights; a term of weight 0 costs nothing."""
    total = torch.zeros((), device=seen.picture.device)
    for weight, term in terms:
        if weight:
            total = total + weight * term(seen)
    return total
