"""Subjects that no emoji shows: icons of Game Icons (CC BY 3.0), silhouettes that are given a colour and some body."""

import io
import json
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from PIL.Image import Resampling

ICONS = Path("training-runs/icons/package/icons.json")
"""The icons, as `npm pack @iconify-json/game-icons` unpacked in training-runs/icons leaves them."""

RASTERISER = "rsvg-convert"
"""Of Debian's librsvg2-bin."""

Coverage = NDArray[np.float32]
"""How much of each pixel is covered, (s, s) in 0..1."""

SIDE = 160
HOLLOW = 0.38
"""How bright the gaps of an icon are against its lines; what lies behind does not show through them."""


def is_icon(glyph: str) -> bool:
    """Whether this glyph of concepts.toml is one of ours: game-icons/NAME#rrggbb."""
    return glyph.startswith("game-icons/")


def draw_icon(glyph: str, icons: Path = ICONS) -> Image.Image:
    """The icon as RGBA, lighter above than below. Raises ValueError where there is none of this name."""
    name, _, colour = glyph.removeprefix("game-icons/").partition("#")
    bodies = _bodies(icons)
    if name not in bodies:
        raise ValueError(f"Game Icons has no icon {name!r}")
    lines = _rasterised(bodies[name])
    inside = _filled(lines)
    rgb = np.array([int(colour[i : i + 2], 16) for i in (0, 2, 4)], dtype=np.float32)
    light = np.linspace(1.12, 0.82, SIDE, dtype=np.float32)[:, None]
    shade = light * (HOLLOW + (1.0 - HOLLOW) * lines)
    pixels = np.concatenate([(shade[..., None] * rgb).clip(0, 255), 255 * inside[..., None]], axis=2)
    return Image.fromarray(pixels.round().astype(np.uint8), "RGBA")


@cache
def _bodies(icons: Path) -> dict[str, str]:
    if not icons.exists():
        raise ValueError(f"{icons} is missing: npm pack @iconify-json/game-icons there, and unpack it")
    table = json.loads(icons.read_text(encoding="utf-8"))["icons"]
    return {name: icon["body"] for name, icon in table.items()}


def _rasterised(body: str) -> Coverage:
    """The icon's lines alone."""
    page = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512" color="#000">' + body + "</svg>"
    made = subprocess.run(
        [RASTERISER, "-w", str(SIDE), "-h", str(SIDE)], input=page.encode(), stdout=subprocess.PIPE, check=True
    )
    alpha = Image.open(io.BytesIO(made.stdout)).convert("RGBA").getchannel("A")
    return np.asarray(alpha, dtype=np.float32) / 255.0


def _filled(
    lines: Coverage,
) -> Coverage:
    """The icon with its gaps closed: all that cannot be reached from the border."""
    large = Image.fromarray((255 * (lines > 0.5)).astype(np.uint8)).resize((2 * SIDE, 2 * SIDE), Resampling.NEAREST)
    framed = Image.new("L", (2 * SIDE + 2, 2 * SIDE + 2))
    framed.paste(large, (1, 1))
    ImageDraw.floodfill(framed, (0, 0), 128)
    outside = np.asarray(framed.crop((1, 1, 2 * SIDE + 1, 2 * SIDE + 1)).resize((SIDE, SIDE), Resampling.BOX)) == 128
    return np.maximum(lines, np.where(outside, 0.0, 1.0)).astype(np.float32)
