"""Canvases as a show leaves them: what a denoiser is taught on by another that is to be learnt from."""

import random
from dataclasses import replace

import torch
from torch import Tensor

from engine.guides.guide import Guide
from engine.parameters import Look
from engine.picture import as_picture
from engine.step import Engine
from engine.training.concepts import Concepts
from engine.training.recipes import Cook
from engine.training.sheets_painting import preset_look

WIDTH, HEIGHT = 256, 144
"""Pixels of a canvas, as in the preset `live`."""
EFFORTS = {(2, 4): 24, (1, 2): 36, (1, 4): 36}
"""Steps and views of a frame, as a governor may leave them, and how many frames a line is sung for."""
HOTTEST = 90.0
"""Temperatures are anything up to this."""
LINES_EACH = 8
"""Lines sung over one canvas, each over what the one before left."""


def painted_canvases(guide: Guide, concepts: Concepts, lines: int, seed: int) -> Tensor:
    """Two canvases for each of so many lines, half painted and painted: (2 lines, 3, h, w) in bytes."""
    cook, chance = Cook(concepts, seed, [False] * len(concepts.subjects)), random.Random(seed)
    look = preset_look("live", canvas_width=WIDTH, canvas_height=HEIGHT, denoise=0.0, denoiser="none", upscale=1)
    found = list[Tensor]()
    for first in range(0, lines, LINES_EACH):
        engine = Engine([guide], guide.device, seed + first, is_live=False)
        for number in range(first, min(lines, first + LINES_EACH)):
            (steps, crops), frames = chance.choice([*EFFORTS.items()])
            values = {"temperature": chance.uniform(0.0, HOTTEST), "steps": steps, "crops": crops}
            asked = replace(look.with_values(values), line=cook.recipe().caption, serial=number + 1)
            found += _sung(engine, asked, frames)
        engine.close()
    return torch.stack(found)


def _sung(engine: Engine, look: Look, frames: int) -> list[Tensor]:
    """The canvas (3, h, w) in bytes, half painted and painted."""
    shown = [as_picture(engine.paint(look), torch.device("cpu"))[0] for _ in range(frames)]
    return [(shown[n - 1] * 255).round().byte() for n in (frames // 2, frames)]
