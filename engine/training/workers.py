"""Several processes that train one model, each on a share of the batch: on busy cores they wait less than threads do.

Threads meet hundreds of times in a step, and each time wait for the one that another program interrupted; processes
meet once, to average their gradients (data parallelism).
"""

import os
import subprocess
import sys
from collections.abc import Sequence

import torch
import torch.distributed as dist
from torch import Tensor

PORT = "29517"


def rank() -> int:
    """The number of this process, 0 where it is the only one."""
    return int(os.environ.get("RANK", "0"))


def join(count: int) -> list[subprocess.Popen[bytes]]:
    """Be one of so many processes, each on one core; those that were started for it."""
    if count < 2:
        return []
    torch.set_num_threads(1)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": PORT, "WORLD_SIZE": str(count)}
    others = []
    if "RANK" not in os.environ:
        command = [sys.executable, "-m", "engine.training.guide", *sys.argv[1:]]
        others = [subprocess.Popen(command, env={**os.environ, "RANK": str(n)}) for n in range(1, count)]
        os.environ["RANK"] = "0"
    dist.init_process_group("gloo")
    return others


def share(parameters: Sequence[Tensor]) -> None:
    """Give every process the first one's values."""
    if dist.is_initialized():
        for parameter in parameters:
            dist.broadcast(parameter.detach(), 0)


def agreed(value: float) -> float:
    """The first process's value, for all: their clocks differ, and what they do at the same time must not."""
    if not dist.is_initialized():
        return value
    shared = torch.tensor([value], dtype=torch.float64)
    dist.broadcast(shared, 0)
    return float(shared)


def average_gradients(parameters: Sequence[Tensor]) -> None:
    """Let each gradient be the mean of all processes' own."""
    if not dist.is_initialized():
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    together = torch.cat([g.flatten() for g in gradients]).bfloat16()
    dist.all_reduce(together)
    together = together.float() / dist.get_world_size()
    for gradient, part in zip(gradients, together.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
