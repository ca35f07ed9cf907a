"""The border between pictures, (1, 3, h, w) in 0..1 inside the engine, and frames, (h, w, 3) uint8 outside it."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def as_rgb(picture: Tensor) -> NDArray[np.uint8]:
    """The picture as a frame of its own memory; values beyond 0..1 are clamped. Waits for the device."""
    levels = (picture.detach()[0].clamp(0.0, 1.0) * 255.0).round_()
    # By way of 16 bits: straight to 8, a processor converts one value at a time.
    levels = (levels.to(torch.int16) if levels.device.type == "cpu" else levels).to(torch.uint8)
    frame: NDArray[np.uint8] = levels.permute(1, 2, 0).contiguous().cpu().numpy()
    return frame


def as_picture(rgb: NDArray[np.uint8], device: torch.device) -> Tensor:
    """The frame as a picture on this device."""
    levels = torch.from_numpy(np.array(rgb, dtype=np.uint8, copy=True)).to(device)
    return levels.permute(2, 0, 1)[None].float() / 255.0
