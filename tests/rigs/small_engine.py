"""An engine small enough to paint hundreds of frames in a test, and what its pictures show."""

from dataclasses import replace

import numpy as np
import torch

from engine.guides.colours import ROAMING, colour_guide
from engine.guides.guide import Guide
from engine.parameters import Look
from engine.step import Engine

CPU = torch.device("cpu")
SIZE = {"canvas_width": 96, "canvas_height": 64, "upscale": 1, "denoise": 0.5}
LOOK = Look().with_values({**SIZE, "temperature": 50.0, "governor": False, **ROAMING})


def said(text: str, look: Look = LOOK) -> Look:
    return replace(look, line=text)


def an_engine(*guides: Guide, seed: int = 0, is_live: bool = False) -> Engine:
    return Engine(guides or (colour_guide(CPU),), CPU, seed, is_live)


def paint(engine: Engine, look: Look, frames: int) -> np.ndarray:
    for _ in range(frames):
        rgb = engine.paint(look)
    return rgb


def share_of(rgb: np.ndarray, colour: str) -> float:
    """The share of pixels that are nearer to this colour than to any other of red, green, blue, white, black."""
    bright = rgb.astype(int) > 127
    wanted = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "white": (1, 1, 1), "black": (0, 0, 0)}
    return float((bright == np.array(wanted[colour], bool)).all(axis=2).mean())
