"""How the picture moves between two frames, following the knobs smoothly whatever the frame rate."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from math import cos, exp, log, radians, sin

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.flow import Flow
from engine.parameters import PARAMETERS, Look
from engine.sending import passed_on, sent

KNOBS = ("zoom", "pan_x", "pan_y", "turn", "shear", "swirl", "flow")
"""Parameters that are a speed: so much a second."""
LN_2 = log(2.0)
STILL = 1e-4
"""Share of a knob's largest value below which its motion has ended."""
LATTICE = (24, 40)
"""Points down and across at which a motion is worked out; it is smooth, and taken as linear in between."""
CRISPNESS = 1.07
"""How much of what linear sampling softens is given back. Of what is four to eight pixels fine, two hundred frames of
a slow turn, pan or zoom leave 0.5 to 0.95 with 1, 1 to 1.3 with 1.1, 1.4 to 2.3 with 1.2; a twentieth without."""
MOST_FEEDBACK = 0.999
"""Share of the picture replaced each second when `feedback` is 1; nothing would be left of the picture itself."""
SWIRL_RADIUS = 0.6
"""Half picture heights from the centre at which a swirl has lost two thirds of its speed."""


@dataclass(frozen=True, slots=True)
class Move:
    """One frame's motion: lengths in picture widths, angles in degrees, zoom in octaves.

    Positive is in, to the right, up, clockwise. `shear` counts picture heights by which the upper edge goes to the
    right against the lower one.
    """

    zoom: float = 0.0
    pan_x: float = 0.0
    pan_y: float = 0.0
    turn: float = 0.0
    shear: float = 0.0
    swirl: float = 0.0
    flow: float = 0.0
    border: str = "mirror"


class Motion:
    """Follows the motion parameters. Owns the speeds reached so far and the time the currents have run."""

    def __init__(self, seed: int) -> None:
        self._flow = Flow(seed)
        self._speeds = dict.fromkeys(KNOBS, 0.0)
        self._flowed_s = 0.0

    def next(self, look: Look, passed_s: float) -> "Warp | None":
        """The motion of the frame that comes `passed_s` seconds after the last one; None when everything is still.

        A speed nears its knob exponentially, 95 % of the way in `ease` seconds; the way covered is integrated
        exactly, so that the same seconds move the picture equally far at any frame rate.
        """
        tau_s = look.number("ease") / 3.0
        kept = exp(-passed_s / tau_s) if tau_s > 0.0 else 0.0
        ways: dict[str, float] = {}
        for name in KNOBS:
            wanted, before = look.number(name), self._speeds[name]
            if before == wanted == 0.0:
                continue
            lag = before - wanted
            ways[name] = wanted * passed_s + lag * tau_s * (1.0 - kept)
            now = wanted + lag * kept
            self._speeds[name] = wanted if abs(now - wanted) < STILL * PARAMETERS[name].high else now
        if not any(ways.values()):
            return None
        self._flowed_s += passed_s
        aspect = look.whole("canvas_width") / look.whole("canvas_height")
        return Warp(Move(**ways, border=look.text("border")), aspect, self._flow, self._flowed_s)


class Warp:
    """One motion, applied to pictures of any size. Keeps the grids made for them."""

    def __init__(self, move: Move, aspect: float, flow: Flow | None = None, time_s: float = 0.0) -> None:
        """`aspect` is a picture's width to its height; `flow` and its time are needed where the move drifts."""
        self._border = move.border
        self._grids: dict[torch.Size, Tensor] = {}
        self._lattice = _sources(move, aspect, None if flow is None else partial(flow.at, time_s=time_s))

    def picture(self, picture: Tensor) -> Tensor:
        """The picture (1, 3, h, w) moved, keeping its fine detail and the range of its values.

        Linear between pixels, less t (1 - t) / 2 of the second differences there, t being the place between two
        pixels, 0..1: exact wherever the picture is quadratic (Newton's interpolation). A cubic with another
        exactness would move the picture up to half as far again as asked while it moves less than a pixel.
        """
        grid, margin = self._grid(picture), 2 if self._border == "wrap" else 0
        if margin:  # the sampling near a seam sees what lies beyond it
            height, width = picture.shape[-2:]
            inner = _pair(width / (width + 2 * margin), height / (height + 2 * margin), grid.device)
            picture, grid = F.pad(picture, (margin,) * 4, mode="circular"), grid * inner
        across = F.pad(picture, (1, 1, 0, 0), mode="replicate")
        down = F.pad(picture, (0, 0, 1, 1), mode="replicate")
        bends = across[..., 2:] + across[..., :-2], down[..., 2:, :] + down[..., :-2, :]
        layers = torch.cat([picture, *(bend.sub_(picture, alpha=2.0) for bend in bends)], dim=1)
        seen, bend_across, bend_down = _sampled(layers, grid).chunk(3, dim=1)
        share_across, share_down = _between_pixels(grid, *picture.shape[-2:])
        seen = seen - share_across * bend_across - share_down * bend_down
        lowest, highest = picture.aminmax()
        return torch.clamp(seen, lowest, highest)

    def memory(self, *images: Tensor) -> list[Tensor]:
        """Images (1, 3, h, w) of an optimiser's memory moved; they never leave the range of their values."""
        grid = self._grid(images[0])
        return [_sampled(image, grid) for image in images]

    def _grid(self, image: Tensor) -> Tensor:
        """Where an image's pixels come from, (2, h, w): across and down in -1..1."""
        size = image.shape[-2:]
        if size not in self._grids:
            rows, columns = (_between(size[n], LATTICE[n], image.device) for n in (0, 1))
            grid = rows @ passed_on(self._lattice, image.device) @ columns.T
            self._grids[size] = _brought_inside(grid, self._border)
        return self._grids[size]


