"""Even sizes: H.264 in 4:2:0 and virtual cameras take no odd width or height."""

import numpy as np

from vj.mailboxes import Rgb


def even_size(width: int, height: int) -> tuple[int, int]:
    """The size rounded up to even numbers."""
    return width + width % 2, height + height % 2


def even(rgb: Rgb) -> Rgb:
    """The frame itself when its size is even, else with its last row or column doubled: nothing is cropped."""
    height, width = rgb.shape[:2]
    if not (width % 2 or height % 2):
        return rgb
    return np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
