"""The bench's engine part, from names to figures."""

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.bench.memory import cap_memory
from engine.bench.operators import operators
from engine.bench.ways import bench_engine
from engine.devices import choose_device, use_cores
from engine.guides.loading import load_guide
from engine.parameters import Look
from engine.quickness import quickness


@dataclass(frozen=True, slots=True)
class EngineAsked:
    """What is to be painted and with what. `guide` is a name or several joined by +; `vram_gb` caps a GPU's memory."""

    guide: str
    look: Look
    device: str = "auto"
    cores: int = 0
    repeats: int = 20
    vram_gb: float | None = None
    profile: Path | None = None
    """Where the profiler's table is written, if anywhere."""
    compile_mode: str = ""
    """That of `engine.compiled`, with which a CUDA device's steps are compiled; "" is fused kernels."""


def measure(asked: EngineAsked) -> dict[str, Any]:
    """Every setting that counts, and the figures. Raises EngineError for guides and devices that cannot be had."""
    use_cores(asked.cores)
    device, _ = choose_device(asked.device)
    if asked.vram_gb is not None:
        cap_memory(device, asked.vram_gb)
    guides = [load_guide(name, device) for name in asked.guide.split("+")]
    look = asked.look
    figures = {
        "device": str(device),
        "device_name": _named(device),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "guide_precision": " ".join(str(guide.image_dtype).removeprefix("torch.") for guide in guides),
        "guide_view_px": " ".join(str(guide.image_size) for guide in guides),
        "canvas": f"{look.whole('canvas_width')}x{look.whole('canvas_height')}",
        **{name: look.whole(name) for name in ("steps", "crops", "upscale")},
        "denoiser": look.text("denoiser"),
        "compile_mode": asked.compile_mode,
        **quickness(),
        "vram_cap_gb": asked.vram_gb or 0.0,
        **bench_engine(guides, look, asked.repeats, asked.compile_mode),
    }
    if asked.profile:
        asked.profile.write_text(operators(guides, look, asked.compile_mode), encoding="utf-8")
    return figures


def _named(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
