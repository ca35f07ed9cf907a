"""The denoiser's training on a tiny bank: steps are made, a run goes on where it stopped, one is taught by another."""

import argparse
import json
import zlib
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from engine.denoise.clean import CleanNet, CleanShape, cleaned, load_clean, save_clean
from engine.guides.loading import load_guide
from engine.guides.words import SHIPPED_PATH as GUIDE_PATH
from engine.training import denoiser, denoiser_painted
from engine.training.concepts import read_concepts
from engine.training.denoiser import EXAM, SIDE, Session
from engine.training.denoiser_painted import HEIGHT, WIDTH, painted_canvases
from engine.training.patterns import Chance

CPU = torch.device("cpu")
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
    torch.save(canvases, folder / f"canvases-1-0-{zlib.crc32(GUIDE_PATH.read_bytes()):08x}.pt")
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
    teacher.deep[3].weight.data.mul_(8.0)  # what the pupil lacks, it must learn to do without
    save_clean(runs / "teacher.safetensors", teacher)
    taught = Session(options(runs, teacher=runs / "teacher.safetensors"))
    canvases = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(2))

    def apart() -> float:
        with torch.no_grad():
            answers = (cleaned(net, canvases, 1.0, 2) for net in (load_clean(runs / "teacher.safetensors"), taught.net))
            return float((next(answers) - next(answers)).abs().mean())

    before = apart()
    for _ in range(60):
        taught.step(3e-3)
    assert taught.net.shape == SMALL and apart() < 0.8 * before


def test_canvases_are_painted_as_a_show_paints_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(denoiser_painted, "LINES_EACH", 2)
    monkeypatch.setattr(denoiser_painted, "EFFORTS", {(1, 2): 12})
    found = painted_canvases(load_guide("shipped", CPU), read_concepts(), 3, seed=1).float()
    assert found.shape == (6, 3, HEIGHT, WIDTH)
    halfway, later = ((found[0] - found[n]).abs().mean() for n in (1, 3))
    assert found[1].std() > 5 and 0 < halfway < later


def test_a_teacher_that_is_not_there_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["denoiser", "--teacher", "gone.safetensors"])
    with pytest.raises(SystemExit):
        denoiser._options()
    assert "gone.safetensors: no such file" in capsys.readouterr().err
