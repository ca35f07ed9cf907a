"""The subjects' pictures: emoji glyphs rendered once, icons, and two that neither shows, drawn here."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from engine.training.concepts import Subject
from engine.training.icons import draw_icon, is_icon

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
"""Noto Color Emoji (SIL OFL 1.1), where Debian's fonts-noto-color-emoji puts it."""

FONT_SIZE = 109
"""The only size of Noto's bitmap glyphs, in pixels."""

SIDE = 96

DIM = 0.4
"""Glyphs darker than this stand on light grounds where none is named."""

TILE = 0.84
"""Share of its square above which a glyph is a framed picture: its frame is faded away."""


def draw_glyphs(subjects: Sequence[Subject], cache: Path, font: Path = FONT) -> Tensor:
    """Glyphs (n, 4, 96, 96): red, green, blue times alpha, and alpha, in 0..1; kept in the cache folder, set by set."""
    wanted = "|".join(s.name + s.glyph for s in subjects)
    kept = cache / f"glyphs-{zlib.crc32(wanted.encode()):08x}.pt"
    if kept.exists():
        stored: Tensor = torch.load(kept, weights_only=True)
        return stored.float() / 255
    face = ImageFont.truetype(str(font), FONT_SIZE)
    glyphs = torch.stack([_picture(subject, face) for subject in subjects])
    cache.mkdir(parents=True, exist_ok=True)
    torch.save((glyphs * 255).round().byte(), kept)
    return glyphs


def dim_ones(glyphs: Tensor) -> list[bool]:
    """Which of these glyphs (n, 4, s, s) are darker than `DIM`."""
    brightness = glyphs[:, :3].sum((1, 2, 3)) / 3 / glyphs[:, 3].sum((1, 2))
    found: list[bool] = (brightness < DIM).tolist()
    return found


def drawn_by_font(glyphs: Sequence[str], font: Path = FONT) -> list[str]:
    """Those of these emoji that the font has a single picture of."""
    face = ImageFont.truetype(str(font), FONT_SIZE)

    def is_drawn(glyph: str) -> bool:
        try:
            return _emoji(glyph, face).getchannel("A").getbbox() is not None
        except ValueError:
            return False

    return [glyph for glyph in glyphs if is_drawn(glyph)]


def _picture(subject: Subject, face: ImageFont.FreeTypeFont) -> Tensor:
    if is_icon(subject.glyph):
        image = draw_icon(subject.glyph)
    else:
        image = _drawn(subject.name) if subject.glyph == "drawn" else _emoji(subject.glyph, face)
    box = image.getchannel("A").getbbox()
    if box is None:
        raise ValueError(f"the emoji font has no glyph {subject.glyph!r} for {subject.name!r}")
    image = image.crop(box)
    image.thumbnail((SIDE - 4, SIDE - 4), Image.Resampling.LANCZOS)
    whole = Image.new("RGBA", (SIDE, SIDE))
    whole.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
    pixels = torch.from_numpy(np.asarray(whole, dtype=np.float32)).permute(2, 0, 1) / 255
    if pixels[3].mean() > TILE and not is_icon(subject.glyph):
        pixels[3] *= _fading(SIDE)
    return torch.cat([pixels[:3] * pixels[3:], pixels[3:]])


def _fading(side: int) -> Tensor:
    """Opacity (s, s) that is full in the middle and gone at the edge."""
    line = torch.linspace(-1, 1, side)
    return (1 - (line[:, None].square() + line.square() - 0.3).clamp(min=0) / 0.7).clamp(0, 1)


def _emoji(glyph: str, face: ImageFont.FreeTypeFont) -> Image.Image:
    image = Image.new("RGBA", (180, 180))
    ImageDraw.Draw(image).text((10, 10), glyph, font=face, embedded_color=True)
    if face.getlength(glyph) > 1.5 * FONT_SIZE:
        raise ValueError(f"the emoji font shows {glyph!r} as more than one glyph")
    return image


def _drawn(name: str) -> Image.Image:
    image = Image.new("RGBA", (192, 192))
    drawings = {"lighthouse": _lighthouse, "hot air balloon": _hot_air_balloon}
    drawings[name](ImageDraw.Draw(image))
    return image


def _lighthouse(pen: ImageDraw.ImageDraw) -> None:
    for i in range(5):
        half = 20 + 3 * i
        pen.polygon(
            [(96 - half, 56 + 22 * i), (96 + half, 56 + 22 * i), (99 + half, 78 + 22 * i), (93 - half, 78 + 22 * i)],
            fill="#d8242f" if i % 2 == 0 else "#f7f4ee",
        )
    pen.rectangle((66, 50, 126, 57), fill="#3a3f4b")
    pen.rectangle((78, 28, 114, 50), fill="#ffd84a")
    pen.rectangle((94, 28, 98, 50), fill="#3a3f4b")
    pen.polygon([(70, 28), (122, 28), (96, 6)], fill="#3a3f4b")
    pen.polygon([(114, 30), (184, 14), (184, 62), (114, 48)], fill="#ffe98fb0")
    pen.polygon([(78, 30), (8, 14), (8, 62), (78, 48)], fill="#ffe98fb0")
    pen.ellipse((36, 156, 156, 192), fill="#5d5a57")


def _hot_air_balloon(pen: ImageDraw.ImageDraw) -> None:
    colours = ("#e8352e", "#ffc629", "#2f7de1", "#ffc629", "#e8352e")
    for inset, colour in zip((0, 20, 48, 0, 0), colours[:3], strict=False):
        pen.ellipse((36 + inset, 4, 156 - inset, 128), fill=colour)
    pen.polygon([(54, 104), (138, 104), (112, 146), (80, 146)], fill="#e8352e")
    pen.line([(80, 146), (84, 166)], fill="#5b3a1c", width=3)
    pen.line([(112, 146), (108, 166)], fill="#5b3a1c", width=3)
    pen.rectangle((80, 162, 112, 188), fill="#8a5a2b")
