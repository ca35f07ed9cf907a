"""What a painted picture goes through to become a frame; see `engine.denoise.clean`. Pictures are float32."""

import numpy as np
from numpy.typing import NDArray

from engine.kernels.compiling import PICTURE, compiled, inlined
from engine.kernels.pyramid import Array, clamped

Frame = NDArray[np.uint8]


@inlined
def _sums(row: Array, found: Array) -> None:
    """Every pixel of a row twice and its neighbours once, the ends repeated."""
    last = len(row) - 1
    for x in range(1, last):
        found[x] = row[x - 1] + np.float32(2.0) * row[x] + row[x + 1]
    found[0] = np.float32(3.0) * row[0] + row[min(1, last)]
    found[last] = np.float32(3.0) * row[last] + row[max(last - 1, 0)]


@compiled(PICTURE, "float32", PICTURE)
def soften(picture: Array, strength: float, found: Array) -> None:
    """The picture moved this far toward itself under the binomial filter of 3×3, its border repeated."""
    channels, height, width = picture.shape
    sums = np.empty((3, width), np.float32)
    for c in range(channels):
        _sums(picture[c, 0], sums[0])
        sums[1] = sums[0]
        for y in range(height):
            _sums(picture[c, min(y + 1, height - 1)], sums[(y + 2) % 3])
            above, here, below = sums[y % 3], sums[(y + 1) % 3], sums[(y + 2) % 3]
            for x in range(width):
                soft = (above[x] + np.float32(2.0) * here[x] + below[x]) * np.float32(1.0 / 16.0)
                found[c, y, x] = picture[c, y, x] + np.float32(strength) * (soft - picture[c, y, x])


@compiled(PICTURE, PICTURE)
def shuffle(maps: Array, found: Array) -> None:
    """Maps (h, w, 16 c) as a picture (c, 4 h, 4 w): pixel_shuffle of maps whose channels lie last."""
    for y in range(maps.shape[0]):
        for x in range(maps.shape[1]):
            seen = maps[y, x]
            for c in range(found.shape[0]):
                for down in range(4):
                    row, first = found[c, 4 * y + down], 16 * c + 4 * down
                    for across in range(4):
                        row[4 * x + across] = seen[first + across]


@compiled(PICTURE, "uint8[:,:,::1]")
def levels(picture: Array, frame: Frame) -> None:
    """The picture as a frame (h, w, 3) of whole levels."""
    line = np.empty((3, picture.shape[2]), np.int32)
    for y in range(picture.shape[1]):
        for c in range(3):
            row, whole = picture[c, y], line[c]
            for x in range(len(row)):
                whole[x] = np.int32(np.rint(clamped(row[x], np.float32(0.0), np.float32(1.0)) * np.float32(255.0)))
        for x in range(picture.shape[2]):
            frame[y, x, 0], frame[y, x, 1], frame[y, x, 2] = line[0, x], line[1, x], line[2, x]
