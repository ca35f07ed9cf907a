"""The same code path on a GPU; skipped without one."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.bench.ways import bench_engine
from engine.guides.loading import load_guide
from engine.parameters import Look
from engine.step import Engine

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
CUDA = torch.device("cuda")
LOOK = Look(line="a red heart").with_values({"canvas_width": 192, "canvas_height": 108, "upscale": 1})


def test_a_prompt_pulls_the_picture_on_a_gpu_as_it_does_on_a_cpu() -> None:
    redness = []
    for device in (CUDA, torch.device("cpu")):
        engine = Engine([load_guide("shipped", device)], device, 0, is_live=False)
        for _ in range(30):
            rgb = engine.paint(LOOK)
        assert rgb.shape == (108, 192, 3) and rgb.dtype == np.uint8
        redness.append(float(rgb[..., 0].mean()) - float(rgb[..., 2].mean()))
        engine.close()
    assert min(redness) > 0, redness


def test_the_bench_measures_a_gpu() -> None:
    found = bench_engine([load_guide("shipped", CUDA)], LOOK, repeats=3)
    assert found["step_ms"] > 0 and found["baseline_step_ms"] > 0 and found["vram_peak_mb"] > 0


def test_b32_paints_1280x720_within_the_memory_of_a_laptop(tmp_path: Path) -> None:
    # A process of its own: the cap holds for a process, and what was allocated before it would stay.
    script = f"""
from pathlib import Path
from engine.bench.part import EngineAsked, measure
from engine.guides.untrained import write_random
from engine.parameters import Look
size = {{"canvas_width": 1280, "canvas_height": 720, "steps": 10, "crops": 4, "upscale": 1}}
guide = write_random("random:ViT-B-32", Path({str(tmp_path)!r}))
found = measure(EngineAsked(guide, Look().with_values(size), "cuda", repeats=3, vram_gb=6.0))
print(found["vram_peak_mb"], found["vram_held_mb"], found["steps"], found["crops"])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stderr
    peak_mb, held_mb, steps, crops = (float(word) for word in done.stdout.split()[-4:])
    assert 0 < peak_mb <= held_mb <= 6 * 1024 and (steps, crops) == (10, 4)


def test_every_term_and_region_runs_on_a_gpu(tmp_path: Path) -> None:
    path = str(tmp_path / "two.png")
    Image.fromarray(np.tile(np.array([[[255, 0, 0]] * 8 + [[255, 255, 255]] * 8], np.uint8), (64, 6, 1))).save(path)
    values = {f"{name}_pull": 0.5 for name in ("range", "brightness", "contrast", "saturation")}
    pictures = dict.fromkeys(("prompt_picture", "style_picture", "palette_picture", "source"), path)
    slots = {"prompt_1": "fire", "weight_1": 1.0, "region_1": "left", "prompt_2": "snow", "weight_2": -0.5}
    look = LOOK.with_values({**values, **pictures, **slots, "palette": "red white", "no_words": 0.5})
    engine = Engine([load_guide("shipped", CUDA)], CUDA, 0, is_live=False)
    for distance in ("cosine", "spherical"):
        rgb = engine.paint(look.with_values({"distance": distance}))
    report = engine.report()
    assert rgb.shape == (108, 192, 3) and report["notes"] == [] and report["device"].startswith("cuda")
    engine.close()


@pytest.mark.parametrize("canvas", ["pyramid", "pixels", "fourier"])
def test_everything_that_moves_runs_on_a_gpu(canvas: str) -> None:
    moving = {"zoom": 0.2, "pan_x": 0.1, "turn": 9.0, "shear": 0.1, "swirl": 9.0, "flow": 0.05, "feedback": 0.3}
    look = LOOK.with_values({**moving, "canvas": canvas, "kaleidoscope": 5, "anchor": 0.5, "ease": 0.0})
    engine = Engine([load_guide("shipped", CUDA)], CUDA, 0, is_live=False)
    for n, border in enumerate(("mirror", "wrap", "edge")):
        rgb = engine.paint(look.with_values({"border": border, "reroll": n}))
        rgb = engine.paint(look.with_values({"border": border, "reroll": n}))
        assert rgb.shape == (108, 192, 3)
    assert engine.report()["device"] == "cuda" and engine.report()["notes"] == []
    engine.close()
