"""Loss terms about a picture's tones: its range, brightness, contrast, colourfulness and palette.

All but the range look at a picture four times smaller: what is asked for is the mood of surfaces, which no speckle
of single pixels should bring about, and it costs a sixteenth.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from engine.canvas import resized
from engine.objectives import Seen, Term, there

COARSE = 4
"""Pixels to one that is looked at, each way."""
COMFORT = 0.45
"""How far from the middle, 0.5, a value may lie before the range term holds it."""
DARK = 0.2
"""Brightness of a dark picture. Toward black the prompt would be fought to the end: black bars beside burnt shapes."""
LIGHT, LIFT = 0.7, 2.0
"""Brightness that every part of a bright picture has, and how much more it is asked for. Where the mean alone was, the
edges, which few views reach, turned into white bars."""
STARK = 0.35
"""Deviation of a picture with strong contrasts. Toward 0.5, half black and half white, a dark one grows white blots."""
VIVID = 0.4
"""Colourfulness of a picture in pure colours: the deviation between the three channels of a pixel."""
LEAST_SHARE = 1.0 / 3.0
"""How much of its share each colour of a palette is to get at least."""
SHARP = 0.03
"""Squared distance at which two colours are told apart when their shares are counted."""
FULL = 2.5
"""Factor of a pull of 1: with the shipped guide the prompt is still there, and the tone is what was asked for."""
NO_ROOT = 1e-5
"""Keeps the slope of a root finite where there is no deviation at all."""


def coarse(picture: Tensor) -> Tensor:
    """The picture (n, 3, h, w) four times smaller."""
    # Not a mean of blocks: those would be seen, as each block is pulled its own way.
    height, width = (max(1, round(side / COARSE)) for side in picture.shape[-2:])
    return resized(picture, height, width)


def range_excess(seen: Seen) -> Tensor:
    """Mean square of what lies beyond 0.05..0.95: pure white, black and full colours, and all outside 0..1."""
    return ((seen.picture - 0.5).abs() - COMFORT).clamp(min=0.0).square().mean()


def brightness_from(goal: float) -> Term:
    """Squared distance of the mean from a dark brightness; of every part from a bright one, as far as it is darker."""
    if goal < 0.5:
        return lambda seen: (seen.picture.mean() - goal).square()
    return lambda seen: LIFT * (goal - coarse(seen.picture).mean(dim=1)).clamp(min=0.0).square().mean()


def contrast_from(goal: float) -> Term:
    """Squared distance of the grey picture's deviation from this one, 0..0.5."""

    def term(seen: Seen) -> Tensor:
        grey = coarse(seen.picture).mean(dim=1)
        return ((grey.var(correction=0) + NO_ROOT).sqrt() - goal).square()

    return term


def saturation_from(goal: float) -> Term:
    """Squared distance of the mean colourfulness from this one, 0..0.47 (see `VIVID`)."""

    def term(seen: Seen) -> Tensor:
        return ((coarse(seen.picture).var(dim=1, correction=0) + NO_ROOT).sqrt().mean() - goal).square()

    return term


TONES: dict[str, tuple[Callable[[float], Term], float, float]] = {
    "brightness_pull": (brightness_from, DARK, LIGHT),
    "contrast_pull": (contrast_from, 0.0, STARK),
    "saturation_pull": (saturation_from, 0.0, VIVID),
}
"""Pulls of either sign: the term from what it goes toward, and the least and the most of that."""


def signed(weight: float, term_from: Callable[[float], Term], least: float, most: float) -> tuple[float, Term]:
    """The weight and the term of a pull that goes toward `most` when positive and toward `least` when negative."""
    return FULL * abs(weight), term_from(most if weight > 0.0 else least)


def palette_distance(seen: Seen) -> Tensor:
    """Mean squared distance of the colours to the nearest of the palette, and what its rare ones lack of their share.

    A palette is (p, 4): red, green, blue in 0..1 and the colour's share of the picture.
    """
    palette = there(seen.references.palette)
    pixels = coarse(seen.picture)[0].flatten(1).T
    nearness = -(pixels[:, None, :] - palette[None, :, :3]).square().sum(dim=2) / SHARP
    # Nearly the least distance, but without its edge: pixels between two colours would part like a staircase.
    least = -SHARP * torch.logsumexp(nearness, dim=1)
    found = torch.softmax(nearness, dim=1).mean(dim=0)
    lacking = (LEAST_SHARE - found / palette[:, 3]).clamp(min=0.0)
    return least.mean() + 0.3 * (lacking.square() * palette[:, 3]).sum()
