"""Clips painted by the engine itself, as a show would, for sheets and figures."""

import tomllib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engine.guides.guide import Guide
from engine.parameters import Look
from engine.step import Engine

Rgb = NDArray[np.uint8]

PRESETS = Path(__file__).parent.parent.parent / "presets"
"""The shipped presets, as they lie in a checkout."""


def preset_look(name: str, **values: object) -> Look:
    """The look of a shipped preset with these values changed; nothing governed, so that frames come out the same."""
    table = tomllib.loads((PRESETS / f"{name}.toml").read_text(encoding="utf-8"))
    return Look().with_values({**table["parameters"], "governor": False, **values})


def painted(guides: Sequence[Guide], looks: Iterable[Look], seed: int = 0) -> Iterator[Rgb]:
    """One frame, uint8 (h, w, 3), for each look, all on one canvas; the same again for the same looks and seed."""
    engine = Engine(guides, guides[0].device, seed, is_live=False)
    try:
        for look in looks:
            yield engine.paint(look)
    finally:
        engine.close()


def last_frame(guides: Sequence[Guide], look: Look, frames: int, seed: int = 0) -> Rgb:
    """The last of so many frames of one look on a fresh canvas."""
    last = deque(painted(guides, [look] * frames, seed), maxlen=1)
    return last.pop()


def crossfade(look: Look, first: str, second: str, frames: int) -> list[Look]:
    """Looks that blend from one prompt into the other over so many frames (Schaldenbrand 2022, section 3.3)."""
    return [
        replace(look, line=first, next_line=second, blend=n / max(1, frames - 1), serial=n + 1) for n in range(frames)
    ]


def cores(count: int) -> None:
    """Compute on so many cores: figures of pictures do not depend on it."""
    torch.set_num_threads(max(1, count))
