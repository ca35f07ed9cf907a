"""What a generator learns against, and its losses (Zhu et al. 2017; Isola et al. 2017 for the judge)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.denoise.cyclegan import Generator

CYCLE = 10.0
"""Weight λ of coming back to the same picture, next to deceiving the judge."""
IDENTITY = 0.5
"""Weight, times λ, of leaving alone what already is as wanted: 5 next to deceiving the judge (section 5.2)."""
POOLED = 50
"""Generated pictures remembered for the judge, so that it does not forget what it saw through before (section 4)."""
SPREAD = 0.02
"""Deviation of the normal distribution that weights start from."""


class Judge(nn.Module):
    """Says of each patch of 70×70 how much it looks like a real one: pictures (n, 3, h, w) to (n, 1, h/8, w/8), about.

    Five convolutions of 4×4, three of them halving the size; wanted are 1 for real and 0 for generated ones.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for wide, stride in ((width, 2), (2 * width, 2), (4 * width, 1)):
            conv = nn.Conv2d(wide, 2 * wide, 4, stride=stride, padding=1)
            layers += [conv, nn.InstanceNorm2d(2 * wide), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, padding=1))

    def forward(self, pictures: Tensor) -> Tensor:
        """How real each patch looks."""
        return self.model(pictures)  # type: ignore[no-any-return]


class Pool:
    """Generated pictures of earlier steps. Owns them."""

    def __init__(self, kept: list[Tensor] | None = None) -> None:
        self.kept = kept or []

    def exchange(self, fresh: Tensor, source: torch.Generator) -> Tensor:
        """As many pictures (n, 3, h, w): half of the time the fresh one, else an earlier one it takes the place of."""
        shown = []
        for picture in fresh.detach():
            if len(self.kept) < POOLED:
                self.kept.append(picture)
            elif torch.rand((), generator=source) < 0.5:
                place = int(torch.randint(POOLED, (), generator=source))
                self.kept[place], picture = picture, self.kept[place]  # noqa: PLW2901 - they change places
            shown.append(picture)
        return torch.stack(shown)


def begin(net: nn.Module) -> None:
    """Draw the weights of every convolution from N(0, 0.02), biases 0."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, SPREAD)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def deceived(judge: Judge, generated: Tensor) -> Tensor:
    """Least squares of the judge's verdict from "real" (Mao et al. 2017)."""
    wrong: Tensor = (judge(generated) - 1.0).square().mean()
    return wrong


def misjudged(judge: Judge, real: Tensor, generated: Tensor) -> Tensor:
    """The judge's least squares from the truth, halved so that it learns at half the generators' pace."""
    wrong: Tensor = 0.5 * ((judge(real) - 1.0).square().mean() + judge(generated).square().mean())
    return wrong


def returned(there: Generator, back: Generator, real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What `there` makes of the real; how far `back` misses the real from it; how much `back` changes the real."""
    made = there(real)
    return made, F.l1_loss(back(made), real), F.l1_loss(back(real), real)


def rate_at(step: int, steps: int, rate: float) -> float:
    """The learning rate: constant for the first half of the steps, then linear to zero."""
    return rate * min(1.0, 2.0 * (steps - step) / steps)
