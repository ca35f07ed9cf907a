"""The shipped denoiser: a small network that takes noise and fringes off a canvas and draws it at twice its size.

It looks at the canvas in quarters and sixteenths (Shi et al. 2016, sub-pixel convolution, both ways) and adds what it
found to the enlarged canvas, so that strength is an honest share of its answer.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engine.doubling import doubled, halved
from engine.errors import EngineError, first_line
from engine.graphs.shelf import Shelf
from engine.guides.laid import Kernel
from engine.kernels.loading import array, kernels_for

SHIPPED_PATH = Path(__file__).parent / "shipped" / "denoiser.safetensors"
"""The weights in the package."""

LICENCE = "MIT; trained on Noto Color Emoji (SIL OFL 1.1) and pictures drawn by this project, see engine/training"

LARGE = 2 * 256 * 144
"""Pixels from which a canvas is nearer to one twice as high and wide as those it was trained on than to those."""

MOST_SIZES = 2
"""Sizes of canvases that graphs are kept for. Each holds its maps, some sixty values for a pixel at most."""

STRIDE = 4
"""Sides of what the network is given are multiples of this."""


@dataclass(frozen=True, slots=True)
class CleanShape:
    """The sizes a network is built with; stored in the file's metadata."""

    fine: int = 32
    deep: int = 64
    pairs: int = 2
    refines: bool = True
    """Whether the finest maps go through one more convolution before the picture is drawn of them."""


SHIPPED_SHAPE = CleanShape(pairs=1, refines=False)
"""Of the weights that ship: less than two thirds of the work of the network that taught it."""


class CleanNet(nn.Module):
    """From a canvas (n, 3, h, w) in 0..1, h and w multiples of 4, to what it lacks at twice its size."""

    def __init__(self, shape: CleanShape) -> None:
        super().__init__()
        self.shape = shape
        fine, deep = shape.fine, shape.deep
        self.stem = nn.Conv2d(12, fine, 3, padding=1)
        self.down = nn.Conv2d(fine, deep, 3, stride=2, padding=1)
        self.deep = nn.ModuleList(nn.Conv2d(deep, deep, 3, padding=1) for _ in range(2 * shape.pairs))
        self.up = nn.Conv2d(deep, 4 * fine, 1)
        self.fine = nn.Conv2d(fine, fine, 3, padding=1) if shape.refines else None
        self.out = nn.Conv2d(fine, 48, 3, padding=1)

    @property
    def dtype(self) -> torch.dtype:
        """The precision it computes with."""
        return self.stem.weight.dtype

    def forward(self, canvas: Tensor) -> Tensor:
        """What (n, 3, 2h, 2w) the canvas, softened and enlarged, lacks."""
        near = F.relu(self.stem(F.pixel_unshuffle(canvas - 0.5, 2)))
        far = F.relu(self.down(near))
        for first, second in zip(self.deep[::2], self.deep[1::2], strict=True):
            far = far + second(F.relu(first(far)))
        near = F.relu(near + F.pixel_shuffle(self.up(far), 2))
        near = near if self.fine is None else F.relu(self.fine(near))
        return F.pixel_shuffle(self.out(near), 4)


class LaidNet:
    """A network for playing: its weights laid out once, what follows a convolution computed within it. Owns them.

    Its answers are the network's.
    """

    def __init__(self, net: CleanNet) -> None:
        """Of a network whose weights do not change any more, on the device and in the precision it computes with."""
        self.dtype = net.stem.weight.dtype
        self.stem, self.down = _kernel(net.stem, True), _kernel(net.down, True)
        self.fine = None if net.fine is None else _kernel(net.fine, True)
        firsts, seconds = ([*net.deep][start::2] for start in (0, 1))
        self.deep = [(_kernel(a, True), _kernel(b, False)) for a, b in zip(firsts, seconds, strict=True)]
        self.up, self.out = _kernel(net.up, False), _kernel(net.out, False)
        self.graphs = Shelf(self._graph, MOST_SIZES)

    def __call__(self, canvas: Tensor) -> Tensor:
        """What (n, 3, 2h, 2w) the canvas (n, 3, h, w), softened and enlarged, lacks."""
        kernels = kernels_for(canvas) if self.dtype == torch.float32 and len(canvas) == 1 else None
        graph = None if kernels is None else self.graphs.find((canvas.shape[-2], canvas.shape[-1]))
        if kernels is not None and graph is not None:
            found = torch.empty(1, 3, 2 * canvas.shape[-2], 2 * canvas.shape[-1])
            kernels.shuffle(graph(canvas)[0].numpy(), array(found))
            return found
        canvas = canvas.to(dtype=self.dtype, memory_format=torch.channels_last)
        near = self.stem(_laid_out(F.pixel_unshuffle(canvas - 0.5, 2)))
        far = self.down(near)
        for first, second in self.deep:
            far = second(first(far)).add_(far)
        near = _laid_out(F.pixel_shuffle(self.up(far), 2).add_(near).relu_())
        near = near if self.fine is None else self.fine(near)
        return F.pixel_shuffle(self.out(near), 4)

    def _graph(self, size: Any) -> Any:
        from engine.graphs.denoiser import DenoiserGraph

        return DenoiserGraph(self, *size)


