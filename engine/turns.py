"""Whose turn it is to pull: several guides one after the other, each as often as it counts, or all at once."""

from collections.abc import Sequence
from dataclasses import replace

from engine.aim import Pull
from engine.parameters import Look

WEIGHED = 4
"""Guides that have a weight of their own; a further one counts as much as one left alone, 1."""


class Turns:
    """Orders the pulls of each frame. Owns what every guide is owed from the frames before."""

    def __init__(self) -> None:
        self._owed: dict[str, float] = {}
        self._next = 0

    def of(self, pulls: Sequence[Pull], look: Look, steps: int) -> tuple[Pull, ...]:
        """The pulls of a frame of so many steps, in the order in which they alternate; those of weight 0 are left out.

        Alternating, a weight is a share of the steps; summed, it is the strength of the pull.
        """
        weighed = [(pull, weight) for pull, weight in zip(pulls, weights(look, len(pulls)), strict=True) if weight]
        if look.text("guide_mix") == "sum":
            return tuple(_stronger(pull, weight) for pull, weight in weighed)
        if len({weight for _, weight in weighed}) > 1:
            return tuple(self._most_owed(weighed) for _ in range(steps))
        return self._in_turn([pull for pull, _ in weighed], steps)

    def again(self, before: Sequence[Pull], pulls: Sequence[Pull], look: Look) -> tuple[Pull, ...]:
        """Those of `before` in their order, each with what its guide is to pull toward now; nobody's turn passes."""
        if look.text("guide_mix") == "sum":
            return self.of(pulls, look, len(before))
        now = {id(guide): goal for guide, goal in pulls}
        return tuple((guide, now.get(id(guide), goal)) for guide, goal in before)

    def _in_turn(self, pulls: list[Pull], steps: int) -> tuple[Pull, ...]:
        """Every frame begins with the first, as the authors' do, unless it is too short for all of them."""
        if steps >= len(pulls):
            self._next = 0
            return tuple(pulls)
        start = self._next % len(pulls)
        self._next = start + steps
        return (*pulls[start:], *pulls[:start])

    def _most_owed(self, weighed: list[tuple[Pull, float]]) -> Pull:
        total = sum(weight for _, weight in weighed)
        for (guide, _), weight in weighed:
            self._owed[guide.name] = self._owed.get(guide.name, 0.0) + weight / total
        chosen = max((pull for pull, _ in weighed), key=lambda pull: self._owed[pull[0].name])
        self._owed[chosen[0].name] -= 1.0
        return chosen


def weights(look: Look, count: int) -> list[float]:
    """The weight of each of so many guides."""
    return [look.number(f"guide_weight_{n}") if n <= WEIGHED else 1.0 for n in range(1, count + 1)]


def _stronger(pull: Pull, weight: float) -> Pull:
    guide, goal = pull
    return guide, goal if goal is None or weight == 1.0 else replace(goal, weights=weight * goal.weights)