def _sampled(image: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(image, grid.permute(1, 2, 0)[None], "bilinear", "border", align_corners=False)


def _between_pixels(grid: Tensor, height: int, width: int) -> Tensor:
    """How far each place lies between pixels, as the share of the second differences to be taken off, (2, h, w)."""
    half = _pair(width / 2.0, height / 2.0, grid.device)
    t = torch.addcmul(half - 0.5, grid, half)
    t = t.sub_(t.floor())
    return (0.5 * CRISPNESS) * t * (1.0 - t)


def echoed(picture: Tensor, look: Look, passed_s: float) -> Tensor:
    """The picture with as much of its own moved copy in it as `feedback` asks for after `passed_s` seconds."""
    share = 1.0 - (1.0 - min(look.number("feedback"), MOST_FEEDBACK)) ** passed_s
    if share == 0.0:
        return picture
    move = Move(zoom=look.number("feedback_zoom"), turn=look.number("feedback_turn"), border=look.text("border"))
    copy = Warp(move, picture.shape[-1] / picture.shape[-2]).memory(picture)[0]
    return picture.lerp(copy, share)


def _sources(move: Move, aspect: float, flow: Callable[[Tensor], Tensor] | None) -> Tensor:
    """Where the lattice's points come from, (2, m, n), both in -1..1 across and down."""
    y = torch.linspace(-1.0, 1.0, LATTICE[0])[:, None]
    x = torch.linspace(-1.0, 1.0, LATTICE[1])[None, :] * aspect  # from here on in half picture heights
    points = torch.stack(torch.broadcast_tensors(x, y), dim=-1)
    found = (points - torch.tensor([move.pan_x, -move.pan_y]) * (2.0 * aspect)) @ _backward(move).T
    if move.swirl:
        found = _swirled(found, -radians(move.swirl))
    if move.flow and flow is not None:
        found = found - 2.0 * aspect * move.flow * flow(points)
    return (found / torch.tensor([aspect, 1.0])).permute(2, 0, 1)


@lru_cache(maxsize=32)
def _between(count: int, points: int, device: torch.device) -> Tensor:
    """The weights (count, points) by which so many pixels' centres lie between points spread evenly over -1..1."""
    places = (torch.arange(count, device=device) + 0.5) * ((points - 1) / count)
    return (1.0 - (places[:, None] - torch.arange(points, device=device)[None, :]).abs()).clamp(min=0.0)


@lru_cache(maxsize=32)
def _pair(across: float, down: float, device: torch.device) -> Tensor:
    """A number for each way, (2, 1, 1). Kept: a GPU would be waited for."""
    return sent([across, down], device)[:, None, None]


def _backward(move: Move) -> Tensor:
    """The matrix (2, 2) that undoes zoom, turn and shear; y points down."""
    angle, shrunk = radians(move.turn), exp(-LN_2 * move.zoom)
    turning = torch.tensor([[cos(angle), sin(angle)], [-sin(angle), cos(angle)]])
    return torch.tensor([[shrunk, shrunk * move.shear], [0.0, shrunk]]) @ turning


def _swirled(points: Tensor, angle: float) -> Tensor:
    """Points (h, w, 2) turned about the middle by this angle there, by less further out."""
    angles = angle * torch.exp(-(points / SWIRL_RADIUS).square().sum(dim=-1))
    x, y, c, s = points[..., 0], points[..., 1], angles.cos(), angles.sin()
    return torch.stack([c * x - s * y, s * x + c * y], dim=-1)


def _brought_inside(grid: Tensor, border: str) -> Tensor:
    """The grid with what lies beyond -1..1 replaced by what is to be seen there: up to one picture further off."""
    if border == "wrap":
        return grid - 2.0 * torch.round(grid / 2.0)
    inside = grid.clamp(-1.0, 1.0)
    return inside if border == "edge" else 2.0 * inside - grid
