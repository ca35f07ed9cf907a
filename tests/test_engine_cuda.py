"""The same code path on a GPU; skipped without one."""

import numpy as np
import pytest
import torch

from engine.bench import bench_step
from engine.guides.loading import load_guide
from engine.parameters import Look
from engine.step import Engine

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
CUDA = torch.device("cuda")
LOOK = Look(line="a red heart").with_values({"canvas_width": 192, "canvas_height": 108})


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
    found = bench_step(load_guide("shipped", CUDA), LOOK, repeats=3)
    assert found["step_ms"] > 0 and found["baseline_step_ms"] > 0
