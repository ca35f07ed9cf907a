"""Numbers that may be another in every step without a step being recorded anew: they lie in one place on the device."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from engine.sending import sent


class Dials:
    """Numbers by name, each a tensor without dimensions whose place never changes. Owns the buffer they lie in."""

    def __init__(self, names: Sequence[str], device: torch.device) -> None:
        self._buffer = torch.zeros(len(names), device=device)
        self._each = dict(zip(names, self._buffer.unbind(), strict=True))
        self._now = dict.fromkeys(names, 0.0)

    def __getitem__(self, name: str) -> Tensor:
        """The number on the device; the same tensor always."""
        return self._each[name]

    def set(self, values: Mapping[str, float]) -> None:
        """Have these numbers from now on; the others stay. One copy, which nobody waits for, and none where all are."""
        if all(self._now[name] == value for name, value in values.items()):
            return
        self._now |= values
        self._buffer.copy_(sent(list(self._now.values()), self._buffer.device), non_blocking=True)
