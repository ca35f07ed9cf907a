"""Where views lie, as `engine.crops.view_boxes` says it. Arrays are float32."""

from math import sqrt

from engine.kernels.compiling import ROWS, compiled, inlined
from engine.kernels.pyramid import Array

Pair = tuple[float, float]
Numbers = tuple[float, ...]


@inlined
def _overview(chance: Array, is_wide: bool, size: Pair, numbers: Numbers, box: Array) -> None:
    shorter, longer = min(size[0], size[1]), max(size[0], size[1])
    squeeze = min(numbers[2], longer / shorter)
    for side in range(2):
        half = shorter / size[side] * (squeeze if is_wide and size[side] > shorter else 1.0)
        middle = (2.0 * chance[2 + side] - 1.0) * numbers[5]
        box[side], box[2 + side] = middle - min(half, 1.0), middle + min(half, 1.0)


@inlined
def _inner(chance: Array, part: Array, size: Pair, numbers: Numbers, box: Array) -> None:
    low, high, longest = numbers[0], numbers[1], numbers[4]
    broad, tall = part[2] * size[0], part[3] * size[1]
    root, aspect = sqrt((low + (high - low) * chance[0]) * broad * tall), longest ** (chance[1] - 0.5)
    height = min(root / aspect, tall)
    width = min(root * aspect, height * longest, broad)
    halves = (width / size[0], min(height, width * longest) / size[1])
    stretch = 1.0 / max(1.0 - numbers[3] * part[4], 1e-6)
    for side in range(2):
        half, room = halves[side], part[2 + side]
        at = min(max((2.0 * chance[2 + side] - 1.0) * stretch, -1.0), 1.0)
        middle = part[side] + at * (1.0 + half / room * (2.0 * numbers[5] - 1.0)) * room
        box[side], box[2 + side] = middle - half, middle + half


@compiled(ROWS, "int64", ROWS, "UniTuple(float64, 2)", "UniTuple(float64, 6)", ROWS)
def boxes(chance: Array, overviews: int, parts: Array, size: Pair, numbers: Numbers, found: Array) -> None:
    """Boxes (n, 4) by chance (n, 4) in a picture of this width and height, overviews first.

    `parts` (m, 5) are the middle and half size of the part each inner view belongs to, and its share of `ends`;
    `numbers` are the cut's low, high, squeeze, ends, aspect and overhang.
    """
    is_odd = len(chance) > 0 and chance[0, 1] < 0.5
    for n in range(len(chance)):
        if n < overviews:
            _overview(chance[n], (n % 2 == 1) != is_odd, size, numbers, found[n])
        else:
            _inner(chance[n], parts[n - overviews], size, numbers, found[n])
