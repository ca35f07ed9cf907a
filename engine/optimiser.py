"""The optimisers over a canvas's leaves, and how their memory is carried to a canvas of another size."""

from typing import Any, cast

import torch
from torch import Tensor

from engine.canvas import Canvas, resized
from engine.kept import kept
from engine.kernels.loading import Kernels, array
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
"""Part of the scale, as a power, that is each value's own: the border, which few views reach, is not left behind.
`_level_step` takes this very root."""

SMALLEST = 1e-12


class LevelAdam:
    """Adam scaled mostly by each leaf's mean second moment (NovoGrad has one for each layer, Ginsburg 2019).

    Adam moves every pixel nearly as far, whether the guide asks for much there or for next to nothing. Here a step
    keeps the gradient's own proportions within a level, and with them the shapes that a guide trained for its
    gradients draws. The moments are images like Adam's, so that they can be moved and resampled alike.

    Its leaves, settings and memory lie as in torch's optimisers. It is none of them: making one loads torch's compiler,
    a second of every start.
    """

    def __init__(self, leaves: list[Tensor], betas: tuple[float, float]) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": list(leaves), "betas": betas, "lr": 1e-3}]
        self.state: dict[Tensor, dict[str, Tensor]] = {}
        self._counts: Tensor | None = None
        """How many steps each leaf has made, on the leaves' device; each leaf's memory has its own of them."""
        self._arrays: list[tuple[Any, ...]] | None = None
        """Each leaf and its memory, for compiled passes."""

    def zero_grad(self) -> None:
        """Let go of the leaves' gradients."""
        for leaf in self.param_groups[0]["params"]:
            leaf.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every leaf; each must have a gradient. Waits for no device."""
        group = self.param_groups[0]
        short, long = group["betas"]
        leaves = group["params"]
        counts = self._counted(leaves)
        counts += 1.0
        lacking = 1.0 - short**counts, 1.0 - long**counts
        if leaves[0].is_cuda:
            self._step_together(leaves, *lacking)
        else:
            self._step_each(leaves, *lacking)

    def _step_each(self, leaves: list[Tensor], *lacking: Tensor) -> None:
        """Move leaf after leaf; `lacking` are what the two means (levels), begun at nothing, have of it all."""
        short, long = self.param_groups[0]["betas"]
        memories = [self.state[leaf] for leaf in leaves]
        for leaf, memory in zip(leaves, memories, strict=True):
            gradient = cast(Tensor, leaf.grad)
            memory["exp_avg"].lerp_(gradient, 1.0 - short)
            memory["exp_avg_sq"].mul_(long).addcmul_(gradient, gradient, value=1.0 - long)
        means = torch.stack([memory["exp_avg_sq"].mean() for memory in memories])
        for leaf, memory, level in zip(leaves, memories, _scale(means, *lacking).unbind(), strict=True):
            _move(leaf, _level_step(memory, level), self.param_groups[0]["lr"])

    def _step_together(self, leaves: list[Tensor], *lacking: Tensor) -> None:
        """The same for all leaves at once: on a GPU a list is one operation, and operations are what takes the time."""
        gradients = [cast(Tensor, leaf.grad) for leaf in leaves]
        means, squares = ([self.state[leaf][name] for leaf in leaves] for name in ("exp_avg", "exp_avg_sq"))
        steps = steps_together(means, squares, gradients, self.param_groups[0]["betas"], *lacking)
        rate = self.param_groups[0]["lr"]
        if isinstance(rate, Tensor):
            torch._foreach_mul_(steps, rate)
            rate = 1.0
        torch._foreach_add_(leaves, steps, alpha=-STRIDE * rate)

    @torch.no_grad()
    def step_compiled(self, kernels: Kernels, gradients: list[Tensor], gains: list[float], rate: float) -> None:
        """The same from these gradients, each times its gain, in one compiled pass over each leaf."""
        group, power = self.param_groups[0], (1.0 - OWN) / 2.0
        short, long = group["betas"]
        counts = self._counted(group["params"])
        counts += 1.0
        if self._arrays is None:  # where leaves and memory lie they stay
            lie = ((leaf, self.state[leaf]["exp_avg"], self.state[leaf]["exp_avg_sq"]) for leaf in group["params"])
            self._arrays = [tuple(array(each) for each in three) for three in lie]
        moved = zip(self._arrays, gradients, gains, counts.tolist(), strict=True)
        for arrays, gradient, gain, count in moved:
            factor = (1.0 - short**count) * (1.0 - long**count) ** -0.5
            scale = (power, factor, FARTHEST, STRIDE * rate)
            kernels.move(*arrays, array(gradient), gain, (short, long), scale)

    def remembered(self) -> tuple[Tensor, list[dict[str, Any]]]:
        """How many steps each leaf has made, and each leaf's memory; both stay where they are."""
        leaves = self.param_groups[0]["params"]
        return self._counted(leaves), [self.state[leaf] for leaf in leaves]

    def _counted(self, leaves: list[Tensor]) -> Tensor:
        """The counts, and a memory for every leaf that has none yet."""
        if self._counts is None:
            for leaf in leaves:
                self.state[leaf] = self.state.get(leaf) or _nothing(leaf)
            self._counts = torch.stack([self.state[leaf]["step"] for leaf in leaves])
            for leaf, count in zip(leaves, self._counts.unbind(), strict=True):
                self.state[leaf]["step"] = count
        return self._counts


