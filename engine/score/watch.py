"""Watching a show frame by frame: figures and vectors are kept, pictures are not, but for a few small stills."""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.score.critic import Critic, Rgb
from engine.score.measures import change, motion, roughness, small_grey, tone

JUDGED_FPS = 4.0
MOTION_FPS = 8.0
"""The rate at which VBench looks for motion."""

BATCH = 16
STILLS = 96
STILL_WIDTH = 160


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a show. `times` (n) in s, `vectors` (n, d) and `tones` (n, 4) belong together."""

    times: NDArray[np.float64]
    vectors: Tensor
    tones: NDArray[np.float64]
    changes: NDArray[np.float64]
    """Rows (second, mean change of neighbouring frames, mean roughness)."""
    motions: tuple[float, ...]
    stills: tuple[tuple[float, Rgb], ...]
    frames: int
    seconds: float


@dataclass
class Watch:
    """Takes frames in the order of time. Owns what is kept of them; memory grows by about 3 kB a second."""

    critic: Critic
    _times: list[float] = field(default_factory=list)
    _vectors: list[Tensor] = field(default_factory=list)
    _tones: list[tuple[float, ...]] = field(default_factory=list)
    _waiting: list[Rgb] = field(default_factory=list)
    _last: list[Rgb] = field(default_factory=list)
    _seconds: dict[int, list[float]] = field(default_factory=dict)
    _grey: Tensor | None = None
    _motions: list[float] = field(default_factory=list)
    _stills: list[tuple[float, Rgb]] = field(default_factory=list)
    _still_every_s: float = 0.5
    _frames: int = 0
    _first_s: float = 0.0
    _last_s: float = 0.0
    _judge_due: float = -1e9
    _motion_due: float = -1e9

    def take(self, rgb: Rgb, t_s: float) -> None:
        """One frame, uint8 (h, w, 3), seen at this time. A change of size starts the comparisons afresh."""
        if self._last and self._last[-1].shape != rgb.shape:
            self._flush()
            self._last, self._grey = [], None
        self._first_s = t_s if not self._frames else self._first_s
        self._frames, self._last_s = self._frames + 1, t_s
        self._compare(rgb, t_s)
        # Half a frame early is nearer to the time wanted than half a frame late.
        if t_s >= self._motion_due - 0.01:
            self._motion_due = max(self._motion_due, t_s - 1.0 / MOTION_FPS) + 1.0 / MOTION_FPS
            grey = small_grey(rgb)
            if self._grey is not None:
                self._motions.append(motion(grey, self._grey))
            self._grey = grey
        if t_s >= self._judge_due - 0.01:
            self._judge_due = max(self._judge_due, t_s - 1.0 / JUDGED_FPS) + 1.0 / JUDGED_FPS
            self._judge(rgb, t_s)

    def seen(self) -> Seen:
        """All that was kept so far."""
        self._flush()
        rows = [(second, sums[0] / sums[2], sums[1] / max(1.0, sums[3])) for second, sums in self._seconds.items()]
        return Seen(
            times=np.array(self._times),
            vectors=torch.cat(self._vectors) if self._vectors else torch.zeros(0, 1),
            tones=np.array(self._tones).reshape(-1, 4),
            changes=np.array(rows).reshape(-1, 3),
            motions=tuple(self._motions),
            stills=tuple(self._stills),
            frames=self._frames,
            seconds=self._last_s - self._first_s,
        )

    def _compare(self, rgb: Rgb, t_s: float) -> None:
        if self._last:
            sums = self._seconds.setdefault(int(t_s), [0.0] * 4)
            sums[0] += change(rgb, self._last[-1])
            sums[2] += 1
            if len(self._last) == 2:
                sums[1] += roughness(self._last[0], self._last[1], rgb)
                sums[3] += 1
        self._last = [*self._last[-1:], rgb]

    def _judge(self, rgb: Rgb, t_s: float) -> None:
        self._times.append(t_s)
        self._tones.append(tone(rgb[::2, ::2]))
        self._waiting.append(rgb)
        if len(self._waiting) == BATCH:
            self._flush()
        if not self._stills or t_s >= self._stills[-1][0] + self._still_every_s:
            self._stills.append((t_s, _small(rgb)))
        if len(self._stills) > STILLS:
            self._stills, self._still_every_s = self._stills[::2], 2 * self._still_every_s

    def _flush(self) -> None:
        if self._waiting:
            self._vectors.append(self.critic.see(self._waiting))
            self._waiting = []


def _small(rgb: Rgb) -> Rgb:
    from PIL import Image

    height = max(1, round(rgb.shape[0] * STILL_WIDTH / rgb.shape[1]))
    return np.asarray(Image.fromarray(rgb).resize((STILL_WIDTH, height), Image.Resampling.BOX))
