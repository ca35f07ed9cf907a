"""Attention of whole rows of tokens with its way back, by whatever the device at hand computes most quickly."""

import logging
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor

from engine.fused.loading import fused_for
from engine.guides.timing import device_seconds

log = logging.getLogger("engine.guides")

TILE, HEADS = 64, (16, 32, 64, 128)
"""Tokens of a row at most, and values of a token for each head, that attention in tiles is tried with."""
VIEWS = 4
"""Views that it is tried with."""
NEAR = 0.05
"""How far, relatively, what another way finds may be from plain products in half the bits."""


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


class Tiled:
    """Attention of short rows, each in one tile: see `engine.fused.attention`. For CUDA."""

    def __init__(self, heads: int, otherwise: Attend, is_tried: bool = False) -> None:
        """The other is for where nothing is fused, as by torch's compiler, unless this is being tried.

        Raises ImportError without Triton.
        """
        from engine.fused.attention import attend, attend_back

        self._heads, self._otherwise, self._is_tried = heads, otherwise, is_tried
        self._attend, self._attend_back = attend, attend_back

    def ahead(self, seen: Tensor, n: int, tokens: int, kept: list[Any]) -> Tensor:
        """See Attend."""
        if not self._is_tried and fused_for(seen) is None:
            return self._otherwise.ahead(seen, n, tokens, kept)
        kept.append(seen)
        return self._attend(seen, n, tokens, self._heads)

    def back(self, gradient: Tensor, n: int, tokens: int, kept: list[Any]) -> Tensor:
        """See Attend."""
        if not isinstance(kept[-1], Tensor):  # it went ahead the other way
            return self._otherwise.back(gradient, n, tokens, kept)
        return self._attend_back(kept.pop(), gradient, n, tokens, self._heads)


def attention_for(weight: Tensor, tokens: int, heads: int) -> Attend:
    """The quickest attention that the device of this weight (d, ...) computes rightly, in the weight's precision.

    Raises OutOfMemoryError where there is no room to try.
    """
    plain: Attend = Plain(heads)
    if weight.device.type not in ("cpu", "cuda"):
        return plain
    flash = Flash(heads, weight.device.type == "cpu")
    found = flash if _is_right(flash, plain, weight, tokens) else plain
    is_tried = weight.is_cuda and weight.dtype == torch.bfloat16  # a guide in single precision is on its way to that
    if is_tried and tokens <= TILE and weight.shape[0] // heads in HEADS:
        return _quicker(found, plain, weight, tokens, heads)
    return found


def _is_right(attend: Attend, plain: Attend, weight: Tensor, tokens: int) -> bool:
    """Whether it finds what plain products do. Raises OutOfMemoryError."""
    random, name = torch.Generator().manual_seed(0), type(attend).__name__
    seen, gradient = (torch.randn(tokens, n * weight.shape[0], generator=random).to(weight) for n in (3, 1))
    try:  # torch's operators are its own affair: where they want to be called otherwise, they are not called
        found, wanted = (_both_ways(each, seen, gradient, tokens) for each in (attend, plain))
    except torch.OutOfMemoryError:
        raise
    except Exception as err:  # noqa: BLE001 - whatever a compiler or a driver says, there is another way
        log.info("attention: %s cannot be used here: %s", name, err)
        return False
    if all(float((one - other).norm() / other.norm()) < NEAR for one, other in zip(found, wanted, strict=True)):
        return True
    log.info("attention: %s finds something else here", name)
    return False


def _quicker(found: Attend, plain: Attend, weight: Tensor, tokens: int, heads: int) -> Attend:
    """Attention in tiles, if it is right here and quicker than what was found; that, if not."""
    seen, gradient = (torch.ones(VIEWS * tokens, n * weight.shape[0]).to(weight) for n in (3, 1))

    def both(attend: Attend) -> None:
        kept: list[Any] = []
        attend.ahead(seen, VIEWS, tokens, kept)
        attend.back(gradient, VIEWS, tokens, kept)

    try:
        tiled = Tiled(heads, found, is_tried=True)
        if not _is_right(tiled, plain, weight, tokens):
            return found
        times = [device_seconds(partial(both, each), weight.device) for each in (tiled, found)]
    except (ImportError, RuntimeError) as err:
        log.info("attention: tiles cannot be tried here: %s", err)
        return found
    log.info("attention: in tiles %.1f us, else %.1f us", *(1e6 * each for each in times))
    return Tiled(heads, found) if times[0] < times[1] else found


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
