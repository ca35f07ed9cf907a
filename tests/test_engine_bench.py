"""The bench computes both ways of a step with the same guide and settings."""

import torch

from engine.bench import bench_step
from engine.guides.colours import colour_guide
from engine.parameters import Look


def test_both_ways_are_measured_and_compared():
    look = Look().with_values({"canvas_width": 64, "canvas_height": 64, "steps": 2, "crops": 2})
    found = bench_step(colour_guide(torch.device("cpu")), look, repeats=2)
    assert set(found) == {"step_ms", "baseline_step_ms", "ratio_vs_baseline"}
    assert all(value > 0.0 for value in found.values())
    assert found["ratio_vs_baseline"] == found["baseline_step_ms"] / found["step_ms"]


def test_the_guide_stays_frozen():
    guide = colour_guide(torch.device("cpu"))
    guide.model.scale = torch.nn.Parameter(torch.ones(1), requires_grad=False)
    bench_step(guide, Look().with_values({"canvas_width": 64, "canvas_height": 64}), repeats=1)
    assert not guide.model.scale.requires_grad and guide.model.scale.grad is None
