"""Graphs of one tower for each number of views, made when that number is first asked for."""

import logging
import threading
from typing import TYPE_CHECKING, Any

from torch import Tensor

if TYPE_CHECKING:
    from engine.guides.frozen import FrozenTower

log = logging.getLogger("engine.guides")

MOST = 4
"""Numbers of views that graphs are kept for; each has the weights once more, 30 MB."""


class GraphShelf:
    """Owns the graphs, and the thread that makes them; used by one other thread."""

    def __init__(self, least_slope: float) -> None:
        self.waits = True
        """Whether they are waited for, so that the same is computed every time; in a show torch goes on meanwhile."""
        self._least_slope = least_slope
        self._made: dict[int, Any] = {}
        self._maker: threading.Thread | None = None
        self._cannot = False

    def find(self, tower: "FrozenTower", views: Tensor) -> Any:
        """The `engine.guides.graphs.Graphs` for so many views, None while there are none or where there cannot be."""
        count = len(views)
        found = self._made.get(count)
        if found is not None or self._cannot:
            return found
        if self.waits:
            self._make(tower, count)
        elif self._maker is None or not self._maker.is_alive():
            self._maker = threading.Thread(target=self._make, args=(tower, count), name="graphs", daemon=True)
            self._maker.start()
        return self._made.get(count)

    def _make(self, tower: "FrozenTower", count: int) -> None:
        try:
            from engine.guides.graphs import Graphs

            made = Graphs(tower, count, self._least_slope)
        except Exception:
            self._cannot = True
            log.info("guide: no graphs, torch computes the tower", exc_info=True)
            return
        while len(self._made) >= MOST:
            self._made.pop(next(iter(self._made)), None)
        self._made[count] = made
