"""What a guide makes of a picture file: the same kind of views as of the canvas, as one vector."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.crops import Cut, views
from engine.guides.guide import Guide
from engine.picture import as_picture
from engine.pictures import read_picture

SIDE = 512
"""Pixels of the longer side at which a picture is looked at: more than any guide's view shows."""
CUT = Cut(overviews=6, inner=2, low=0.6, high=0.9, tilt=0.05, overhang=0.05, is_mirrored=True)


def embed_picture(guide: Guide, path: str) -> Tensor:
    """The unit vector (d,) of the picture in this file, the mean over some views. Raises OSError and ValueError."""
    picture = as_picture(read_picture(Path(path), SIDE), guide.device)
    with torch.no_grad():
        seen = views(picture, CUT, guide.image_size, torch.Generator(guide.device).manual_seed(0))
        return F.normalize(guide.embed_image(seen).mean(dim=0), dim=0)
