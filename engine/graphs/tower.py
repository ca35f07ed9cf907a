"""The shipped guide's tower as two graphs, there and back. The read-outs stay with torch: see `engine.guides.laid`."""

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import openvino as ov
import torch
from openvino import opset13 as ops
from torch import Tensor

from engine.graphs.drawing import FIRST, LAST, Node, compiled, constant, convolved, memory, ordered, parameter, whole

if TYPE_CHECKING:
    from engine.guides.frozen import FrozenTower, Readout, Residual


class TowerGraphs:
    """The tower's forward and backward pass for so many views. Owns its memory; used by one thread."""

    def __init__(self, tower: "FrozenTower", views: int, least_slope: float) -> None:
        """Compiled here: a third of a second. Raises RuntimeError where OpenVINO cannot."""
        self._tower = tower
        drawing = _Drawing(tower, least_slope)
        self._ahead, self._back = compiled(drawing.ahead(views)), compiled(drawing.back(views))
        parts = len(tower.read)
        for n in range(parts, len(self._ahead.model_outputs)):
            self._back.set_input_tensor(n, self._ahead.get_output_tensor(n))
        self._views = memory(self._ahead.get_input_tensor(0))
        self._seen = [memory(self._ahead.get_output_tensor(n)) for n in range(parts)]
        self._pulled = [memory(self._back.get_input_tensor(n)) for n in range(parts)]
        self._found = memory(self._back.get_output_tensor(0))

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
        return self._tower.stem.unshuffled(self._found)


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
        asked = parameter(views, 3, tower.size, tower.size)
        x = self._residual(
            tower.scales[0], convolved(ops.subtract(asked, constant(tower.stem.mean)), tower.stem.kernel)
        )
        seen = []
        for scale, widen, read in zip(tower.scales[1:], tower.widen, tower.read, strict=True):
            half = ops.avg_pool(x, [2, 2], [0, 0], [0, 0], [2, 2], exclude_pad=True)
            x = self._residual(scale, convolved(half, widen.kernel))
            shown = self._bent(x if read.thin is None else convolved(x, read.thin.kernel))
            seen.append(ops.reshape(ordered(shown, LAST), whole((views, -1)), special_zero=False))
        kept = [ordered(slope, LAST) for slope in self._slopes]
        self._shapes = [tuple(slope.get_output_shape(0))[1:] for slope in kept]
        return ov.Model([*seen, *kept], [asked], "ahead")

    def back(self, views: int) -> ov.Model:
        """From the gradients of what the read-outs read, and the slopes, to that of pairs of pixels; after `ahead`."""
        tower, shapes = self._tower, self._shapes
        slopes = [parameter(views, *shape) for shape in shapes]
        left = [ordered(slope, FIRST) for slope in slopes]
        pulled, coarser = [], None
        for scale, widen, read in reversed(list(zip(tower.scales[1:], tower.widen, tower.read, strict=True))):
            part, found = self._read_back(read, left, views, shapes[len(left) - 1])
            pulled.append(part)
            found = found if coarser is None else ops.add(found, coarser)
            coarser = _spread(convolved(self._residual_back(scale, found, left), widen.turned))
        x = convolved(self._residual_back(tower.scales[0], coarser, left), tower.stem.turned)
        return ov.Model([ordered(x, LAST)], [*reversed(pulled), *slopes], "back")

    def _bent(self, x: Node) -> Node:
        slope = ops.clamp(x, self._least, 1.0)
        self._slopes.append(slope)
        return ops.multiply(ops.subtract(x, ops.multiply(slope, constant(0.5))), slope)

    def _residual(self, scale: "Residual", x: Node) -> Node:
        inner = convolved(self._bent(x), scale.first.kernel)
        return ops.add(convolved(self._bent(inner), scale.second.kernel), x)

    def _residual_back(self, scale: "Residual", gradient: Node, slopes: list[Node]) -> Node:
        inner, outer = slopes.pop(), slopes.pop()
        through = ops.multiply(convolved(gradient, scale.second.turned), inner)
        return ops.add(ops.multiply(convolved(through, scale.first.turned), outer), gradient)

    def _read_back(self, read: "Readout", slopes: list[Node], views: int, shape: Sequence[int]) -> tuple[Node, Node]:
        """What the read-out's gradient comes in as, (n, h w c), and the gradient of the maps."""
        part = parameter(views, prod(shape))
        maps = ordered(ops.reshape(part, whole((views, *shape)), special_zero=False), FIRST)
        found = ops.multiply(maps, slopes.pop())
        return part, found if read.thin is None else convolved(found, read.thin.turned)


def _spread(gradient: Node) -> Node:
    """What a mean over two by two places gives each of them."""
    height, width = gradient.get_output_shape(0)[2:]
    size, axes = whole((2 * height, 2 * width)), whole((2, 3))
    quarter = ops.multiply(gradient, constant(0.25))
    return ops.interpolate(
        quarter, size, "nearest", "sizes", axes=axes, coordinate_transformation_mode="asymmetric", nearest_mode="floor"
    )
