"""The views a guide sees: the right number and size, the border as often as the middle, no gaps in the gradient."""

from dataclasses import replace

import pytest
import torch

from engine.crops import Chance, Cut, averaged, boxes_by, views
from engine.parameters import Look

CUT = Cut(overviews=2, inner=2, low=0.3, high=0.8, tilt=0.2, overhang=0.15, is_mirrored=True)


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("share", "crops", "split"),
    [(0.5, 4, (2, 2)), (0.0, 4, (0, 4)), (1.0, 4, (4, 0)), (0.1, 4, (1, 3)), (0.9, 4, (3, 1)), (0.5, 2, (1, 1))],
)
def test_views_are_shared_between_overviews_and_inner_ones(share: float, crops: int, split: tuple[int, int]):
    cut = Cut.of(Look().with_values({"overview": share}), crops)
    assert (cut.overviews, cut.inner) == split


def test_the_smallest_effort_keeps_one_of_each():
    cut = Cut.of(Look(), 2)
    assert (cut.overviews, cut.inner) == (1, 1)


@pytest.mark.parametrize(("height", "width"), [(90, 160), (160, 90), (64, 64), (64, 640)])
def test_views_have_the_guides_size_whatever_the_pictures(height: int, width: int):
    seen = views(torch.rand(1, 3, height, width), CUT, 32, random())
    assert seen.shape == (4, 3, 32, 32)
    assert seen.min() >= 0.0 and seen.max() <= 1.0


def test_without_tilt_and_overhang_a_view_of_all_is_the_picture():
    cut = replace(CUT, overviews=1, inner=0, tilt=0.0, overhang=0.0)
    picture = torch.rand(1, 3, 32, 32)
    assert torch.allclose(views(picture, cut, 32, random()), picture, atol=1e-5)


@pytest.mark.parametrize("is_tilted", [True, False])
def test_views_of_a_turned_picture_are_those_of_its_mirror_image(is_tilted: bool):
    picture, cut = torch.rand(1, 3, 90, 160), replace(CUT, is_tilted=is_tilted, tilt=0.0)
    turned = views(picture, replace(cut, is_turned=True), 32, random())
    assert torch.allclose(turned, views(picture, cut, 32, random()).flip(3), atol=1e-5)


@pytest.mark.parametrize("is_mirrored", [True, False])
def test_views_that_are_not_tilted_are_those_of_no_tilt(is_mirrored: bool):
    cut, picture = replace(CUT, tilt=0.0, is_mirrored=is_mirrored), torch.rand(1, 3, 90, 160, requires_grad=True)
    seen = [views(picture, replace(cut, is_tilted=is_tilted), 32, random()) for is_tilted in (True, False)]
    pulls = [torch.autograd.grad((found**2).sum(), picture)[0] for found in seen]
    assert torch.allclose(*seen, atol=1e-5) and torch.allclose(*pulls, atol=1e-4)
    assert not Cut.of(Look().with_values({"perspective": 0.0}), 4).is_tilted
    assert Cut.of(Look().with_values({"perspective": 0.1}), 4).is_tilted


def test_overviews_are_as_tall_as_the_picture():
    boxes = boxes_by(
        Chance.of(replace(CUT, overviews=100, inner=0), random()), replace(CUT, overviews=100, inner=0), 90, 160
    )
    assert torch.allclose(boxes[:, 3] - boxes[:, 1], torch.tensor(2.0))


def test_every_pixel_is_seen_within_a_second_of_frames():
    picture = torch.zeros(1, 3, 90, 160, requires_grad=True)
    source = random()
    for _ in range(30):
        views(picture, CUT, 64, source).sum().backward()
    seen = picture.grad[0, 0]
    assert (seen > 0).all()
    border = torch.cat([seen[:4].flatten(), seen[-4:].flatten(), seen[:, :4].flatten(), seen[:, -4:].flatten()])
    assert border.mean() > 0.35 * seen[30:60, 60:100].mean()


def test_no_pixel_is_left_out_of_an_overview_of_a_fine_canvas():
    picture = torch.zeros(1, 3, 360, 640, requires_grad=True)
    cut = replace(CUT, overviews=1, inner=0, tilt=0.0, overhang=0.0)
    views(picture, cut, 64, random()).sum().backward()
    columns = picture.grad[0, 0].sum(dim=0)
    lit = columns[columns > 0.01 * columns.max()][8:-8]
    assert len(lit) > 330 and lit.min() > 0.2 * lit.max()


def test_the_same_seed_cuts_the_same_views():
    picture = torch.rand(1, 3, 90, 160)
    assert torch.equal(views(picture, CUT, 32, random(4)), views(picture, CUT, 32, random(4)))


@pytest.mark.parametrize(
    ("height", "width", "seen"),
    [(144, 256, (72, 128)), (576, 1024, (72, 128)), (80, 80, (70, 70)), (70, 70, (70, 70)), (145, 257, (70, 125))],
)
def test_a_picture_is_looked_at_about_as_finely_as_views_are(height: int, width: int, seen: tuple[int, int]) -> None:
    whole = Cut(overviews=4, inner=0, low=1.0, high=1.0, tilt=0.0, overhang=0.0, is_mirrored=True)
    down = torch.linspace(0, 1, height)[:, None].expand(1, 3, height, width)
    found = averaged(down, whole, 64)
    assert tuple(found.shape[-2:]) == pytest.approx(seen, abs=2)
    assert found.mean().item() == pytest.approx(0.5, abs=0.01) and found[0, 0, :, 0].diff().min() > 0
