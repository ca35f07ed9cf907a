"""The shipped guide as a show computes it: weights that never change, and gradients for pictures only.

What `engine.guides.shipped` computes for training, with its backward pass written out: nothing is kept for the
gradients of weights, and no gradient can be differentiated again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isqrt
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.graphs.shelf import Shelf
from engine.guides.laid import Kernel, Matrix
from engine.kernels.loading import Kernels, kernels_for

LEAST_SLOPE = 0.05
"""Of the activation, `bend` in `engine.guides.shipped`."""
TEXT_LENGTH = 32.0
"""Length that text embeddings are given before they are placed."""

MOST_COUNTS = 6
"""Numbers of views that graphs are kept for, 30 MB each."""

Slopes = list[Tensor]
"""The slope of every activation, in the order in which a part of the tower computed them."""


def bent(x: Tensor) -> tuple[Tensor, Tensor]:
    """The activation of x and its slope there."""
    slope = x.clamp(LEAST_SLOPE, 1.0)
    return x.sub(slope, alpha=0.5).mul_(slope), slope


class Convolution:
    """A convolution of stride 1. Its gradient is one too, by the same weights turned about, kept beside them."""

    def __init__(self, weight: Tensor, bias: Tensor | None, padding: int) -> None:
        """`weight` is (to, from, k, k), on the device and in the precision it is computed with."""
        turned = weight.flip(2, 3).transpose(0, 1)
        self.kernel = Kernel(weight, bias, padding)
        self.turned = Kernel(turned, None, weight.shape[-1] - 1 - padding)

    def __call__(self, x: Tensor) -> Tensor:
        """Maps (n, to, h', w') of maps (n, from, h, w)."""
        return self.kernel(x)

    def back(self, gradient: Tensor) -> Tensor:
        """The gradient of x from that of the maps."""
        return self.turned(gradient)

    @classmethod
    def of(cls, layer: nn.Conv2d, factor: Tensor | float = 1.0) -> "Convolution":
        """What this layer computes, each of its maps times a factor, (c,) or one for all."""
        weight, bias = layer.weight.detach(), layer.bias
        scaled = weight.float() * (factor.view(-1, 1, 1, 1) if isinstance(factor, Tensor) else factor)
        moved = None if bias is None else (bias.detach().float() * factor).to(weight.dtype)
        return cls(scaled.to(weight.dtype), moved, int(layer.padding[0]))


class Residual:
    """Two convolutions beside the identity."""

    def __init__(self, layer: Any) -> None:
        gain = layer.gain.detach().float().flatten()
        self.first, self.second = Convolution.of(layer.first), Convolution.of(layer.second, gain)

    def __call__(self, x: Tensor, slopes: Slopes) -> Tensor:
        """Maps of the same size; two slopes are added."""
        one, outer = bent(x)
        two, inner = bent(self.first(one))
        slopes += [outer, inner]
        return self.second(two).add_(x)

    def back(self, gradient: Tensor, slopes: Slopes) -> Tensor:
        """The gradient of x; two slopes are taken off."""
        inner, outer = slopes.pop(), slopes.pop()
        through = self.first.back(self.second.back(gradient).mul_(inner))
        return through.mul_(outer).add_(gradient)


class Readout:
    """One scale's part of the embedding, so many `values`, read place by place."""

    def __init__(self, thin: nn.Conv2d | None, layer: nn.Linear, places: int) -> None:
        """`layer` reads maps channel by channel, so many places each; here they lie place by place."""
        self.thin = None if thin is None else Convolution.of(thin)
        weight = layer.weight.detach().unflatten(1, (-1, places)).transpose(1, 2).flatten(1)
        self.values = len(weight)
        self.matrix, self.turned = Matrix(weight, layer.bias), Matrix(weight.t(), None)

    def __call__(self, maps: Tensor, slopes: Slopes) -> Tensor:
        """(n, values) of maps (n, c, h, w); one slope is added."""
        seen, slope = bent(maps if self.thin is None else self.thin(maps))
        slopes.append(slope)
        return self.matrix(seen.permute(0, 2, 3, 1).flatten(1))

    def back(self, gradient: Tensor, slopes: Slopes) -> Tensor:
        """The gradient of the maps; one slope is taken off."""
        slope = slopes.pop()
        n, channels, height, width = slope.shape
        found = self.turned(gradient).view(n, height, width, channels).permute(0, 3, 1, 2) * slope
        return found if self.thin is None else self.thin.back(found)


