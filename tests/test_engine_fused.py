"""Kernels fused for a GPU compute what torch does, are compiled for one, and paint only after they were tried.

Where there is no GPU Triton's interpreter runs them: see conftest.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

pytest.importorskip("triton", reason="Triton comes with torch for NVIDIA GPUs")

from engine import trial
from engine.aim import Aim, toward
from engine.canvas import Pyramid, cloud_picture
from engine.fused.loading import Kernels, adopt, fused_for, offer
from engine.goals import Goals
from engine.guides.guide import Guide
from engine.guides.loading import load_guide
from engine.optimiser import make_optimiser
from engine.parameters import Look
from engine.step import Engine
from engine.steps import Steps
from engine.temperature import CALM, LAWS
from tests.test_engine_compiled import NoGraphs, apart, played
from tests.test_guide_vit import MEAN, STD, Model, tower

HAS_CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if HAS_CUDA else "cpu")
NO_CUDA = pytest.mark.skipif(not HAS_CUDA, reason="no CUDA device")
LOOK = Look(line="a red heart on white", next_line="starry night", blend=0.3).with_values({"crops": 4})
LOOKS = {
    "plain": {},
    "parts": {"prompt_1": "fire", "weight_1": 1.0, "region_1": "left", "prompt_2": "snow", "region_2": "top"},
    "tilted, pushed away": {"prompt_1": "fire", "weight_1": -0.6, "perspective": 0.3, "distance": "cosine"},
    "turned, no terms": {"reroll": 1, "smoothness": 0.0, "temperature": 100.0},
    "overviews alone": {"overview": 1.0},
}


@pytest.fixture(autouse=True)
def none_stay() -> Iterator[None]:
    yield
    offer(None, torch.device("cuda"))
    adopt()


def is_there() -> bool:
    """Whether there are kernels in the next step."""
    adopt()
    return fused_for(torch.zeros(1, device=DEVICE)) is not None


@pytest.mark.parametrize("size", [(24, 40), (25, 43)])
def test_each_computes_what_torch_does(size: tuple[int, int]) -> None:
    with torch.no_grad():
        found = [trial._apart(*pair) for pair in trial._pairs(Kernels.load(), size, DEVICE)]
    assert len(found) > 15 and all(each < 1e-5 for each in found)


def painted(look: Look, guide: Guide, kernels: Kernels | None, count: int = 2) -> tuple[Tensor, Tensor]:
    """The picture some steps on, and before them."""
    random = torch.Generator(DEVICE).manual_seed(3)
    canvas = Pyramid(cloud_picture(14, 24, random))
    start, optimiser = canvas.picture.clone(), make_optimiser(canvas.parameters(), True, "level")
    offer(kernels, DEVICE)
    steps, goal = Steps(random, None if HAS_CUDA else played), Goals([guide], waits=True).of(look)[0]
    is_turned = look.whole("reroll") % 2 == 1
    aim = Aim(look, LAWS["live"](look, CALM), 4, ((guide, goal),), start.flip(-1), is_turned=is_turned)
    for _ in range(count):
        steps.make(canvas, optimiser, toward(aim, 0), 0.05)
    assert ("fused" in str(list(steps._recorder._runs))) == (kernels is not None)
    return canvas.picture.detach().cpu(), start.cpu()


@pytest.mark.parametrize("name", LOOKS)
def test_steps_lead_where_they_did(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("engine.guides.frozen.Shelf", NoGraphs)
    look, guide = LOOK.with_values(LOOKS[name]), load_guide("shipped", DEVICE)
    found, start = painted(look, guide, Kernels.load())
    assert apart(found, painted(look, guide, None)[0], start) < (0.05 if HAS_CUDA else 1e-3)


def test_they_do_so_with_a_transformer() -> None:
    def words(_texts: object) -> Tensor:
        return torch.ones(1, 4).long()

    model = Model(tower(output_dim=24).to(DEVICE))
    model.encode_text = lambda ids: torch.eye(24, device=DEVICE)[: len(ids)]  # type: ignore[attr-defined]
    guide = Guide("small", model, words, MEAN, STD, 32, DEVICE)
    look = replace(LOOK, next_line="")
    found, start = painted(look, guide, Kernels.load())
    assert apart(found, painted(look, guide, None)[0], start) < 1e-3


def test_only_those_that_were_tried_paint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SIZES", ((12, 20),))
    monkeypatch.setattr(trial, "LENGTHS", (24,))
    assert trial.try_now(DEVICE) == ""
    x = torch.zeros(1, device=DEVICE)
    assert fused_for(x) is None and is_there(), "a step that has begun goes on as it began"
    for wrong in (1.0, float("nan")):
        made = replace(Kernels.load(), agreed=lambda seen, *_, wrong=wrong: seen * wrong)
        monkeypatch.setattr(Kernels, "load", classmethod(lambda _, made=made: made))
        assert "away from what torch does" in trial.try_now(DEVICE) and not is_there()


def test_without_triton_torch_computes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: object) -> Kernels:
        raise ModuleNotFoundError("No module named 'triton'")

    monkeypatch.setattr(Kernels, "load", classmethod(missing))
    assert trial.try_now(DEVICE) == "No module named 'triton'" and not is_there()


def test_what_is_no_number_stays_none_so_that_it_is_seen_and_mended() -> None:
    picture, gradient = torch.full((1, 3, 12, 20), 0.5, device=DEVICE), torch.zeros(1, 3, 12, 20, device=DEVICE)
    gradient[0, 0, 3, 3] = float("nan")
    levels = [torch.zeros(1, 3, 6, 10, device=DEVICE), torch.zeros(1, 3, 12, 20, device=DEVICE)]
    memory = levels, [each.clone() for each in levels], torch.ones(2, device=DEVICE)
    Kernels.load().move(picture, gradient, *memory, (1.0, 0.5), (0.85, 0.97), torch.tensor(0.05, device=DEVICE))
    assert not bool(torch.isfinite(picture.sum()))


@NO_CUDA
def test_a_device_that_is_not_the_current_one_has_none() -> None:
    assert "not the device" in trial.try_now(torch.device("cuda:7"))


def test_each_is_compiled_for_an_h200_without_one() -> None:
    """By Triton and NVIDIA's assembler, in a process that interprets nothing."""
    script = Path(__file__).parent / "rigs" / "compile_fused.py"
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    kernels = {line.split()[0] for line in done.stdout.splitlines()}
    assert kernels == {
        "_terms",
        "_sights",
        "_agreed",
        "_ahead",
        "_back",
        "_take_up",
        "_move",
        "_attend",
        "_attend_back",
    }


@NO_CUDA
@pytest.mark.parametrize(("mode", "is_fused"), [("", True), ("none", False)])
def test_an_engine_fuses_unless_nothing_is_to_be(mode: str, is_fused: bool) -> None:
    engine = Engine([load_guide("shipped", DEVICE)], DEVICE, 0, is_live=False, compile_mode=mode)
    assert is_there() == is_fused
    engine.close()
