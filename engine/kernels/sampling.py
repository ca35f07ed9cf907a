"""Views of a picture that are not tilted, and their gradients; the picture goes on as in a mirror beyond its border.

As torch's grid_sample with bilinear points, reflection and align_corners=False. Arrays are float32.
"""

import numpy as np
from numpy.typing import NDArray

from engine.kernels.compiling import PICTURE, ROWS, VIEWS, compiled, inlined
from engine.kernels.pyramid import Array

Places = NDArray[np.uint32]


@inlined
def _points(first: float, last: float, size: int, length: int, near: Places, share: Array) -> None:
    """Where a view's `size` pixels between two points, -1..1, lie among `length`: from which, how far to the next."""
    for n in range(size):
        at = first + (last - first) * ((n + 0.5) / size)
        at = abs(((at + 1.0) * length - 1.0) / 2.0 + 0.5) % (2.0 * length)
        at = min(max(min(at, 2.0 * length - at) - 0.5, 0.0), length - 1.0)
        near[n] = min(int(at), max(length - 2, 0))
        share[n] = at - near[n]


@compiled(PICTURE, ROWS, VIEWS)
def look(picture: Array, boxes: Array, views: Array) -> None:
    """Views (n, c, s, s) of a picture (c, h, w) in boxes (n, 4): left, top, right, bottom."""
    channels, height, width = picture.shape
    size = views.shape[2]
    left, top = np.empty(size, np.uint32), np.empty(size, np.uint32)
    right_share, down_share = np.empty(size, np.float32), np.empty(size, np.float32)
    line = np.empty(width + 1, np.float32)
    for n in range(len(boxes)):
        _points(boxes[n, 0], boxes[n, 2], size, width, left, right_share)
        _points(boxes[n, 1], boxes[n, 3], size, height, top, down_share)
        first, last = left.min(), min(left.max() + 2, width)
        for c in range(channels):
            for y in range(size):
                above, below, share = top[y], min(top[y] + 1, height - 1), down_share[y]
                for x in range(first, last):
                    line[x] = picture[c, above, x] + share * (picture[c, below, x] - picture[c, above, x])
                line[width] = line[width - 1]
                for x in range(size):
                    one = line[left[x]]
                    views[n, c, y, x] = one + right_share[x] * (line[left[x] + 1] - one)


@compiled(VIEWS, ROWS, PICTURE)
def look_back(gradient: Array, boxes: Array, found: Array) -> None:
    """Add the gradient (c, h, w) of a picture from that of its views (n, c, s, s) in boxes (n, 4) to what is found."""
    channels, height, width = found.shape
    size = gradient.shape[2]
    left, top = np.empty(size, np.uint32), np.empty(size, np.uint32)
    right_share, down_share = np.empty(size, np.float32), np.empty(size, np.float32)
    line = np.empty(width, np.float32)
    # Two lines: what goes to one pixel and what to the next would wait for each other in one.
    near, next_to = np.zeros(width + 1, np.float32), np.zeros(width + 1, np.float32)
    for n in range(len(boxes)):
        _points(boxes[n, 0], boxes[n, 2], size, width, left, right_share)
        _points(boxes[n, 1], boxes[n, 3], size, height, top, down_share)
        first, last = left.min(), min(left.max() + 2, width)
        for c in range(channels):
            for y in range(size):
                for x in range(size):
                    pull = gradient[n, c, y, x]
                    after = right_share[x] * pull
                    near[left[x]] += pull - after
                    next_to[left[x] + 1] += after
                above, below, share = top[y], min(top[y] + 1, height - 1), down_share[y]
                for x in range(first, last):
                    pulled = near[x] + next_to[x]
                    near[x] = next_to[x] = np.float32(0.0)
                    found[c, above, x] += pulled - share * pulled
                    line[x] = share * pulled
                for x in range(first, last):
                    found[c, below, x] += line[x]
                next_to[width] = np.float32(0.0)


@compiled(VIEWS, VIEWS)
def unstem(maps: Array, views: Array) -> None:
    """The gradient of views (n, c, s, s) from maps (n, h, w, 4 c) of two by two pixels each, which begin three before.

    As `Stem.back` in `engine.guides.frozen` takes it from the convolution there.
    """
    for n in range(views.shape[0]):
        for c in range(views.shape[1]):
            for y in range(views.shape[2]):
                down, first = (y + 3) // 2, 4 * c + 2 * ((y + 3) % 2)
                for x in range(views.shape[3]):
                    views[n, c, y, x] = maps[n, down, (x + 3) // 2, first + (x + 3) % 2]


@compiled(PICTURE, PICTURE)
def halve(picture: Array, half: Array) -> None:
    """The means (c, h / 2, w / 2) of two by two pixels."""
    for c in range(half.shape[0]):
        for y in range(half.shape[1]):
            for x in range(half.shape[2]):
                above = picture[c, 2 * y, 2 * x] + picture[c, 2 * y, 2 * x + 1]
                below = picture[c, 2 * y + 1, 2 * x] + picture[c, 2 * y + 1, 2 * x + 1]
                half[c, y, x] = np.float32(0.25) * (above + below)


@compiled(PICTURE, PICTURE)
def halve_back(gradient: Array, found: Array) -> None:
    """Add the gradient (c, h, w) of a picture from that of its means to what is found already."""
    for c in range(gradient.shape[0]):
        for y in range(2 * gradient.shape[1]):
            for x in range(gradient.shape[2]):
                quarter = np.float32(0.25) * gradient[c, y // 2, x]
                found[c, y, 2 * x] += quarter
                found[c, y, 2 * x + 1] += quarter
