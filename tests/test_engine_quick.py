"""The step with its gradient written out against the one that autograd finds, for what looks may ask for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine import steps as steps_module
from engine.aim import Toward
from engine.canvas import Pixels, Pyramid
from engine.guides.colours import colour_guide
from engine.guides.guide import Guide
from engine.guides.loading import load_guide
from engine.kernels import loading
from engine.objectives import NOTHING
from engine.optimiser import make_optimiser
from engine.parameters import Look
from engine.quick import QuickStep
from engine.step import Engine

CPU = torch.device("cpu")
LOOK = Look(line="a red heart", next_line="a blue wave", blend=0.4).with_values(
    {"canvas_width": 96, "canvas_height": 54, "steps": 2, "first_steps": 3, "denoiser": "none"}
)
LOOKS = {
    "plain": {},
    "spherical": {"distance": "spherical"},
    "cosine": {"distance": "cosine"},
    "pushed away": {"prompt_1": "a green tree", "weight_1": -0.5, "distance": "spherical"},
    "parts": {"prompt_1": "a green tree", "weight_1": 1.0, "region_1": "left"},
    "turned": {"reroll": 1},
    "tilted": {"perspective": 0.3},
    "white beyond": {"beyond": "white"},
    "resampled": {"canvas_width": 300, "canvas_height": 120},
    "odd": {"canvas_width": 97, "canvas_height": 55},
    "upright": {"canvas_width": 90, "canvas_height": 160},
    "tones": {"saturation_pull": 0.6, "contrast_pull": -0.4, "brightness_pull": 0.5},
    "cold": {"temperature": 5.0},
    "one view": {"crops": 1, "overview": 1.0},
}


def frames(look: Look, guide_name: str = "shipped") -> list[np.ndarray]:
    guide = colour_guide(CPU) if guide_name == "colours" else load_guide(guide_name, CPU)
    engine = Engine([guide], CPU, 0, is_live=False)
    painted = [engine.paint(look).astype(float) for _ in range(3)]
    engine.close()
    return painted


def by_autograd(monkeypatch: pytest.MonkeyPatch, look: Look, guide_name: str = "shipped") -> list[np.ndarray]:
    with monkeypatch.context() as patch:
        patch.setattr(steps_module.QuickStep, "of", lambda *_: None)
        return frames(look, guide_name)


def assert_alike(ours: list[np.ndarray], wanted: list[np.ndarray]) -> None:
    for one, other in zip(ours, wanted, strict=True):
        assert one.std() > 3.0  # something is painted
        assert np.abs(one - other).mean() < 0.6
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.995


@pytest.mark.parametrize("name", LOOKS)
def test_frames_are_alike(monkeypatch, name):
    look = LOOK.with_values(LOOKS[name])
    assert_alike(frames(look), by_autograd(monkeypatch, look))


def test_frames_of_a_guide_in_half_the_bits_are_alike(monkeypatch):
    single = load_guide

    def half(name: str, device: torch.device) -> Guide:
        guide = single(name, device)
        guide.thaw()
        guide.model.visual.bfloat16()
        return replace(guide, image_dtype=torch.bfloat16)

    monkeypatch.setitem(globals(), "load_guide", half)
    assert_alike(frames(LOOK), by_autograd(monkeypatch, LOOK))


@pytest.mark.parametrize("distance", ["cosine", "spherical"])
def test_frames_of_a_guide_left_to_autograd_are_alike(monkeypatch, distance):
    look = replace(LOOK.with_values({"distance": distance}), line="red", next_line="blue")
    assert_alike(frames(look, "colours"), by_autograd(monkeypatch, look, "colours"))


def test_pictures_beside_prompts_are_alike(monkeypatch, tmp_path: Path):
    path = tmp_path / "waves.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)).save(path)
    look = LOOK.with_values({"source": str(path), "source_weight": 0.5, "prompt_picture": str(path)})
    assert_alike(frames(look), by_autograd(monkeypatch, look))


def test_one_step_moves_every_level_as_autograds_does(monkeypatch):
    """To the digit, where frames after frames drift apart: signs of small differences decide."""
    moved = []
    for is_quick in (True, False):
        engine = Engine([load_guide("shipped", CPU)], CPU, 0, is_live=False)
        look = LOOK.with_values({"steps": 1, "first_steps": 1})
        with monkeypatch.context() as patch:
            if not is_quick:
                patch.setattr(steps_module.QuickStep, "of", lambda *_: None)
            engine.paint(look)
        moved.append(engine._painting._previous)
        memories = engine._painting._optimiser.state.values()
        moved.append(torch.cat([memory["exp_avg"].flatten() for memory in memories]))
        engine.close()
    for one, other in zip(moved[:2], moved[2:], strict=True):
        assert float((one - other).norm() / other.norm()) < 2e-3


def test_other_canvases_and_optimisers_are_left_to_autograd():
    canvas = Pyramid(torch.rand(1, 3, 24, 24))
    assert QuickStep.of(canvas, make_optimiser(canvas.parameters(), True, "level")) is not None
    assert QuickStep.of(canvas, make_optimiser(canvas.parameters(), True, "adam")) is None
    plain = Pixels(torch.rand(1, 3, 24, 24))
    assert QuickStep.of(plain, make_optimiser(plain.parameters(), True, "level")) is None


def test_without_compiled_passes_there_is_none(monkeypatch):
    monkeypatch.setattr(loading._shelf, "kernels", None)
    canvas = Pyramid(torch.rand(1, 3, 24, 24))
    assert QuickStep.of(canvas, make_optimiser(canvas.parameters(), True, "level")) is None


def test_with_nothing_asked_for_the_picture_stays():
    canvas = Pyramid(torch.rand(1, 3, 24, 24))
    before, optimiser = canvas.picture.clone(), make_optimiser(canvas.parameters(), True, "level")
    quick = QuickStep.of(canvas, optimiser)
    assert quick is not None
    quick.make(Toward({}, (), "cosine", None, NOTHING), 0.1, torch.Generator())
    assert torch.equal(canvas.picture, before)
    quick.make(Toward({"smoothness": 1.0}, (), "cosine", None, NOTHING), 0.1, torch.Generator())
    assert not torch.equal(canvas.picture, before)


def test_an_engine_that_goes_on_from_a_frame_stays_quick():
    engine = Engine([load_guide("shipped", CPU)], CPU, 0, is_live=False)
    engine.start_from(np.full((54, 96, 3), 90, np.uint8))
    engine.paint(LOOK)
    assert QuickStep.of(engine._painting._canvas, engine._painting._optimiser) is not None
    engine.close()


def test_what_fails_in_the_quick_way_is_gone_on_with_by_autograd(monkeypatch, caplog):
    tried = []

    def broken(*_) -> None:
        tried.append(1)
        raise TypeError("no matching definition")

    monkeypatch.setattr(QuickStep, "make", broken)
    engine = Engine([load_guide("shipped", CPU)], CPU, 0, is_live=False)
    engine.paint(LOOK)
    assert "steps take longer: the quick way failed (no matching definition)" in engine.report()["notes"]
    engine.close()
    tried.clear()
    assert_alike(frames(LOOK), by_autograd(monkeypatch, LOOK))
    assert len(tried) == 1 and "the quick way failed" in caplog.text
