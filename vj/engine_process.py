"""The engine as a process: the only file of vj that imports engine.step, and with it torch."""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from engine.parameters import Look
from vj.mailboxes import Rgb
from vj.runtime import Plan

if TYPE_CHECKING:
    from engine.guides.guide import Guide
    from engine.step import Engine

log = logging.getLogger("vj.engine")

Beat = Callable[[Callable[[], dict[str, Any]]], None]
"""Takes the painter's report and makes it known that the painter is at work."""


class ShowPainter:
    """The engine with what the performer should know of how it came to be: guides not found, a GPU unused."""

    def __init__(self, engine: "Engine", notes: list[str], about_guides: list[str], gpu_unused: str) -> None:
        """What is said `about_guides` is about those it begins with, and stands for as long as they lead."""
        self._engine, self._notes, self._about_guides, self._gpu_unused = engine, notes, about_guides, gpu_unused
        self._began_with = engine.report()["guide"]

    @property
    def serial(self) -> int:
        """Which look the last frame was painted from: the newest that took part whole."""
        return self._engine.serial

    def paint(self, look: Look, newest: Callable[[], Look | None] = lambda: None) -> Rgb:
        """One frame from this look, uint8 RGB (h, w, 3); when live, each further step asks `newest` for a newer one."""
        return self._engine.paint(look, newest)

    def start_from(self, rgb: Rgb) -> None:
        """Go on from this frame, as after a crash."""
        self._engine.start_from(rgb)

    def report(self) -> dict[str, Any]:
        """Facts for the engine's pulse."""
        facts = self._engine.report()
        about_guides = self._about_guides if facts["guide"] == self._began_with else []
        return {**facts, "notes": [*self._notes, *about_guides, *facts["notes"]], "gpu_unused": self._gpu_unused}


def _unheard(_report: Callable[[], dict[str, Any]]) -> None:
    """Nobody listens to the beat."""


def make_painter(plan: Plan, is_live: bool = True, beat: Beat = _unheard) -> ShowPainter:
    """The engine for this plan. A guide that cannot be had is said in its notes, and the shipped one paints.

    When not `is_live`, a new text is embedded before the next frame and nothing is governed, so that a render gives
    the same frames again; live, the frame never waits for a text. `beat` is called with the painter's report before
    every optimisation step.
    """
    from engine.devices import choose_device, gpu_unused, use_cores
    from engine.step import Engine

    use_cores(plan.cores)
    device, note = choose_device(plan.device)
    guides, about_guides = _guides(plan.guide, device)
    engine = Engine(guides, device, plan.seed, is_live, compile_mode=plan.compile_mode)
    is_idle = plan.compile_mode != "" and device.type != "cuda"
    notes = [note, "--compile does nothing here: it is for NVIDIA GPUs" if is_idle else ""]
    painter = ShowPainter(engine, [each for each in notes if each], about_guides, gpu_unused())
    engine.beat = partial(beat, painter.report)
    return painter


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
