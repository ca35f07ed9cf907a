"""Vision transformers of open_clip as a show computes them: weights that never change, gradients for pictures only.

The backward pass is written out: a third of the small operations that autograd adds between the large ones is gone,
and on a GPU, where a step of four views is many small operations, they are what takes the time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from engine.fused.loading import fused_for
from engine.guides.attention import VIEWS, Attend, attention_for
from engine.guides.products import parts_for, product

MOST_TOKENS = 320
"""Longer rows of tokens are left to open_clip: what is kept of them for the way back takes too much memory."""

Kept = list[Any]
"""What the way back needs, in the order in which it was computed."""


def fits(visual: Any) -> bool:
    """Whether it is the plain CLIP transformer: a class token, learnt places, whole attention, no scales or gates."""
    if not type(visual).__module__.startswith("open_clip."):
        return False
    if next(visual.parameters()).device.type not in ("cpu", "cuda"):
        return False  # tried on these two
    from open_clip.transformer import QuickGELU, ResidualAttentionBlock, VisionTransformer

    if not isinstance(visual, VisionTransformer):
        return False
    is_plain = visual.attn_pool is None and visual.pool_type == "tok" and not visual.output_tokens
    is_plain &= visual.proj is not None and len(visual.positional_embedding) <= MOST_TOKENS
    is_plain &= isinstance(visual.ln_pre, nn.LayerNorm | nn.Identity)
    for block in visual.transformer.resblocks:
        if type(block) is not ResidualAttentionBlock or not isinstance(block.attn, nn.MultiheadAttention):
            return False
        act = block.mlp.gelu
        is_plain &= isinstance(block.ls_1, nn.Identity) and isinstance(block.ls_2, nn.Identity)
        is_plain &= isinstance(act, QuickGELU) or (type(act) is nn.GELU and act.approximate == "none")
        is_plain &= block.attn.in_proj_weight is not None and block.attn.in_proj_bias is not None
    return bool(is_plain)


class FrozenViT:
    """The image tower of a model that `fits`. Shares its weights but those of the patches, and never changes them."""

    def __init__(self, visual: Any, mean: Tensor, std: Tensor) -> None:
        """Pictures in 0..1 are normalised by mean and std, (1, 3, 1, 1)."""
        weight = visual.conv1.weight.detach()
        self._dtype, self._side = weight.dtype, int(weight.shape[-1])
        scaled = weight.float() / std
        places = visual.positional_embedding.detach()
        self._patches = scaled.flatten(1).to(self._dtype)
        self._lacking = -(scaled * mean).sum((1, 2, 3)).to(self._dtype)
        self._first = (visual.class_embedding.detach() + places[0]).to(self._dtype)
        self._places = places[1:].to(self._dtype)
        self._before = visual.ln_pre if isinstance(visual.ln_pre, nn.LayerNorm) else None
        attend = attention_for(weight, len(places), visual.transformer.resblocks[0].attn.num_heads)
        blocks = list(visual.transformer.resblocks)
        parts = Parts.of(blocks, VIEWS * len(places))
        self._blocks = [Block(block, attend, parts) for block in blocks]
        self._after, self._project = visual.ln_post, visual.proj.detach()

    def embed_views(self, views: Tensor) -> Tensor:
        """Embeddings (n, d), not normalised, of views (n, 3, s, s) in 0..1; differentiable once."""
        if not (torch.is_grad_enabled() and views.requires_grad):
            return self.ahead(views, _Forgotten())
        found: Tensor = _Embed.apply(views, self)
        return found

    def looked(self, views: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Embeddings of the views, and what gives the views' gradient for that of them, once."""
        kept: Kept = []
        found = self.ahead(views, kept)
        return found.float(), lambda gradient: self.back(gradient.to(found.dtype), kept, views.shape).to(views.dtype)

    def ahead(self, views: Tensor, kept: Kept) -> Tensor:
        """Embeddings of the views; what the way back needs is added to `kept`."""
        n, x = len(views), self._tokens(views)
        if self._before is not None:
            x = _norm(self._before, x, kept)
        more, tokens = None, len(self._places) + 1
        for block in self._blocks:
            x, more = block.ahead(x, more, n, tokens, kept)
        heads = x[::tokens].contiguous() if more is None else x[::tokens] + more[::tokens]
        found: Tensor = _norm(self._after, heads, kept) @ self._project
        return found

    def back(self, gradient: Tensor, kept: Kept, size: torch.Size) -> Tensor:
        """The gradient of views of this size from that of their embeddings."""
        n, tokens = size[0], len(self._places) + 1
        heads = _norm_back(self._after, gradient @ self._project.T, kept)
        g = heads.new_zeros(n * tokens, heads.shape[1])
        g[::tokens] = heads
        for block in reversed(self._blocks):
            g = block.back(g, n, tokens, kept)
        if self._before is not None:
            g = _norm_back(self._before, g, kept)
        flat = g.view(n, tokens, -1)[:, 1:].flatten(0, 1) @ self._patches
        across, side = size[-1] // self._side, self._side
        whole: Tensor = flat.view(n, across, across, 3, side, side).permute(0, 3, 1, 4, 2, 5).reshape(size)
        return whole

    def _tokens(self, views: Tensor) -> Tensor:
        """The class token and the patches, each at its place, (n tokens, d)."""
        n, _, size, _ = views.shape
        across, side, tokens = size // self._side, self._side, len(self._places) + 1
        parts = views.view(n, 3, across, side, across, side).permute(0, 2, 4, 1, 3, 5)
        flat = parts.to(self._dtype, memory_format=torch.contiguous_format).reshape(n * across * across, -1)
        seen = torch.addmm(self._lacking, flat, self._patches.T)
        whole = seen.new_empty(n, tokens, seen.shape[1])
        whole[:, 0] = self._first
        whole[:, 1:] = seen.view(n, tokens - 1, -1) + self._places
        return whole.flatten(0, 1)


