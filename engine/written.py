"""A step of the usual kind as one function of tensors, its gradient written out, for torch's compiler to take whole.

`engine.compiled` has it compiled; `engine.quick` does the same by passes compiled for a processor.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.aim import PLAIN, Pulling, Toward, wanted_of
from engine.canvas import Pyramid, enlarged, shares
from engine.crops import DIALS, Chance, Cut, Sight, averaged, boxes_by, grid_of, part_numbers, shrinking
from engine.fused.loading import Kernels, fused_for
from engine.objectives import MOST_APART, SLOPE
from engine.optimiser import STRIDE, LevelAdam, steps_together
from engine.regions import ownership


@dataclass(frozen=True, slots=True)
class State:
    """What a step changes, at places that stay: the picture, and what the optimiser remembers of each level."""

    picture: Tensor
    means: tuple[Tensor, ...]
    squares: tuple[Tensor, ...]
    counts: Tensor
    gains: tuple[float, ...]
    betas: tuple[float, float]

    def copied(self) -> "State":
        """The same at places of its own."""
        means, squares = (tuple(one.clone() for one in many) for many in (self.means, self.squares))
        return replace(self, picture=self.picture.clone(), means=means, squares=squares, counts=self.counts.clone())

    @classmethod
    def of(cls, canvas: Pyramid, optimiser: LevelAdam) -> "State":
        """Of this canvas and optimiser, whose memory begins here if it has none."""
        counts, memories = optimiser.remembered()
        means, squares = (tuple(memory[name] for memory in memories) for name in ("exp_avg", "exp_avg_sq"))
        betas = optimiser.param_groups[0]["betas"]
        return cls(canvas.picture, means, squares, counts, tuple(canvas.gains), (float(betas[0]), float(betas[1])))


def fits(asked: Toward) -> bool:
    """Whether a step that works toward this is one that is written here."""
    is_usual = bool(asked.pulling) and set(PLAIN).issuperset(asked.weights)
    return is_usual and all(one.guide.is_plain for one in asked.pulling)


@torch.no_grad()
def written_step(state: State, asked: Toward, rate: Tensor, chances: Sequence[Chance]) -> None:
    """Move the picture one step of this size, by chance drawn for each guide that pulls."""
    fused = fused_for(state.picture)
    pulls = [
        _of_guide(state.picture, one, asked.distance, chance, fused)
        for one, chance in zip(asked.pulling, chances, strict=True)
    ]
    gradient = reduce(torch.add, pulls).contiguous()
    add_terms(gradient, state.picture, asked, fused)
    move(state, gradient, rate, fused)


def add_terms(gradient: Tensor, picture: Tensor, asked: Toward, fused: Kernels | None) -> None:
    """Add the gradients of smoothness and stability, in as few operations on whole pictures as it takes."""
    smoothness, stability = (
        torch.as_tensor(asked.weights[name]) if name in asked.weights else None for name in ("smoothness", "stability")
    )
    if fused is not None:
        fused.add_terms(gradient, picture, smoothness, stability, asked.previous)
        return
    if smoothness is not None:
        pulls, share = _unevenness(picture)
        gradient.addcmul_(pulls, smoothness, value=share)
    if stability is not None and asked.previous is not None:
        gradient.addcmul_((picture - asked.previous).sign_(), stability, value=1.0 / picture.numel())


def _unevenness(picture: Tensor) -> tuple[Tensor, float]:
    """The gradient of total variation (n, c, h, w), and what it is to be multiplied with."""
    n, c, height, width = picture.shape
    beyond = F.pad(picture, (1, 1, 1, 1), mode="replicate")  # where nothing changes at the edges
    across = (beyond[..., 1:-1, 1:] - beyond[..., 1:-1, :-1]).sign_()
    down = (beyond[..., 1:, 1:-1] - beyond[..., :-1, 1:-1]).sign_()
    pulls, beside, below = across[..., :-1] - across[..., 1:], height * (width - 1), (height - 1) * width
    pulls.add_(down[..., :-1, :] - down[..., 1:, :], alpha=beside / below)
    return pulls, 1.0 / (n * c * beside)


def _of_guide(picture: Tensor, one: Pulling, distance: str, chance: Chance, fused: Kernels | None) -> Tensor:
    """The gradient of what one guide asks for."""
    guide, goal, cut = one.guide, one.goal, one.cut
    boxes, grid = sights((picture.shape[-2], picture.shape[-1]), cut, chance, guide.image_size, fused)
    source = averaged(picture, cut, guide.image_size)
    n, size = grid.shape[0], grid.shape[1]
    # All views as one tall picture: their gradients need not be added up afterwards.
    tall, padding = grid.reshape(1, n * size, size, 2), 2 if cut.is_mirrored else 0
    shifted = source if cut.is_mirrored else source - 1.0
    views = torch.ops.aten.grid_sampler_2d(shifted, tall, 0, padding, False)
    views = (views if cut.is_mirrored else views + 1.0).view(3, n, size, size).transpose(0, 1).contiguous()
    wanted = wanted_of(picture, one, Sight(views, lambda: grid, boxes))
    seen, back = guide.looked(views)
    owns = ownership(goal.regions, cut.owners, guide.device) if cut.owners else None
    counts = seen.new_full(wanted.shape[:2], 1.0 / n) if owns is None else owns.shares
    pulled = back(agreed(seen, wanted, goal.weights, counts, distance, fused))
    if owns is not None:
        pulled = pulled * owns.masks(grid, goal.weights)
    flat = pulled.transpose(0, 1).reshape(1, 3, n * size, size)
    of_source = torch.ops.aten.grid_sampler_2d_backward(flat, shifted, tall, 0, padding, False, [True, False])[0]
    return _averaged_back(of_source, picture, one)


def sights(
    picture: tuple[int, int], cut: Cut, chance: Chance, size: int, fused: Kernels | None
) -> tuple[Tensor, Tensor]:
    """Boxes (n, 4) of views in a picture of this height and width, and the points (n, size, size, 2) they see."""
    if fused is not None:
        parts, dials = part_numbers(cut.of_parts(), chance.lie.device), tuple(getattr(cut, name) for name in DIALS)
        chances, tilt = (chance.lie, chance.tilt), torch.as_tensor(cut.tilt) if cut.is_tilted else None
        found: tuple[Tensor, Tensor] = fused.sights(
            chances, parts, dials, cut.overviews, picture, size, cut.is_turned, tilt
        )
        return found
    boxes = boxes_by(chance, cut, *picture)
    return boxes, grid_of(boxes, chance, cut, size)


def _averaged_back(gradient: Tensor, picture: Tensor, one: Pulling) -> Tensor:
    """The gradient of the picture from that of its `averaged`."""
    height, width = picture.shape[-2:]
    halvings, rest = shrinking(one.cut, height, width, one.guide.image_size)
    if rest is not None:
        size = [1, 3, height >> halvings, width >> halvings]
        back = torch.ops.aten._upsample_bilinear2d_aa_backward
        gradient = back(gradient.contiguous(), list(rest), size, False, None, None)
    for _ in range(halvings):
        gradient = F.interpolate(gradient * 0.25, scale_factor=2.0, mode="nearest")
    return gradient


def agreed(
    seen: Tensor, wanted: Tensor, weights: Tensor, shares: Tensor, distance: str, fused: Kernels | None
) -> Tensor:
    """The gradient of embeddings (n, d) that should be `wanted` (n, k, d); see `engine.objectives`."""
    if fused is not None:
        pulls: Tensor = fused.agreed(seen, wanted, weights, shares, distance == "spherical", (MOST_APART, SLOPE))
        return pulls
    length = seen.norm(dim=1, keepdim=True).clamp(min=1e-12)
    plain = seen / length
    slope: Tensor = -torch.ones_like(shares)
    if distance == "spherical":
        cosine = (wanted * plain[:, None]).sum(dim=2)
        within = cosine.clamp(MOST_APART, 1.0 - 1e-6)
        curve = -2.0 * ((1.0 - within) / 2.0).sqrt().asin() * (1.0 - within * within).rsqrt()
        slope = torch.where(cosine < MOST_APART, -SLOPE, torch.where(cosine > 1.0 - 1e-6, 0.0, curve))
    part = shares * (slope * weights.clamp(min=0.0) - weights.clamp(max=0.0))
    pull = (part[:, :, None] * wanted).sum(dim=1)
    found: Tensor = (pull - plain * (plain * pull).sum(dim=1, keepdim=True)) / length
    return found


def move(state: State, gradient: Tensor, rate: Tensor, fused: Kernels | None) -> None:
    """Take the gradient up into the memory and move the picture; see `engine.optimiser` and `engine.canvas`."""
    short, long = state.betas
    state.counts.add_(1.0)
    if fused is not None:
        memory = state.means, state.squares, state.counts
        fused.move(state.picture, gradient, *memory, state.gains, state.betas, rate)
        return
    lacking = 1.0 - short**state.counts, 1.0 - long**state.counts
    pulls = shares(gradient, [mean.shape for mean in state.means])
    pulls = list(torch._foreach_mul(pulls, list(state.gains)))
    steps = steps_together(list(state.means), list(state.squares), pulls, state.betas, *lacking)
    change = steps[0] * state.gains[0]
    for step, gain in zip(steps[1:], state.gains[1:], strict=True):
        change = enlarged(change, step.shape).add_(step, alpha=gain)
    state.picture.addcmul_(change, rate, value=-STRIDE).clamp_(0.0, 1.0)
