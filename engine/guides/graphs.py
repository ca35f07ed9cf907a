"""The shipped guide's tower as two graphs of OpenVINO, there and back, for a processor in single precision.

The same convolutions at the same speed, but what lies between them is computed within them, and none of torch's calls
is left, each of which takes as long as a small convolution. The read-outs stay with torch: see `engine.guides.laid`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import openvino as ov
import torch
from openvino import opset13 as ops
from torch import Tensor

from engine.guides.laid import Kernel

if TYPE_CHECKING:
    from engine.guides.frozen import FrozenTower, Readout, Residual

Node = Any
"""Something of a graph that has been computed: maps (n, c, h, w) unless it is said otherwise."""

LAST, FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
"""Orders that bring channels to the end, as they lie in memory, and back to where they are counted."""


class Graphs:
    """The tower's forward and backward pass for so many views. Owns its memory; used by one thread."""

    def __init__(self, tower: "FrozenTower", views: int, least_slope: float) -> None:
        """Compiled here: a third of a second. Raises RuntimeError where OpenVINO cannot."""
        self._tower = tower
        drawing = _Drawing(tower, least_slope)
        ahead, back = drawing.ahead(views), drawing.back(views)
        core = ov.Core()
        # One of its threads for each of torch's; the engine says on which cores they are.
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(torch.get_num_threads()),
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,
        }
        self._ahead, self._back = (
            core.compile_model(each, "CPU", settings).create_infer_request() for each in (ahead, back)
        )
        parts = len(tower.read)
        for n in range(parts, len(self._ahead.model_outputs)):
            self._back.set_input_tensor(n, self._ahead.get_output_tensor(n))
        self._views = _memory(self._ahead.get_input_tensor(0))
        self._seen = [_memory(self._ahead.get_output_tensor(n)) for n in range(parts)]
        self._pulled = [_memory(self._back.get_input_tensor(n)) for n in range(parts)]
        self._found = _memory(self._back.get_output_tensor(0))

    def ahead(self, views: Tensor) -> Tensor:
        """Embeddings (n, d) of views (n, 3, s, s)."""
        self._views.copy_(views)
        self._ahead.infer()
        return torch.cat([read.matrix(seen) for read, seen in zip(self._tower.read, self._seen, strict=True)], dim=1)

    def back(self, gradient: Tensor) -> Tensor:
        """The gradient of the views that were looked at last, from that of their embeddings."""
        values = [read.values for read in self._tower.read]
        for read, part, pulled in zip(self._tower.read, gradient.split(values, dim=1), self._pulled, strict=True):
            pulled.copy_(read.turned(part))
        self._back.infer()
        return self._found.clone()


def _memory(tensor: ov.Tensor) -> Tensor:
    return torch.from_numpy(tensor.data)


