"""From the host's memory to the device's, without anybody waiting for it."""

from collections.abc import Sequence

import torch
from torch import Tensor


def sent(values: Sequence[float] | Sequence[Sequence[float]], device: torch.device) -> Tensor:
    """A tensor of these numbers, single precision, on its way to the device."""
    return passed_on(torch.tensor(values, dtype=torch.float32), device)


def passed_on(tensor: Tensor, device: torch.device) -> Tensor:
    """The host's tensor on its way to the device; itself where that is the host.

    It goes through pinned memory, which torch gives to nobody else until the copy is done.
    """
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)
