"""The shipped denoiser's network as a graph."""

from typing import TYPE_CHECKING

import openvino as ov
from openvino import opset13 as ops
from torch import Tensor

from engine.graphs.drawing import LAST, compiled, constant, convolved, memory, ordered, parameter

if TYPE_CHECKING:
    from engine.denoise.clean import LaidNet


class DenoiserGraph:
    """The network for canvases of one size. Owns its memory; used by one thread."""

    def __init__(self, net: "LaidNet", height: int, width: int) -> None:
        """Compiled here: a quarter of a second. Raises RuntimeError where OpenVINO cannot."""
        self._request = compiled(_drawn(net, height, width))
        self._asked, self._found = (
            memory(self._request.get_input_tensor(0)),
            memory(self._request.get_output_tensor(0)),
        )

    def __call__(self, canvas: Tensor) -> Tensor:
        """What a canvas (1, 3, h, w) lacks, as (1, h / 2, w / 2, 48) before it is shuffled; there until the next."""
        self._asked.copy_(canvas)
        self._request.infer()
        return self._found


def _drawn(net: "LaidNet", height: int, width: int) -> ov.Model:
    asked = parameter(1, 3, height, width)
    near = convolved(ops.space_to_depth(ops.subtract(asked, constant(0.5)), "depth_first", 2), net.stem)
    far = convolved(near, net.down)
    for first, second in net.deep:
        far = ops.add(convolved(convolved(far, first), second), far)
    near = ops.relu(ops.add(ops.depth_to_space(convolved(far, net.up), "depth_first", 2), near))
    near = near if net.fine is None else convolved(near, net.fine)
    return ov.Model([ordered(convolved(near, net.out), LAST)], [asked], "denoiser")
