"""Attention of whole rows of tokens with its way back, from torch's own flash attention where the device has it."""

import logging
from typing import Any, Protocol

import torch
from torch import Tensor

log = logging.getLogger("engine.guides")

NEAR = 0.05
"""How far, relatively, what flash attention finds may be from plain products in half the bits."""


class Attend(Protocol):
    """Attention between the tokens of each view, not between views."""

    def ahead(self, seen: Tensor, n: int, tokens: int, kept: list[Any]) -> Tensor:
        """What n views' tokens found, (n tokens, d), from their queries, keys and values (n tokens, 3 d)."""
        ...

    def back(self, gradient: Tensor, n: int, tokens: int, kept: list[Any]) -> Tensor:
        """The gradient of queries, keys and values."""
        ...


class Plain:
    """Attention as matrix products, for any device."""

    def __init__(self, heads: int) -> None:
        self._heads = heads

    def ahead(self, seen: Tensor, n: int, tokens: int, kept: list[Any]) -> Tensor:
        """See Attend."""
        q, k, v = (x.reshape(n * self._heads, tokens, -1) for x in _apart(seen, n, tokens, self._heads))
        weights = torch.baddbmm(q.new_zeros(()), q, k.mT, beta=0.0, alpha=q.shape[-1] ** -0.5).softmax(-1)
        kept.append((q, k, v, weights))
        return _together(torch.bmm(weights, v).view(n, self._heads, tokens, -1))

    def back(self, gradient: Tensor, n: int, tokens: int, kept: list[Any]) -> Tensor:
        """See Attend."""
        q, k, v, weights = kept.pop()
        g = gradient.view(n, tokens, self._heads, -1).transpose(1, 2).reshape(q.shape)
        of_weights = torch.bmm(g, v.mT)
        of_logits = torch.ops.aten._softmax_backward_data(of_weights, weights, -1, weights.dtype)
        scale, nothing = q.shape[-1] ** -0.5, q.new_zeros(())
        of_q = torch.baddbmm(nothing, of_logits, k, beta=0.0, alpha=scale)
        of_k = torch.baddbmm(nothing, of_logits.mT, q, beta=0.0, alpha=scale)
        parts = [x.view(n, self._heads, tokens, -1) for x in (of_q, of_k, torch.bmm(weights.mT, g))]
        return _joined(parts)


class Flash:
    """Attention by torch's flash attention, of the CPU or of CUDA."""

    def __init__(self, heads: int, is_cpu: bool) -> None:
        self._heads, self._is_cpu = heads, is_cpu
        self._ahead, self._back = (
            getattr(torch.ops.aten, f"_scaled_dot_product_flash_attention{'_for_cpu' * is_cpu}{way}")
            for way in ("", "_backward")
        )

    def ahead(self, seen: Tensor, n: int, tokens: int, kept: list[Any]) -> Tensor:
        """See Attend."""
        parts = _apart(seen, n, tokens, self._heads)
        found = self._ahead(*parts)
        kept.append((parts, found))
        return _together(found[0])

    def back(self, gradient: Tensor, n: int, tokens: int, kept: list[Any]) -> Tensor:
        """See Attend."""
        parts, found = kept.pop()
        g = gradient.view(n, tokens, self._heads, -1).transpose(1, 2)
        if self._is_cpu:
            return _joined(self._back(g, *parts, *found[:2], 0.0, False))
        return _joined(self._back(g, *parts, *found[:6], 0.0, False, *found[6:8]))


def attention_for(weight: Tensor, tokens: int, heads: int) -> Attend:
    """The quickest attention that the device of this weight (d, ...) computes rightly, in the weight's precision.

    Raises OutOfMemoryError where there is no room to try.
    """
    if weight.device.type not in ("cpu", "cuda"):
        return Plain(heads)
    flash, plain = Flash(heads, weight.device.type == "cpu"), Plain(heads)
    random = torch.Generator().manual_seed(0)
    seen, gradient = (torch.randn(tokens, n * weight.shape[0], generator=random).to(weight) for n in (3, 1))
    try:  # these operators are torch's own affair: where they want to be called otherwise, they are not called
        found, wanted = (_both_ways(attend, seen, gradient, tokens) for attend in (flash, plain))
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, TypeError, AttributeError) as err:
        log.info("attention: torch's flash attention cannot be used here: %s", err)
        return plain
    if all(float((one - other).norm() / other.norm()) < NEAR for one, other in zip(found, wanted, strict=True)):
        return flash
    log.info("attention: torch's flash attention finds something else here")
    return plain


@torch.no_grad()
def _both_ways(attend: Attend, seen: Tensor, gradient: Tensor, tokens: int) -> tuple[Tensor, Tensor]:
    kept: list[Any] = []
    return attend.ahead(seen, 1, tokens, kept).float(), attend.back(gradient, 1, tokens, kept).float()


def _apart(seen: Tensor, n: int, tokens: int, heads: int) -> tuple[Tensor, ...]:
    """Queries, keys and values, (n, heads, tokens, d / heads) each, not copied."""
    parts: tuple[Tensor, ...] = seen.view(n, tokens, 3, heads, -1).permute(2, 0, 3, 1, 4).unbind()
    return parts


def _together(found: Tensor) -> Tensor:
    """Rows of tokens from (n, heads, tokens, d / heads)."""
    return found.transpose(1, 2).flatten(2).flatten(0, 1)


def _joined(parts: Any) -> Tensor:
    """The gradient (n tokens, 3 d) of queries, keys and values (n, heads, tokens, d / heads) each."""
    return torch.stack([part.transpose(1, 2) for part in parts], dim=2).flatten(2).flatten(0, 1)
