"""Where views lie and where their pixels look, in one pass; see `engine.crops` and `engine.sampling`."""

import triton
import triton.language as tl
from torch import Tensor

from engine.crops import DIALS
from engine.fused.launching import blocks, start

BLOCK = 1024


@triton.jit
def _overview(n, chance, squeeze, width, height):
    """Half sizes of an overview: as long as the shorter side, every other one wider."""
    shorter, longer = tl.minimum(width, height), tl.maximum(width, height)
    is_odd = (tl.load(chance + 1) < 0.5).to(tl.int32)
    wide = tl.where((n + is_odd) % 2 == 1, tl.minimum(tl.load(squeeze), longer / shorter), 1.0)
    half_x = tl.minimum(shorter / width * tl.where(width > shorter, wide, 1.0), 1.0)
    return half_x, tl.minimum(shorter / height * tl.where(height > shorter, wide, 1.0), 1.0)


@triton.jit
def _inner(share, ratio, low, high, aspect, room_x, room_y, width, height):
    """Half sizes of an inner view: a share of the area of its part."""
    broad, tall, least, longest = room_x * width, room_y * height, tl.load(low), tl.load(aspect)
    side = tl.sqrt((least + (tl.load(high) - least) * share) * broad * tall)
    ratio = tl.exp2((ratio - 0.5) * tl.log2(longest))
    long_y = tl.minimum(side / ratio, tall)
    long_x = tl.minimum(tl.minimum(side * ratio, long_y * longest), broad)
    return long_x / width, tl.minimum(long_y, long_x * longest) / height


@triton.jit
def _placed(chance, half, at, room, stretch, hang):
    """The middle of an inner view of this half size, within its part but for what it may hang over."""
    lies = tl.minimum(tl.maximum((2.0 * chance - 1.0) * stretch, -1.0), 1.0)
    return at + lies * (1.0 + half / room * (2.0 * hang - 1.0)) * room


@triton.jit
def _cross(ax, ay, az, bx, by, bz):
    return ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx


@triton.jit
def _untilted(chances, tilt, x, y):
    """The point that moved corners are seen at in the square they were moved from; see `engine.sampling.untilting`."""
    ax, ay = tilt * tl.load(chances) - 1.0, tilt * tl.load(chances + 1) - 1.0
    bx, by = 1.0 - tilt * tl.load(chances + 2), tilt * tl.load(chances + 3) - 1.0
    cx, cy = 1.0 - tilt * tl.load(chances + 4), 1.0 - tilt * tl.load(chances + 5)
    dx, dy = tilt * tl.load(chances + 6) - 1.0, 1.0 - tilt * tl.load(chances + 7)
    over_x, over_y = ax - bx + cx - dx, ay - by + cy - dy
    one_x, one_y, two_x, two_y = bx - cx, by - cy, dx - cx, dy - cy
    scale = one_x * two_y - two_x * one_y
    g, h = (over_x * two_y - two_x * over_y) / scale, (one_x * over_y - over_x * one_y) / scale
    right_x, right_y, down_x, down_y = bx - ax + g * bx, by - ay + g * by, dx - ax + h * dx, dy - ay + h * dy
    ux, uy, uz = _cross(down_x, down_y, h, ax, ay, 1.0)
    vx, vy, vz = _cross(ax, ay, 1.0, right_x, right_y, g)
    wx, wy, wz = _cross(right_x, right_y, g, down_x, down_y, h)
    u, v, w = ux * x + uy * y + uz, vx * x + vy * y + vz, wx * x + wy * y + wz
    return (2.0 * u - w) / w, (2.0 * v - w) / w


@triton.jit(do_not_specialize=(*DIALS, "chance", "tilts", "tilt", "parts", "overviews", "size"))
def _sights(
    chance, tilts, tilt, parts, found, grid, low, high, squeeze, ends, aspect, overhang, overviews, width, height, size,
    IS_TURNED: tl.constexpr, IS_TILTED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    n, hang = tl.program_id(0), tl.load(overhang)
    right, down = tl.load(chance + 4 * n + 2), tl.load(chance + 4 * n + 3)
    is_inner = n >= overviews
    part = parts + 5 * tl.where(is_inner, n - overviews, 0)
    room_x, room_y = tl.load(part + 2, mask=is_inner, other=1.0), tl.load(part + 3, mask=is_inner, other=1.0)
    whole_x, whole_y = _overview(n, chance, squeeze, width, height)
    share, ratio = tl.load(chance + 4 * n), tl.load(chance + 4 * n + 1)
    inner_x, inner_y = _inner(share, ratio, low, high, aspect, room_x, room_y, width, height)
    stretch = 1.0 / tl.maximum(1.0 - tl.load(ends) * tl.load(part + 4, mask=is_inner, other=1.0), 1e-6)
    at_x, at_y = tl.load(part, mask=is_inner, other=0.0), tl.load(part + 1, mask=is_inner, other=0.0)
    inner_at_x = _placed(right, inner_x, at_x, room_x, stretch, hang)
    inner_at_y = _placed(down, inner_y, at_y, room_y, stretch, hang)
    half_x, half_y = tl.where(is_inner, inner_x, whole_x), tl.where(is_inner, inner_y, whole_y)
    middle_x = tl.where(is_inner, inner_at_x, (2.0 * right - 1.0) * hang)
    middle_y = tl.where(is_inner, inner_at_y, (2.0 * down - 1.0) * hang)
    if tl.program_id(1) == 0:
        tl.store(found + 4 * n, middle_x - half_x)
        tl.store(found + 4 * n + 1, middle_y - half_y)
        tl.store(found + 4 * n + 2, middle_x + half_x)
        tl.store(found + 4 * n + 3, middle_y + half_y)
    pixel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    half_x = -half_x if IS_TURNED else half_x
    x = middle_x + half_x * (2.0 * ((pixel % size + 0.5) / size) - 1.0)
    y = middle_y + half_y * (2.0 * ((pixel // size + 0.5) / size) - 1.0)
    if IS_TILTED:
        x, y = _untilted(tilts + 8 * n, tl.load(tilt), x, y)
    at, is_in = grid + 2 * (n * size * size + pixel), pixel < size * size
    tl.store(at, x, mask=is_in)
    tl.store(at + 1, y, mask=is_in)


def sights(
    chances: tuple[Tensor, Tensor], parts: Tensor, dials: tuple[Tensor, ...], overviews: int,
    picture: tuple[int, int], size: int, is_turned: bool, tilt: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Boxes (n, 4) by chances (n, 4), with a tilt also (n, 4, 2), in a picture of this height and width.

    Overviews come first. With them the points (n, s, s, 2) that views see. `parts` (m, 5) are the middle and half size
    of the part each inner view belongs to, and its share of `ends`; `dials`, without dimensions, are the cut's low,
    high, squeeze, ends, aspect and overhang.
    """
    (chance, tilts), (height, width) = chances, picture
    found, grid = chance.new_empty(len(chance), 4), chance.new_empty(len(chance), size, size, 2)
    start(
        _sights, (len(chance), blocks(size * size, BLOCK)), chance, tilts, chance if tilt is None else tilt, parts,
        found, grid, *dials, overviews, float(width), float(height), size,
        IS_TURNED=is_turned, IS_TILTED=tilt is not None, BLOCK=BLOCK,
    )  # fmt: skip
    return found, grid