def _kernel(conv: nn.Conv2d, is_rectified: bool) -> Kernel:
    padding, stride = int(conv.padding[0]), int(conv.stride[0])
    return Kernel(conv.weight.detach(), conv.bias, padding, stride, is_rectified=is_rectified)


def _laid_out(maps: Tensor) -> Tensor:
    return maps.contiguous(memory_format=torch.channels_last)


def enlarged(canvas: Tensor) -> Tensor:
    """The canvas at twice its size, bilinear; (n, 3, h, w) to (n, 3, 2h, 2w)."""
    if canvas.device.type == "cpu" and min(canvas.shape[-2:]) > 1:
        return doubled(canvas.contiguous())
    return F.interpolate(canvas, scale_factor=2.0, mode="bilinear", align_corners=False)


def softened(canvas: Tensor, strength: float = 1.0) -> Tensor:
    """The canvas moved so far toward itself under the binomial filter of 3×3, the border repeated; of the same size.

    What the network's answer is added to: it need not find the speckle of single pixels to take it away.
    """
    if (kernels := kernels_for(canvas)) is not None:
        found = torch.empty_like(canvas)
        kernels.soften(array(canvas), strength, array(found))
        return found
    summed = F.pad(canvas, (1, 1, 1, 1), mode="replicate")
    # Neighbours added up twice each way: pooling takes fifteen times as long.
    for dim in (-2, -2, -1, -1):
        count = summed.shape[dim] - 1
        summed = summed.narrow(dim, 0, count) + summed.narrow(dim, 1, count)
    soft = summed.mul_(1 / 16)
    return soft if strength == 1.0 else torch.lerp(canvas, soft, strength)


def cleaned(net: "CleanNet | LaidNet", picture: Tensor, strength: float, scale: int) -> Tensor:
    """The picture moved this far toward the network's, (n, 3, h, w) to (n, 3, scale h, scale w) in 0..1.

    Strength is 0..1; scale 1 or 2. At scale 1 the answer is averaged over the four pixels of each of the canvas.
    """
    height, width = picture.shape[-2:]
    beyond = (0, -width % STRIDE, 0, -height % STRIDE)
    padded = F.pad(picture, beyond, mode="replicate") if any(beyond) else picture
    asked = padded if isinstance(net, LaidNet) else padded.to(dtype=net.dtype, memory_format=torch.channels_last)
    lacking = net(asked)[..., : 2 * height, : 2 * width].to(picture.dtype)
    base = softened(picture, strength)
    if scale == 1:
        return base.add_(F.avg_pool2d(lacking, 2), alpha=strength).clamp_(0.0, 1.0)
    if (kernels := kernels_for(base, lacking)) is not None:
        kernels.grow(array(base), array(lacking), strength)
        return lacking.clamp_(0.0, 1.0)
    return enlarged(base).add_(lacking, alpha=strength).clamp_(0.0, 1.0)


def redrawn(net: "CleanNet | LaidNet", picture: Tensor, strength: float) -> Tensor:
    """The picture moved this far toward what the network draws of it at half its size, (n, 3, h, w) to the same.

    In a quarter of the time that a large canvas takes at its own size, and crisper: no guide paints a pixel of it
    sharply. What is a pixel wide all the same, in a photograph or a film, is lost.
    """
    height, width = picture.shape[-2:]
    even = F.pad(picture, (0, width % 2, 0, height % 2), mode="replicate")
    drawn = cleaned(net, halved(even), 1.0, 2)[..., :height, :width]
    return drawn if strength == 1.0 else picture.lerp(drawn, strength)


def save_clean(path: Path, net: CleanNet) -> None:
    """Write the network in half precision, its sizes and licence in the file's metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in net.state_dict().items()}
    part = path.with_suffix(".part")
    save_file(weights, part, metadata={"shape": json.dumps(asdict(net.shape)), "licence": LICENCE})
    part.replace(path)


def load_clean(path: Path = SHIPPED_PATH) -> CleanNet:
    """The network of this file, in single precision on the CPU. Raises EngineError if it cannot be read."""
    try:
        with safe_open(path, framework="pt") as file:
            shape = CleanShape(**json.loads((file.metadata() or {})["shape"]))
        net = CleanNet(shape)
        net.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError, LookupError, TypeError, ValueError) as err:
        why = first_line(err)
        raise EngineError(f"the shipped denoiser cannot be read, install vj again: {why}") from err
    return net.eval().requires_grad_(False).to(memory_format=torch.channels_last)
