"""What steps read, at places on the device that stay, so that a recorded step finds the newest of everything there."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from engine.aim import TERMS, Pulling, Toward
from engine.dials import Dials
from engine.guides.guide import Guide
from engine.objectives import Goal

CUT = ("low", "high", "tilt", "overhang", "squeeze", "ends", "aspect")
"""What of a cut is a dial."""
CAPACITY = 4
"""Prompts for which there is room at least where steps are recorded: a song's line, the next one and two slots."""


class Buffers:
    """The places. Owns them; used by one thread."""

    def __init__(self, device: torch.device, is_padded: bool) -> None:
        """With `is_padded` goals have room for more prompts than are asked for, so that one more changes no shape."""
        self._is_padded = is_padded
        self._dials = Dials(("rate", *CUT, *TERMS), device)
        self._kept: dict[tuple[str, torch.Size], tuple[Tensor, Tensor]] = {}
        self._goals: dict[int, tuple[Goal, Goal]] = {}
        self._guides: dict[int, Guide] = {}

    @property
    def rate(self) -> Tensor:
        """The size of a step, without dimensions."""
        return self._dials["rate"]

    def forget(self) -> None:
        """Have new places from now on. What was recorded with the old ones must not be played again."""
        self._kept.clear()
        self._goals.clear()
        self._guides.clear()

    def hold(self, toward: Toward, rate: float) -> Toward:
        """The same with every number and tensor in its place, and that place in its stead."""
        numbers: dict[str, float] = {"rate": rate, **_numbers(toward.weights)}
        if toward.pulling:
            cut = toward.pulling[0].cut  # of all guides: they differ in size and owners only
            numbers |= _numbers({name: getattr(cut, name) for name in CUT})
        self._dials.set(numbers)
        references = toward.references
        if references.source is not None:
            references = replace(references, source=self._keep("source", references.source))
        if references.palette is not None:
            references = replace(references, palette=self._keep("palette", references.palette))
        return replace(
            toward,
            weights={name: self._dials[name] for name in toward.weights},
            pulling=tuple(self._held(one) for one in toward.pulling),
            previous=None if toward.previous is None else self._keep("previous", toward.previous),
            references=references,
        )

    def _held(self, one: Pulling) -> Pulling:
        name = id(one.guide)
        self._guides[name] = one.guide  # an id is given anew once its owner is gone
        dials: dict[str, Any] = {name: self._dials[name] for name in CUT}
        cut = replace(one.cut, **dials)
        return replace(one, goal=self._goal(name, one.goal), cut=cut)

    def _goal(self, name: int, goal: Goal) -> Goal:
        found = self._goals.get(name)
        if found is None or found[0] is not goal:
            wide = padded(goal, CAPACITY) if self._is_padded else goal
            vectors, weights = self._keep(f"vectors {name}", wide.vectors), self._keep(f"weights {name}", wide.weights)
            shown = None if wide.shown is None else self._keep(f"shown {name}", wide.shown)
            found = self._goals[name] = goal, replace(wide, vectors=vectors, weights=weights, shown=shown)
        return found[1]

    def _keep(self, name: str, tensor: Tensor) -> Tensor:
        """The place of this name and shape, which holds what the tensor held when it was first seen."""
        key = name, tensor.shape
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = tensor, tensor.detach().clone()
        elif found[0] is not tensor:
            found[1].copy_(tensor, non_blocking=True)
            self._kept[key] = tensor, found[1]
        return found[1]


def padded(goal: Goal, capacity: int) -> Goal:
    """The goal with room for `capacity` texts at least, or twice, four times as many; those added weigh nothing.

    Pictures stay last. A text that is added is a copy of the first, and owns what that one owns.
    """
    texts = len(goal.vectors) - goal.pictures
    while capacity < texts:
        capacity *= 2
    more = capacity - texts if texts else 0
    if not more:
        return goal
    regions = goal.regions and (*goal.regions[:texts], *goal.regions[:1] * more, *goal.regions[texts:])
    return replace(
        goal,
        vectors=torch.cat([goal.vectors[:texts], goal.vectors[:1].expand(more, -1), goal.vectors[texts:]]),
        weights=torch.cat([goal.weights[:texts], goal.weights.new_zeros(more), goal.weights[texts:]]),
        regions=regions,
    )


def _numbers(values: dict[str, float | Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items()}
