"""What a guide makes of a picture file: as a whole, one vector, and view by view, what each should show."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.crops import Cut, views
from engine.guides.guide import Guide
from engine.kept import kept
from engine.kernels.loading import kernels_for
from engine.picture import as_picture
from engine.pictures import read_picture
from engine.sampling import looked, sampled, straight_grid

SIDE = 512
"""Pixels of the longer side at which a picture is read: more than any guide's view shows."""
FINENESS = 1.6
"""Pixels of the shorter side, in sides of a guide's view, of a picture that is shown: its inner views are sharp, its
whole is not sampled between pixels."""
CUT = Cut(overviews=6, inner=2, low=0.6, high=0.9, tilt=0.05, overhang=0.05, is_mirrored=True)


def read_shown(guide: Guide, path: str) -> tuple[Tensor, Tensor]:
    """The unit vector (d,) of the picture in this file, the mean over some views, and the picture (1, 3, h, w) itself.

    Raises OSError and ValueError.
    """
    picture = as_picture(read_picture(Path(path), SIDE), guide.device)
    height, width = picture.shape[-2:]
    shrink = min(1.0, FINENESS * guide.image_size / min(height, width))
    size = max(1, round(height * shrink)), max(1, round(width * shrink))
    with torch.no_grad():
        seen = views(picture, CUT, guide.image_size, torch.Generator(guide.device).manual_seed(0))
        vector = F.normalize(guide.embed_image(seen).mean(dim=0), dim=0)
        return vector, F.interpolate(picture, size, mode="bilinear", antialias=True).contiguous()


@torch.no_grad()
def seen_of(shown: Tensor, boxes: Tensor, canvas: tuple[int, int], guide: Guide) -> Tensor:
    """What views in boxes (n, 4) of a canvas of this height and width should show of a picture that covers it, (n, d).

    What sticks out of the canvas of a picture (1, 3, h, w) of another shape is seen by views that hang over.
    """
    wider = shown.shape[-1] / shown.shape[-2] / (canvas[1] / canvas[0])
    lie = boxes * _scales(min(1.0, 1.0 / wider), min(1.0, wider), boxes.device)
    if (kernels := kernels_for(shown, lie)) is not None:
        seen = looked(shown, lie, guide.image_size, kernels)
    else:
        seen = sampled(shown, straight_grid(lie, guide.image_size), True)
    return F.normalize(guide.looked(seen)[0], dim=-1) if guide.is_plain else guide.embed_image(seen)


@kept
def _scales(across: float, down: float, device: torch.device) -> Tensor:
    """What boxes are multiplied with, (4,)."""
    return torch.tensor([across, down, across, down], device=device)
