"""What graphs are drawn with, and how they are compiled. Maps are (n, c, h, w) unless it is said otherwise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import openvino as ov
import torch
from openvino import opset13 as ops
from torch import Tensor

if TYPE_CHECKING:
    from engine.guides.laid import Kernel

Node = Any
"""Something of a graph that has been computed."""

LAST, FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
"""Orders that bring channels to the end, as they lie in memory, and back to where they are counted."""


def compiled(model: ov.Model) -> Any:
    """A request of this graph, which owns the memory of what goes in and out. Raises RuntimeError if it cannot be."""
    # As many threads as torch has; the engine says on which cores they are.
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": str(torch.get_num_threads()),
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": False,
    }
    return ov.Core().compile_model(model, "CPU", settings).create_infer_request()


def memory(tensor: ov.Tensor) -> Tensor:
    """The memory of something that goes in or out; what a request next computes is there as well."""
    return torch.from_numpy(tensor.data)


def parameter(*size: int) -> Node:
    """What goes in, of this size."""
    return ops.parameter(list(size), np.float32)


def convolved(x: Node, kernel: "Kernel") -> Node:
    """What this convolution computes."""
    beyond = [kernel.padding] * 2
    found = ops.convolution(x, constant(kernel.weight), [kernel.stride] * 2, beyond, beyond, [1, 1])
    found = found if kernel.bias is None else ops.add(found, constant(kernel.bias.view(1, -1, 1, 1)))
    return ops.relu(found) if kernel.is_rectified else found


def ordered(x: Node, order: Sequence[int]) -> Node:
    """The same with its dimensions in another order."""
    return ops.transpose(x, whole(order))


def constant(value: Tensor | float) -> Node:
    """Weights, or a number."""
    tensor = torch.as_tensor(value, dtype=torch.float32).detach()
    return ops.constant(np.ascontiguousarray(tensor.numpy()))


def whole(numbers: Sequence[int]) -> Node:
    """Whole numbers, such as a size."""
    return ops.constant(np.array(numbers, dtype=np.int64))


def doubling() -> ov.Model:
    """The smallest graph there is, to try whether any can be compiled."""
    asked = parameter(1)
    return ov.Model([ops.multiply(asked, constant(2.0))], [asked], "doubling")
