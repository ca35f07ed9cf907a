"""Palettes: colours written as a text, or taken from a picture."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.pictures import open_picture

MOST_COLOURS = 12
FROM_A_PICTURE = 6
"""Colours taken from a picture: few enough to be seen as a palette."""
SIDE = 96
"""Pixels of the longer side of a picture whose colours are counted."""


def read_palette(text: str) -> tuple[Tensor | None, str]:
    """Colours (p, 4), red, green, blue in 0..1 and an even share, and what is wrong with the text, or "".

    Colours are separated by spaces or commas: `#f80`, `#ff8800`, or a name of the web's. Those that are none are
    left out; without any, there is no palette.
    """
    from PIL import ImageColor

    found, wrong = [], []
    for word in re.split(r"[\s,;]+", text.strip().lower()):
        try:
            found.append(ImageColor.getrgb(word)[:3])
        except ValueError:
            wrong += [word] if word else []
    if len(found) > MOST_COLOURS:
        return _shared(_colours(found)), f"palette: {len(found)} colours, of which it has room for {MOST_COLOURS}"
    return (_shared(_colours(found)) if found else None), _wrong(wrong)


def _colours(found: Sequence[tuple[int, ...]]) -> Tensor:
    """As many of them as there is room for, (p, 3) in 0..1."""
    return torch.tensor(found[:MOST_COLOURS], dtype=torch.float32) / 255.0


def palette_of(path: str) -> Tensor:
    """The six colours (6, 4) that make up the picture in this file, with their shares. Raises OSError, ValueError."""
    image = open_picture(Path(path), SIDE).quantize(FROM_A_PICTURE, kmeans=4)
    counted = sorted(image.getcolors() or [], reverse=True)
    every = np.array(image.getpalette(), dtype=np.float32).reshape(-1, 3) / 255.0
    colours = torch.from_numpy(every[[int(str(index)) for _, index in counted]])
    shares = torch.tensor([float(count) for count, _ in counted])
    return torch.cat([colours, (shares / shares.sum())[:, None]], dim=1)


def joined(*palettes: Tensor | None) -> Tensor | None:
    """All the colours of those that are there, each palette with an even part of the shares; None with none."""
    there = [palette for palette in palettes if palette is not None]
    if not there:
        return None
    both = torch.cat(there)
    both[:, 3] /= len(there)
    return both


def _shared(colours: Tensor) -> Tensor:
    return torch.cat([colours, torch.full((len(colours), 1), 1.0 / len(colours))], dim=1)


def _wrong(words: list[str]) -> str:
    from PIL import ImageColor

    if not words:
        return ""
    near = difflib.get_close_matches(words[0], ImageColor.colormap, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "; write #ff8800 or a name such as orange"
    return f"palette: no colour called {words[0]!r}{hint}"
