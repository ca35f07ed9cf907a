"""Frozen weights laid out once as a CPU computes with them; plain convolutions and products lay them out every time.

Torch's own compiler lays weights out with the same operators of oneDNN (torch._inductor.fx_passes.mkldnn_fusion). They
are not public: where torch lacks them everything is computed in the plain way.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.guides.precision import computes_in_bfloat16

VIEWS = 4
"""Views the layout is best for; any other number is computed as well."""


class Kernel:
    """A convolution whose weights never change. Owns them, laid out when the first maps have told their size."""

    def __init__(self, weight: Tensor, bias: Tensor | None, padding: int, stride: int = 1) -> None:
        """`weight` is (to, from, k, k), on the device and in the precision it is computed with."""
        self._weight = weight.contiguous(memory_format=torch.channels_last)
        self._bias = None if bias is None else bias.detach()
        self._padding, self._stride = padding, stride
        self._laid: Tensor | None = None
        self._is_plain = not lays_out("_reorder_convolution_weight", weight)

    def __call__(self, x: Tensor) -> Tensor:
        """Maps (n, to, h', w') of maps (n, from, h, w); not differentiable."""
        if self._is_plain:
            return F.conv2d(x, self._weight, self._bias, self._stride, self._padding)
        padding, stride, dilation = [self._padding] * 2, [self._stride] * 2, [1, 1]
        if self._laid is None:
            size = [VIEWS, *x.shape[1:]]
            self._laid = torch.ops.mkldnn._reorder_convolution_weight(self._weight, padding, stride, dilation, 1, size)
        found: Tensor = torch.ops.mkldnn._convolution_pointwise.default(
            x, self._laid, self._bias, padding, stride, dilation, 1, "none", [], ""
        )
        return found


class Matrix:
    """A linear layer whose weights never change. Owns them."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """`weight` is (to, from), on the device and in the precision it is computed with."""
        self._bias = None if bias is None else bias.detach()
        self._is_plain = not lays_out("_reorder_linear_weight", weight)
        weight = weight.detach().contiguous()
        self._weight = weight if self._is_plain else torch.ops.mkldnn._reorder_linear_weight(weight, VIEWS)

    def __call__(self, x: Tensor) -> Tensor:
        """(n, to) of (n, from); not differentiable."""
        if self._is_plain:
            return F.linear(x, self._weight, self._bias)
        found: Tensor = torch.ops.mkldnn._linear_pointwise.default(x, self._weight, self._bias, "none", [], "")
        return found


def lays_out(operator: str, weight: Tensor) -> bool:
    """Whether weights like this one can be laid out by this operator: in half precision, by a CPU built for it."""
    is_half = weight.device.type == "cpu" and weight.dtype == torch.bfloat16
    return is_half and computes_in_bfloat16() and hasattr(torch.ops.mkldnn, operator)