class _Drawing:
    """Draws the graphs. Slopes are in the order in which the way there computes them, their channels last."""

    def __init__(self, tower: "FrozenTower", least_slope: float) -> None:
        self._tower, self._least = tower, least_slope
        self._slopes: list[Node] = []
        self._shapes: list[tuple[int, ...]] = []
        """Of the slopes, (h, w, c)."""

    def ahead(self, views: int) -> ov.Model:
        """From views to what the read-outs read, (n, h w c) each, and the slopes."""
        tower = self._tower
        asked = ops.parameter([views, *tower.stem.mean.shape[1:2], tower.size, tower.size], np.float32)
        x = self._residual(
            tower.scales[0], _convolved(ops.subtract(asked, _constant(tower.stem.mean)), tower.stem.kernel)
        )
        seen = []
        for scale, widen, read in zip(tower.scales[1:], tower.widen, tower.read, strict=True):
            half = ops.avg_pool(x, [2, 2], [0, 0], [0, 0], [2, 2], exclude_pad=True)
            x = self._residual(scale, _convolved(half, widen.kernel))
            shown = self._bent(x if read.thin is None else _convolved(x, read.thin.kernel))
            seen.append(ops.reshape(_ordered(shown, LAST), _whole((views, -1)), special_zero=False))
        kept = [_ordered(slope, LAST) for slope in self._slopes]
        self._shapes = [tuple(slope.get_output_shape(0))[1:] for slope in kept]
        return ov.Model([*seen, *kept], [asked], "ahead")

    def back(self, views: int) -> ov.Model:
        """From the gradients of what the read-outs read, and the slopes, to that of the views; after `ahead`."""
        tower, shapes = self._tower, self._shapes
        slopes = [ops.parameter([views, *shape], np.float32) for shape in shapes]
        left = [_ordered(slope, FIRST) for slope in slopes]
        pulled, coarser = [], None
        for scale, widen, read in reversed(list(zip(tower.scales[1:], tower.widen, tower.read, strict=True))):
            part, found = self._read_back(read, left, views, shapes[len(left) - 1])
            pulled.append(part)
            found = found if coarser is None else ops.add(found, coarser)
            coarser = _spread(_convolved(self._residual_back(scale, found, left), widen.turned))
        x = _convolved(self._residual_back(tower.scales[0], coarser, left), tower.stem.turned)
        x = ops.depth_to_space(x, "depth_first", 2)
        edges = (_whole((edge, edge)) for edge in (3, 3 + tower.size, 1))
        return ov.Model([ops.slice(x, *edges, _whole((2, 3)))], [*reversed(pulled), *slopes], "back")

    def _bent(self, x: Node) -> Node:
        slope = ops.clamp(x, self._least, 1.0)
        self._slopes.append(slope)
        return ops.multiply(ops.subtract(x, ops.multiply(slope, _constant(torch.tensor(0.5)))), slope)

    def _residual(self, scale: "Residual", x: Node) -> Node:
        inner = _convolved(self._bent(x), scale.first.kernel)
        return ops.add(_convolved(self._bent(inner), scale.second.kernel), x)

    def _residual_back(self, scale: "Residual", gradient: Node, slopes: list[Node]) -> Node:
        inner, outer = slopes.pop(), slopes.pop()
        through = ops.multiply(_convolved(gradient, scale.second.turned), inner)
        return ops.add(ops.multiply(_convolved(through, scale.first.turned), outer), gradient)

    def _read_back(self, read: "Readout", slopes: list[Node], views: int, shape: Sequence[int]) -> tuple[Node, Node]:
        """What the read-out's gradient comes in as, (n, h w c), and the gradient of the maps."""
        part = ops.parameter([views, int(np.prod(shape))], np.float32)
        maps = _ordered(ops.reshape(part, _whole((views, *shape)), special_zero=False), FIRST)
        found = ops.multiply(maps, slopes.pop())
        return part, found if read.thin is None else _convolved(found, read.thin.turned)


def _convolved(x: Node, kernel: Kernel) -> Node:
    beyond = [kernel.padding] * 2
    found = ops.convolution(x, _constant(kernel.weight), [kernel.stride] * 2, beyond, beyond, [1, 1])
    return found if kernel.bias is None else ops.add(found, _constant(kernel.bias.view(1, -1, 1, 1)))


def _spread(gradient: Node) -> Node:
    """What a mean over two by two places gives each of them."""
    height, width = gradient.get_output_shape(0)[2:]
    size, axes = _whole((2 * height, 2 * width)), _whole((2, 3))
    quarter = ops.multiply(gradient, _constant(torch.tensor(0.25)))
    return ops.interpolate(
        quarter, size, "nearest", "sizes", axes=axes, coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    )


def _ordered(x: Node, order: Sequence[int]) -> Node:
    return ops.transpose(x, _whole(order))


def _constant(tensor: Tensor) -> Node:
    return ops.constant(np.ascontiguousarray(tensor.detach().numpy(), dtype=np.float32))


def _whole(numbers: Sequence[int]) -> Node:
    return ops.constant(np.array(numbers, dtype=np.int64))
