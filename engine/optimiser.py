"""Adam over a canvas's leaves, and how its memory is carried to a canvas of another size."""

import torch
from torch import Tensor

from engine.canvas import Canvas, resized
from engine.motion import Warp

PUBLISHED_BETAS = (0.9, 0.999)
"""Adam as published; what the authors use, made afresh for every frame."""
LIVE_BETAS = (0.85, 0.97)
"""Kept across frames: a short memory, so that a new prompt is not outvoted by the old one."""


def make_optimiser(parameters: list[Tensor], is_kept: bool) -> torch.optim.Adam:
    """Adam over these leaves; its rate is set with `set_rate`."""
    is_fused = parameters[0].device.type in ("cpu", "cuda")
    return torch.optim.Adam(parameters, betas=LIVE_BETAS if is_kept else PUBLISHED_BETAS, fused=is_fused)


def is_for_keeping(optimiser: torch.optim.Adam) -> bool:
    """Whether it was made to be kept; of two kinds of memory, neither is the other's."""
    return tuple(optimiser.param_groups[0]["betas"]) == LIVE_BETAS


def set_rate(optimiser: torch.optim.Adam, rate: float) -> None:
    """The size of the steps from now on."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def take_over(new: torch.optim.Adam, old: torch.optim.Adam) -> None:
    """Give a new optimiser the memory of an old one, leaf by leaf from the last (finest), resampled to its size.

    A spectrum is no image to be resampled; its memory is short, and starts anew.

    One that forgets at another pace is given nothing: its second moments would be read as far too small.
    """
    if is_for_keeping(new) != is_for_keeping(old):
        return
    ours, theirs = new.param_groups[0]["params"], old.param_groups[0]["params"]
    for mine, other in zip(reversed(ours), reversed(theirs), strict=False):
        memory = old.state.get(other)
        if memory and mine.dim() == 4:
            new.state[mine] = {
                "step": memory["step"].clone(),
                "exp_avg": resized(memory["exp_avg"], *mine.shape[-2:]).contiguous(),
                "exp_avg_sq": resized(memory["exp_avg_sq"], *mine.shape[-2:]).clamp(min=0.0).contiguous(),
            }


def move_memory(optimiser: torch.optim.Adam, canvas: Canvas, warp: Warp) -> None:
    """Let what is remembered of each of the canvas's leaves move with the picture."""
    for memory in optimiser.state.values():
        memory["exp_avg"], memory["exp_avg_sq"] = canvas.carry(memory["exp_avg"], memory["exp_avg_sq"], warp)
