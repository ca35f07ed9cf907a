"""The border between pictures, (1, 3, h, w) in 0..1 inside the engine, and frames, (h, w, 3) uint8 outside it."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.kernels.loading import array, kernels_for
from engine.sending import passed_on


def as_levels(picture: Tensor) -> Tensor:
    """The picture as a frame's levels, (h, w, 3) uint8, on its device; values beyond 0..1 are clamped."""
    if (kernels := kernels_for(picture)) is not None:
        frame = torch.empty(*picture.shape[-2:], 3, dtype=torch.uint8)
        kernels.levels(array(picture), frame.numpy())
        return frame
    levels = (picture.detach()[0].clamp(0.0, 1.0) * 255.0).round_()
    # By way of 16 bits: straight to 8, a processor converts one value at a time.
    levels = (levels.to(torch.int16) if levels.device.type == "cpu" else levels).to(torch.uint8)
    return levels.permute(1, 2, 0).contiguous()


def as_rgb(picture: Tensor) -> NDArray[np.uint8]:
    """The picture as a frame of its own memory; values beyond 0..1 are clamped. Waits for the device."""
    frame: NDArray[np.uint8] = as_levels(picture).cpu().numpy()
    return frame


def as_picture(rgb: NDArray[np.uint8], device: torch.device) -> Tensor:
    """The frame as a picture on this device."""
    levels = passed_on(torch.from_numpy(np.array(rgb, dtype=np.uint8, copy=True)), device)
    return levels.permute(2, 0, 1)[None].float().contiguous() / 255.0
