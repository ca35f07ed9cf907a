"""The guide that comes with vj: a small CLIP trained by this project, for the whole show offline on a CPU.

Its image tower is trained so that the gradient of the agreement points from any canvas to a picture of the words
(perceptually aligned gradients: Ganz, Kawar & Elad 2023; CLIPAG: Ganz & Elad 2024).
"""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.guides import words
from engine.guides.frozen import LEAST_SLOPE, TEXT_LENGTH, Frozen
from engine.guides.packed import pack, unpack
from engine.guides.shipped_text import TextTower, WordTokenizer

SHIPPED_PATH = words.SHIPPED_PATH
"""The weights in the package."""

LICENCE = (
    "MIT; trained on Noto Color Emoji (SIL OFL 1.1), Game Icons (CC BY 3.0) and Unicode CLDR names (Unicode-3.0), "
    "see engine/training"
)


@dataclass(frozen=True, slots=True)
class GuideShape:
    """The sizes a shipped guide is built with; stored in the file's metadata.

    `finest` and `coarsest` are the values of an embedding that those scales fill.
    """

    image_size: int = 64
    embedding: int = 1152
    finest: int = 640
    coarsest: int = 128
    channels: tuple[int, ...] = (16, 64, 128, 192)
    text_width: int = 192
    text_layers: int = 2
    text_hidden: int = 1536
    place_width: int = 768


@dataclass(frozen=True)
class ShippedGuide:
    """A loaded guide: the model, its tokenizer, and how its pictures are normalised (three numbers each)."""

    model: "SmallCLIP"
    tokenizer: Callable[[Sequence[str]], Tensor]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    image_size: int
    concepts: tuple[str, ...]


class _Bend(torch.autograd.Function):
    """The activation's gradient, written out so that training can differentiate it again cheaply."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """The bend of x."""
        ctx.save_for_backward(x)
        slope = x.clamp(LEAST_SLOPE, 1.0)
        return slope * x.sub(slope, alpha=0.5)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """The gradient times the slope at x."""
        x: Tensor = ctx.saved_tensors[0]
        return gradient * x.clamp(LEAST_SLOPE, 1.0)


def bend(x: Tensor) -> Tensor:
    """A smooth rectifier: its slope is x itself, kept within 0.05 .. 1.

    Smooth, as a gradient with jumps would be seen in the picture; three times cheaper than SiLU when training
    differentiates the gradient.
    """
    bent: Tensor = _Bend.apply(x)
    return bent


class _Residual(nn.Module):
    """Two smooth 3x3 convolutions beside the identity; no normalisation, so every view is judged alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.gain = nn.Parameter(torch.full((channels, 1, 1), 0.3))

    def forward(self, x: Tensor) -> Tensor:
        grown: Tensor = x + self.gain * self.second(bend(self.first(bend(x))))
        return grown


