"""A cap on a CUDA device's memory, so that a large one stands for a laptop's."""

import torch

from engine.bench.ways import BenchError

LEAST_GB = 0.5


def cap_problem(device: torch.device, gb: float) -> str:
    """Why this device's memory cannot be capped to so many GiB, or ""."""
    if device.type != "cuda":
        return f"only a CUDA device's memory can be capped, and the engine computes on {device.type} here"
    there_gb = torch.cuda.get_device_properties(device).total_memory / 2**30
    if not LEAST_GB <= gb <= there_gb:
        return f"from {LEAST_GB:g} to the {there_gb:.1f} GB that the device has"
    return ""


def cap_memory(device: torch.device, gb: float) -> None:
    """Let this process have no more of the device than so many GiB from now on, and count its peak afresh.

    What CUDA itself takes (some 0.5 GiB a process) comes on top. Raises BenchError where it cannot be capped.
    """
    if problem := cap_problem(device, gb):
        raise BenchError(problem)
    there = torch.cuda.get_device_properties(device).total_memory
    number = torch.cuda.current_device() if device.index is None else device.index  # it takes no device without one
    torch.cuda.set_per_process_memory_fraction(gb * 2**30 / there, number)
    torch.cuda.reset_peak_memory_stats(device)
