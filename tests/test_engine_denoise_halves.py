"""Two halves side by side are the same picture as one whole."""

import threading

import pytest
import torch

from engine.denoise.clean import REACH, STRIDE, cleaned, load_clean
from engine.denoise.halves import Halves


@pytest.mark.parametrize("size", [(144, 256), (91, 163), (64, 64)])
@pytest.mark.parametrize("scale", [1, 2])
def test_no_pixel_differs(size: tuple[int, int], scale: int):
    net = load_clean()
    whole = lambda picture, strength, scale: cleaned(net, picture, strength, scale)  # noqa: E731
    picture = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        found, wanted = Halves(whole, REACH, STRIDE)(picture, 0.7, scale), whole(picture, 0.7, scale)
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() < 1e-5


def test_the_halves_are_made_by_two_threads_and_a_small_picture_by_one():
    seen = []

    def work(picture: torch.Tensor, strength: float, scale: int) -> torch.Tensor:
        seen.append((threading.get_ident(), torch.is_grad_enabled()))
        return picture

    halves = Halves(work, reach=8, step=4)
    with torch.no_grad():
        halves(torch.rand(1, 3, 16, 64), 1.0, 1)
    assert len(dict(seen)) == 2 and not any(has_grad for _, has_grad in seen)
    seen.clear()
    halves(torch.rand(1, 3, 16, 24), 1.0, 1)
    assert len(seen) == 1


@pytest.mark.parametrize("is_left", [True, False])
def test_what_fails_in_either_half_is_raised(is_left: bool):
    def work(picture: torch.Tensor, strength: float, scale: int) -> torch.Tensor:
        if (picture[0, 0, 0, 0] == 1.0) == is_left:
            raise RuntimeError("cannot compute")
        return picture

    picture = torch.zeros(1, 3, 16, 64)
    picture[..., :32] = 1.0
    picture[..., 24:32] = 0.0
    with pytest.raises(RuntimeError, match="cannot compute"):
        Halves(work, reach=8, step=4)(picture, 1.0, 1)
