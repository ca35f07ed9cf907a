"""Frozen weights laid out once as a CPU computes with them; plain convolutions and products lay them out every time.

Torch's own compiler lays weights out with the same operators of oneDNN (torch._inductor.fx_passes.mkldnn_fusion). They
are not public: where torch lacks them everything is computed in the plain way.
"""

import logging
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.guides.precision import computes_in_bfloat16

log = logging.getLogger("engine.guides")

VIEWS = 4
"""Views the layout is best for; any other number is computed as well."""


class Kernel:
    """A convolution whose weights never change. Owns them, laid out when the first maps have told their size."""

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        padding: int,
        stride: int = 1,
        is_laid: bool | None = None,
        is_rectified: bool = False,
    ) -> None:
        """`weight` is (to, from, k, k), on the device and in the precision it is computed with.

        `is_laid` says whether it is laid out; None asks `lays_out`. With `is_rectified` what is below 0 becomes 0.
        """
        self.weight = weight.contiguous(memory_format=torch.channels_last)
        self.bias = None if bias is None else bias.detach()
        self.padding, self.stride, self.is_rectified = padding, stride, is_rectified
        self._laid: Tensor | None = None
        self._is_plain = not (lays_out(weight) if is_laid is None else is_laid)

    def __call__(self, x: Tensor) -> Tensor:
        """Maps (n, to, h', w') of maps (n, from, h, w); not differentiable."""
        if self._is_plain:
            plain = F.conv2d(x, self.weight, self.bias, self.stride, self.padding)
            return plain.relu_() if self.is_rectified else plain
        padding, stride, dilation = [self.padding] * 2, [self.stride] * 2, [1, 1]
        if self._laid is None:
            size = [VIEWS, *x.shape[1:]]
            self._laid = torch.ops.mkldnn._reorder_convolution_weight(self.weight, padding, stride, dilation, 1, size)
        found: Tensor = torch.ops.mkldnn._convolution_pointwise.default(
            x, self._laid, self.bias, padding, stride, dilation, 1, "relu" if self.is_rectified else "none", [], ""
        )
        return found


class Matrix:
    """A linear layer whose weights never change. Owns them.

    Few rows at a time take as long as the weights take to come from memory. So those of single precision are kept in
    half of it, and computed with in single precision, where torch brings FBGEMM for that.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, is_laid: bool | None = None, is_halved: bool | None = None
    ) -> None:
        """`weight` is (to, from), on the device and in the precision it is computed with; `is_laid` as above.

        `is_halved` says whether they are kept in half of single precision; None asks `halves`.
        """
        weight, self._bias = weight.detach().contiguous(), None if bias is None else bias.detach()
        self._halved: Any = None
        if halves(weight) if is_halved is None else is_halved:
            self._halved = torch.ops.quantized.linear_prepack_fp16(weight, self._bias)
            return
        self._is_plain = not (lays_out(weight) if is_laid is None else is_laid)
        self._weight = weight if self._is_plain else torch.ops.mkldnn._reorder_linear_weight(weight, VIEWS)

    def __call__(self, x: Tensor) -> Tensor:
        """(n, to) of (n, from); not differentiable."""
        if self._halved is not None:
            half: Tensor = torch.ops.quantized.linear_dynamic_fp16(x, self._halved)
            return half
        if self._is_plain:
            return F.linear(x, self._weight, self._bias)
        found: Tensor = torch.ops.mkldnn._linear_pointwise.default(x, self._weight, self._bias, "none", [], "")
        return found


def lays_out(weight: Tensor) -> bool:
    """Whether weights like this one are laid out: in single precision or half of it, by a CPU and a torch that can."""
    is_known = weight.dtype == torch.float32 or (weight.dtype == torch.bfloat16 and computes_in_bfloat16())
    return weight.device.type == "cpu" and is_known and _works(weight.dtype)


@lru_cache(maxsize=2)
def _works(dtype: torch.dtype) -> bool:
    """Whether torch's operators are here and compute what the public ones do, tried once on something small.

    Where they have gone, or want to be called otherwise, a show must find out before its first step.
    """
    random = torch.Generator().manual_seed(0)
    weight, maps = (torch.randn(8, 8, 3, 3, generator=random).to(dtype) for _ in range(2))
    flat = weight.flatten(1)
    try:
        found = (
            Kernel(weight, None, 1, is_laid=True)(maps),
            Matrix(flat, None, is_laid=True, is_halved=False)(maps.flatten(1)),
        )
    except Exception:
        log.info("guide: weights are not laid out, as this torch does not do it in the known way", exc_info=True)
        return False
    wanted = F.conv2d(maps, weight, padding=1), F.linear(maps.flatten(1), flat)
    return all(torch.allclose(one, other, rtol=0.05, atol=0.2) for one, other in zip(found, wanted, strict=True))


def halves(weight: Tensor) -> bool:
    """Whether single weights like this one are kept in half of their bits."""
    return weight.device.type == "cpu" and weight.dtype == torch.float32 and _halving_works()


@lru_cache(maxsize=1)
def _halving_works() -> bool:
    """Whether torch's operators for it are here and compute what the public one does, tried once."""
    random = torch.Generator().manual_seed(0)
    weight, rows = torch.randn(16, 32, generator=random), torch.randn(4, 32, generator=random)
    try:
        found = Matrix(weight, None, is_halved=True)(rows)
    except Exception:
        log.info("guide: weights are not kept in half their bits, as this torch does not do it", exc_info=True)
        return False
    return torch.allclose(found, F.linear(rows, weight), rtol=0.01, atol=0.02)
