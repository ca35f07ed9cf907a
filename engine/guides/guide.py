"""A guide: the image-text model that says how well picture and prompt agree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.guides.frozen_vit import FrozenViT, fits

Three = tuple[float, float, float]


def _knows_all(_text: str) -> bool:
    return True


@dataclass(frozen=True)
class Guide:
    """A loaded model, frozen and in evaluation mode, with what it wants its pictures and texts to be.

    `model` has open_clip's `encode_image` and `encode_text`; `tokenizer` turns texts into its word numbers. A model
    that can be `frozen`, or whose image tower can, is, as it is when the guide is made.
    """

    name: str
    model: Any
    tokenizer: Callable[[Sequence[str]], Tensor]
    mean: Three
    std: Three
    image_size: int
    device: torch.device
    image_dtype: torch.dtype = torch.float32
    knows: Callable[[str], bool] = _knows_all
    """Whether any word of a text means something to the guide."""
    _mean: Tensor = field(init=False, repr=False)
    _std: Tensor = field(init=False, repr=False)
    _frozen: Any = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        self.model.eval().requires_grad_(False)
        for name, three in (("_mean", self.mean), ("_std", self.std)):
            object.__setattr__(self, name, torch.tensor(three, device=self.device).view(1, 3, 1, 1))
        if hasattr(self.model, "frozen"):
            object.__setattr__(self, "_frozen", self.model.frozen(self._mean, self._std))
        elif fits(visual := getattr(self.model, "visual", None)):
            object.__setattr__(self, "_frozen", FrozenViT(visual, self._mean, self._std))

    @property
    def paints_words(self) -> bool:
        """Whether it may paint words and letters: one that was taught things alone would push away a thing instead."""
        return self.knows is _knows_all

    def embed_text(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (n, d) of the texts, on the guide's device."""
        with torch.no_grad():
            found = self.model.encode_text(self.tokenizer(list(texts)).to(self.device))
            return F.normalize(found.float(), dim=-1)

    def embed_image(self, views: Tensor) -> Tensor:
        """Unit vectors (n, d) of views (n, 3, s, s) in 0..1, s being `image_size`; differentiable."""
        return F.normalize(self._embedded(views).float(), dim=-1)

    @property
    def is_plain(self) -> bool:
        """Whether `looked` is nothing but operations on tensors."""
        return hasattr(self._frozen, "looked")

    def looked(self, views: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Embeddings (n, d) of views, not normalised, and what gives the views' gradient for that of them, once.

        The same as `embed_image` without autograd, in single precision.
        """
        if hasattr(self._frozen, "looked"):
            found: tuple[Tensor, Callable[[Tensor], Tensor]] = self._frozen.looked(views)
            return found
        leaf = views.detach().requires_grad_(True)
        with torch.enable_grad():
            seen = self._embedded(leaf).float()
        return seen.detach(), lambda gradient: torch.autograd.grad(seen, leaf, gradient)[0]

    def place_text(self, vectors: Tensor, boxes: Tensor) -> Tensor:
        """What views in boxes (n, k, 4) should show of k texts: unit vectors (n, k, d), from the texts' own (k, d).

        Boxes are those of `engine.placing.places`. Most guides know nothing of places: every view shows all.
        """
        place = getattr(self._frozen, "place_text", None) or getattr(self.model, "place_text", None)
        if place is None:
            return vectors.expand(len(boxes), -1, -1)
        with torch.no_grad():
            placed: Tensor = place(vectors, boxes)
            return placed

    def _embedded(self, views: Tensor) -> Tensor:
        found: Tensor
        if self._frozen is not None:
            found = self._frozen.embed_views(views)
        else:
            found = self.model.encode_image(((views - self._mean) / self._std).to(self.image_dtype))
        return found

    def never_wait(self, patience_s: float = 0.0) -> None:
        """Prepare nothing any more at the cost of a frame: what is quicker once it is ready is prepared beside.

        But for what the first frame needs, which is waited for so long.
        """
        if graphs := getattr(getattr(self._frozen, "embed_views", None), "graphs", None):
            graphs.waits, graphs.patience_s = False, patience_s

    @property
    def memory_mb(self) -> int:
        """What its weights take on its device, in millions of bytes."""
        tensors = (*self.model.parameters(), *self.model.buffers())
        held: int = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return round(held / 1e6)

    def thaw(self) -> None:
        """Let go of the frozen tower, which holds weights on; for who changes them and makes a new guide of them."""
        object.__setattr__(self, "_frozen", None)

    def moved(self, device: torch.device) -> "Guide":
        """The same guide on another device. Raises RuntimeError where the present device no longer answers."""
        self.thaw()
        return replace(self, model=self.model.to(device), device=device)
