"""Weights in a file: half precision, and bytes for what text is read with, which is most of a small guide."""

from collections.abc import Mapping

import torch
from torch import Tensor

STEP = ".step"
"""Ending of the name under which a packed matrix keeps the size of a step, one for each row (n, 1)."""

PACKED = ("text.", "place.")
"""Beginnings of the names whose matrices become bytes. The image tower, which draws, keeps half precision."""

LEAST = 4096
"""Smaller ones are not worth a byte less."""


def pack(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights for a file: large matrices of words as int8 and a step a row, anything else as float16."""
    packed = dict[str, Tensor]()
    for name, weights in state.items():
        value = weights.detach().float().cpu()
        if name.startswith(PACKED) and value.ndim == 2 and value.numel() >= LEAST:
            step = (value.abs().amax(dim=1, keepdim=True) / 127).clamp(min=1e-8)
            packed[name] = (value / step).round().to(torch.int8).contiguous()
            packed[name + STEP] = step
        else:
            packed[name] = value.half().contiguous()
    return packed


def unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in float32 of what pack() made, or of a file that holds them plainly."""
    steps = {name for name in packed if name.endswith(STEP) and name.removesuffix(STEP) in packed}
    return {
        name: value.float() * packed[name + STEP].float() if name + STEP in steps else value.float()
        for name, value in packed.items()
        if name not in steps
    }
