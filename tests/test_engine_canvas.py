"""What is optimised: a pyramid that cannot saturate, and plain pixels."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.canvas import CANVASES, FIRST_PICTURES, Canvas, Pyramid, cloud_noise, pyramid_sizes, resized
from engine.fourier import Fourier
from engine.guides.colours import colour_guide
from engine.motion import Move, Warp
from engine.optimiser import make_optimiser, set_rate, take_over
from engine.parameters import Look
from engine.step import Engine

CPU = torch.device("cpu")
torch.set_num_threads(1)


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


@pytest.mark.parametrize("kind", list(CANVASES))
def test_a_prompt_takes_hold_on_every_canvas(kind: str):
    values = {"canvas": kind, "canvas_width": 96, "canvas_height": 64, "temperature": 50.0, "governor": False}
    engine, look = Engine([colour_guide(CPU)], CPU, 0, is_live=False), Look().with_values(values)
    for text, channel in (("red", 0), ("blue", 2)):
        for _ in range(40):
            rgb = engine.paint(replace(look, line=text)).astype(int)
        others = np.delete(rgb, channel, axis=2).max(axis=2)
        assert (rgb[..., channel] > others).mean() > 0.8, text


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(CANVASES, 2)))
def test_canvases_are_changed_live_and_the_picture_stays(before: str, after: str):
    values = {"canvas_width": 96, "canvas_height": 64, "temperature": 50.0, "governor": False}
    engine, look = Engine([colour_guide(CPU)], CPU, 0, is_live=False), replace(Look().with_values(values), line="red")
    for _ in range(20):
        old = engine.paint(look.with_values({"canvas": before})).astype(int)
    new = engine.paint(look.with_values({"canvas": after, "temperature": 0.0})).astype(int)
    assert np.abs(new - old).mean() < 12


def test_waves_of_one_colour_direction_are_grey():
    """The first direction is brightness, nearly; the picture follows the spectrum in proportion."""
    canvas = Fourier(torch.full((1, 3, 36, 64), 0.5))
    with torch.no_grad():
        canvas.parameters()[0][0, 0, 1, 2, 0] = 1.0
    once = canvas.draw().detach() - 0.5
    assert once.abs().max() > 0.1 and (once[:, 0] - once[:, 2]).abs().max() < 0.05 * once.abs().max()
    with torch.no_grad():
        canvas.parameters()[0].mul_(2.0)
    assert torch.allclose(canvas.draw() - 0.5, 2.0 * once, atol=1e-5)


def test_the_memory_of_waves_moves_with_the_picture():
    canvas, target = Fourier(torch.full((1, 3, 36, 64), 0.5)), torch.zeros(1, 3, 36, 64)
    target[..., 10:16, 10:16] = 1.0
    (canvas.draw() * target).sum().backward()
    mean, square = canvas.parameters()[0].grad, torch.ones(1, 3, 36, 33, 2)
    there = canvas.carry(mean, square, Warp(Move(pan_x=0.5, border="wrap"), 64 / 36))[0]
    canvas.parameters()[0].grad = None
    (canvas.draw() * target.roll(32, dims=-1)).sum().backward()
    wanted = canvas.parameters()[0].grad
    assert torch.cosine_similarity(there.flatten(), wanted.flatten(), dim=0) > 0.9


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


@pytest.mark.parametrize("size", [(144, 256), (91, 163)])
def test_levels_at_zero_get_the_gradients_of_levels_that_are_drawn(size: tuple[int, int]):
    weights = torch.rand(1, 3, *size, generator=random(1))
    canvas = Pyramid(torch.rand(1, 3, *size, generator=random()))
    found = torch.autograd.grad((canvas.draw() * weights).sum(), canvas.parameters())
    with torch.no_grad():
        for level in canvas.parameters():
            level.add_(0.01)  # written to, so that they have to be drawn
    drawn = canvas.draw()
    assert not torch.equal(drawn, canvas._picture)
    wanted = torch.autograd.grad((drawn * weights).sum(), canvas.parameters())
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other, atol=1e-5)
