"""What is optimised: a pyramid that cannot saturate, and plain pixels."""

import pytest
import torch
from torch import Tensor

from engine.canvas import CANVASES, FIRST_PICTURES, Canvas, Pyramid, cloud_noise, pyramid_sizes, resized
from engine.optimiser import make_optimiser, set_rate, take_over


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pulled_to(canvas: Canvas, wanted: float, steps: int, rate: float = 0.05) -> Tensor:
    """The picture after so many steps toward one grey."""
    optimiser = make_optimiser(canvas.parameters(), is_kept=True)
    set_rate(optimiser, rate)
    for _ in range(steps):
        optimiser.zero_grad()
        (canvas.draw() - wanted).square().mean().backward()
        optimiser.step()
        canvas.settle()
    return canvas.draw().detach()


@pytest.mark.parametrize("kind", list(CANVASES))
def test_a_canvas_draws_the_picture_it_was_made_from(kind: str):
    picture = torch.rand(1, 3, 30, 50)
    assert torch.equal(CANVASES[kind](picture).draw().detach(), picture)


@pytest.mark.parametrize("kind", list(CANVASES))
def test_a_picture_replaced_keeps_the_same_leaves(kind: str):
    canvas, picture = CANVASES[kind](torch.rand(1, 3, 30, 50)), torch.rand(1, 3, 30, 50)
    leaves = canvas.parameters()
    canvas.become(picture)
    assert torch.equal(canvas.draw().detach(), picture)
    assert all(a is b for a, b in zip(leaves, canvas.parameters(), strict=True))


@pytest.mark.parametrize("kind", list(CANVASES))
def test_every_leaf_gets_a_gradient(kind: str):
    canvas = CANVASES[kind](torch.rand(1, 3, 36, 64))
    canvas.draw().square().sum().backward()
    assert all(leaf.grad is not None and leaf.grad.abs().sum() > 0 for leaf in canvas.parameters())


def test_a_pyramid_stays_within_black_and_white_however_hard_it_is_pushed():
    canvas = Pyramid(torch.full((1, 3, 36, 64), 0.5))
    assert pulled_to(canvas, 50.0, steps=300).max() <= 1.0


def test_a_pyramid_pushed_to_white_for_long_turns_dark_at_once():
    canvas = Pyramid(torch.full((1, 3, 36, 64), 0.5))
    pulled_to(canvas, 50.0, steps=300)
    assert pulled_to(canvas, 0.0, steps=24).mean() < 0.1


def test_a_pyramid_moves_the_whole_picture_in_few_steps():
    assert pulled_to(Pyramid(torch.zeros(1, 3, 36, 64)), 1.0, steps=10).mean() > 0.5


def test_the_levels_halve_down_to_a_handful_of_pixels():
    assert pyramid_sizes(180, 320) == [(180, 320), (90, 160), (45, 80), (23, 40), (12, 20), (6, 10)]
    assert pyramid_sizes(5, 9) == [(5, 9)]


@pytest.mark.parametrize(("height", "width"), [(64, 64), (64, 3840), (2160, 64), (65, 131), (360, 640)])
def test_any_size_in_range_can_be_painted_on(height: int, width: int):
    picture = FIRST_PICTURES["pyramid"](height, width, random())
    canvas = Pyramid(picture)
    assert canvas.draw().shape == (1, 3, height, width)


def test_clouds_are_soft_and_of_the_deviation_asked_for():
    noise = cloud_noise(90, 160, random())
    assert noise.std().item() == pytest.approx(1.0, abs=0.1)
    neighbours = (noise[..., 1:] - noise[..., :-1]).abs().mean()
    assert neighbours < 0.3 * noise.std()


def test_pictures_are_averaged_when_they_shrink():
    stripes = torch.tensor([0.0, 1.0]).repeat(32).expand(1, 3, 64, 64)
    assert resized(stripes, 16, 16).std() < 0.05


def test_the_optimisers_memory_goes_to_a_canvas_of_another_size():
    small, large = Pyramid(torch.full((1, 3, 36, 64), 0.5)), Pyramid(torch.full((1, 3, 72, 128), 0.5))
    old = make_optimiser(small.parameters(), is_kept=True)
    small.draw().sum().backward()
    old.step()
    new = make_optimiser(large.parameters(), is_kept=True)
    take_over(new, old)
    finest = new.state[large.parameters()[-1]]["exp_avg"]
    assert finest.shape == (1, 3, 72, 128) and finest.abs().sum() > 0
    large.draw().sum().backward()
    new.step()
