"""Denoisers: what is done to a finished picture before it is shown. One signature for all of them."""

from collections.abc import Callable

from torch import Tensor

from engine.denoise.edges import keep_edges

Denoiser = Callable[[Tensor, float], Tensor]
"""(picture (1, 3, h, w) in 0..1, strength 0..1) to a picture of the same size; strength 0 changes nothing."""


def keep_all(picture: Tensor, strength: float) -> Tensor:
    """The picture itself."""
    return picture


DENOISERS: dict[str, Denoiser] = {"edges": keep_edges, "none": keep_all}
"""One denoiser for each choice of the parameter `denoiser`."""
