"""The standby picture, before the engine has painted: dark, slow, never black, never flashing."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vj.mailboxes import Rgb

# Levels are sRGB 0..255. The ground is a dusk blue that a projector still shows as colour rather than as its black.
_GROUND = (20.0, 19.0, 34.0)

# One soft light a row: colour, width (of the picture), centre, reach and period (s) of its drift across and down.
_LIGHTS = (
    ((34.0, 12.0, 52.0), 0.42, (0.28, 0.62), (0.16, 0.13), (67.0, 53.0)),
    ((4.0, 38.0, 46.0), 0.48, (0.74, 0.36), (0.15, 0.16), (79.0, 61.0)),
    ((46.0, 20.0, 12.0), 0.30, (0.56, 0.86), (0.22, 0.08), (97.0, 71.0)),
)


def standby(width: int, height: int, t_s: float) -> Rgb:
    """The standby picture at a time in seconds: uint8 RGB (height, width, 3), every level between 15 and 140.

    Slow: neighbouring frames at 30 fps differ by at most 1 in any level but for the dither, which stands still.
    """
    across, down = _axes(width, height)
    columns, rows, colours = [np.ones(width, np.float32)], [np.ones(height, np.float32)], [_GROUND]
    for colour, size, centre, reach, periods in _LIGHTS:
        x = centre[0] + reach[0] * np.sin(2.0 * np.pi * t_s / periods[0])
        y = centre[1] + reach[1] * np.cos(2.0 * np.pi * t_s / periods[1])
        columns.append(np.exp(-(((across - np.float32(x)) / np.float32(size)) ** 2)))
        rows.append(np.exp(-(((down - np.float32(y)) / np.float32(size * 1.2)) ** 2)))
        colours.append(colour)
    # Each light is a product of a row and a column, so that the picture is one matrix product: 0.3 ms at 640x360.
    tinted = np.stack(columns, 1)[:, None, :] * np.asarray(colours, np.float32).T[None]
    picture = np.stack(rows, 1) @ tinted.reshape(width * 3, -1).T
    picture += _dither(width, height)
    return picture.astype(np.uint8).reshape(height, width, 3)


@lru_cache(maxsize=4)
def _axes(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32)


@lru_cache(maxsize=4)
def _dither(width: int, height: int) -> NDArray[np.float32]:
    """Noise of one level, the same for every frame: dark gradients show bands on a projector without it."""
    noise = np.random.default_rng(7).random((height, width * 3), dtype=np.float32)
    noise.setflags(write=False)
    return noise