class _Stem(nn.Conv2d):
    """An 8x8 convolution of stride 2: 6x6 learnt weights, blurred by 1 2 1 both ways.

    The blur gives even and odd pixels the same share; without it each stride is seen as a grid in the picture
    (Zhang 2019, "Making convolutional networks shift-invariant again").
    """

    def __init__(self, channels: int) -> None:
        super().__init__(3, channels, 6, stride=2, padding=3)
        line = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("blur", (line[:, None] * line).view(1, 1, 3, 3), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Half-sized maps (n, c, s / 2, s / 2)."""
        return F.conv2d(image, self.blurred(), self.bias, stride=2, padding=3)

    def blurred(self) -> Tensor:
        """The weights that pictures are convolved with, (c, 3, 8, 8)."""
        weights = self.weight.reshape(-1, 1, 6, 6)
        return F.conv2d(weights, self.get_buffer("blur"), padding=2).view(-1, 3, 8, 8)


class ImageTower(nn.Module):
    """Pictures (n, 3, 64, 64) to embeddings (n, d).

    Downsamples by a blurred stem and average pools (max pools and bare strides leave grids in the optimised
    picture). Each scale is read out place by place: a mean over places could not say where the subject belongs,
    and the optimised picture would repeat it. Each scale fills a part of the embedding: read into one sum, all
    the pictures that gradients can lead to would be mixtures of no more than a third as many. The finest fills most:
    there is most to see.
    """

    def __init__(self, shape: GuideShape) -> None:
        super().__init__()
        parts = (shape.finest, shape.embedding - shape.finest - shape.coarsest, shape.coarsest)
        if min(parts) < 1:
            raise ValueError(f"an embedding of {shape.embedding} values cannot be shared as {parts} by three scales")
        widths = shape.channels
        self.stem = _Stem(widths[0])
        self.scales = nn.ModuleList(_Residual(width) for width in widths)
        self.widen = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(widths))
        self.thin = nn.ModuleList([nn.Conv2d(widths[1], 16, 1), nn.Conv2d(widths[2], 40, 1)])
        places = (shape.image_size // 16) ** 2
        self.places = (16 * places, 4 * places, places)
        seen = (16 * self.places[0], 40 * self.places[1], widths[3] * self.places[2])
        self.read = nn.ModuleList(nn.Linear(count, part) for count, part in zip(seen, parts, strict=True))

    def forward(self, image: Tensor) -> Tensor:
        """Embeddings (n, d), not normalised, of normalised pictures."""
        x = self.scales[0](self.stem(image.contiguous(memory_format=torch.channels_last)))
        found = []
        for scale, widen in zip(list(self.scales)[1:], self.widen, strict=True):
            x = scale(widen(F.avg_pool2d(x, 2)))
            found.append(x)
        places = [self.thin[0](found[0]), self.thin[1](found[1]), found[2]]
        read = [layer(bend(place).flatten(1)) for layer, place in zip(self.read, places, strict=True)]
        return torch.cat(read, dim=1)


PLACE_WAVES = 3
"""Octaves in which a view's place is told."""


class Place(nn.Module):
    """What a prompt means for one view: its embedding, given where in the picture the view lies.

    An image of a whole scene and one of its upper left corner differ, and so must what they are compared with;
    told where it looks, every view pulls toward its own part of one picture (crop conditioning as in SDXL,
    Podell 2023). Boxes are (left, top, right, bottom) around the picture's middle, in halves of its shorter side.
    """

    def __init__(self, embedding: int, width: int) -> None:
        super().__init__()
        self.read = nn.Linear(embedding, width)
        self.where = nn.Sequential(nn.Linear(6 * 2 * PLACE_WAVES + 6, 96), nn.GELU(), nn.Linear(96, 2 * width))
        self.say = nn.Linear(width, embedding)
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)

    def forward(self, texts: Tensor, boxes: Tensor) -> Tensor:
        """Embeddings (..., d), not normalised, of text embeddings (..., d) of any length in boxes (..., 4)."""
        texts = F.normalize(texts, dim=-1) * TEXT_LENGTH
        gain, shift = self.where(_place_features(boxes)).chunk(2, dim=-1)
        said: Tensor = texts + self.say(bend(self.read(texts) * (1 + gain) + shift))
        return said


def _place_features(boxes: Tensor) -> Tensor:
    first, last = boxes.unflatten(-1, (2, 2)).unbind(-2)
    middle, half = (first + last) / 2, ((last - first) / 2).clamp(min=0.05)
    plain = torch.cat([middle, half, half.log()], dim=-1)
    angles = torch.stack([plain * (2.0**octave * 1.5) for octave in range(PLACE_WAVES)], dim=-2)
    waves = torch.stack([angles.sin(), angles.cos()], dim=-2)
    return torch.cat([plain, waves.flatten(-3)], dim=-1)


