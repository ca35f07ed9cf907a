"""Pictures twice and half as large: the same numbers and gradients as torch's own."""

import pytest
import torch
import torch.nn.functional as F

from engine.canvas import Pyramid
from engine.doubling import doubled, doubled_back, halved, is_double


@pytest.mark.parametrize(("height", "width"), [(2, 2), (9, 16), (36, 64), (5, 3)])
def test_twice_as_large_is_torchs_bilinear_and_so_is_its_gradient(height: int, width: int):
    picture = torch.rand(2, 3, height, width, requires_grad=True)
    wanted = F.interpolate(picture, scale_factor=2.0, mode="bilinear", align_corners=False)
    pulled = torch.randn_like(wanted)
    (back,) = torch.autograd.grad(wanted, picture, pulled)
    assert torch.allclose(doubled(picture.detach()), wanted, atol=1e-6)
    assert torch.allclose(doubled_back(pulled), back, atol=1e-5)
    (ours,) = torch.autograd.grad(doubled(picture), picture, pulled)
    assert torch.allclose(ours, back, atol=1e-5)


def test_half_as_large_is_the_mean_of_two_by_two_and_so_is_its_gradient():
    picture = torch.rand(1, 3, 8, 12, requires_grad=True)
    wanted = F.avg_pool2d(picture, 2)
    pulled = torch.randn_like(wanted)
    (back,) = torch.autograd.grad(wanted, picture, pulled)
    (ours,) = torch.autograd.grad(halved(picture), picture, pulled)
    assert torch.allclose(halved(picture), wanted, atol=1e-6) and torch.allclose(ours, back)


def test_only_exact_doubles_are_doubled():
    assert is_double(torch.Size([1, 3, 8, 12]), torch.Size([1, 3, 4, 6]))
    assert not is_double(torch.Size([1, 3, 7, 12]), torch.Size([1, 3, 4, 6]))
    assert not is_double(torch.Size([1, 3, 2, 12]), torch.Size([1, 3, 1, 6]))


@pytest.mark.parametrize(("height", "width"), [(144, 256), (90, 161), (47, 31)])
def test_a_pyramid_of_any_size_is_drawn_as_its_gradient_says(height: int, width: int):
    canvas = Pyramid(torch.full((1, 3, height, width), 0.5))
    leaves = canvas.parameters()
    pulled = torch.randn(1, 3, height, width)
    at_rest = torch.autograd.grad(canvas.at_rest(), leaves, pulled)
    drawn = torch.autograd.grad(canvas.draw(), leaves, pulled)
    for one, other in zip(at_rest, drawn, strict=True):
        assert torch.allclose(one, other, atol=1e-3 * float(other.abs().max()))
