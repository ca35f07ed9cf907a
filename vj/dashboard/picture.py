"""The live picture: half-block rows, two pixels in a cell, drawn line by line from cached strips."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from vj.dashboard.ink import BACKGROUND, line, strip
from vj.mailboxes import Rgb

# Of a core, for all that the dashboard draws: a picture that changes everywhere takes it some 16 ms, and the audience's
# picture needs the cores more. One comes every second however dear it is.
_SHARE, _SLOWEST_S = 0.085, 1.0

_Cells = NDArray[np.uint32]  # (rows, columns, 2): the colours of upper and lower half as 0xRRGGBB


def is_paid_off(spent_s: float, passed_s: float) -> bool:
    """Whether another picture may be drawn, when so much of a core's time went in the time since the last one."""
    return spent_s <= _SHARE * passed_s or passed_s >= _SLOWEST_S


def fitted(width: int, height: int, columns: int, rows: int) -> tuple[int, int]:
    """The largest picture of this shape in so many cells, as (columns, rows). A cell is two square pixels high."""
    if columns * height > rows * 2 * width:
        return max(1, round(rows * 2 * width / height)), rows
    return columns, max(1, round(columns * height / width / 2))


def cells_of(rgb: Rgb, columns: int, rows: int) -> _Cells:
    """The frame scaled to half-block cells, each colour cut to 5 bits a channel so that few styles are needed."""
    small = Image.fromarray(rgb).resize((columns, rows * 2), Image.Resampling.HAMMING)
    pixels = np.asarray(small, np.uint32)
    # Middle of each step, except for black: a blackout has to look black.
    kept = (pixels & 0xF8) + np.where(pixels >= 8, 4, 0).astype(np.uint32)
    packed = (kept[..., 0] << 16) | (kept[..., 1] << 8) | kept[..., 2]
    return np.stack([packed[0::2], packed[1::2]], axis=-1)


@lru_cache(maxsize=1 << 13)
def _style(upper: int, lower: int) -> Style:
    return Style.from_color(_colour(upper), _colour(lower))


@lru_cache(maxsize=1 << 15)
def _colour(packed: int) -> Color:
    return Color.from_rgb(packed >> 16, packed >> 8 & 255, packed & 255)


def row_of(cells: NDArray[np.uint32]) -> list[Segment]:
    """One row of cells as segments; neighbours of the same colours share one."""
    edges = np.flatnonzero(np.any(cells[1:] != cells[:-1], axis=1)) + 1
    starts = np.concatenate(([0], edges))
    counts = np.diff(np.append(starts, len(cells))).tolist()
    colours = cells[starts].tolist()
    return [Segment("▀" * count, _style(*pair)) for pair, count in zip(colours, counts, strict=True)]


class Picture(Widget):
    """The newest program frame, in its own shape, as large as fits. Owns the frame and its cells.

    A word at its foot says why it is black, still or not there.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._rgb: Rgb | None = None
        self._cells: _Cells | None = None
        self._word, self._is_live = "", True

    def show(self, rgb: Rgb) -> None:
        """Draw this frame; only rows that changed are sent to the terminal."""
        before, self._rgb = self._cells, rgb
        self._scale()
        after = self._cells
        if before is None or after is None or before.shape != after.shape:
            self.refresh()
            return
        top = (self.size.height - after.shape[0]) // 2
        changed = np.flatnonzero(np.any(before != after, axis=(1, 2)))
        if len(changed):
            self.refresh(*(Region(0, top + int(y), self.size.width, 1) for y in changed))

    def say(self, word: str, is_live: bool) -> None:
        """Write a word at the picture's foot, "" for none; a picture that is not live is darkened."""
        if (word, is_live) != (self._word, self._is_live):
            self._word, self._is_live = word, is_live
            self._scale()
            self.refresh()

    def on_resize(self) -> None:
        """Scale the frame that is there to the new size."""
        self._scale()
        self.refresh()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """All but the one that makes ANSI colours true ones: there are none here, and it is a third of the cost."""
        return [kept for kept in super().get_line_filters() if not isinstance(kept, ANSIToTruecolor)]

    def render_line(self, y: int) -> Strip:
        """One row of cells, centred."""
        width, height = self.size
        ground = Style(bgcolor=Color.parse(BACKGROUND), color=_colour(0xC8C8C8))
        if self._word and y == height - 1:
            return strip(line((f" {self._word} ".center(width)[:width], "bright")), width)
        rows = 0 if self._cells is None else self._cells.shape[0]
        row = y - (height - rows) // 2
        if self._cells is None or not 0 <= row < rows:
            return Strip.blank(width, ground)
        segments = row_of(self._cells[row])
        left = (width - self._cells.shape[1]) // 2
        drawn = Strip([Segment(" " * left, ground), *segments], left + self._cells.shape[1])
        return drawn.adjust_cell_length(width, ground)

    def _scale(self) -> None:
        columns, rows = self.size
        if self._rgb is None or not columns or not rows:
            self._cells = None
            return
        height, width = self._rgb.shape[:2]
        rgb = self._rgb if self._is_live else self._rgb // 4
        self._cells = cells_of(rgb, *fitted(width, height, columns, rows))
