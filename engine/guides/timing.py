"""How long a GPU takes for something, by itself: what asking for it takes the host does not count."""

import threading
from collections.abc import Callable
from functools import cache

import torch

TURNS, REPEATS = 5, 10

_one_at_a_time = threading.Lock()


@torch.no_grad()
def device_seconds(work: Callable[[], object], device: torch.device) -> float:
    """The shortest time of a few that a CUDA device needs for this. Raises RuntimeError where it cannot be recorded."""
    with _one_at_a_time:
        stream, graph = _stream(device), torch.cuda.CUDAGraph()
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            work()
            graph.capture_begin(capture_error_mode="thread_local")
            try:
                for _ in range(REPEATS):
                    work()
            finally:
                graph.capture_end()
            return min(_replayed(graph, stream) for _ in range(TURNS)) / REPEATS


@cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    """One for good: torch has 32, given out in turn, and another thread's must not be recorded."""
    return torch.cuda.Stream(device)


def _replayed(graph: torch.cuda.CUDAGraph, stream: torch.cuda.Stream) -> float:
    began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    began.record(stream)
    graph.replay()
    ended.record(stream)
    ended.synchronize()
    return float(began.elapsed_time(ended)) / 1000.0
