"""The edge-preserving filter smooths surfaces and leaves outlines where they are."""

import pytest
import torch

from engine.denoise import DENOISERS
from engine.denoise.edges import keep_edges


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
