"""How the engine spoils a picture: from crisp targets (n, 3, 2s, 2s) to canvases (n, 3, s, s), all in 0..1."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.training.patterns import Chance

REACH = 8
"""Pixels to each side that a blur takes in."""
HAZE = 3.0
"""Deviation, in pixels of the canvas, of the blur that what the engine left on a picture is measured against."""


def spoiled(targets: Tensor, left: Tensor, chance: Chance) -> Tensor:
    """Canvases of these targets: soft, fringed, speckled, and marked with what the engine `left` (n, 3, s, s)."""
    n = len(targets)
    softness = chance.between(0, 1, n, 1) ** 1.3 * 2.8 + 0.3
    # Each colour is a little softer than another and a little beside it: that is what fringes are.
    fringe = (chance.between(0, 1, n, 1) < 0.5) * chance.between(0, 1, n, 1)
    widths = softness * (1 + 0.25 * fringe * chance.normal(n, 3)).clamp(0.5, 1.6)
    shifts = fringe[..., None] * chance.normal(n, 3, 2) * 0.5
    canvas = blurred(F.avg_pool2d(targets, 2), widths, shifts)
    amount = chance.between(-0.4, 1.3, n, 1, 1, 1).clamp(0)
    return (canvas + left * amount + speckle(canvas, chance)).clamp(0, 1)


def blurred(pictures: Tensor, widths: Tensor, shifts: Tensor) -> Tensor:
    """Each colour of each picture under its own bell curve, deviations (n, 3) and shifts (n, 3, 2) in pixels."""
    n, channels, height, width = pictures.shape
    at = torch.arange(-REACH, REACH + 1, device=pictures.device, dtype=pictures.dtype)
    bells = torch.exp(-0.5 * ((at - shifts[..., None]) / widths[..., None, None]) ** 2)
    bells = (bells / bells.sum(-1, keepdim=True)).flatten(0, 1)
    rows = F.pad(pictures.reshape(1, n * channels, height, width), (REACH,) * 4, mode="replicate")
    rows = F.conv2d(rows, bells[:, 0, None, :, None], groups=n * channels)
    return F.conv2d(rows, bells[:, 1, None, None, :], groups=n * channels).view(n, channels, height, width)


def speckle(like: Tensor, chance: Chance) -> Tensor:
    """Noise of pixels and of soft blots up to eight pixels wide, half of it the same in all colours, (n, 3, s, s)."""
    n, _, height, width = like.shape
    total = torch.zeros_like(like)
    for octave, most in enumerate((0.07, 0.06, 0.05, 0.03)):
        side = (-(-height // 2**octave), -(-width // 2**octave))
        grey = chance.between(0, 1, n, 1, 1, 1)
        layer = chance.normal(n, 1, *side) * grey.sqrt() + chance.normal(n, 3, *side) * (1 - grey).sqrt()
        layer = F.interpolate(layer, (height, width), mode="bicubic", align_corners=False) if octave else layer
        total = total + layer * chance.between(0, 1, n, 1, 1, 1) ** 3 * most
    return total


def traces(scenes: Tensor, captions: Sequence[str], seed: int) -> Tensor:
    """What the engine leaves on these scenes (n, 3, 2s, 2s) when it paints on them: (n, 3, s, s), about -0.3..0.3.

    It starts from each softened scene and paints a few frames of a caption; only what is finer than `HAZE` counts,
    for coarser changes are the picture and not its noise.
    """
    from engine.guides.loading import load_guide
    from engine.parameters import Look
    from engine.picture import as_picture, as_rgb
    from engine.step import Engine

    chance, found = Chance(seed, "cpu"), []
    size = scenes.shape[-1] // 2
    look = Look().with_values({"canvas_width": size, "canvas_height": size, "denoise": 0.0, "governor": False})
    engine = Engine([load_guide("shipped", torch.device("cpu"))], torch.device("cpu"), seed, is_live=False)
    for number, scene in enumerate(scenes):
        small = F.avg_pool2d(scene[None], 2)
        small = blurred(small, chance.between(0.3, 1.5, 1, 1).expand(1, 3), torch.zeros(1, 3, 2))
        engine.start_from(as_rgb(small))
        heat = float(chance.between(20, 90, 1))
        asked = look.with_values({"temperature": heat, "prompt_1": captions[number % len(captions)], "weight_1": 1.0})
        for _ in range(int(chance.below(3, 1)) + 2):
            painted = engine.paint(asked)
        found.append(_unlike(_fine(as_picture(painted, torch.device("cpu")) - small), _fine(small)))
    engine.close()
    return torch.cat(found)


def _fine(change: Tensor) -> Tensor:
    wide = torch.full((len(change), 3), HAZE)
    return change - blurred(change, wide, torch.zeros(len(change), 3, 2))


def _unlike(change: Tensor, content: Tensor) -> Tensor:
    """The change without the share of it that only gives the picture more or less contrast."""
    share = (change * content).sum((2, 3), keepdim=True) / content.square().sum((2, 3), keepdim=True).clamp(min=1e-6)
    return change - share * content
