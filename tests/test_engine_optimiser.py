"""The optimiser is kept or made afresh as the look says, at once; every step is heard of."""

import pytest
import torch
from torch import Tensor

from engine.guides.colours import colour_guide
from engine.objectives import Goal
from engine.optimiser import (
    FARTHEST,
    LIVE_BETAS,
    OWN,
    PUBLISHED_BETAS,
    STRIDE,
    LevelAdam,
    make_optimiser,
    set_rate,
    take_over,
)
from engine.painting import Painting
from engine.parameters import Look

CPU = torch.device("cpu")
LOOK = Look(line="red").with_values({"canvas_width": 64, "canvas_height": 64, "steps": 3, "first_steps": 2})
KEPT, AFRESH = LOOK, LOOK.with_values({"keep_optimizer": False})


def paint(painting: Painting, *looks: Look) -> torch.optim.Adam:
    """The optimiser after a frame of each look."""
    guide = colour_guide(CPU)
    goal = Goal(guide.embed_text(["red"]), torch.ones(1))
    for look in looks:
        painting.next_frame(look, look.whole("steps"), 2, [(guide, goal)])
    found = painting._optimiser
    assert found is not None
    return found


def steps_of(optimiser: torch.optim.Adam) -> int:
    memory: dict[str, Tensor] = optimiser.state[optimiser.param_groups[0]["params"][0]]
    return int(memory["step"])


def test_a_kept_optimiser_counts_on_and_another_begins_with_every_frame():
    assert steps_of(paint(Painting(CPU, 0), KEPT, KEPT, KEPT)) == 2 + 3 + 3
    assert steps_of(paint(Painting(CPU, 0), AFRESH, AFRESH, AFRESH)) == 3


def test_keeping_it_begins_at_once_with_the_memory_meant_for_it():
    painting = Painting(CPU, 0)
    assert paint(painting, AFRESH).param_groups[0]["betas"] == PUBLISHED_BETAS
    kept = paint(painting, KEPT)
    assert kept.param_groups[0]["betas"] == LIVE_BETAS
    assert steps_of(kept) == 3  # the published one's memory would be read as far too small
    assert paint(painting, KEPT) is kept


def test_keeping_it_ends_at_once():
    painting = Painting(CPU, 0)
    paint(painting, KEPT, KEPT)
    assert paint(painting, AFRESH).param_groups[0]["betas"] == PUBLISHED_BETAS


def test_an_optimiser_of_another_memory_is_not_taken_over():
    leaf = torch.zeros(1, 3, 8, 8, requires_grad=True)
    old, new = make_optimiser([leaf], is_kept=False), make_optimiser([leaf], is_kept=True)
    leaf.grad = torch.ones_like(leaf)
    old.step()
    take_over(new, old)
    assert not new.state


def test_every_step_is_heard_of_before_it_is_made():
    beats: list[int] = []
    paint(Painting(CPU, 0, lambda: beats.append(1)), KEPT, KEPT)
    assert len(beats) == 2 + 3


def test_a_level_step_nearly_keeps_the_proportions_of_the_gradient() -> None:
    leaf = torch.zeros(1, 1, 1, 2, requires_grad=True)
    optimiser = make_optimiser([leaf], is_kept=True, kind="level")
    set_rate(optimiser, 0.1)
    leaf.grad = torch.tensor([[[[3.0, 1.0]]]])
    optimiser.step()
    mean = (10.0 / 2.0) ** 0.5
    expected = [-0.1 * STRIDE * g / (mean ** (1 - OWN) * g**OWN) for g in (3.0, 1.0)]
    assert leaf.detach().flatten().tolist() == pytest.approx(expected, rel=1e-5)


def test_no_value_goes_farther_than_a_few_mean_steps_at_once() -> None:
    leaf = torch.zeros(1, 1, 10, 100, requires_grad=True)
    optimiser = make_optimiser([leaf], is_kept=True, kind="level")
    set_rate(optimiser, 0.1)
    leaf.grad = torch.zeros(1, 1, 10, 100)
    leaf.grad[..., 0, 0] = 1.0
    optimiser.step()
    assert leaf.detach().abs().max().item() == pytest.approx(0.1 * STRIDE * FARTHEST)


def test_the_memory_of_one_optimiser_is_none_of_the_other() -> None:
    leaf = torch.zeros(1, 3, 4, 4, requires_grad=True)
    old, new = (make_optimiser([leaf], is_kept=True, kind=kind) for kind in ("adam", "level"))
    leaf.grad = torch.ones_like(leaf)
    old.step()
    take_over(new, old)
    assert not new.state


def test_all_levels_together_step_as_one_after_the_other_does() -> None:
    random = torch.Generator().manual_seed(3)
    sizes = ((1, 3, 5, 7), (1, 3, 10, 14))
    made = []
    for way in ("each", "together"):
        leaves = [torch.zeros(size, requires_grad=True) for size in sizes]
        optimiser = make_optimiser(leaves, is_kept=True, kind="level")
        assert isinstance(optimiser, LevelAdam)
        set_rate(optimiser, torch.tensor(0.1) if way == "together" else 0.1)
        random.manual_seed(3)
        for step in range(1, 5):
            for leaf in leaves:
                leaf.grad = torch.randn(leaf.shape, generator=random)
            optimiser._counted(leaves)
            lacking = 1.0 - 0.85 ** torch.full((2,), float(step)), 1.0 - 0.97 ** torch.full((2,), float(step))
            with torch.no_grad():
                getattr(optimiser, f"_step_{way}")(leaves, *lacking)
        made.append(leaves)
    for one, other in zip(*made, strict=True):
        assert one.abs().max() > 0.1 and torch.allclose(one, other, atol=1e-5)
