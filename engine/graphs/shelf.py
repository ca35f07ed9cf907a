"""Graphs of one network for each size it is asked for, made when that size first comes."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

log = logging.getLogger("engine.graphs")

Made = TypeVar("Made")


class Shelf(Generic[Made]):
    """Owns the graphs, and the thread that makes them; used by one other thread."""

    def __init__(self, make: Callable[[Hashable], Made], most: int) -> None:
        """`make` may take half a second, and raise anything: then there are no graphs, of any size.

        Those of `most` sizes are kept, the longest unused dropped first.
        """
        self.waits = True
        """Whether they are waited for, so that the same is computed every time; in a show torch goes on meanwhile."""
        self.patience_s = 0.0
        """How long the very first are waited for even in a show, before which there is no picture to hold up."""
        self._make, self._most = make, most
        self._made: OrderedDict[Hashable, Made] = OrderedDict()
        self._lock = threading.Lock()
        self._maker: threading.Thread | None = None
        self._cannot = False

    @property
    def is_busy(self) -> bool:
        """Whether graphs are being made."""
        return self._maker is not None and self._maker.is_alive()

    def clear(self) -> None:
        """Let go of all that are made."""
        with self._lock:
            self._made.clear()

    def find(self, size: Hashable) -> Made | None:
        """The graphs for this size, None while there are none or where there cannot be."""
        with self._lock:
            found = self._made.get(size)
            if found is not None:
                self._made.move_to_end(size)
        if found is not None or self._cannot:
            return found
        if self.waits:
            self._add(size)
        else:
            self.prepare(size)
        return self._made.get(size)

    def prepare(self, size: Hashable) -> None:
        """Have the graphs for this size made beside, if none are being made already."""
        if self._cannot or size in self._made or self.is_busy:
            return
        # No daemon: at the end of the process it is waited for, as a compiler must not be cut off.
        is_first, self._maker = self._maker is None, threading.Thread(target=self._add, args=(size,), name="graphs")
        self._maker.start()
        if is_first:
            self._maker.join(timeout=self.patience_s)

    def _add(self, size: Hashable) -> None:
        try:
            made = self._make(size)
        except Exception:
            self._cannot = True
            log.info("graphs: there are none, torch computes everything", exc_info=True)
            return
        with self._lock:
            while len(self._made) >= self._most:
                self._made.popitem(last=False)
            self._made[size] = made
