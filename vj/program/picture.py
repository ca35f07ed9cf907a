"""What the program does to a frame: scale, blend, drift, grade and master. Pictures are Pillow images in RGB.

Pillow, not numpy: its resampling and blending work in whole numbers at a fraction of a millisecond each, and the
program must keep its rate on a core that the engine is using.
"""

import math

import numpy as np
from PIL import Image, ImageEnhance

from vj.mailboxes import Rgb


def scaled(rgb: Rgb, width: int, height: int) -> Image.Image:
    """The frame at the program's size, filling it; what does not fit the shape is cut off evenly."""
    picture = Image.fromarray(rgb)
    if picture.size == (width, height):
        return picture
    factor = max(width / picture.width, height / picture.height)
    # Rounding may put the cut a hair outside the picture, which Pillow refuses.
    left, top = (max(0.0, side - cut / factor) / 2 for side, cut in zip(picture.size, (width, height), strict=True))
    box = (left, top, picture.width - left, picture.height - top)
    return picture.resize((width, height), Image.Resampling.BICUBIC, box)


def blended(shown: Image.Image, newest: Image.Image, smooth: float) -> Image.Image:
    """The shown picture moved toward the newest: at smooth 0 it is the newest, at 1 it follows slowly."""
    return newest if smooth <= 0 else Image.blend(shown, newest, 1.0 - 0.85 * smooth)


def drifted(picture: Image.Image, t_s: float) -> Image.Image:
    """The picture breathing slowly in size and place, so that a held picture is neither still nor black.

    Starts from the picture itself at t = 0, so that holding begins without a jump. Period about 20 s.
    """
    width, height = picture.size
    inset = 0.02 * (1 - math.cos(2 * math.pi * t_s / 20))
    shift_x = inset * width * 0.5 * math.sin(2 * math.pi * t_s / 31)
    shift_y = inset * height * 0.5 * math.sin(2 * math.pi * t_s / 43)
    left, top = inset * width + shift_x, inset * height + shift_y
    box = (left, top, width - inset * width + shift_x, height - inset * height + shift_y)
    return picture.resize((width, height), Image.Resampling.BILINEAR, box)


def graded(picture: Image.Image, contrast: float, saturation: float, master: float) -> Image.Image:
    """The picture with contrast and saturation (1 leaves it) and brightness `master` 0..1 applied."""
    if saturation != 1.0:
        picture = ImageEnhance.Color(picture).enhance(saturation)
    if contrast != 1.0:
        picture = picture.point([_contrast(level, contrast) for level in range(256)] * 3)
    if master < 1.0:
        picture = picture.point([round(level * master) for level in range(256)] * 3)
    return picture


def _contrast(level: int, contrast: float) -> int:
    return min(255, max(0, round(127.5 + (level - 127.5) * contrast)))


def as_frame(picture: Image.Image) -> Rgb:
    """The picture as uint8 RGB (h, w, 3)."""
    return np.asarray(picture)
