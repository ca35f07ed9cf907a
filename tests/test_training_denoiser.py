"""The denoiser's training on a tiny bank: steps are made, a run goes on where it stopped, one is taught by another."""

import argparse
import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from engine.denoise.clean import CleanNet, CleanShape, load_clean, save_clean
from engine.guides.loading import load_guide
from engine.training import denoiser
from engine.training.concepts import read_concepts
from engine.training.denoiser import EXAM, SIDE, Session
from engine.training.denoiser_painted import HEIGHT, WIDTH, painted_canvases
from engine.training.patterns import Chance

SMALL = CleanShape(4, 8, 1)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs with a bank of soft colours in it, and small networks."""
    monkeypatch.setattr(denoiser, "RUNS", tmp_path)
    monkeypatch.setattr(denoiser, "CleanShape", lambda: CleanShape(4, 8, 2))
    monkeypatch.setattr(denoiser, "SHIPPED_SHAPE", SMALL)
    chance, count, folder = Chance(0, "cpu"), EXAM + 2, tmp_path / "denoiser"
    pictures = F.interpolate(chance.between(0, 255, count, 3, 4, 6), (SIDE, SIDE), mode="bilinear").byte()
    left = torch.zeros(count, 3, SIDE // 2, SIDE // 2).half()
    folder.mkdir()
    torch.save({"scenes": pictures, "left": left}, folder / "bank-1-0.pt")
    canvases = F.interpolate(chance.between(0, 255, 3, 3, 4, 6), (HEIGHT, WIDTH), mode="bilinear").byte()
    torch.save(canvases, folder / "canvases-1-0.pt")
    return tmp_path


def options(folder: Path, **values: object) -> argparse.Namespace:
    usual = {"device": "cpu", "minutes": 0.0, "lines": 1, "pictures": 1, "batch": 4, "rate": 1e-3, "seed": 0}
    usual |= {"half": False, "name": "denoiser", "resume": False, "out": folder / "denoiser.safetensors"}
    return argparse.Namespace(**{"teacher": None, **usual, **values})


def test_training_writes_a_denoiser_and_a_run_resumes(runs: Path) -> None:
    first = Session(options(runs))
    losses = [first.step(1e-3) for _ in range(3)]
    first.run()  # no minutes: it only measures and exports
    assert all(loss == loss for loss in losses)
    found = json.loads((runs / "denoiser" / "log.jsonl").read_text().splitlines()[-1])
    assert found["steps"] == 3 and found["enlarged"] > 0 and found["cleaned"] > 0
    assert load_clean(runs / "denoiser.safetensors").shape == CleanShape(4, 8, 2)
    second = Session(options(runs, resume=True))
    assert second.step(1e-3) == pytest.approx(first.step(1e-3), rel=1e-5)


def test_a_small_denoiser_is_taught_to_answer_as_another(runs: Path) -> None:
    torch.manual_seed(1)
    teacher = CleanNet(CleanShape(4, 8, 2))
    teacher.state_dict()["out.bias"].normal_(0.0, 0.2)  # answers that nobody would give of himself
    save_clean(runs / "teacher.safetensors", teacher)
    taught = Session(options(runs, teacher=runs / "teacher.safetensors"))
    losses = [taught.step(5e-2) for _ in range(40)]
    assert taught.net.shape == SMALL
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


def test_canvases_are_painted_as_a_show_paints_them() -> None:
    guide = load_guide("shipped", torch.device("cpu"))
    found = painted_canvases(guide, read_concepts(), 2, seed=1)
    assert found.shape == (4, 3, HEIGHT, WIDTH) and found.dtype == torch.uint8
    first, second = found[1].float(), found[3].float()
    assert first.std() > 5 and (first - second).abs().mean() > 10
