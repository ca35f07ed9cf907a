"""Who leads the picture: guides, what each is told, and the change to others while it is being painted."""

import logging
from collections.abc import Sequence
from typing import Any

import torch

from engine.aim import Pull
from engine.goals import Goals
from engine.guides.guide import Guide
from engine.guides.loading import load_guide
from engine.guides.precision import in_single
from engine.parameters import Look
from engine.relief import Asked, Relief, named
from engine.turns import Turns

log = logging.getLogger("engine.lead")

RETRY_S = 10.0
"""A guide that only has to be fetched is looked for again this often, so that a pull beside the show is enough."""
FIRST_WAIT_S = 1.0
"""Before the first picture; without what is prepared then it takes as long."""
CPU = torch.device("cpu")


class Lead:
    """The guides that lead. Owns them, their goals, their turns and their relief; used by the engine's thread."""

    def __init__(self, guides: Sequence[Guide], device: torch.device, waits: bool) -> None:
        """With `waits` texts and guides are waited for: the same looks always give the same frames."""
        self.guides = tuple(guides)
        self._device, self._waits = device, waits
        self._own = self._wanted = named(guides)
        self._play(FIRST_WAIT_S)
        self._goals, self._turns, self._relief = Goals(self.guides, waits), Turns(), Relief()
        self._next: Goals | None = None
        self._asked_at = 0.0

    @property
    def view_s(self) -> float:
        """What one view was measured to cost the guides that wait to take over."""
        return self._relief.view_s

    def follow(self, look: Look, now: float) -> bool:
        """Have the guides lead that the look asks for, once they are ready; whether they do from now on.

        Their texts are read before the change, so that there is something to pull toward at once.
        """
        wanted = "+".join(filter(None, (name.strip() for name in look.text("guide").split("+")))) or self._own
        is_late = self._relief.is_missing and now - self._asked_at > RETRY_S
        if wanted != self._wanted or is_late:
            self._ask(wanted, now)
        if self._waits:
            self._relief.wait()
        if not self._relief.guides:
            return False
        if self._next is None:
            self._next = Goals(self._relief.guides, self._waits)
        if not self._next.has_read(look):
            return False
        self._change(self._relief.guides, self._next)
        return True

    def pulls(self, look: Look, steps: int) -> tuple[Pull, ...]:
        """Who pulls toward what in a frame of so many steps, in turn."""
        return self._turns.of(list(zip(self.guides, self._goals.of(look), strict=True)), look, steps)

    def again(self, pulls: Sequence[Pull], look: Look) -> tuple[Pull, ...]:
        """The same guides in the same turns, toward what this look asks for."""
        asked = list(zip(self.guides, self._goals.of(look), strict=True))
        return self._turns.again(pulls, asked, look)

    def move_to_cpu(self) -> None:
        """Lead from there. Raises GuideError where a guide that no device gives back is not on this disk either."""
        self._goals.close()
        self._drop()
        self.guides, self._device = tuple(_on_the_cpu(guide) for guide in self.guides), CPU
        self._goals, self._wanted = Goals(self.guides, self._waits), named(self.guides)
        self._play()

    def report(self) -> dict[str, Any]:
        """The guides' names, and of each its size on the device and the views it sees."""
        return {
            "guide": " + ".join(guide.name for guide in self.guides),
            "guides": [{"name": g.name, "memory_mb": g.memory_mb, "sees": g.image_size} for g in self.guides],
        }

    def notes(self) -> list[str]:
        """Sentences about guides that are not there yet, or cannot be had, and about texts."""
        lead, notes = self.report()["guide"], self._goals.faults()
        if self._relief.fault:
            return [f"{self._relief.fault}; {lead} goes on", *notes]
        if self._relief.is_loading or self._relief.guides:
            return [f"getting {self._wanted} ready; {lead} goes on", *notes]
        return notes

    def close(self) -> None:
        """Stop the threads beside it."""
        self._drop()
        self._goals.close()

    def _ask(self, wanted: str, now: float) -> None:
        self._drop()
        self._wanted, self._asked_at = wanted, now
        if wanted != named(self.guides):
            self._relief.ask(Asked(wanted, self._device, self.guides))

    def _drop(self) -> None:
        self._relief.drop()
        if self._next is not None:
            self._next.close()
        self._next = None

    def _change(self, guides: tuple[Guide, ...], goals: Goals) -> None:
        log.info("lead: %s after %s", named(guides), named(self.guides))
        self._goals.close()
        self.guides, self._goals, self._next = guides, goals, None
        self._play()
        self._relief.drop()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _play(self, patience_s: float = 0.0) -> None:
        if not self._waits:
            for guide in self.guides:
                guide.never_wait(patience_s)


def _on_the_cpu(guide: Guide) -> Guide:
    try:
        return in_single(guide.moved(CPU))
    except RuntimeError:
        # A device that stopped answering gives nothing back, not even the weights.
        return load_guide(guide.name, CPU)
