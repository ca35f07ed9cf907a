"""What a processor's frames are computed with: the quick ways, or torch's where they cannot be had."""

from collections.abc import Hashable
from typing import Any

from engine.graphs.shelf import Shelf
from engine.kernels import loading


def quickness() -> dict[str, str]:
    """Of passes over pictures and of networks: `numba` and `openvino`, or `torch`. Loads what it tells of."""
    loading.load()
    has_graphs = Shelf(_smallest, most=1).find("") is not None
    return {
        "passes": f"torch ({loading.fault()})" if loading.fault() else "numba",
        "networks": "openvino" if has_graphs else "torch (OpenVINO is not there, or compiles nothing)",
    }


def _smallest(_size: Hashable) -> Any:
    from engine.graphs.drawing import compiled, doubling

    return compiled(doubling())
