"""How much the prompts are changing just now."""

from collections.abc import Sequence
from math import exp

from torch import Tensor

from engine.aim import Pull

FULL = 1.0
"""Change a second of a prompt's direction, a unit vector, from which the unrest is complete."""
LASTS_S = 1.0
"""Seconds in which unrest falls to about a third: a picture is not done with a new prompt when the prompt is there."""


class Unrest:
    """Watches where the prompts pull. Owns the directions they pulled in last."""

    def __init__(self) -> None:
        self._directions: dict[str, Tensor] = {}
        self._level = 0.0
        self.way = 0.0
        """How far the prompts' direction, a unit vector, has gone in all."""

    def after(self, pulls: Sequence[Pull], passed_s: float) -> float:
        """The unrest, 0..1, once these pull, `passed_s` seconds after the last ones; a cut or a quick fade is 1."""
        before, now = self._directions, {guide.name: goal.direction() for guide, goal in pulls if goal is not None}
        self._directions = {**before, **now}
        steps = [(now[name] - before[name]).norm().item() for name in now if name in before]
        self.way += max(steps, default=0.0)
        fresh = max(steps, default=0.0) / (FULL * max(passed_s, 1e-3))
        self._level = min(1.0, max(fresh, self._level * exp(-passed_s / LASTS_S)))
        return self._level
