"""The generator of CycleGAN (Zhu et al. 2017), from files in the layout of its authors' PyTorch code.

The network is Johnson et al.'s (2016): a convolution of 7×7, two that halve the size, blocks that each add their
answer to what they were given, two that double it again, and one of 7×7 to a picture in -1..1. Instances are
normalised without scales of their own, borders mirrored. Its state dict names layers by their place, `model.1.weight`.
"""

import pickle
import re
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from engine.errors import EngineError

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
STRIDE = 4
"""Sides of what the generator is given are multiples of this."""
LEAST_SIDE = 16

_TRACKED = (".running_mean", ".running_var", ".num_batches_tracked")
"""What instance norms of before PyTorch 0.4 left in files; nothing ever used it."""

_FOREIGN = (
    OSError,
    SafetensorError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    pickle.UnpicklingError,
)
"""What torch and safetensors raise on files that do not fit."""


class Block(nn.Module):
    """Two convolutions of 3×3 whose answer is added to what they were given."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width), nn.ReLU(),
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width),
        )  # fmt: skip

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (n, width, h, w) to the same."""
        return maps + self.conv_block(maps)  # type: ignore[no-any-return]


class Generator(nn.Module):
    """Pictures (n, 3, h, w) in -1..1 to pictures of the same size in -1..1; h and w multiples of 4, at least 16."""

    def __init__(self, width: int = 64, blocks: int = 9) -> None:
        """`width` is the number of maps at full size; the published generators have 64, and 9 blocks."""
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), *_normed(width)]
        for wide in (width, 2 * width):
            layers += [nn.Conv2d(wide, 2 * wide, 3, stride=2, padding=1), *_normed(2 * wide)]
        layers += [Block(4 * width) for _ in range(blocks)]
        for wide in (4 * width, 2 * width):
            up = nn.ConvTranspose2d(wide, wide // 2, 3, stride=2, padding=1, output_padding=1)
            layers += [up, *_normed(wide // 2)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> Tensor:
        """What the generator makes of the pictures."""
        return self.model(pictures)  # type: ignore[no-any-return]


def _normed(width: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(width), nn.ReLU()


def generated(net: Generator, picture: Tensor, strength: float, scale: int) -> Tensor:
    """The picture moved this far toward what the generator makes of it, (1, 3, h, w) to (1, 3, scale h, scale w).

    Strength and values are 0..1. At scale 2 the generator is given the picture enlarged, at four times the price.
    """
    if scale == 2:
        picture = F.interpolate(picture, scale_factor=2.0, mode="bilinear", align_corners=False)
    height, width = picture.shape[-2:]
    border = (0, -width % STRIDE, 0, -height % STRIDE)
    asked = F.pad(picture * 2.0 - 1.0, border, mode="replicate").contiguous(memory_format=torch.channels_last)
    with torch.autocast(picture.device.type, torch.float16, enabled=picture.device.type == "cuda"):
        answer = net(asked)
    answer = answer[..., :height, :width].to(picture.dtype) * 0.5 + 0.5
    return torch.lerp(picture, answer, strength).clamp_(0.0, 1.0)


def load_generator(path: Path) -> Generator:
    """The generator of this file, on the CPU; its width and number of blocks are read off the weights.

    Reads safetensors, or `.pth`, `.pt` and `.bin` weights-only, so that no code from a file runs. Raises EngineError.
    """
    try:
        state = _plain(_read(path))
        first, blocks = state["model.1.weight"], sum(name.endswith("conv_block.1.weight") for name in state)
        net = Generator(first.shape[0], blocks)
        net.load_state_dict(state)
    except pickle.UnpicklingError as err:
        raise EngineError(f"{path.name} holds more than weights, or is broken, and was not opened") from err
    except _FOREIGN as err:
        raise EngineError(f"{path.name} is no CycleGAN generator: {_why(err)}") from err
    return net.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return dict(load_file(path))
    held = torch.load(path, map_location="cpu", weights_only=True)
    return dict(held.get("state_dict", held))


def _plain(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without what wrappers and old versions left: `module.`, tracked statistics, a place taken by dropout."""
    state = {name.removeprefix("module."): value.float() for name, value in state.items()}
    state = {name: value for name, value in state.items() if not name.endswith(_TRACKED)}
    return {re.sub(r"conv_block\.6\.", "conv_block.5.", name): value for name, value in state.items()}


def _why(err: Exception) -> str:
    if isinstance(err, KeyError):
        return f"it has no {err.args[0]}"
    lines = [line.strip() for line in str(err).splitlines() if line.strip()]
    return " ".join(lines[:2])[:160] or type(err).__name__
