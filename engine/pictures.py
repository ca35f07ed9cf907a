"""Picture files: opened with bounds, upright, in RGB, small."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.errors import first_line

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 100_000_000
"""A picture with more is refused: unpacked it would take 300 MB and seconds."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
"""Files that hold one picture; others are taken for videos."""


def open_picture(path: Path, side: int) -> "Image":
    """The picture in this file, upright and RGB, at most `side` pixels long; transparent parts lie on black.

    Raises OSError where there is none or it cannot be read, ValueError where it is too large.
    """
    from PIL import Image, ImageOps

    with Image.open(path.expanduser()) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"{image.width}x{image.height} pixels are too many")
        image.draft("RGB", (side, side))  # a JPEG is unpacked no larger than needed
        image.thumbnail((side, side))
        upright = ImageOps.exif_transpose(image)
        if upright.has_transparency_data:
            ground = Image.new("RGBA", upright.size, (0, 0, 0, 255))
            upright = Image.alpha_composite(ground, upright.convert("RGBA"))
        return upright.convert("RGB")


def read_picture(path: Path, side: int) -> NDArray[np.uint8]:
    """The same as a frame, (h, w, 3)."""
    return np.asarray(open_picture(path, side), dtype=np.uint8)


def why(path: str, err: BaseException) -> str:
    """What is wrong with a file, in one line."""
    if isinstance(err, FileNotFoundError):
        return f"{path}: no such file"
    return f"{path}: {first_line(err)}"
