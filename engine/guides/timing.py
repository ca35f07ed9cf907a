"""How long a GPU takes for something, by itself: what asking for it takes the host does not count."""

from collections.abc import Callable

import torch

TURNS, REPEATS = 5, 10


@torch.no_grad()
def device_seconds(work: Callable[[], object], device: torch.device) -> float:
    """The shortest time of a few that a CUDA device needs for this. Raises RuntimeError where it cannot be recorded."""
    stream, graph = torch.cuda.Stream(device), torch.cuda.CUDAGraph()
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


def _replayed(graph: torch.cuda.CUDAGraph, stream: torch.cuda.Stream) -> float:
    began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    began.record(stream)
    graph.replay()
    ended.record(stream)
    ended.synchronize()
    return float(began.elapsed_time(ended)) / 1000.0