@dataclass(frozen=True, slots=True)
class Parts:
    """Into how many parts the rows of long products are cut; see `engine.guides.products`."""

    narrow: int = 1
    """What goes through the second layer."""
    wide_back: int = 1
    """What comes back through the first."""
    in_back: int = 1
    """What comes back to queries, keys and values."""

    @classmethod
    def of(cls, blocks: Sequence[Any], rows: int) -> "Parts":
        """As is quickest for so many rows and blocks like these."""
        layers = [(block.mlp.c_proj.weight.T, block.mlp.c_fc.weight, block.attn.in_proj_weight) for block in blocks]
        return cls(*(parts_for([each.detach() for each in weights], rows) for weights in zip(*layers, strict=True)))


class Block:
    """Attention and two layers, each beside the identity."""

    def __init__(self, block: Any, attend: Attend, parts: Parts) -> None:
        self._attend, self._parts = attend, parts
        self._norms = block.ln_1, block.ln_2
        self._in = block.attn.in_proj_weight.detach(), block.attn.in_proj_bias.detach()
        self._out = _of(block.attn.out_proj)
        self._wide, self._narrow = _of(block.mlp.c_fc), _of(block.mlp.c_proj)
        self._is_quick = not isinstance(block.mlp.gelu, nn.GELU)

    def ahead(self, x: Tensor, more: Tensor | None, n: int, tokens: int, kept: Kept) -> tuple[Tensor, Tensor]:
        """What comes of the tokens (n tokens, d) of n views, which are x and more, still to be added up as it is."""
        if more is None:
            seen = _norm(self._norms[0], x, kept)
        else:
            x, seen = _norm_of_sum(self._norms[0], more, x, kept)
        seen = _linear(seen, self._in)
        x, seen = _norm_of_sum(self._norms[1], _linear(self._attend.ahead(seen, n, tokens, kept), self._out), x, kept)
        wide = _linear(seen, self._wide)
        return x, _linear(self._bent(wide, kept), self._narrow, self._parts.narrow)

    def back(self, g: Tensor, n: int, tokens: int, kept: Kept) -> Tensor:
        """The gradient of the tokens from that of what came of them."""
        wide = self._unbent(g @ self._narrow[0], kept)
        g = _norm_back_and(g, self._norms[1], product(wide, self._wide[0], self._parts.wide_back), kept)
        seen = self._attend.back(g @ self._out[0], n, tokens, kept)
        return _norm_back_and(g, self._norms[0], product(seen, self._in[0], self._parts.in_back), kept)

    def _bent(self, x: Tensor, kept: Kept) -> Tensor:
        if not self._is_quick:
            kept.append(x)
            return F.gelu(x)
        steep = x * 1.702  # open_clip's QuickGELU, x sigmoid(1.702 x)
        kept.append(steep)
        return F.silu(steep).mul_(1 / 1.702)

    def _unbent(self, g: Tensor, kept: Kept) -> Tensor:
        x, aten = kept.pop(), torch.ops.aten
        found: Tensor = aten.silu_backward(g, x) if self._is_quick else aten.gelu_backward(g, x)
        return found


class _Forgotten(list[Any]):
    """What no way back will ask for."""

    def append(self, _: Any) -> None:
        """Let go of it."""


class _Embed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, views: Tensor, tower: FrozenViT) -> Tensor:
        """The embeddings."""
        ctx.tower, ctx.kept, ctx.views = tower, [], (views.shape, views.dtype)
        return tower.ahead(views, ctx.kept)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """The gradient of the views, once. Raises RuntimeError the second time."""
        size, dtype = ctx.views
        kept, ctx.kept = ctx.kept, []
        if not kept:
            raise RuntimeError("what the way back needs is let go of after the first time")
        return ctx.tower.back(gradient, kept, size).to(dtype), None


def _of(layer: nn.Linear) -> tuple[Tensor, Tensor]:
    return layer.weight.detach(), layer.bias.detach()


def _linear(x: Tensor, layer: tuple[Tensor, Tensor], parts: int = 1) -> Tensor:
    return product(x, layer[0].T, parts, layer[1])


def _norm(layer: nn.LayerNorm, x: Tensor, kept: Kept) -> Tensor:
    found, mean, scale = torch.native_layer_norm(x, layer.normalized_shape, layer.weight, layer.bias, layer.eps)
    kept.append((x, mean, scale))
    return found


def _norm_of_sum(layer: nn.LayerNorm, x: Tensor, more: Tensor, kept: Kept) -> tuple[Tensor, Tensor]:
    """The sum, in place of x, and that normalised."""
    if (fused := fused_for(x)) is None:
        x = x.add_(more)
        return x, _norm(layer, x, kept)
    found, mean, scale = fused.norm_of_sum(x, more, layer.weight, layer.bias, layer.eps)
    kept.append((x, mean, scale))
    return x, found


def _norm_back_and(more: Tensor, layer: nn.LayerNorm, g: Tensor, kept: Kept) -> Tensor:
    """What comes back through a normalisation, and more that came beside it."""
    if (fused := fused_for(g)) is None:
        return _norm_back(layer, g, kept).add_(more)
    x, mean, scale = kept.pop()
    found: Tensor = fused.norm_back_and_sum(g, x, layer.weight, mean, scale, more)
    return found


def _norm_back(layer: nn.LayerNorm, g: Tensor, kept: Kept) -> Tensor:
    found: Tensor = torch.ops.aten.native_layer_norm_backward(
        g, kept[-1][0], layer.normalized_shape, *kept.pop()[1:], layer.weight, layer.bias, [True, False, False]
    )[0]
    return found