def _nothing(leaf: Tensor) -> dict[str, Tensor]:
    return {
        "step": torch.zeros((), device=leaf.device),
        "exp_avg": torch.zeros_like(leaf, requires_grad=False),
        "exp_avg_sq": torch.zeros_like(leaf, requires_grad=False),
    }


def _scale(means: Tensor, short: Tensor, long: Tensor) -> Tensor:
    """The scale of each level's steps but for each value's own part, from the means of their second moments.

    `short` and `long` are what the two means (levels), begun at nothing, have of it all.
    """
    return means ** ((1.0 - OWN) / 2.0) * long**-0.5 * short


def _level_step(memory: dict[str, Tensor], level: Tensor) -> Tensor:
    """The step of one level from what is remembered and its scale."""
    # Its own part is the eighth root: three square roots take a fifth of the time of a power.
    scale = memory["exp_avg_sq"].sqrt().sqrt_().sqrt_().mul_(level).add_(SMALLEST)
    return torch.div(memory["exp_avg"], scale, out=scale).clamp_(-FARTHEST, FARTHEST)


def steps_together(
    means: list[Tensor], squares: list[Tensor], gradients: list[Tensor], betas: tuple[float, float], *lacking: Tensor
) -> list[Tensor]:
    """Take the gradients of all levels up into their memories; how far each value goes at a stride of 1."""
    short, long = betas
    torch._foreach_lerp_(means, gradients, 1.0 - short)
    torch._foreach_mul_(squares, long)
    torch._foreach_addcmul_(squares, gradients, gradients, 1.0 - long)
    return _level_steps(means, squares, *lacking)


def _level_steps(means: list[Tensor], squares: list[Tensor], short: Tensor, long: Tensor) -> list[Tensor]:
    """The same for all levels at once."""
    sums = torch.stack(torch._foreach_norm(squares, 1))  # none is below nothing
    sizes = _sizes(tuple(square.numel() for square in squares), sums.device)
    scales = torch._foreach_pow(squares, OWN / 2.0)
    torch._foreach_mul_(scales, list(_scale(sums / sizes, short, long).unbind()))
    torch._foreach_add_(scales, SMALLEST)
    steps = list(torch._foreach_div(means, scales))
    torch._foreach_clamp_min_(steps, -FARTHEST)
    torch._foreach_clamp_max_(steps, FARTHEST)
    return steps


@kept
def _sizes(counts: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.tensor(counts, dtype=torch.float32, device=device)


def _move(leaf: Tensor, step: Tensor, rate: float | Tensor) -> None:
    if isinstance(rate, Tensor):
        leaf.addcmul_(step, rate, value=-STRIDE)
    else:
        leaf.sub_(step, alpha=STRIDE * rate)


Optimiser = LevelAdam | torch.optim.Adam
"""What moves a canvas's leaves."""


def make_optimiser(parameters: list[Tensor], is_kept: bool, kind: str = "adam") -> Optimiser:
    """The optimiser of this kind, `level` or `adam`, over these leaves; its rate is set with `set_rate`."""
    betas = LIVE_BETAS if is_kept else PUBLISHED_BETAS
    if kind == "level":
        return LevelAdam(parameters, betas=betas)
    device = parameters[0].device.type
    is_fused = device in ("cpu", "cuda")
    return torch.optim.Adam(parameters, betas=betas, fused=is_fused, capturable=device == "cuda")


def renew(optimiser: Optimiser) -> None:
    """Let it remember nothing, as if made anew, what it works on and its memory staying where they are."""
    for memory in optimiser.state.values():
        for remembered in memory.values():
            remembered.zero_()


def is_for_keeping(optimiser: Optimiser) -> bool:
    """Whether it was made to be kept; of two kinds of memory, neither is the other's."""
    return tuple(optimiser.param_groups[0]["betas"]) == LIVE_BETAS


def is_of(optimiser: Optimiser, kind: str) -> bool:
    """Whether it is of this kind, `level` or `adam`."""
    return isinstance(optimiser, LevelAdam) == (kind == "level")


def set_rate(optimiser: Optimiser, rate: float | Tensor) -> None:
    """The size of the steps from now on; a tensor without dimensions on the leaves' device may change by itself."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def take_over(new: Optimiser, old: Optimiser) -> None:
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


def move_memory(optimiser: Optimiser, canvas: Canvas, warp: Warp) -> None:
    """Let what is remembered of each of the canvas's leaves move with the picture; it stays where it is in memory."""
    for memory in optimiser.state.values():
        mean, square = canvas.carry(memory["exp_avg"], memory["exp_avg_sq"], warp)
        memory["exp_avg"].copy_(mean)
        memory["exp_avg_sq"].copy_(square)
