"""Pictures side by side with words beside them: contact sheets and tables of frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Rgb = NDArray[np.uint8]

GROUND, INK, GOOD, BAD = "#16181c", "#d8dce2", "#aed581", "#ff8a65"
GAP = 4
LETTER = 12


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture of any size and what is written below it."""

    rgb: Rgb
    label: str
    ink: str = INK


def contact_sheet(tiles: Sequence[Tile], columns: int, width: int = 160) -> Image.Image:
    """The tiles in rows, each this wide (px) and as high as the highest of them."""
    pictures = [scaled(tile.rgb, width) for tile in tiles]
    height = max(picture.height for picture in pictures) + LETTER + 2 * GAP
    rows = -(-len(tiles) // columns)
    whole = Image.new("RGB", (columns * (width + GAP) + GAP, rows * height + GAP), GROUND)
    pen, letters = ImageDraw.Draw(whole), _letters()
    for n, (picture, tile) in enumerate(zip(pictures, tiles, strict=True)):
        x, y = GAP + n % columns * (width + GAP), GAP + n // columns * height
        whole.paste(picture, (x, y))
        label = _fitted(tile.label, letters, width)
        pen.text((x, y + picture.height + 1), label, fill=tile.ink, font=letters)
    return whole


def table_of_frames(rows: Sequence[tuple[str, Sequence[Rgb]]], title: str, width: int = 200) -> Image.Image:
    """A row of frames for each label, its label at the left, the title above."""
    pictures = [[scaled(rgb, width) for rgb in frames] for _, frames in rows]
    height, margin, head = max(p.height for row in pictures for p in row), 96, LETTER + 3 * GAP
    columns = max(len(row) for row in pictures)
    size = (margin + columns * (width + GAP), head + len(rows) * (height + GAP))
    whole = Image.new("RGB", size, GROUND)
    pen, letters = ImageDraw.Draw(whole), _letters()
    pen.text((GAP, GAP), title, fill=INK, font=letters)
    for n, (label, _) in enumerate(rows):
        y = head + n * (height + GAP)
        pen.text((GAP, y + height // 2 - LETTER), label, fill=INK, font=letters)
        for column, picture in enumerate(pictures[n]):
            whole.paste(picture, (margin + column * (width + GAP), y))
    return whole


def scaled(rgb: Rgb, width: int) -> Image.Image:
    """The picture this wide, small ones enlarged smoothly."""
    picture = Image.fromarray(rgb)
    height = max(1, round(picture.height * width / picture.width))
    how = Image.Resampling.BOX if width < picture.width else Image.Resampling.BICUBIC
    return picture.resize((width, height), how)


def _letters() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(LETTER)


def _fitted(text: str, letters: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    if letters.getlength(text) <= width:
        return text
    while text and letters.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
