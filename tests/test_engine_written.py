"""The step that torch's compiler can take whole against the one that autograd finds, made, recorded and compiled."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from engine.aim import Aim, toward
from engine.canvas import Pyramid, cloud_picture
from engine.goals import Goals
from engine.guides.colours import colour_guide
from engine.guides.guide import Guide
from engine.guides.loading import load_guide
from engine.optimiser import make_optimiser
from engine.parameters import Look
from engine.recording import WARM_UPS, Recording, Step
from engine.steps import Steps
from engine.temperature import CALM, LAWS
from engine.written import fits

CPU = torch.device("cpu")
NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = [CPU, pytest.param(torch.device("cuda"), marks=NO_CUDA)]
RATE, MADE = 0.05, WARM_UPS + 4
LOOK = Look(line="a red heart on white", next_line="starry night", blend=0.3).with_values({"crops": 4})
LOOKS = {
    "plain": {},
    "spherical": {"distance": "spherical"},
    "pushed away": {"prompt_1": "fire", "weight_1": -0.6, "distance": "spherical"},
    "parts": {"prompt_1": "fire", "weight_1": 1.0, "region_1": "left", "prompt_2": "snow", "region_2": "top"},
    "tilted, white beyond": {"perspective": 0.3, "beyond": "white"},
    "restless": {"temperature": 90.0, "smoothness": 0.0},
}
SIZES = {"at its size": (72, 128), "halved": (180, 320), "resampled": (120, 300), "odd": (73, 131)}


def record(step: Step, generators: Sequence[torch.Generator]) -> Recording:
    class Played:
        def replay(self) -> None:
            step()

    return Played()


def painted(
    look: Look, device: torch.device, size: tuple[int, int], steps: Callable[[torch.Generator], Steps]
) -> Tensor:
    """The picture some steps on, the look one that moves."""
    guide = load_guide("shipped", device)
    random = torch.Generator(device).manual_seed(3)
    canvas = Pyramid(cloud_picture(*size, random))
    previous, optimiser = canvas.picture.flip(-1), make_optimiser(canvas.parameters(), True, "level")
    made, goal = steps(random), Goals([guide], waits=True).of(look)[0]
    for turn in range(MADE):
        aim = Aim(look, LAWS["live"](look, CALM), look.whole("crops"), ((guide, goal),), previous, turn=turn)
        made.make(canvas, optimiser, toward(aim, 0), RATE)
    return canvas.picture.detach().cpu().clone()


def by_autograd(monkeypatch: pytest.MonkeyPatch, look: Look, device: torch.device, size: tuple[int, int]) -> Tensor:
    with monkeypatch.context() as patch:
        patch.setattr("engine.steps.fits", lambda _: False)
        return painted(look, device, size, lambda random: Steps(random, record))


def apart(one: Tensor, other: Tensor, start: Tensor) -> float:
    """How far apart two pictures are, as a share of the way that they came."""
    way = (other - start).abs().mean()
    assert way > 0.01
    return float((one - other).abs().mean() / way)


def start(device: torch.device, size: tuple[int, int]) -> Tensor:
    return cloud_picture(*size, torch.Generator(device).manual_seed(3)).cpu()


@pytest.mark.parametrize("device", DEVICES, ids=str)
@pytest.mark.parametrize("name", LOOKS)
def test_it_leads_where_autograd_does(monkeypatch: pytest.MonkeyPatch, name: str, device: torch.device) -> None:
    look, size = LOOK.with_values(LOOKS[name]), SIZES["at its size"]
    found = painted(look, device, size, lambda random: Steps(random, record))
    assert apart(found, by_autograd(monkeypatch, look, device, size), start(device, size)) < 0.02


@pytest.mark.parametrize("device", DEVICES, ids=str)
def test_it_does_so_for_a_picture_beside_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device: torch.device
) -> None:
    path, size = tmp_path / "halves.png", SIZES["at its size"]
    Image.fromarray(np.repeat([[[255, 0, 0], [0, 0, 255]]], 40, axis=1).repeat(50, axis=0).astype(np.uint8)).save(path)
    look = LOOK.with_values({"prompt_picture": str(path)})
    found = painted(look, device, size, lambda random: Steps(random, record))
    assert apart(found, by_autograd(monkeypatch, look, device, size), start(device, size)) < 0.02


@pytest.mark.parametrize("name", SIZES)
def test_it_does_so_for_pictures_of_any_size(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    size = SIZES[name]
    found = painted(LOOK, CPU, size, lambda random: Steps(random, record))
    assert apart(found, by_autograd(monkeypatch, LOOK, CPU, size), start(CPU, size)) < 0.02


def test_what_it_does_not_know_is_left_to_autograd() -> None:
    guide = load_guide("shipped", CPU)
    assert fits(toward(an_aim(LOOK, guide), 0))
    assert not fits(toward(an_aim(LOOK.with_values({"brightness_pull": 0.5}), guide), 0))
    assert not fits(toward(an_aim(replace(LOOK, line="", next_line=""), guide), 0))
    assert not fits(toward(an_aim(replace(LOOK, line="red", next_line=""), colour_guide(CPU)), 0))


def an_aim(look: Look, guide: Guide) -> Aim:
    goal = Goals([guide], waits=True).of(look)[0]
    return Aim(look, LAWS["live"](look, CALM), 4, ((guide, goal),), None)
