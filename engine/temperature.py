"""What a temperature of 0..100 means for one frame: how it starts, how hard it is held, how fast it may change."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.canvas import cloud_noise
from engine.kernels.loading import array, kernels_for
from engine.parameters import Look

MOST_HASTE = 3.0
"""Steps grow no further than so, however few are made; larger ones would overshoot."""
LINGER = 0.85
"""How much of a frame's clouds is still there in the next one's."""


@dataclass(frozen=True, slots=True)
class Heat:
    """One frame's share of the temperature."""

    hold: float
    """Weight w_c of staying like the frame before."""
    squish: float
    """What the frame before is divided by, counted from `middle`."""
    middle: float
    """The value that division leaves as it is."""
    noise: float
    """Deviation of the noise added to it."""
    pace: float
    """Factor on the learning rate."""
    is_cloudy: bool
    """Noise soft, coarse and drifting (True) or of every pixel and frame alone (False)."""


@dataclass(frozen=True, slots=True)
class Stir:
    """What besides the look bears on a frame."""

    unrest: float = 0.0
    """How much the prompts are changing, 0..1."""
    effort: float = 1.0
    """Share of the asked steps that are made, above 0."""
    delay: float = 1.0
    """Time since the frame before, as a multiple of what `engine_fps` allows."""


CALM = Stir()


def paper(look: Look, stir: Stir) -> Heat:
    """The authors' law (Schaldenbrand 2022): w_c = s(1 - T/100) with s = 4; z becomes z / (4T/100 + 2) + N(0, 1).

    `stir` changes nothing here.
    """
    share = _share(look)
    return Heat(
        hold=look.number("stability") * (1.0 - share),
        squish=4.0 * share + 2.0,
        middle=0.0,
        noise=look.number("noise"),
        pace=1.0,
        is_cloudy=False,
    )


def live(look: Look, stir: Stir) -> Heat:
    """Almost still at 0, lively at 100, and livelier for a moment after a change of prompt.

    Every frame gives some of its contrast up: what no prompt upholds any more is gone within a second, and nothing is
    driven ever further into pure colours. With fewer steps it gives up less, as less is put in its place.
    While prompts change, larger steps make up for missing ones, so that they take hold as soon on a slow machine.
    """
    share = _share(look)
    unrest = stir.unrest * min(1.0, share / 0.2)
    haste = min(MOST_HASTE, max(1.0, stir.delay / stir.effort))
    share += 0.6 * unrest * (1.0 - share)
    return Heat(
        # The text's gradients add up to about 0.15 over a picture, those of the hold to its weight.
        hold=0.1 * look.number("stability") * (1.0 - share) ** 2,
        squish=(1.0 - 0.3 * share) ** -stir.effort,
        middle=0.5,
        noise=look.number("noise") * share**1.5,
        pace=(0.03 + share) * (1.0 + (2.0 * haste - 1.0) * unrest),
        is_cloudy=True,
    )


LAWS: dict[str, Callable[[Look, Stir], Heat]] = {"live": live, "paper": paper}
"""One law (look, stir) for each choice of the parameter `temperature_law`."""


class Noise:
    """What is added between frames. Owns the clouds that drift through a live picture."""

    def __init__(self, generator: torch.Generator) -> None:
        self._random = generator
        self._clouds: Tensor | None = None

    def next(self, height: int, width: int, is_cloudy: bool) -> Tensor:
        """Noise of deviation 1, (1, 3, h, w): of every pixel and frame alone, or clouds like the last frame's."""
        if not is_cloudy:
            return torch.randn(1, 3, height, width, generator=self._random, device=self._random.device)
        fresh = cloud_noise(height, width, self._random)
        if self._clouds is None or self._clouds.shape != fresh.shape:
            self._clouds = fresh
        # Clouds that come anew with every frame would flicker; these push the same way for half a second.
        self._clouds = mixed(self._clouds, fresh, LINGER, (1.0 - LINGER**2) ** 0.5)
        return self._clouds


def mixed(picture: Tensor, other: Tensor, kept: float, added: float) -> Tensor:
    """kept picture + added other, in the picture's place if it can be."""
    if (kernels := kernels_for(picture, other)) is None:
        return kept * picture + added * other
    kernels.mix(array(picture), array(other), kept, added)
    return picture


def next_start(picture: Tensor, heat: Heat, noise: Noise) -> Tensor:
    """What the next frame is optimised from: the carried picture divided, plus noise; (1, 3, h, w), not clamped."""
    kept = (picture / heat.squish).add_(heat.middle * (1.0 - 1.0 / heat.squish))
    if heat.noise == 0.0:
        return kept
    return mixed(kept, noise.next(picture.shape[-2], picture.shape[-1], heat.is_cloudy), 1.0, heat.noise)


def _share(look: Look) -> float:
    return look.number("temperature") * look.number("temperature_scale") / 100.0
