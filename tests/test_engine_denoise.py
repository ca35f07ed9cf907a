"""The edge-preserving filter smooths surfaces and leaves outlines where they are."""

import pytest
import torch

from engine.denoise import DENOISERS
from engine.denoise.edges import crisp, keep_edges


def half_and_half(noise: float) -> torch.Tensor:
    picture = torch.full((1, 3, 120, 160), 0.2)
    picture[..., 80:] = 0.8
    return (picture + noise * torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def test_noise_on_a_surface_goes():
    assert keep_edges(half_and_half(0.05), 1.0)[..., 10:70].std() < 0.4 * half_and_half(0.05)[..., 10:70].std()


def test_an_outline_stays():
    smooth = keep_edges(half_and_half(0.0), 1.0)
    assert (smooth[..., 82:84] - smooth[..., 76:78]).mean() > 0.85 * 0.6


@pytest.mark.parametrize("name", list(DENOISERS))
def test_strength_zero_changes_nothing(name: str):
    picture = half_and_half(0.1)
    assert torch.equal(DENOISERS[name](picture, 0.0), picture)


@pytest.mark.parametrize("name", list(DENOISERS))
@pytest.mark.parametrize("size", [(64, 64), (91, 163), (64, 400)])
def test_any_size_keeps_its_size_and_range(name: str, size: tuple[int, int]):
    picture = torch.rand(1, 3, *size)
    found = DENOISERS[name](picture, 1.0)
    assert found.shape == picture.shape
    assert found.min() >= 0.0 and found.max() <= 1.0


def test_a_flat_picture_stays_as_it_is():
    flat = torch.full((1, 3, 90, 160), 0.37)
    assert torch.allclose(keep_edges(flat, 1.0), flat, atol=1e-4)


def test_a_soft_outline_becomes_steeper_without_halos():
    soft = torch.full((1, 3, 90, 160), 0.3)
    soft[..., 80:] = 0.7
    soft = torch.nn.functional.avg_pool2d(soft, (1, 9), stride=1, padding=(0, 4), count_include_pad=False)
    sharp = crisp(soft, 1.0)
    assert sharp.diff(dim=-1).max() > 1.5 * soft.diff(dim=-1).max()
    assert sharp.min() >= 0.3 - 1e-6 and sharp.max() <= 0.7 + 1e-6


def test_no_pixel_leaves_the_range_of_its_neighbours():
    picture, reach = torch.rand(1, 3, 160, 90), 2
    sharp = crisp(picture, 1.0)
    brightest = torch.nn.functional.max_pool2d(picture, 2 * reach + 1, stride=1, padding=reach)
    darkest = -torch.nn.functional.max_pool2d(-picture, 2 * reach + 1, stride=1, padding=reach)
    assert (sharp <= brightest).all() and (sharp >= darkest).all()
    assert torch.equal(sharp.amax(), brightest.amax())