class Stem:
    """The blurred stem, and before it the normalisation of pictures.

    Its gradient is found without its stride of 2: two by two pixels are twelve channels to a convolution of stride 1,
    which takes a third of the time.
    """

    def __init__(self, weight: Tensor, bias: Tensor, mean: Tensor, std: Tensor) -> None:
        """`weight` is (c, 3, 8, 8), for pictures normalised by mean and std, (1, 3, 1, 1)."""
        scaled = (weight.float() / std).to(weight.dtype)
        parts = scaled.unflatten(3, (4, 2)).unflatten(2, (4, 2)).permute(0, 1, 3, 5, 2, 4).flatten(1, 3)
        self.mean, self._dtype = mean, weight.dtype
        self.kernel = Kernel(scaled, bias, padding=3, stride=2)
        self.turned = Kernel(parts.flip(2, 3).transpose(0, 1), None, padding=3)

    def __call__(self, views: Tensor) -> Tensor:
        """Maps (n, c, s / 2, s / 2) of views (n, 3, s, s) in 0..1."""
        return self.kernel((views - self.mean).to(self._dtype, memory_format=torch.channels_last))

    def unshuffled(self, maps: Tensor) -> Tensor:
        """The gradient (n, 3, s, s) of views from what `turned` computes, its channels last, (n, h, w, 12)."""
        if (kernels := kernels_for(maps)) is None:
            return F.pixel_shuffle(maps.permute(0, 3, 1, 2), 2)[..., 3:-3, 3:-3].contiguous()
        views = maps.new_empty(len(maps), 3, 2 * maps.shape[1] - 6, 2 * maps.shape[2] - 6)
        kernels.unstem(maps.numpy(), views.numpy())
        return views

    def back(self, gradient: Tensor) -> Tensor:
        """The gradient of the views, in single precision."""
        whole = F.pixel_shuffle(self.turned(gradient), 2)[..., 3:-3, 3:-3]
        return whole.to(torch.float32, memory_format=torch.contiguous_format)


