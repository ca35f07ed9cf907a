"""What `undo` goes back to: the moves by hand, each with everything it could have changed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from engine.parameters import Value
from vj.bank import Bank
from vj.live import LivePrompt

UNDO_LIMIT = 100
GESTURE_S = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """What was there before a move by hand."""

    values: Mapping[str, Value]
    live: LivePrompt | None
    preset: str
    bank: Bank


@dataclass(frozen=True, slots=True)
class History:
    """The steps, the oldest first, and the gestures going on: (what is moved, by what) → when it was moved last."""

    steps: tuple[Step, ...] = ()
    gestures: Mapping[tuple[str, str], float] = field(default_factory=lambda: MappingProxyType({}))

    def __len__(self) -> int:
        return len(self.steps)

    def with_step(self, step: Step, name: str, source: str, now: float) -> "History":
        """The history with this step, unless the move that follows belongs to a gesture before it."""
        # Several can go on at once: the two axes of a pad arrive in turns.
        ongoing = {move: at for move, at in self.gestures.items() if now - at < GESTURE_S}
        steps = self.steps if (name, source) in ongoing else (*self.steps, step)[-UNDO_LIMIT:]
        return History(steps, MappingProxyType({**ongoing, (name, source): now}))

    def with_values(self, values: Mapping[str, Any], present: Step) -> "History":
        """The history as if these parameters had always been so, for nobody's hand has moved them.

        A step whose whole difference to the next one (at the end `present`) they were is left out.
        """
        after = (*self.steps, present)[1:]
        kept = tuple(
            _with(step, values)
            for step, following in zip(self.steps, after, strict=True)
            if step == following or _with(step, values) != _with(following, values)
        )
        return History(kept)  # a hand that is still moving begins a gesture of its own

    def without_lines(self) -> "History":
        """The history without the lines that were typed: they belong to the song before."""
        return replace(self, steps=tuple(replace(step, live=None) for step in self.steps))

    def shorter(self) -> "History":
        """The history once its last step has been gone back to."""
        return History(self.steps[:-1])


def _with(step: Step, values: Mapping[str, Any]) -> Step:
    return replace(step, values=MappingProxyType({**step.values, **values}))
