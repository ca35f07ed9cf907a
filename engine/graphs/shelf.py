"""Graphs of one network for each size it is asked for, made when that size first comes."""

import logging
import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

log = logging.getLogger("engine.graphs")

Made = TypeVar("Made")

LONGEST_S = 1.0
"""Seconds that a show waits for its first graphs."""
MOST = 6
"""Sizes that graphs are kept for; each has its weights once more."""


class Shelf(Generic[Made]):
    """Owns the graphs, and the thread that makes them; used by one other thread."""

    def __init__(self, make: Callable[[Hashable], Made]) -> None:
        """`make` may take half a second, and raise anything: then there are no graphs, of any size."""
        self.waits = True
        """Whether they are waited for, so that the same is computed every time; in a show torch goes on meanwhile.

        But for the very first: before it there is no picture to hold up, which comes sooner with them.
        """
        self._make = make
        self._made: dict[Hashable, Made] = {}
        self._maker: threading.Thread | None = None
        self._cannot = False

    def find(self, size: Hashable) -> Made | None:
        """The graphs for this size, None while there are none or where there cannot be."""
        found = self._made.get(size)
        if found is not None or self._cannot:
            return found
        if self.waits:
            self._add(size)
        elif self._maker is None or not self._maker.is_alive():
            is_first, self._maker = self._maker is None, threading.Thread(target=self._add, args=(size,), name="graphs")
            self._maker.start()
            if is_first and not self._made:
                self._maker.join(timeout=LONGEST_S)
        return self._made.get(size)

    def _add(self, size: Hashable) -> None:
        try:
            made = self._make(size)
        except Exception:
            self._cannot = True
            log.info("graphs: there are none, torch computes everything", exc_info=True)
            return
        while len(self._made) >= MOST:
            self._made.pop(next(iter(self._made)), None)
        self._made[size] = made
