"""What temperature promises: how much the picture changes from frame to frame."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from engine.guides.guide import Guide
from engine.guides.loading import load_guide
from engine.parameters import Look
from engine.step import Engine
from engine.temperature import CALM, Stir, live

CPU = torch.device("cpu")
SMALL = Look().with_values({"canvas_width": 128, "canvas_height": 72, "governor": False})


@pytest.fixture(scope="module")
def guide() -> Guide:
    torch.set_num_threads(1)
    return load_guide("shipped", CPU)


def change_at(temperature: float, guide: Guide, text: str) -> float:
    """Mean change from frame to frame, of 255, once the picture is there."""
    engine, look = Engine([guide], CPU, 0, is_live=False), SMALL.with_values({"temperature": temperature})
    frames = [engine.paint(replace(look, line=text)).astype(float) for _ in range(34)][24:]
    return float(np.mean([np.abs(a - b).mean() for a, b in pairwise(frames)]))


@pytest.mark.parametrize("text", ["a red heart on white", "ocean waves"])
def test_the_hotter_the_livelier_almost_still_at_zero_and_eight_times_that_at_a_hundred(guide: Guide, text: str):
    changes = [change_at(temperature, guide, text) for temperature in (0.0, 25.0, 50.0, 75.0, 100.0)]
    assert all(hotter > 1.1 * cooler for cooler, hotter in pairwise(changes)), changes
    assert changes[0] < 1.0 and changes[-1] >= 8.0 * changes[0]


def test_a_cold_picture_stays_cold_while_prompts_change():
    cold, warm = (SMALL.with_values({"temperature": temperature}) for temperature in (0.0, 35.0))
    assert live(cold, Stir(unrest=1.0)) == live(cold, CALM)
    assert live(warm, Stir(unrest=1.0)).pace > 2.0 * live(warm, CALM).pace


def test_fewer_steps_give_up_less_contrast_and_are_larger_while_prompts_change():
    look = SMALL.with_values({"temperature": 35.0})
    half, whole = Stir(effort=0.5), CALM
    assert live(look, half).squish ** 2 == pytest.approx(live(look, whole).squish)
    assert live(look, half).pace == live(look, whole).pace
    assert live(look, replace(half, unrest=0.5)).pace > live(look, replace(whole, unrest=0.5)).pace
