"""Whether fused kernels are there: offered once for the process, after they were tried."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Fused = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Kernels:
    """What starts each of them; explained where it is written."""

    add_terms: Fused
    sights: Fused
    agreed: Fused
    move: Fused
    norm_of_sum: Fused
    norm_back_and_sum: Fused

    @classmethod
    def load(cls) -> "Kernels":
        """All of them. Raises ImportError without Triton, which comes with torch for NVIDIA GPUs on Linux."""
        from engine.fused import agreement, moments, norms, sights, terms

        return cls(
            terms.add_terms, sights.sights, agreement.agreed, moments.move, norms.norm_of_sum, norms.norm_back_and_sum
        )


class _Shelf:
    """Where they lie, and those that are offered. One for the process."""

    def __init__(self) -> None:
        self.kernels: Kernels | None = None
        self.offered: Kernels | None = None
        self.device = torch.device("cuda")


_shelf = _Shelf()


def offer(kernels: Kernels | None, device: torch.device) -> None:
    """Have them for tensors on this device from the next step on, or none."""
    _shelf.offered, _shelf.device = kernels, device


def adopt() -> None:
    """Begin a step, in which there are those that are offered now: none come or go in the midst of it."""
    _shelf.kernels = _shelf.offered


def fused_for(tensor: Tensor) -> Kernels | None:
    """The kernels if they can work on this one's device; torch's compiler, which fuses by itself, is given none."""
    if torch.compiler.is_dynamo_compiling():  # first: what it compiles does not depend on the rest then
        return None
    return _shelf.kernels if tensor.device.type == _shelf.device.type else None
