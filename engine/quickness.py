"""What frames are computed with: the quick ways, or torch's where they cannot be had."""

from collections.abc import Hashable
from typing import Any

import torch

from engine.graphs.shelf import Shelf
from engine.kernels import loading
from engine.trial import try_now


def quickness() -> dict[str, str]:
    """Of passes over pictures and of networks: `numba` and `openvino`, or `torch`. Loads what it tells of.

    Where CUDA answers also of its steps: `triton`, or `torch`.
    """
    loading.load()
    has_graphs = Shelf(_smallest, most=1).find("") is not None
    found = {
        "passes": f"torch ({loading.fault()})" if loading.fault() else "numba",
        "networks": "openvino" if has_graphs else "torch (OpenVINO is not there, or compiles nothing)",
    }
    if torch.cuda.is_available():
        why = try_now(torch.device("cuda"))
        found["gpu_steps"] = f"torch ({why})" if why else "triton"
    return found


def _smallest(_size: Hashable) -> Any:
    from engine.graphs.drawing import compiled, doubling

    return compiled(doubling())
