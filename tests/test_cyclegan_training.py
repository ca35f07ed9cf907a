"""Training a CycleGAN of one's own runs, learns, and goes on where it was stopped."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.denoise.cyclegan import generated, load_generator
from engine.training.cyclegan import Session
from engine.training.cyclegan_nets import CYCLE, IDENTITY, POOLED, Judge, Pool, misjudged, rate_at
from engine.training.cyclegan_pictures import Album, paint_frames

ROOT = Path(__file__).resolve().parent.parent
CHANCE = np.random.default_rng(4)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def paint(folder: Path, count: int, colour: tuple[int, int, int], noise: float) -> Path:
    folder.mkdir()
    for number in range(count):
        levels = np.array(colour) * CHANCE.uniform(0.7, 1.0) + noise * CHANCE.normal(size=(40, 60, 3))
        Image.fromarray(levels.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def options(tmp_path: Path) -> argparse.Namespace:
    frames = paint(tmp_path / "frames", 6, (200, 60, 60), 40.0)
    photos = paint(tmp_path / "photos", 6, (60, 60, 200), 0.0)
    return argparse.Namespace(
        photos=photos, frames=frames, device="cpu", steps=8, minutes=0.0, size=32, batch=1, rate=2e-4,
        width=4, blocks=1, save_every_s=1e9, seed=3, resume=False, out=None,
    )  # fmt: skip


def test_the_weights_of_the_losses_are_the_papers():
    assert (CYCLE, CYCLE * IDENTITY, POOLED) == (10.0, 5.0, 50)
    assert [rate_at(step, 8, 1.0) for step in range(8)] == [1.0] * 5 + [0.75, 0.5, 0.25]


def test_the_judge_sees_patches_of_70_pixels():
    torch.manual_seed(0)
    judge, picture = Judge(4), torch.zeros(1, 3, 128, 128, requires_grad=True)
    for layer in judge.model:  # a norm would let every pixel reach every patch
        if isinstance(layer, torch.nn.InstanceNorm2d):
            layer.forward = lambda maps: maps  # type: ignore[method-assign]
    verdict = judge(picture)
    verdict[0, 0, 7, 7].backward()
    rows = picture.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    assert int(rows.max() - rows.min()) + 1 == 70


def test_a_perfect_judge_has_nothing_to_learn():
    def knows(pictures: torch.Tensor) -> torch.Tensor:
        return pictures[:, :1]

    assert misjudged(knows, torch.ones(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)) == 0.0  # type: ignore[arg-type]
    assert misjudged(knows, torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)) == 1.0  # type: ignore[arg-type]


def test_the_pool_holds_fifty_and_gives_half_fresh_ones():
    pool, source = Pool(), torch.Generator().manual_seed(0)
    given = [float(pool.exchange(torch.full((1, 3, 2, 2), float(n)), source).mean()) for n in range(1050)]
    assert given[:50] == [float(n) for n in range(50)]
    assert len(pool.kept) == 50
    assert 0.4 < sum(given[n] == n for n in range(50, 1050)) / 1000 < 0.6


def test_views_are_cut_from_pictures_of_any_shape_and_broken_ones_are_left_out(tmp_path: Path, capsys):
    folder = paint(tmp_path / "all", 1, (255, 0, 0), 0.0)
    Image.new("L", (10, 300), 128).save(folder / "tall.jpg")
    (folder / "broken.png").write_bytes(b"no picture")
    album, source = Album(folder, 32), torch.Generator().manual_seed(0)
    views = album.views(20, source)
    assert views.shape == (20, 3, 32, 32) and views.min() >= -1.0 and views.max() <= 1.0
    assert len(album) == 2 and "left out: " in capsys.readouterr().out


def test_it_learns_to_turn_frames_into_photos(options: argparse.Namespace, tmp_path: Path):
    options.steps, options.rate, options.width = 120, 1e-3, 8
    session = Session(options, tmp_path / "run")
    session.run()
    frame = session.frames.views(4, torch.Generator().manual_seed(1)) * 0.5 + 0.5
    photo = session.photos.views(4, torch.Generator().manual_seed(1)) * 0.5 + 0.5
    with torch.no_grad():
        made = torch.cat([generated(load_generator(session.out), one[None], 1.0, 1) for one in frame])
    before, after = ((some.mean((0, 2, 3)) - photo.mean((0, 2, 3))).norm() for some in (frame, made))
    assert after < 0.6 * before


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(options: argparse.Namespace, tmp_path: Path):
    straight = Session(options, tmp_path / "straight")
    straight.run()
    Session(options, tmp_path / "stopped").run(until=5)
    options.resume = True
    resumed = Session(options, tmp_path / "stopped")
    assert resumed.steps == 5
    resumed.run()
    assert resumed.steps == straight.steps == 8
    for one, other in zip(straight.to_photos.parameters(), resumed.to_photos.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_the_engine_paints_frames_to_learn_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.training.cyclegan_pictures.FRAMES_EACH", 1)
    paint_frames(tmp_path / "frames", 2, 0, torch.device("cpu"))
    first, second = (np.asarray(Image.open(tmp_path / "frames" / f"0000{n}.png")) for n in range(2))
    assert first.shape == (144, 256, 3) and not np.array_equal(first, second)


def test_the_command_runs_resumes_and_says_how_to_play(options: argparse.Namespace, tmp_path: Path):
    def run(*more: str) -> subprocess.CompletedProcess[str]:
        small = ["--size", "32", "--width", "4", "--blocks", "1", "--frames", str(options.frames), "--steps", "4"]
        command = [sys.executable, "-m", "engine.training.cyclegan", *small, *more]
        world = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, cwd=tmp_path, env=world, capture_output=True, text=True, timeout=120)

    done = run("--photos", str(options.photos))
    assert done.returncode == 0, done.stderr
    assert "--set denoiser=cyclegan --set denoiser_weights=" in done.stdout
    again = run("--photos", str(options.photos), "--resume", "--out", str(tmp_path / "mine.pth"))
    assert again.returncode == 0, again.stderr
    lines = (tmp_path / "training-runs" / "cyclegan" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["steps"] for line in lines] == [4, 4]
    load_generator(tmp_path / "mine.pth")
    (tmp_path / "empty").mkdir()
    none = run("--photos", str(tmp_path / "empty"))
    assert none.returncode == 1 and "no pictures" in none.stderr and "Traceback" not in none.stderr
