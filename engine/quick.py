"""A step on a processor with its gradient written out: what `engine.steps` does for any canvas, for the usual one.

Autograd keeps, adds and multiplies pictures between the few passes that a step needs. It is left what few looks ask
for: terms beside stability and smoothness, and views that are tilted, white beyond the border or resampled.
"""

import torch
from torch import Tensor

from engine.aim import PLAIN, TERMS, Pulling, Toward, wanted_of
from engine.canvas import Canvas, Pyramid
from engine.kernels.loading import Kernels, array, kernels_for
from engine.objectives import MOST_APART, SLOPE, Seen, weighted
from engine.optimiser import LevelAdam, Optimiser
from engine.quick_sight import sight_and_back
from engine.regions import ownership


class QuickStep:
    """Makes steps of one canvas by one optimiser, which stay what they are. Owns nothing of them."""

    def __init__(self, kernels: Kernels, canvas: Pyramid, optimiser: LevelAdam) -> None:
        self._kernels, self._canvas, self._optimiser = kernels, canvas, optimiser

    @classmethod
    def of(cls, canvas: Canvas, optimiser: Optimiser) -> "QuickStep | None":
        """None where a step is none of these, or compiled passes are not there."""
        if not isinstance(canvas, Pyramid) or not isinstance(optimiser, LevelAdam):
            return None
        kernels = kernels_for(canvas.picture, *canvas.parameters())
        return None if kernels is None else cls(kernels, canvas, optimiser)

    def make(self, asked: Toward, rate: float, random: torch.Generator) -> None:
        """Move the canvas one step of this size. Where nothing pulls it stays as it is."""
        if not asked.pulling and not asked.weights:
            return
        gradient = self._of_terms(asked)
        with torch.no_grad():
            for one in asked.pulling:
                self._add_pull(one, asked.distance, random, gradient)
        self._optimiser.step_compiled(self._kernels, self._canvas.shares(gradient), self._canvas.gains, rate)
        self._canvas.settle()

    def _of_terms(self, asked: Toward) -> Tensor:
        """The gradient (1, 3, h, w) of all terms but that of the prompts."""
        picture = self._canvas.picture
        previous = picture if asked.previous is None else asked.previous.contiguous()
        gradient, weights = torch.empty_like(picture), [float(asked.weights.get(name, 0.0)) for name in PLAIN]
        self._kernels.pulls(array(picture), array(previous), *weights, array(gradient))
        rest = [(weight, TERMS[name]) for name, weight in asked.weights.items() if name not in PLAIN]
        if rest:
            leaf = picture.detach().requires_grad_(True)
            lost = weighted(rest, Seen(leaf, previous, (), asked.references))
            gradient += torch.autograd.grad(lost, leaf)[0]
        return gradient

    def _add_pull(self, one: Pulling, distance: str, random: torch.Generator, gradient: Tensor) -> None:
        """Add the gradient of what one guide asks for."""
        picture, guide, goal = self._canvas.picture, one.guide, one.goal
        sight, sight_back = sight_and_back(self._kernels, picture, one.cut, guide.image_size, random)
        wanted = wanted_of(picture, one, sight)
        seen, back = guide.looked(sight.views)
        owns = ownership(goal.regions, one.cut.owners, guide.device) if one.cut.owners else None
        shares = seen.new_full(wanted.shape[:2], 1.0 / len(seen)) if owns is None else owns.shares
        pulled = back(self._agreed(seen, wanted, goal.weights, shares, distance))
        if owns is not None:
            pulled = pulled * owns.masks(sight.points(), goal.weights)
        sight_back(pulled, gradient)

    def _agreed(self, seen: Tensor, wanted: Tensor, weights: Tensor, shares: Tensor, distance: str) -> Tensor:
        """The gradient of embeddings (n, d) of views."""
        given = tuple(each.contiguous() for each in (seen, wanted, weights, shares))
        found = torch.empty_like(given[0])
        bend = (MOST_APART, SLOPE)
        self._kernels.agree(*(each.numpy() for each in given), distance == "spherical", bend, found.numpy())
        return found
