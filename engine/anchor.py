"""Colours that stay what they were when the prompt had just been painted, however long the show."""

from math import exp

import torch
from torch import Tensor

WATCHED_S = (2.0, 5.0)
"""When, after a change of prompts, a picture shows the colours it is to keep: it is there, and has not drifted."""
MEANS, DEVIATIONS = (0.05, 0.95), (0.05, 0.4)
"""What no channel is held beyond, whatever it began with."""
QUICKEST_S = 1.0
"""Time in which, at full strength, two thirds of a drift are taken back."""
OTHER = 0.25
"""How far the prompts' direction, a unit vector, may go until they are other prompts."""


class Anchor:
    """Holds a picture's mean and deviation of each channel. Owns those of the present prompts' first seconds."""

    def __init__(self) -> None:
        self._age_s, self._begun_at = 0.0, 0.0
        self._held: tuple[Tensor, Tensor] | None = None

    def hold(self, picture: Tensor, strength: float, way: float, passed_s: float) -> Tensor:
        """The picture (1, 3, h, w), its colours brought nearer to those held, by a `strength` of 0..1.

        `way` is how far the prompts' direction has gone since the start; going on, it begins anew.
        """
        if way - self._begun_at > OTHER:
            self._begun_at, self._age_s, self._held = way, 0.0, None
        self._age_s += passed_s
        if strength == 0.0 or self._age_s < WATCHED_S[0]:
            return picture
        deviation, mean = torch.std_mean(picture, dim=(-2, -1), keepdim=True)
        if self._age_s < WATCHED_S[1] or self._held is None:
            self._watch(mean, deviation)
            return picture
        pull = 1.0 - exp(-strength * passed_s / QUICKEST_S)
        held_mean, held_deviation = self._held
        stretch = 1.0 + pull * (held_deviation / deviation.clamp(min=1e-3) - 1.0).clamp(-0.5, 0.5)
        return (picture - mean) * stretch + torch.lerp(mean, held_mean, pull)

    def _watch(self, mean: Tensor, deviation: Tensor) -> None:
        seen = mean.clamp(*MEANS), deviation.clamp(*DEVIATIONS)
        before = seen if self._held is None else self._held
        self._held = before[0].lerp(seen[0], 0.1), before[1].lerp(seen[1], 0.1)
