"""What the picture is pulled by: loss terms, one small function each, all of the same signature."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import acos, sqrt
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.kernels.loading import Kernels, array, kernels_for
from engine.style import Style

MOST_APART = -0.9
"""Cosine below which the spherical distance goes on as a straight line: opposite vectors have no finite slope."""
SLOPE = acos(MOST_APART) / sqrt(1.0 - MOST_APART**2)
"""Of that line, so that it meets the curve without a bend."""

Reference = TypeVar("Reference")


@dataclass(frozen=True, slots=True)
class Goal:
    """Prompts as one guide understands them: unit vectors (k, d), their weights (k,), what each owns of the picture."""

    vectors: Tensor
    weights: Tensor
    regions: tuple[str, ...] = ()
    """One of `engine.regions.REGIONS` for each prompt; none at all means that every one is for the whole picture."""
    pictures: int = 0
    """How many of the last vectors are of pictures rather than of texts: none or one."""
    shown: Tensor | None = None
    """That picture, (1, 3, h, w): what a view should show of it depends on where the view lies."""
    twin: "Goal | None" = None
    """The same in the host's memory, for what looks at it; None where it lies there itself."""

    def direction(self) -> Tensor:
        """Where all prompts together pull, a unit vector (d,), in the host's memory if there is a twin."""
        goal = self.twin or self
        return F.normalize(goal.weights @ goal.vectors, dim=0)


@dataclass(frozen=True, slots=True)
class References:
    """What the picture may be compared with beside its prompts. None is nothing asked for, or nothing there yet."""

    source: Tensor | None = None
    """A picture of the canvas's size, (1, 3, h, w), from a file or a camera."""
    palette: Tensor | None = None
    """Colours (p, 4): red, green, blue in 0..1 and each one's share of the picture."""
    style: Style | None = None


NOTHING = References()


@dataclass(frozen=True, slots=True)
class Agreement:
    """One guide's goal beside the views it saw, unit vectors (n, d)."""

    goal: Goal
    views: Tensor
    shares: Tensor | None = None
    """How much each view counts for each prompt, (n, k); None where all count alike, 1 / n."""
    wanted: Tensor | None = None
    """What each view should show of each prompt, unit vectors (n, k, d); None where it is the prompt itself."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one step looks at: the picture and the frame before (1, 3, h, w), the guides' views, and references."""

    picture: Tensor
    previous: Tensor
    agreements: tuple[Agreement, ...] = ()
    references: References = NOTHING


Term = Callable[[Seen], Tensor]


def text_distance(seen: Seen) -> Tensor:
    """Mean over views of the weighted sum of cosine distances, 1 - cos, to every prompt; guides are added up."""
    return _agreed(seen, lambda cosine: 1.0 - cosine)


def spherical_distance(seen: Seen) -> Tensor:
    """The same with half the squared angle for a distance: it pulls harder, the further a view is from its prompt."""
    return _agreed(seen, half_squared_angle)


TEXT_TERMS: dict[str, Term] = {"cosine": text_distance, "spherical": spherical_distance}
"""The term for each choice of the parameter `distance`."""


def half_squared_angle(cosine: Tensor) -> Tensor:
    """Half the squared angle between unit vectors, from their cosine; a straight line beyond 154 degrees."""
    # Just under 1: the angle's own slope is infinite there, though the square's is not.
    angle = 2.0 * ((1.0 - cosine.clamp(MOST_APART, 1.0 - 1e-6)) / 2.0).sqrt().asin()
    return angle.square() / 2.0 + SLOPE * (MOST_APART - cosine).clamp(min=0.0)


def _agreed(seen: Seen, distance: Callable[[Tensor], Tensor]) -> Tensor:
    """A negative weight costs its cosine whatever the distance: the spherical one would push on ever harder."""
    total = seen.picture.new_zeros(())
    for one in seen.agreements:
        cosine, weights = _cosines(one), one.goal.weights
        cost = distance(cosine) * weights.clamp(min=0.0) - cosine * weights.clamp(max=0.0)
        total = total + (cost.sum(dim=1).mean() if one.shares is None else (cost * one.shares).sum())
    return total


