"""Fused kernels tried on the GPU at hand before they paint: what they compute must be what torch does."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.aim import Toward
from engine.canvas import Pyramid, uniform_noise
from engine.crops import DIALS, Chance, Cut
from engine.errors import first_line
from engine.fused.loading import Kernels, offer
from engine.objectives import NOTHING
from engine.optimiser import LIVE_BETAS, LevelAdam
from engine.written import State, add_terms, agreed, move, sights

log = logging.getLogger("engine.trial")

SIZES = ((144, 256), (45, 83))
"""Heights and widths of pictures that it is tried with: a usual canvas, and one that is odd."""
LENGTHS = (512, 768, 1152)
"""Of embeddings: those of most guides, each in a block of its own length."""
NEAR = 1e-3
"""How far apart, relatively, they may be."""


def try_beside(device: torch.device) -> None:
    """Have fused kernels as soon as they are tried; torch's operations go on meanwhile. Some seconds the first time."""
    threading.Thread(target=try_now, args=(device,), name="trial").start()  # no daemon: a compiler is not cut off


def try_now(device: torch.device) -> str:
    """Have fused kernels from now on if they compute here what torch does; why there are none, in a sentence, or ""."""
    offer(None, device)
    try:
        if device.index not in (None, torch.cuda.current_device() if device.type == "cuda" else None):
            raise RuntimeError(f"{device} is not the device that Triton starts kernels on")
        kernels = Kernels.load()
        with torch.no_grad():
            apart = [_apart(*pair) for size in SIZES for pair in _pairs(kernels, size, device)]
        if not all(each < NEAR for each in apart):  # what is no number is not near either
            raise RuntimeError(f"what they compute is {max(apart):.2g} away from what torch does")
    except Exception as err:
        log.info("trial: fused kernels cannot be used here, torch computes everything", exc_info=True)
        return first_line(err)
    offer(kernels, device)
    return ""


def _pairs(kernels: Kernels, size: tuple[int, int], device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """What each kernel computes of something random, and what torch does."""
    random = torch.Generator(device).manual_seed(0)
    yield from _of_terms(kernels, size, random)
    yield from _of_sights(kernels, size, random)
    yield from _of_agreement(kernels, random)
    yield from _of_moves(kernels, size, random)
    # Triton's interpreter does not round half the bits as a GPU does.
    for dtype in (torch.float32, torch.bfloat16) if device.type == "cuda" else (torch.float32,):
        yield from _of_norms(kernels, random, dtype)


def _of_terms(kernels: Kernels, size: tuple[int, int], random: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    picture, previous = uniform_noise(*size, random), uniform_noise(*size, random)
    previous[..., : size[1] // 2] = picture[..., : size[1] // 2]
    for names in (("smoothness", "stability"), ("smoothness",), ("stability",)):
        weights = dict(zip(names, torch.rand(len(names), generator=random, device=random.device), strict=True))
        both = [torch.zeros_like(picture) for _ in range(2)]
        for found, fused in zip(both, (kernels, None), strict=True):
            add_terms(found, picture, Toward(weights, (), "spherical", previous, NOTHING), fused)
        yield both[0], both[1]


def _of_sights(kernels: Kernels, size: tuple[int, int], random: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    dials = (torch.tensor(each, device=random.device) for each in (0.1, 0.6, 1.6, 0.25, 1.5, 0.05))
    dialled: dict[str, Any] = dict(zip(DIALS, dials, strict=True))
    tilt = torch.tensor(0.3, device=random.device)
    cut = Cut(3, 4, tilt=tilt, is_mirrored=True, is_tilted=False, grain=0.1, **dialled)
    chance = Chance.of(cut, random)
    for turned, tilted in ((False, False), (True, False), (False, True), (True, True)):
        asked = replace(cut, is_turned=turned, is_tilted=tilted)
        both = (sights(size, asked, chance, 32, fused) for fused in (kernels, None))
        yield from zip(*both, strict=True)


def _of_agreement(kernels: Kernels, random: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    for length in LENGTHS:
        seen = torch.randn(4, length, generator=random, device=random.device)
        near = torch.tensor([1.0, -1.0, 0.3, 0.0], device=random.device)[None, :, None] * seen[:, None]
        wanted = F.normalize(near + torch.randn(4, 4, length, generator=random, device=random.device), dim=-1)
        weights, counts = near.new_tensor([1.0, -0.5, 0.7, 0.0]), near.new_full((4, 4), 0.25)
        for distance in ("spherical", "cosine"):
            found, other = (agreed(seen, wanted, weights, counts, distance, fused) for fused in (kernels, None))
            yield found, other


def _of_moves(kernels: Kernels, size: tuple[int, int], random: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    canvas = Pyramid(0.4 + 0.2 * uniform_noise(*size, random))
    first = State.of(canvas, LevelAdam(canvas.parameters(), LIVE_BETAS))
    both, rate = (first, first.copied()), torch.tensor(0.02, device=random.device)
    for _ in range(2):
        gradient = uniform_noise(*size, random) - 0.4
        for state, fused in zip(both, (kernels, None), strict=True):
            move(state, gradient, rate, fused)
    yield both[0].picture - 0.5, both[1].picture - 0.5
    yield from zip((*both[0].means, *both[0].squares), (*both[1].means, *both[1].squares), strict=True)


def _of_norms(kernels: Kernels, random: torch.Generator, dtype: torch.dtype) -> Iterator[tuple[Tensor, Tensor]]:
    x, more, gradient = torch.randn(3, 50, 768, generator=random, device=random.device).to(dtype)
    weight, bias = torch.rand(2, 768, generator=random, device=random.device).to(dtype)
    wanted, mean, scale = torch.native_layer_norm(x + more, [768], weight, bias, 1e-5)
    summed = x.clone()
    found = kernels.norm_of_sum(summed, more, weight, bias, 1e-5)
    yield from zip((summed, *found), (x + more, wanted, mean, scale), strict=True)
    back = torch.ops.aten.native_layer_norm_backward(
        gradient, summed, [768], mean, scale, weight, bias, [True, False, False]
    )[0]
    yield kernels.norm_back_and_sum(gradient, summed, weight, mean, scale, more), back + more


def _apart(found: Tensor, wanted: Tensor) -> float:
    found, wanted = found.float(), wanted.float()
    return float((found - wanted).norm() / wanted.norm().clamp(min=1e-12))
