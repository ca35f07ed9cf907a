"""Pictures that a CycleGAN learns from: folders of them, one of which the engine can paint itself."""

from pathlib import Path

import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
MARGIN = 286 / 256
"""How much larger than the view a picture's shorter side is made, before a part is cut out by chance."""
FRAMES_EACH = 12
"""Frames painted of each prompt before the last is kept."""


class Album:
    """The pictures below a folder. Owns the list; a file that cannot be read is dropped from it, and said."""

    def __init__(self, folder: Path, size: int) -> None:
        """Raises ValueError for a folder without pictures."""
        self._size = size
        self._paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        if not self._paths:
            raise ValueError(f"{folder}: no pictures ({', '.join(SUFFIXES)})")

    def __len__(self) -> int:
        return len(self._paths)

    def views(self, count: int, source: torch.Generator) -> Tensor:
        """So many parts of pictures by chance, mirrored half of the time, (count, 3, size, size) in -1..1.

        Raises ValueError when no picture is left that can be read.
        """
        return torch.stack([self._view(source) for _ in range(count)])

    def _view(self, source: torch.Generator) -> Tensor:
        while self._paths:
            number = int(torch.randint(len(self._paths), (), generator=source))
            try:
                with Image.open(self._paths[number]) as opened:
                    return self._cut(opened.convert("RGB"), source)
            except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as err:
                print(f"left out: {self._paths.pop(number)}: {err}", flush=True)
        raise ValueError("none of the pictures can be read")

    def _cut(self, picture: Image.Image, source: torch.Generator) -> Tensor:
        factor = MARGIN * self._size / min(picture.size)
        width, height = (max(self._size, round(side * factor)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
        left, top = (int(torch.randint(side - self._size + 1, (), generator=source)) for side in (width, height))
        picture = picture.crop((left, top, left + self._size, top + self._size))
        if torch.rand((), generator=source) < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        levels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
        return levels.view(self._size, self._size, 3).permute(2, 0, 1).float() / 127.5 - 1.0


def paint_frames(folder: Path, count: int, seed: int, device: torch.device) -> None:
    """Have the engine paint this many frames into the folder, at the `live` settings and not denoised.

    Each is of one of the shipped guide's own concepts; those already there are kept.
    """
    from engine.guides.loading import load_guide
    from engine.parameters import Look
    from engine.step import Engine
    from engine.training.concepts import read_concepts

    folder.mkdir(parents=True, exist_ok=True)
    names = read_concepts().names()
    guide = load_guide("shipped", device)
    look = Look().with_values({"denoise": 0.0, "governor": False, "weight_1": 1.0})
    for number in range(count):
        path = folder / f"{number:05}.png"
        if path.exists():
            continue
        engine = Engine([guide], device, seed * 1_000_003 + number, is_live=False)
        words = names[int(torch.randint(len(names), (), generator=torch.Generator().manual_seed(seed + number)))]
        asked = look.with_values({"prompt_1": words, "temperature": 20.0 + 60.0 * (number % 7) / 6})
        for _ in range(FRAMES_EACH):
            frame = engine.paint(asked)
        engine.close()
        part = path.with_suffix(".part")
        Image.fromarray(frame).save(part, format="PNG")
        part.replace(path)
