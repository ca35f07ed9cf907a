"""Steps recorded on a GPU: what the host asks for kernel by kernel the first times is played back as one afterwards.

Written to the interface of CUDA graphs in PyTorch's documentation (notes/cuda, "CUDA Graphs").
"""

import logging
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch

from engine.errors import first_line

log = logging.getLogger("engine.recording")

Step = Callable[[], None]

WARM_UPS = 3
"""Times a step of a new shape is made in the ordinary way before it is recorded: libraries set themselves up then."""
KEPT = 16
"""Recordings that are kept, the longest unused dropped first."""
FAILURES = 3
"""Recordings that may fail before no more are tried."""


class Recording(Protocol):
    """One recorded step."""

    def replay(self) -> None:
        """Make the step once more, with what its places hold now."""
        ...


Record = Callable[[Step, Sequence[torch.Generator]], Recording]
"""Records a step without making it. Raises where that cannot be done; the generators are as before then."""


class Recorder:
    """Makes steps. Owns their recordings; used by one thread, and heard of only through `fault`.

    A step of a shape that is not recorded yet is made in the ordinary way, so a change never holds the picture up:
    recording one takes the host about as long as making it, and the GPU nothing.
    """

    def __init__(self, record: Record | None) -> None:
        """Without `record` every step is made in the ordinary way."""
        self._record = record
        self._runs: Counter[Hashable] = Counter()
        self._tries: Counter[Hashable] = Counter()
        self._refused: set[Hashable] = set()
        self._recordings: OrderedDict[Hashable, tuple[Recording, Step]] = OrderedDict()
        self._failures = 0
        self.fault = ""
        """Why steps are not recorded, in one sentence; "" while they are, or need not be."""

    def __len__(self) -> int:
        """How many recordings there are."""
        return len(self._recordings)

    def make(self, shape: Hashable, step: Step, generators: Sequence[torch.Generator], may_record: bool = True) -> None:
        """Make this step, or play what is recorded of its shape; without `may_record` nothing new is recorded.

        Steps of one shape must ask the same of the device, in the same places. They draw from these generators.
        """
        if self._record is None:
            step()
            return
        if shape not in self._recordings and may_record and self._is_due(shape):
            self._try(shape, step, generators)
        found = self._recordings.get(shape)
        if found is None:
            step()
            return
        self._recordings.move_to_end(shape)
        found[0].replay()

    def forget(self) -> None:
        """Play nothing of it again: the places have changed."""
        self._recordings.clear()
        self._runs.clear()
        self._tries.clear()
        self._refused.clear()

    def _is_due(self, shape: Hashable) -> bool:
        self._runs[shape] += 1
        return self._runs[shape] > WARM_UPS and shape not in self._refused

    def _try(self, shape: Hashable, step: Step, generators: Sequence[torch.Generator]) -> None:
        if self._record is None:
            return
        try:
            # The step is kept beside its recording: it holds on to all that the recording reads and writes.
            self._recordings[shape] = self._record(step, generators), step
        except Exception as err:  # whatever it is, the step can be made in the ordinary way
            log.exception("recording: a step cannot be recorded")
            self._tries[shape] += 1
            if self._tries[shape] > 1:  # once it may have been what another thread asked the device for
                self._failed(shape, err)
        while len(self._recordings) > KEPT:
            self._recordings.popitem(last=False)

    def _failed(self, shape: Hashable, err: Exception) -> None:
        self._failures += 1
        self._refused.add(shape)
        if not self.fault:
            self.fault = f"steps cannot be recorded on this GPU and take longer ({first_line(err)})"
        if self._failures >= FAILURES:
            self._record = None


class CudaRecord:
    """Records steps as CUDA graphs, on the current stream. Owns the memory they work in, which they share.

    They are never played at the same time, and nothing they leave in that memory is read by anything else.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool: Any = None
        self._graphs: weakref.WeakSet[torch.cuda.CUDAGraph] = weakref.WeakSet()

    def __call__(self, step: Step, generators: Sequence[torch.Generator]) -> Recording:
        """The step as a graph. Raises RuntimeError where a step asks for what cannot be recorded."""
        if not self._graphs:  # the memory went with the last graph that worked in it
            self._pool = torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        for generator in generators:
            graph.register_generator_state(generator)
        with _unharmed((*generators, self._default_generator())):
            # Other threads may go on reading texts with the GPU meanwhile.
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            try:
                step()
            finally:
                graph.capture_end()
        self._graphs.add(graph)
        return graph

    def _default_generator(self) -> torch.Generator:
        found = self._device.index
        return torch.cuda.default_generators[torch.cuda.current_device() if found is None else found]


@contextmanager
def _unharmed(generators: Sequence[torch.Generator]) -> Iterator[None]:
    """Where recording fails, give every generator the state back that it had: else it believes to be recorded on."""
    before = [generator.clone_state() for generator in generators]
    try:
        yield
    except BaseException:
        for generator, state in zip(generators, before, strict=True):
            generator.graphsafe_set_state(state)
        raise