class SmallCLIP(nn.Module):
    """An image tower and a text tower with the methods of open_clip's models, and what places mean to prompts."""

    def __init__(self, shape: GuideShape, words: int) -> None:
        super().__init__()
        self.shape = shape
        self.visual = ImageTower(shape)
        self.text = TextTower(words, shape.embedding, shape.text_width, 4, shape.text_layers, shape.text_hidden)
        self.place = Place(shape.embedding, shape.place_width) if shape.place_width else None
        self.logit_scale = nn.Parameter(torch.tensor(3.0))

    def encode_image(self, image: Tensor, normalize: bool = False) -> Tensor:
        """Embeddings (n, d) of normalised pictures (n, 3, s, s)."""
        found: Tensor = self.visual(image)
        return F.normalize(found, dim=-1) if normalize else found

    def encode_text(self, text: Tensor, normalize: bool = False) -> Tensor:
        """Embeddings (n, d) of word numbers (n, L) from the tokenizer."""
        found: Tensor = self.text(text)
        return F.normalize(found, dim=-1) if normalize else found

    def place_text(self, texts: Tensor, boxes: Tensor) -> Tensor:
        """Unit embeddings (n, k, d) of k texts' embeddings (k, d) as n views in boxes (n, k, 4) should show them."""
        everywhere = texts.expand(len(boxes), -1, -1)
        return F.normalize(self.place(everywhere, boxes) if self.place else everywhere, dim=-1)

    def frozen(self, mean: Tensor, std: Tensor) -> Frozen:
        """The same as it is now for painting, quicker, of pictures normalised by mean and std, (1, 3, 1, 1)."""
        return Frozen(self, _place_features, mean, std)


MEAN = (0.4, 0.4, 0.4)
STD = (0.3, 0.3, 0.3)


def learnt_words(path: Path) -> list[str]:
    """The words, in their order, that the guide in this file was taught. Raises ValueError where it is none."""
    words: list[str] = _facts(path)["words"]
    return words


def load_shipped(path: Path = SHIPPED_PATH, device: torch.device | str = "cpu") -> ShippedGuide:
    """The guide in this file, in float32 and evaluation mode, its weights frozen.

    Raises FileNotFoundError where there is none and ValueError where the file is not a shipped guide.
    """
    facts = _facts(path)
    # The first guides knew nothing of places, nor of a hidden layer; their scales had equal parts.
    third = facts["shape"]["embedding"] // 3
    older = {"place_width": 0, "text_hidden": 0, "finest": third, "coarsest": third}
    shape = GuideShape(**{**older, **facts["shape"], "channels": tuple(facts["shape"]["channels"])})
    model = SmallCLIP(shape, len(facts["words"]))
    model.load_state_dict(unpack(load_file(path)))
    model = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.eval().requires_grad_(False)
    things, moods = (frozenset(facts.get(kind, ())) for kind in ("things", "moods"))
    tokenizer = WordTokenizer(facts["words"], facts["aliases"], facts.get("shown", {}), things, moods)
    return ShippedGuide(model, tokenizer, MEAN, STD, shape.image_size, tuple(facts["concepts"]))


def _facts(path: Path) -> dict[str, Any]:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
    if "guide" not in metadata:
        raise ValueError(f"{path.name}: not a shipped guide (its metadata has no 'guide')")
    facts: dict[str, Any] = json.loads(metadata["guide"])
    return facts


def save_shipped(path: Path, model: SmallCLIP, tokenizer: WordTokenizer, concepts: Sequence[str]) -> None:
    """Write the guide, packed, with all it needs to be read again."""
    facts = {
        "shape": asdict(model.shape),
        "words": list(tokenizer.words),
        "aliases": dict(tokenizer.aliases),
        "shown": dict(tokenizer.shown),
        "things": sorted(tokenizer.things),
        "moods": sorted(tokenizer.moods),
        "concepts": list(concepts),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    save_file(pack(model.state_dict()), unfinished, {"guide": json.dumps(facts), "licence": LICENCE})
    unfinished.replace(path)
