"""A writer: the thread between a sink and a slow disk. Handing over never waits; what does not fit is counted."""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from vj.errors import DeviceError

Item = TypeVar("Item")

log = logging.getLogger("vj.sinks")

# Long enough for a disk that wakes up, short enough that stopping a show does not hang on a dead one.
_CLOSE_S = 5.0


class Writer(Generic[Item]):
    """Writes items one by one in a thread of its own, in order. Owns the queue and the thread.

    `dropped` counts the items that were refused because `depth` of them were already waiting.
    """

    def __init__(self, name: str, write: Callable[[Item], None], depth: int) -> None:
        self.name, self.dropped, self.written = name, 0, 0
        self._write = write
        self._fault: Exception | None = None
        self._queue: queue.Queue[Item] = queue.Queue(max(1, depth))
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"vj-{name}", daemon=True)
        self._thread.start()

    def offer(self, item: Item) -> None:
        """Hand over an item, or count it as dropped. Raises DeviceError once writing has failed."""
        if self._fault is not None:
            raise DeviceError(f"{self.name}: writing stopped: {self._fault}") from self._fault
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            self.dropped += 1

    def waiting(self) -> int:
        """How many items wait to be written."""
        return self._queue.qsize()

    def close(self) -> bool:
        """Write what is waiting and end the thread; False when the disk is too slow for that and it was left behind."""
        self._is_closing.set()
        self._thread.join(_CLOSE_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while self._fault is None:
            try:
                item = self._queue.get(timeout=0.1)
            except queue.Empty:
                if self._is_closing.is_set():
                    return
                continue
            self._try(item)

    def _try(self, item: Item) -> None:
        try:
            self._write(item)
            self.written += 1
        except Exception as fault:  # a device boundary: codec and file errors reach the sink in `offer`
            log.error("%s: writing failed: %s", self.name, fault, exc_info=not isinstance(fault, OSError))
            self._fault = fault
