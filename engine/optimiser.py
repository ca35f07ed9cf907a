"""The optimisers over a canvas's leaves, and how their memory is carried to a canvas of another size."""

from typing import Any

import torch
from torch import Tensor

from engine.canvas import Canvas, resized
from engine.motion import Warp

PUBLISHED_BETAS = (0.9, 0.999)
"""Adam as published; what the authors use, made afresh for every frame."""
LIVE_BETAS = (0.85, 0.97)
"""Kept across frames: a short memory, so that a new prompt is not outvoted by the old one."""


STRIDE = 0.8
"""Factor on the rate of steps scaled level by level, in which a pixel can go several times as far as the mean one."""

FARTHEST = 4.0
"""Mean steps that any one value may go at once."""

OWN = 0.25
"""Part of the scale, as a power, that is each value's own: the border, which few views reach, is not left behind."""

SMALLEST = 1e-12


class LevelAdam(torch.optim.Adam):
    """Adam scaled mostly by each leaf's mean second moment (NovoGrad has one for each layer, Ginsburg 2019).

    Adam moves every pixel nearly as far, whether the guide asks for much there or for next to nothing. Here a step
    keeps the gradient's own proportions within a level, and with them the shapes that a guide trained for its
    gradients draws. The moments are images like Adam's, so that they can be moved and resampled alike.
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move every leaf that has a gradient."""
        group = self.param_groups[0]
        for leaf in group["params"]:
            if leaf.grad is not None:
                leaf.sub_(_level_step(self.state[leaf], leaf.grad, *group["betas"]), alpha=STRIDE * group["lr"])


def _level_step(memory: dict[str, Any], gradient: Tensor, short: float, long: float) -> Tensor:
    if not memory:
        memory |= {"step": torch.zeros(())}
        memory |= {name: torch.zeros_like(gradient) for name in ("exp_avg", "exp_avg_sq")}
    memory["step"] += 1
    memory["exp_avg"].lerp_(gradient, 1.0 - short)
    memory["exp_avg_sq"].lerp_(gradient.square(), 1.0 - long)
    count = memory["step"].item()  # kept on the CPU: reading it waits for no device
    mean, square = memory["exp_avg"] / (1.0 - short**count), memory["exp_avg_sq"] / (1.0 - long**count)
    scale = square.mean() ** ((1.0 - OWN) / 2.0) * square ** (OWN / 2.0)
    step: Tensor = mean / (scale + SMALLEST)
    return step.clamp_(-FARTHEST, FARTHEST)


def make_optimiser(parameters: list[Tensor], is_kept: bool, kind: str = "adam") -> torch.optim.Adam:
    """The optimiser of this kind, `level` or `adam`, over these leaves; its rate is set with `set_rate`."""
    if kind == "level":
        return LevelAdam(parameters, betas=LIVE_BETAS if is_kept else PUBLISHED_BETAS)
    is_fused = parameters[0].device.type in ("cpu", "cuda")
    return torch.optim.Adam(parameters, betas=LIVE_BETAS if is_kept else PUBLISHED_BETAS, fused=is_fused)


def is_for_keeping(optimiser: torch.optim.Adam) -> bool:
    """Whether it was made to be kept; of two kinds of memory, neither is the other's."""
    return tuple(optimiser.param_groups[0]["betas"]) == LIVE_BETAS


def is_of(optimiser: torch.optim.Adam, kind: str) -> bool:
    """Whether it is of this kind, `level` or `adam`."""
    return isinstance(optimiser, LevelAdam) == (kind == "level")


def set_rate(optimiser: torch.optim.Adam, rate: float) -> None:
    """The size of the steps from now on."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def take_over(new: torch.optim.Adam, old: torch.optim.Adam) -> None:
    """Give a new optimiser the memory of an old one, leaf by leaf from the last (finest), resampled to its size.

    A spectrum is no image to be resampled; its memory is short, and starts anew.

    One that forgets at another pace is given nothing: its second moments would be read as far too small.
    """
    if is_for_keeping(new) != is_for_keeping(old) or type(new) is not type(old):
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
