"""What the device did while frames were painted, as torch's profiler tells it."""

from collections.abc import Sequence

from torch.profiler import ProfilerActivity, profile

from engine.bench.turns import Way
from engine.bench.ways import step_frames, ungoverned
from engine.devices import wait_for
from engine.guides.guide import Guide
from engine.parameters import Look

FRAMES = 3
ROWS = 30


def operators(guides: Sequence[Guide], look: Look, compile_mode: str = "") -> str:
    """A table of the operators that took most of the device's time over three frames of steps, slowest first."""
    device, frames = guides[0].device, step_frames(guides, ungoverned(look), compile_mode)
    Way(frames).warm_up(device)
    is_cuda = device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if is_cuda else [])]
    with profile(activities=activities) as seen:
        for _ in range(FRAMES):
            next(frames)
        wait_for(device)
    by = "self_cuda_time_total" if is_cuda else "self_cpu_time_total"
    return str(seen.key_averages().table(sort_by=by, row_limit=ROWS, max_name_column_width=60))
