"""Large letters: the sung line drawn in half blocks, for a screen large enough to be read from afar."""

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vj.dashboard.ink import Line, glow

ROWS = 6
_LEVELS = 5
# Pillow's own font has the letters of western Europe; a text with any other is not drawn large.
_LAST_LETTER = 0xFF
_SIZES = (12, 10, 9)


@lru_cache(maxsize=16)
def lettered(text: str, width: int) -> tuple[Line, ...]:
    """The text as six rows of at most `width` cells, as large as fits; () when it does not fit or cannot be drawn."""
    if not text or any(ord(letter) > _LAST_LETTER for letter in text):
        return ()
    for size in _SIZES:
        drawn = _drawn(text, size)
        if drawn is not None and drawn.shape[1] <= width:
            return tuple(_row(drawn[2 * y], drawn[2 * y + 1]) for y in range(ROWS))
    return ()


def _drawn(text: str, size: int) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]] | None":
    """Brightness 0.._LEVELS of each half block, (2 * ROWS, columns)."""
    try:
        font = ImageFont.load_default(size)
    except (ImportError, OSError):  # a Pillow without FreeType
        return None
    image = Image.new("L", (int(font.getlength(text)) + 2, 2 * ROWS))
    ImageDraw.Draw(image).text((0, 2 * ROWS - 3), text, font=font, fill=255, anchor="ls")
    return np.asarray(np.rint(np.asarray(image) * (_LEVELS / 255.0)), np.int64)


def _row(
    upper: "np.ndarray[tuple[int], np.dtype[np.int64]]", lower: "np.ndarray[tuple[int], np.dtype[np.int64]]"
) -> Line:
    inks: list[tuple[str, str]] = []
    for pair in zip(upper.tolist(), lower.tolist(), strict=True):
        style = glow(*(level / _LEVELS for level in pair))
        if inks and inks[-1][1] == style:
            inks[-1] = (inks[-1][0] + "▀", style)
        else:
            inks.append(("▀", style))
    return tuple(inks)
