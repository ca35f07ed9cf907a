"""Colours are held where a prompt began, and let go when it goes."""

from dataclasses import replace

import torch
from torch import Tensor

from engine.anchor import Anchor
from engine.guides.colours import colour_guide
from engine.parameters import Look
from engine.step import Engine

CPU = torch.device("cpu")
STEP_S = 0.05


def drifted(strength: float, seconds: float, way: float = 0.0) -> Tensor:
    """A picture that darkens and pales a little in every frame, after so many seconds; `way` is gone after eight."""
    anchor, picture = Anchor(), 0.3 + 0.4 * torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for n in range(round(seconds / STEP_S)):
        if n * STEP_S >= 5.0:
            picture = 0.998 * (0.5 + (picture - 0.5) * 0.998)
        picture = anchor.hold(picture, strength, way if n * STEP_S > 8.0 else 0.0, STEP_S)
    return picture


def test_an_anchored_picture_keeps_its_brightness_and_contrast():
    free, held = drifted(0.0, 30.0), drifted(0.5, 30.0)
    assert free.mean() < 0.3 and free.std() < 0.06
    assert abs(held.mean() - 0.5) < 0.08 and abs(held.std() - 0.115) < 0.025


def test_the_stronger_the_nearer():
    means = [drifted(strength, 30.0).mean().item() for strength in (0.0, 0.2, 0.5, 1.0)]
    assert means == sorted(means)


def test_another_prompt_begins_with_its_own_colours():
    assert drifted(1.0, 14.0, way=1.0).mean() < drifted(1.0, 14.0).mean() - 0.05


def test_without_strength_the_picture_is_not_touched():
    anchor, picture = Anchor(), torch.rand(1, 3, 8, 8)
    assert all(anchor.hold(picture, 0.0, 0.0, 1.0) is picture for _ in range(20))


def test_an_anchored_engine_still_follows_a_new_prompt():
    torch.set_num_threads(1)
    values = {"canvas_width": 96, "canvas_height": 64, "temperature": 50.0, "anchor": 1.0, "governor": False}
    engine, look = Engine([colour_guide(CPU)], CPU, 0, is_live=False), Look().with_values(values)
    for text in ("white", "black"):
        for _ in range(140):
            rgb = engine.paint(replace(look, line=text))
        assert (rgb.mean() > 128) == (text == "white")
