"""The dashboard's changes on their way to the desk, so that a desk that hangs never holds up a key or the picture."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from vj.changes import Change
from vj.runtime import Door

log = logging.getLogger("vj.dashboard")

# A key is meant for now: a blackout that arrives seconds late would be worse than none.
_TOO_LATE_S = 1.0
_WAITING = 64


@dataclass(frozen=True, slots=True)
class _Asked:
    change: Change
    at: float


class Sending:
    """Sends changes in their order from a thread of its own. Owns the door.

    `lost` is called from that thread with each change that no desk took; it was not kept for later.
    """

    def __init__(self, door: Door, lost: Callable[[Change], None]) -> None:
        self._door, self._lost = door, lost
        self._asked: queue.Queue[_Asked | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._run, name="vj-dashboard-sending", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def put(self, change: Change) -> bool:
        """Have a change sent; false when so many wait for the desk already that this one is dropped."""
        try:
            self._asked.put_nowait(_Asked(change, time.monotonic()))
        except queue.Full:
            return False
        return True

    def stop(self) -> None:
        """Send what is waiting and is not too late, then close the door. Waits for at most two seconds."""
        try:
            self._asked.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(2.0)

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            if not self._deliver(asked):
                self._lost(asked.change)
        self._door.close()

    def _deliver(self, asked: _Asked) -> bool:
        if time.monotonic() - asked.at > _TOO_LATE_S:
            return False
        try:
            if self._door.send(asked.change):
                return True
        except Exception:
            # A broken door file must not end the thread that every key needs.
            log.exception("dashboard: the way to the desk failed")
        # The door keeps a connection that the desk has closed; without this the next key would be lost too.
        self._door.close()
        return False
