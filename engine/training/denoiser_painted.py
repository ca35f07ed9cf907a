"""Canvases as a show leaves them: what a denoiser is taught on by another that is to be learnt from."""

import random
from dataclasses import replace

import torch
from torch import Tensor

from engine.guides.guide import Guide
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
    found, engine = list[Tensor](), Engine([guide], guide.device, seed, is_live=False)
    for number in range(1, lines + 1):
        if number % LINES_EACH == 0:
            engine.close()
            engine = Engine([guide], guide.device, seed + number, is_live=False)
        (steps, crops), frames = chance.choice([*EFFORTS.items()])
        values = {"temperature": chance.uniform(0.0, HOTTEST), "steps": steps, "crops": crops}
        asked = replace(look.with_values(values), line=cook.recipe().caption, serial=number)
        for frame in range(1, frames + 1):
            rgb = engine.paint(asked)
            if frame in (frames // 2, frames):
                found.append((as_picture(rgb, torch.device("cpu"))[0] * 255).round().byte())
    engine.close()
    return torch.stack(found)
