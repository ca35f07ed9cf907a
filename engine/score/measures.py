"""What can be measured of frames without any model: change, motion, smoothness, tone. Frames are uint8 (h, w, 3)."""

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Rgb = NDArray[np.uint8]

GREY_WIDTH = 128
"""Pixels of the small grey pictures in which motion is looked for."""

REACH = 5
"""How far a block may have moved between two of them, px: 22 % of the height at 8 pictures a second, both ways."""

BLOCK = 8
STILLNESS = 0.002
"""What a pixel of motion must explain of the brightness (0..1) to be believed: noise matches better anywhere else."""

FAST = 6.0 / 256.0
"""Share of the shorter side, between pictures an eighth of a second apart, above which motion counts (VBench)."""

CLIP = 16
"""Pictures of a VBench clip, 2 s."""


def change(frame: Rgb, before: Rgb) -> float:
    """Mean absolute difference of neighbouring frames, 0..1.

    VBench's temporal flickering (Huang 2024, section 3.2) is 1 minus the mean of this.
    """
    return float(np.abs(frame.astype(np.int16) - before).mean()) / 255.0


def roughness(before: Rgb, frame: Rgb, after: Rgb) -> float:
    """Mean absolute difference of a frame and the mean of its neighbours, 0..1.

    VBench's motion smoothness compares with the frame that the AMT-S model interpolates from the neighbours; without
    its weights, their mean is taken, so fast motion looks rougher than it would there.
    """
    twice = before.astype(np.int16) + after
    return float(np.abs(2 * frame.astype(np.int16) - twice).mean()) / 510.0


def small_grey(frame: Rgb) -> Tensor:
    """The frame's brightness (h', 128) in 0..1, for `motion`."""
    grey = torch.from_numpy(frame.mean(2, dtype=np.float32) / 255.0)[None, None]
    height = max(BLOCK, round(frame.shape[0] * GREY_WIDTH / frame.shape[1]))
    return F.interpolate(grey, (height, GREY_WIDTH), mode="bilinear", antialias=True)[0, 0]


def motion(grey: Tensor, before: Tensor) -> float:
    """How far the fastest twentieth of the picture moved, as a share of its shorter side (h, w in 0..1 each).

    Found by matching blocks; VBench's dynamic degree takes the same mean from RAFT's flow (Huang 2024, section 3.2).
    """
    padded = F.pad(before[None, None], (REACH, REACH, REACH, REACH), mode="replicate")[0, 0]
    height, width = grey.shape
    costs, lengths = [], []
    for dy in range(2 * REACH + 1):
        for dx in range(2 * REACH + 1):
            length = math.hypot(dy - REACH, dx - REACH)
            wrong = (grey - padded[dy : dy + height, dx : dx + width]).abs()
            costs.append(F.avg_pool2d(wrong[None], BLOCK, BLOCK // 2)[0].flatten() + STILLNESS * length)
            lengths.append(length)
    moved = torch.tensor(lengths)[torch.stack(costs).argmin(0)]
    fastest = moved.topk(max(1, round(0.05 * len(moved)))).values
    return float(fastest.mean()) / min(height, width)


def dynamic_degree(motions: Sequence[float]) -> float:
    """Share of 2 s clips that move, 0..1, from motions an eighth of a second apart.

    As VBench counts: a clip moves if a quarter of its pairs do (Huang 2024, and its published code).
    """
    clips = [motions[i : i + CLIP] for i in range(0, max(1, len(motions) - CLIP // 2), CLIP)]
    moving = [sum(m > FAST for m in clip) >= max(1, round(len(clip) / 4)) for clip in clips if clip]
    return sum(moving) / len(moving) if moving else 0.0


TONES = ("mean", "deviation", "saturation", "slope")
"""What `tone` measures, in its order."""


def tone(frame: Rgb) -> tuple[float, float, float, float]:
    """Mean and deviation of brightness, 0..1; mean saturation (HSV), 0..1; slope of the radial spectrum.

    The slope is that of log power over log frequency, about -2 for photographs (Field 1987): lower is softer, near 0
    is noise. 0 for a picture of one tone.
    """
    levels = frame.astype(np.float32) / 255.0
    grey = levels.mean(2)
    high, low = levels.max(2), levels.min(2)
    saturation = float(((high - low) / np.maximum(high, 1e-6)).mean())
    return float(grey.mean()), float(grey.std()), saturation, spectrum_slope(grey)


def spectrum_slope(grey: NDArray[np.float32]) -> float:
    """Slope of log10 power over log10 frequency of a brightness (h, w), from 3 cycles a picture to half the finest."""
    height, width = grey.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    power = np.abs(np.fft.rfft2((grey - grey.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    edges = np.geomspace(3.0 / min(height, width), 0.25, 13)
    bins = np.digitize(radius, edges)
    points = [(edges[i - 1] * edges[i], power[bins == i].mean()) for i in range(1, 13) if (bins == i).any()]
    logs = np.array([(0.5 * math.log10(f2), math.log10(p)) for f2, p in points if p > 1e-9])
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0]) if len(logs) > 2 else 0.0
