"""Denoisers: what is done to a finished picture before it is shown. One signature for all of them."""

import difflib
from collections.abc import Callable
from pathlib import Path

import platformdirs
import torch
from torch import Tensor

from engine.denoise.clean import LARGE, LaidNet, cleaned, enlarged, load_clean, redrawn
from engine.denoise.cyclegan import SUFFIXES, generated, load_generator
from engine.denoise.edges import keep_edges
from engine.errors import EngineError
from engine.guides.precision import computes_in_bfloat16

Denoiser = Callable[[Tensor, float, int], Tensor]
"""(picture (1, 3, h, w) in 0..1, strength above 0 to 1, scale 1 or 2) to a picture as many times higher and wider."""


def keep_all(picture: Tensor, strength: float, scale: int) -> Tensor:
    """The picture itself, never enlarged: the program does that as well."""
    return picture


def filtered(picture: Tensor, strength: float, scale: int) -> Tensor:
    """The picture after the edge-preserving filter, which at scale 2 works on the enlarged one."""
    return keep_edges(enlarged(picture) if scale == 2 else picture, strength)


def shipped(_weights: str, device: torch.device, waits: bool) -> Denoiser:
    """The denoiser that comes with vj. Raises EngineError if its file is missing or broken.

    With `waits` what makes it quicker is waited for, so that it gives the same every time.
    """
    net = load_clean().to(device)
    if device.type == "cpu" and computes_in_bfloat16():
        net = net.to(torch.bfloat16)
    laid, is_slow = LaidNet(net), device.type == "cpu"
    laid.graphs.waits = waits

    def denoised(picture: Tensor, strength: float, scale: int) -> Tensor:
        if is_slow and scale == 1 and picture.shape[-2] * picture.shape[-1] > LARGE:
            return redrawn(laid, picture, strength)
        return cleaned(laid, picture, strength, scale)

    return denoised


def cyclegan(weights: str, device: torch.device, waits: bool) -> Denoiser:
    """The generator of this file or library name. Raises EngineError if it is missing or no generator."""
    net = load_generator(find_weights(weights)).to(device)
    return lambda picture, strength, scale: generated(net, picture, strength, scale)


SIMPLE: dict[str, Denoiser] = {"edges": filtered, "none": keep_all}
"""Denoisers that are there at once."""

LOADED: dict[str, Callable[[str, torch.device, bool], Denoiser]] = {"shipped": shipped, "cyclegan": cyclegan}
"""Denoisers that are read from files: how each is made from the parameter `denoiser_weights`, on a device.

The last says whether anything is waited for."""

NEXT_BEST = {"cyclegan": "shipped", "shipped": "edges"}
"""What is taken where a denoiser cannot be had."""


def library() -> Path:
    """Where weights are found by name."""
    return Path(platformdirs.user_config_path("vj")) / "denoisers"


def find_weights(name: str) -> Path:
    """The file for a path, or for a name in the library. Raises EngineError, naming the nearest."""
    if not name:
        raise EngineError("denoiser_weights names no file for cyclegan")
    if "/" in name or "\\" in name or Path(name).suffix in SUFFIXES:
        path = Path(name)
        if path.parts[0] == "~":
            path = Path.home().joinpath(*path.parts[1:])
        if path.is_file():
            return path
        raise EngineError(f"{name}: no such file")
    files = library().iterdir() if library().is_dir() else ()
    known = {path.stem: path for path in sorted(files, reverse=True) if path.suffix in SUFFIXES}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"a file of weights belongs into {library()}"
        raise EngineError(f"no denoiser weights called {name!r}; {hint}")
    return known[name]
