"""The engine as a process: the only file of vj that imports engine.step, and with it torch."""

import logging
from typing import TYPE_CHECKING, Any

from engine.parameters import Look
from vj.mailboxes import Rgb
from vj.runtime import Plan

if TYPE_CHECKING:
    from engine.guides.guide import Guide
    from engine.step import Engine

log = logging.getLogger("vj.engine")


class ShowPainter:
    """The engine with what the performer should know of how it came to be: guides not found, a GPU unused."""

    def __init__(self, engine: "Engine", notes: list[str], gpu_unused: str) -> None:
        self._engine, self._notes, self._gpu_unused = engine, notes, gpu_unused

    def paint(self, look: Look) -> Rgb:
        """One frame from this look, uint8 RGB (h, w, 3)."""
        return self._engine.paint(look)

    def start_from(self, rgb: Rgb) -> None:
        """Go on from this frame, as after a crash."""
        self._engine.start_from(rgb)

    def report(self) -> dict[str, Any]:
        """Facts for the engine's pulse."""
        facts = self._engine.report()
        return {**facts, "notes": [*self._notes, *facts["notes"]], "gpu_unused": self._gpu_unused}


def make_painter(plan: Plan, is_live: bool = True) -> ShowPainter:
    """The engine for this plan. A guide that cannot be had is said in its notes, and the shipped one paints.

    When not `is_live`, a new text is embedded before the next frame and nothing is governed, so that a render gives
    the same frames again; live, the frame never waits for a text.
    """
    from engine.devices import choose_device, gpu_unused, use_cores
    from engine.step import Engine

    use_cores(plan.cores)
    device, note = choose_device(plan.device)
    guides, notes = _guides(plan.guide, device)
    notes += [note] if note else []
    return ShowPainter(Engine(guides, device, plan.seed, is_live), notes, gpu_unused())


def _guides(names: str, device: Any) -> tuple[list["Guide"], list[str]]:
    """The guides of "A+B" that can be had, the shipped one if none can, and a sentence for each that cannot."""
    from engine.errors import GuideError
    from engine.guides.loading import load_guide

    guides, notes = [], []
    for name in names.split("+"):
        try:
            guides.append(load_guide(name, device))
        except GuideError as err:
            log.info("guide: %s", err)
            notes.append(str(err))
    if not guides:
        guides.append(load_guide("shipped", device))
        notes.append("the shipped guide paints instead")
    return guides, notes
