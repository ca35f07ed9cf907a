"""The pictures and colours a look names beside its prompts, with what is there of them."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.beside import Beside
from engine.canvas import resized
from engine.objectives import References
from engine.palettes import joined, palette_of, read_palette
from engine.parameters import Look
from engine.picture import as_picture
from engine.pictures import read_picture, why
from engine.sources import Rgb, Source
from engine.style import Style

SIDE = 1024
"""Pixels of the longer side at which a style's strokes are kept."""


class Gallery:
    """What the picture is compared with. Owns the source and what was read from picture files; one thread uses it."""

    def __init__(self, device: torch.device, waits: bool) -> None:
        """With `waits` a frame waits for files, and a video moves on with the frames rather than with the clock."""
        self._device, self._waits = device, waits
        self._palettes = Beside("palettes", palette_of, waits=waits)
        self._styles = Beside("styles", partial(_read, side=SIDE), waits=waits)
        self._style: tuple[str, Style] | None = None
        self._source: Source | None = None
        self._drawn: tuple[Rgb, Tensor] | None = None
        self._written: tuple[str, str] = ("", "")
        self._palette: Tensor | None = None
        self._colours: Tensor | None = None
        self._wrong = ""
        self._is_start_wanted = False
        self._faults: list[str] = []

    def of(self, look: Look) -> References:
        """What is there of what this look asks for; what it gives no weight is not read."""
        self._faults = []
        return References(source=self._source_of(look), palette=self._palette_of(look), style=self._style_of(look))

    def want_start(self) -> None:
        """Ask for a picture to start from; `start` gives it as soon as the source does."""
        self._is_start_wanted = True

    def start(self, references: References) -> Tensor | None:
        """The source's picture if the painting is to start from it now, once for each time it was asked for."""
        if not self._is_start_wanted:
            return None
        self._is_start_wanted = references.source is None and self._source is not None and not self._source.fault
        return references.source

    def faults(self) -> list[str]:
        """Sentences about what the last look named and cannot be had."""
        return self._faults

    def close(self) -> None:
        """Let go of the source and stop reading."""
        self._palettes.close()
        self._styles.close()
        self._let_go()

    def _source_of(self, look: Look) -> Tensor | None:
        spec = look.text("source") if look.number("source_weight") or self._is_start_wanted else ""
        if self._source is not None and self._source.spec != spec:
            self._let_go()
        if not spec:
            return None
        self._source = self._source or Source(spec, self._waits)
        height, width = look.whole("canvas_height"), look.whole("canvas_width")
        rgb = self._source.newest(height, width, 1.0 / look.number("engine_fps"))
        if self._source.fault:
            self._faults.append(f"source: {self._source.fault}")
        if rgb is None:
            return None
        if self._drawn is None or self._drawn[0] is not rgb or self._drawn[1].shape[-2:] != (height, width):
            self._drawn = rgb, resized(as_picture(rgb, self._device), height, width)
        return self._drawn[1]

    def _palette_of(self, look: Look) -> Tensor | None:
        text, path = look.text("palette"), look.text("palette_picture")
        if not look.number("palette_weight") or not (text or path):
            return None
        taken = self._palettes.find(path) if path else None
        wanted = (text, path if taken is not None else "")
        if wanted != self._written:
            written, self._wrong = read_palette(text)
            if written is not None or not self._wrong:  # a text of no colours at all is a slip: those before stay
                self._colours = written
            both = joined(self._colours, taken)
            self._palette, self._written = None if both is None else both.to(self._device), wanted
        self._faults += [self._wrong] if self._wrong else []
        self._note("palette_picture", path, self._palettes)
        return self._palette

    def _style_of(self, look: Look) -> Style | None:
        path, height, width = look.text("style_picture"), look.whole("canvas_height"), look.whole("canvas_width")
        if not path or not look.number("style_weight"):
            return None
        rgb, wanted = self._styles.find(path), f"{width}x{height} {path}"
        self._note("style_picture", path, self._styles)
        if rgb is None:
            return None
        if self._style is None or self._style[0] != wanted:
            self._style = wanted, Style(covering(as_picture(rgb, self._device), height, width))
        return self._style[1]

    def _note(self, name: str, path: str, read: Beside[Any]) -> None:
        failure = read.failure(path) if path else None
        if failure is not None:
            self._faults.append(f"{name}: {why(path, failure)}")

    def _let_go(self) -> None:
        if self._source is not None:
            self._source.close()
        self._source = self._drawn = None


def covering(picture: Tensor, height: int, width: int) -> Tensor:
    """The middle of the picture (1, 3, h, w) at this size, none of it stretched."""
    scale = max(height / picture.shape[-2], width / picture.shape[-1])
    high, wide = max(height, round(picture.shape[-2] * scale)), max(width, round(picture.shape[-1] * scale))
    top, left = (high - height) // 2, (wide - width) // 2
    return resized(picture, high, wide)[..., top : top + height, left : left + width].contiguous()


def _read(path: str, side: int) -> Rgb:
    return read_picture(Path(path), side)