def _cosines(one: Agreement) -> Tensor:
    """How near each view is to each prompt, (n, k)."""
    if one.wanted is None:
        return one.views @ one.goal.vectors.T
    return (one.wanted @ one.views[:, :, None])[:, :, 0]


def stability(seen: Seen) -> Tensor:
    """Mean absolute difference to the frame before (Schaldenbrand 2022, eq. 2 without w_c)."""
    kernels = kernels_for(seen.picture, seen.previous)
    if kernels is None:
        return (seen.picture - seen.previous).abs().mean()
    found: Tensor = _Distance.apply(seen.picture, seen.previous, kernels)
    return found


class _Distance(torch.autograd.Function):
    """The mean absolute difference by a compiled pass, which finds the gradient at once."""

    @staticmethod
    def forward(ctx: Any, picture: Tensor, other: Tensor, kernels: Kernels) -> Tensor:
        """Without dimensions."""
        gradient = torch.empty_like(picture)
        total = kernels.distance(array(picture), array(other), array(gradient))
        ctx.save_for_backward(gradient)
        return picture.new_tensor(total)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """For the first picture only."""
        return ctx.saved_tensors[0] * gradient, None, None


def total_variation(seen: Seen) -> Tensor:
    """Mean absolute difference of neighbouring pixels, both ways."""
    found: Tensor = _Variation.apply(seen.picture)
    return found


class _Variation(torch.autograd.Function):
    """The total variation with its gradient written out, which takes half the passes over the picture."""

    @staticmethod
    def forward(ctx: Any, picture: Tensor) -> Tensor:
        """Without dimensions."""
        if (kernels := kernels_for(picture)) is not None:
            found = torch.empty_like(picture)
            value = picture.new_tensor(kernels.variation(array(picture), array(found)))
            ctx.save_for_backward(found)
            return value
        across, down = picture.diff(dim=-1), picture.diff(dim=-2)
        ctx.save_for_backward(across, down)
        total: Tensor = across.abs().mean() + down.abs().mean()
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Each difference pulls its two pixels together."""
        if len(ctx.saved_tensors) == 1:
            pulled: Tensor = ctx.saved_tensors[0] * gradient
            return pulled
        across, down = ctx.saved_tensors
        found: Tensor = across.new_zeros(*down.shape[:-2], across.shape[-2], down.shape[-1])
        for way, dim in ((across, -1), (down, -2)):
            pull, length = way.sign(), way.shape[dim]
            found.narrow(dim, 1, length).add_(pull, alpha=1.0 / way.numel())
            found.narrow(dim, 0, length).sub_(pull, alpha=1.0 / way.numel())
        return found.mul_(gradient)


def source_distance(seen: Seen) -> Tensor:
    """Mean squared difference to the source's picture, which must be there."""
    return F.mse_loss(seen.picture, there(seen.references.source))


def style_distance(seen: Seen) -> Tensor:
    """How far the picture's patches are from those of the style picture, which must be there."""
    return there(seen.references.style).distance(seen.picture)


def there(reference: Reference | None) -> Reference:
    """The reference a term compares with. Raises ValueError where there is none, which no such term is asked for."""
    if reference is None:
        raise ValueError("a term was asked for without what it compares with")
    return reference


def weighted(terms: Sequence[tuple[float | Tensor, Term]], seen: Seen) -> Tensor:
    """The sum of terms by their weights; a term of weight 0 costs nothing.

    A weight that lies on the device counts whatever it is: to look at it would be to wait for the device.
    """
    total = torch.zeros((), device=seen.picture.device)
    for weight, term in terms:
        if isinstance(weight, Tensor) or weight:
            total = total + weight * term(seen)
    return total
