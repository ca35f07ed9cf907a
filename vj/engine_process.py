"""The engine as a process: the only file of vj that imports engine.step, and with it torch."""

import logging
from typing import TYPE_CHECKING, Any

from vj.runtime import Plan

if TYPE_CHECKING:
    from engine.step import Engine

log = logging.getLogger("vj.engine")


def make_painter(plan: Plan, waits_for_texts: bool = False) -> "Engine":
    """The engine for this plan. A guide that cannot be had is said in its notes, and the shipped one paints.

    With `waits_for_texts` a new text is embedded before the next frame, so that a render gives the same frames
    again; live, the frame never waits for a text.
    """
    from engine.devices import choose_device, use_cores
    from engine.guides.loading import GuideError, load_guide
    from engine.step import Engine

    if plan.cores:
        use_cores(plan.cores)
    device, note = choose_device(plan.device)
    notes = [note] if note else []
    guides: list[Any] = []
    for name in plan.guide.split("+"):
        try:
            guides.append(load_guide(name, device))
        except GuideError as err:
            log.warning("guide: %s", err)
            notes.append(f"{err}; the shipped guide paints instead")
    if not guides:
        guides.append(load_guide("shipped", device))
    engine = Engine(guides, device, plan.seed, waits_for_texts)
    engine.notes.extend(notes)
    return engine
