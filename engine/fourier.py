"""A canvas of waves: a picture changed through its spectrum, in colours that vary independently of each other.

Written from Mordvintsev, Pezzotti, Schubert & Olah, "Differentiable Image Parameterizations" (Distill, 2018).
"""

import torch
from torch import Tensor

from engine.motion import Warp

COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.0, -0.05), (0.27, -0.09, 0.03))
"""Red, green and blue of the three independent colour directions of photographs: the square root of the correlation of
ImageNet's colours, as that article's code (tensorflow/lucid, Apache 2.0) gives it."""
DECAY = 1.5
"""Power of the wavelength by which waves weigh. Natural pictures have 1; an optimiser that moves every wave alike
fills them with speckle then."""
REACH = 6.0
"""How far a step moves the waves. With 4 a change of prompt takes a third longer than on the pyramid; with 14 there is
speckle again."""


class Fourier:
    """A picture changed through waves of every direction and length. Owns the spectrum, its leaf.

    As in the pyramid the leaf is the *change* of one step and returns to zero once it is added to the picture, which
    is clamped then: nothing saturates, and the picture can be moved or replaced.
    """

    def __init__(self, picture: Tensor) -> None:
        self._picture = picture.detach().clamp(0.0, 1.0).clone()
        self._gains = _gains(*picture.shape[-2:]).to(picture.device)[..., None]
        colours = torch.tensor(COLOURS, device=picture.device)
        self._colours = colours / colours.norm(dim=0).max()
        shape = (1, 3, *self._gains.shape[:2], 2)
        self._waves = torch.zeros(shape, device=picture.device, requires_grad=True)

    def parameters(self) -> list[Tensor]:
        """The spectrum, (1, 3, h, w // 2 + 1, 2): real and imaginary parts of the three colour directions."""
        return [self._waves]

    def draw(self) -> Tensor:
        """The picture plus the waves."""
        return self._picture + self._drawn(self._waves * self._gains)

    def at_rest(self) -> Tensor:
        """The picture plus the waves, which are zero; drawn all the same, for their gradient."""
        return self.draw()

    def settle(self) -> None:
        """Add the waves to the picture, keep it in 0..1, and start them from zero again."""
        with torch.no_grad():
            torch.clamp(self.draw(), 0.0, 1.0, out=self._picture)
            self._waves.zero_()

    def become(self, picture: Tensor) -> None:
        """Show this picture from now on."""
        with torch.no_grad():
            self._picture.copy_(picture.clamp(0.0, 1.0))
            self._waves.zero_()

    def carry(self, mean: Tensor, square: Tensor, warp: Warp) -> tuple[Tensor, Tensor]:
        """An optimiser's memory of the leaf, moved: its mean as a picture; its squares are the same wherever it is."""
        height, width = self._picture.shape[-2:]
        seen = torch.fft.irfft2(torch.view_as_complex(mean / self._gains), s=(height, width), norm="ortho")
        moved = torch.fft.rfft2(warp.memory(seen)[0], norm="ortho")
        return torch.view_as_real(moved) * self._gains, square

    def _drawn(self, waves: Tensor) -> Tensor:
        height, width = self._picture.shape[-2:]
        independent = torch.fft.irfft2(torch.view_as_complex(waves), s=(height, width), norm="ortho")
        return torch.einsum("rc,nchw->nrhw", self._colours, independent)


def _gains(height: int, width: int) -> Tensor:
    """The weight of each wave, (h, w // 2 + 1), their mean square REACH squared."""
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :]
    weights = torch.hypot(down, across).clamp(min=1.0 / max(height, width)) ** -DECAY
    return REACH * weights / weights.square().mean().sqrt()
