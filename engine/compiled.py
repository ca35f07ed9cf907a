"""Usual steps compiled whole by torch's compiler, for a GPU: shape by shape, in a show beside the picture."""

import logging
from collections.abc import Callable, Hashable

import torch
from torch import Tensor

from engine.aim import Toward
from engine.beside import short_turns
from engine.crops import Chance
from engine.errors import first_line
from engine.graphs.shelf import Shelf
from engine.written import State, written_step

log = logging.getLogger("engine.compiled")

MODES = ("default", "max-autotune-no-cudagraphs")
"""Those of torch's that serve here: as it is made at once, or the quickest of several for every product, in minutes."""
NONE = "none"
"""What asks for torch's own operations, one by one: nothing fused, for a GPU on which that is at fault."""
MOST_SHAPES = 64
"""Shapes of steps that are compiled in one process."""
FAILURES = 3
"""Compiled steps that may fail before no more are made."""

Made = Callable[[State, Toward, Tensor, list[Chance]], None]
Arguments = tuple[State, Toward, Tensor]


class Compiled:
    """Owns what is compiled and the thread that compiles; used by one other thread."""

    def __init__(self, device: torch.device, mode: str, waits: bool) -> None:
        """`mode` is one of MODES. With `waits` a shape is waited for, half a minute or more, as in a bench."""
        self._mode = mode
        self._random = torch.Generator(device).manual_seed(0)
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._whole: Made | None = None
        self._shelf: Shelf[Made] = Shelf(self._make, MOST_SHAPES)
        self._shelf.waits = waits
        self._wanted: dict[Hashable, Arguments] = {}
        self._seen: set[Hashable] = set()
        self._failures = 0
        self._uncompiled, self._unmade = "", ""

    @property
    def fault(self) -> str:
        """Why steps, or those of other shapes, are not compiled, in one sentence; "" while nothing fails."""
        why = self._unmade or self._uncompiled
        return f"steps take longer: torch's compiler failed ({why})" if why else ""

    @property
    def is_busy(self) -> bool:
        """Whether a shape is being compiled: by a thread that waits for the device, so that nothing can be recorded."""
        return self._shelf.is_busy

    def find(self, state: State, asked: Toward, rate: Tensor) -> Made | None:
        """What makes steps of this shape, compiled; None while there is none, or while another shape is compiled.

        `asked` and `rate` are places on the device. They are read beside, and the state is copied.
        """
        if self._failures >= FAILURES or self._shelf.is_busy:
            return None
        key = asked.shape(), state.picture.shape
        # The first of a shape is made as it is written: what is kept for all is made then.
        if key not in self._seen:
            self._seen.add(key)
            return None
        self._wanted[key] = state, asked, rate
        found = self._shelf.find(key)
        if not self._shelf.is_busy:
            self._wanted.clear()
        return found

    def forget(self) -> None:
        """Nothing of what is there will be asked for again: the guides have changed."""
        self._shelf.clear()
        self._seen.clear()

    def _make(self, key: Hashable) -> Made:
        """Compile by making two steps of a copy, twice if need be: another thread may just then have been recording.

        A step beside it takes four to five times as long, half a second at the worst; seen on two cores. Raises what
        the compiler does.
        """
        wanted = self._wanted[key]
        with short_turns():
            try:
                self._try(*wanted)
            except Exception:
                log.info("compiled: once more", exc_info=True)
                self._try_again(*wanted)
        log.info("compiled: a shape of steps is ready")
        return self._step

    def _try_again(self, state: State, asked: Toward, rate: Tensor) -> None:
        try:
            self._try(state, asked, rate)
        except Exception as err:
            self._uncompiled = first_line(err)
            raise

    def _try(self, state: State, asked: Toward, rate: Tensor) -> None:
        torch._dynamo.config.recompile_limit = MOST_SHAPES  # of this thread
        if self._whole is None:
            self._whole = torch.compile(written_step, fullgraph=True, dynamic=False, mode=self._mode)
        with torch.cuda.stream(self._stream):  # of None it is the one that there is
            copy = state.copied()
            for _ in range(2):
                self._whole(copy, asked, rate, [Chance.of(one.cut, self._random) for one in asked.pulling])
        if self._stream is not None:
            self._stream.synchronize()  # not the device: the picture's thread may be recording

    def _step(self, state: State, asked: Toward, rate: Tensor, chances: list[Chance]) -> None:
        """A step, never compiled anew while the picture waits: one that would have to be is made as it is written."""
        try:
            with torch.compiler.set_stance("fail_on_recompile"):
                (self._whole or written_step)(state, asked, rate, chances)
            self._failures, self._unmade = 0, ""
        except torch.OutOfMemoryError:
            raise
        except Exception as err:
            log.exception("compiled: a step failed; made as it is written")
            self._failures, self._unmade = self._failures + 1, first_line(err)
            written_step(state, asked, rate, chances)