@dataclass(frozen=True)
class FrozenTower:
    """Embeddings of views in 0..1, as `ImageTower` gives them of normalised ones; differentiable once."""

    stem: Stem
    scales: tuple[Residual, ...]
    widen: tuple[Convolution, ...]
    read: tuple[Readout, ...]
    size: int
    """Pixels of a view's side."""
    graphs: Shelf[Any] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "graphs", Shelf(self._graphs, MOST_COUNTS))

    @classmethod
    def of(cls, tower: Any, mean: Tensor, std: Tensor) -> "FrozenTower":
        """The tower as it is now, in its precision, for pictures normalised by mean and std, (1, 3, 1, 1)."""
        with torch.no_grad():
            stem = Stem(tower.stem.blurred(), tower.stem.bias, mean, std)
            read = zip((*tower.thin, None), tower.read, tower.places, strict=True)
            return cls(
                stem,
                tuple(Residual(scale) for scale in tower.scales),
                tuple(Convolution.of(layer) for layer in tower.widen),
                tuple(Readout(thin, layer, places) for thin, layer, places in read),
                16 * isqrt(tower.places[2]),
            )

    def __call__(self, views: Tensor) -> Tensor:
        """Embeddings (n, d), not normalised, of views (n, 3, s, s)."""
        found: Tensor = _Seen.apply(views, self)
        return found

    def looked(self, views: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Embeddings in single precision, and what gives the views' gradient for that of them, before it looks anew."""
        is_single = views.device.type == "cpu" and self.stem.kernel.weight.dtype == torch.float32
        graphs = self.graphs.find(len(views)) if is_single else None
        if graphs is not None:
            self._prepare_fewer(len(views))
            return graphs.ahead(views), graphs.back
        found, slopes = self.forward(views)
        return found.float(), lambda gradient: self.back(gradient.to(found.dtype), slopes)

    def _prepare_fewer(self, views: int) -> None:
        """Have graphs for one view less: a governor takes them away one by one where frames are late."""
        if not self.graphs.waits and views > 1:
            self.graphs.prepare(views - 1)

    def _graphs(self, views: Any) -> Any:
        from engine.graphs.tower import TowerGraphs

        return TowerGraphs(self, views, LEAST_SLOPE)

    def forward(self, views: Tensor) -> tuple[Tensor, Slopes]:
        """The embeddings, and what their gradient takes."""
        slopes: Slopes = []
        x = self.scales[0](self.stem(views), slopes)
        parts = []
        for scale, widen, read in zip(self.scales[1:], self.widen, self.read, strict=True):
            x = scale(widen(F.avg_pool2d(x, 2)), slopes)
            parts.append(read(x, slopes))
        return torch.cat(parts, dim=1), slopes

    def back(self, gradient: Tensor, slopes: Slopes) -> Tensor:
        """The gradient of the views from that of the embeddings."""
        parts, coarser = gradient.split([read.values for read in self.read], dim=1), None
        for scale, widen, read, part in reversed(list(zip(self.scales[1:], self.widen, self.read, parts, strict=True))):
            pulled = read.back(part, slopes)
            pulled = pulled if coarser is None else pulled.add_(coarser)
            coarser = _spread(widen.back(scale.back(pulled, slopes)))
        return self.stem.back(self.scales[0].back(coarser, slopes))  # type: ignore[arg-type]


def _spread(gradient: Tensor) -> Tensor:
    """What a mean over two by two places gives each of them."""
    return F.interpolate(gradient.mul_(0.25), scale_factor=2.0, mode="nearest")


class _Seen(torch.autograd.Function):
    """The tower's embeddings; its gradient by hand."""

    @staticmethod
    def forward(ctx: Any, views: Tensor, tower: FrozenTower) -> Tensor:
        """Embeddings (n, d)."""
        found, slopes = tower.forward(views)
        ctx.tower = tower
        ctx.save_for_backward(*slopes)
        return found

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """The gradient of the views."""
        return ctx.tower.back(gradient, list(ctx.saved_tensors)), None


class FrozenPlace:
    """What texts mean in places, as `Place` says it: each text is read once for all views, in half the bits if laid."""

    def __init__(self, place: Any, features: Callable[[Tensor], Tensor], dtype: torch.dtype) -> None:
        """`features` tells a box (..., 4) to the network; what is as wide as an embedding is computed in `dtype`."""
        self._read, self._say = (_linear(layer, dtype) for layer in (place.read, place.say))
        self._where, self._features, self._dtype = place.where, features, dtype
        near, far = place.where[0], place.where[2]
        self._layers = [each.detach() for each in (near.weight, near.bias, far.weight.t().contiguous(), far.bias)]
        self._waves = (near.in_features - 6) // 12
        self._known: tuple[tuple[int, torch.Size, int], Tensor, Tensor, Tensor] | None = None

    def __call__(self, texts: Tensor, boxes: Tensor) -> Tensor:
        """Unit embeddings (n, k, d) of k texts' embeddings (k, d) as n views in boxes (n, k, 4) should show them."""
        if (kernels := kernels_for(texts, boxes, *self._layers)) is not None:
            return self._compiled(kernels, texts, boxes)
        texts, read = self._told(texts)
        gain, shift = self._where(self._features(boxes)).chunk(2, dim=-1)
        inner, _ = bent(torch.addcmul(shift, read, 1.0 + gain))
        said = self._say(inner.to(self._dtype).flatten(0, 1)).float()
        return F.normalize(said.view(*boxes.shape[:2], -1).add_(texts), dim=-1)

    def _compiled(self, kernels: Kernels, texts: Tensor, boxes: Tensor) -> Tensor:
        """The same in compiled passes. Texts are read once, until they are others."""
        key = texts.data_ptr(), texts.shape, texts._version
        if self._known is None or self._known[0] != key:
            self._known = key, texts, *self._told(texts)  # the texts are held on to, so that no others lie there
        longer, read = self._known[2:]
        rows = boxes.shape[0] * boxes.shape[1]
        inner, found = read.new_empty(rows, read.shape[1]), longer.new_empty(rows, longer.shape[1])
        layers = (each.numpy() for each in self._layers)
        kernels.placed(boxes.numpy(), read.numpy(), *layers, self._waves, LEAST_SLOPE, inner.numpy())
        said = self._say(inner.to(self._dtype)).float()
        kernels.united(said.numpy(), longer.numpy(), found.numpy())
        return found.view(*boxes.shape[:2], -1)

    def _told(self, texts: Tensor) -> tuple[Tensor, Tensor]:
        """The texts in their length, and as they are read."""
        longer = F.normalize(texts, dim=-1) * TEXT_LENGTH
        return longer, self._read(longer.to(self._dtype)).float()


def _linear(layer: nn.Linear, dtype: torch.dtype) -> Matrix:
    return Matrix(layer.weight.detach().to(dtype), layer.bias.detach().to(dtype))


class Frozen:
    """All of the shipped guide that a step takes."""

    def __init__(self, model: Any, features: Callable[[Tensor], Tensor], mean: Tensor, std: Tensor) -> None:
        """The model as it is now, for pictures normalised by mean and std, (1, 3, 1, 1)."""
        self.embed_views = FrozenTower.of(model.visual, mean, std)
        self.looked = self.embed_views.looked
        dtype = model.visual.stem.weight.dtype
        self.place_text = None if model.place is None else FrozenPlace(model.place, features, dtype)
