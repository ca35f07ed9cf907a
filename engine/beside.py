"""Slow work beside the frames: a thread, a bounded cache, the newest wish first."""

import logging
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

log = logging.getLogger("engine.beside")

Result = TypeVar("Result")

WAITING = 8
"""Keys that may wait; the oldest is dropped, and asked for again by the next frame that wants it."""
SHORT_TURN_S = 0.0001
"""Beside a thread busy with Python a frame of the shipped guide took 2.0 times as long with this, 3.1 with 0.005."""
RETRY_S = 5.0
"""After this long a key that failed is tried again: the file may be there now."""


@contextmanager
def short_turns() -> Iterator[None]:
    """Let Python's threads change often: importing and unpickling would else keep the picture waiting at every call."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SHORT_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


class Beside(Generic[Result]):
    """Results by key. Owns the cache, the waiting list and the thread that works it off."""

    def __init__(self, name: str, work: Callable[[str], Result], kept: int = 8, waits: bool = False) -> None:
        """`work` may raise anything. With `waits` it is done at once, in the caller's thread: the same every time."""
        self._name, self._work, self._most, self._waits = name, work, kept, waits
        self._kept: OrderedDict[str, Result] = OrderedDict()
        self._failed: OrderedDict[str, tuple[float, BaseException]] = OrderedDict()
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._changed = threading.Condition()
        self._busy = ""
        self._worker: threading.Thread | None = None
        self._is_closed = False

    def find(self, key: str) -> Result | None:
        """The key's result, or None while it is not ready or cannot be had. Never blocks unless `waits`."""
        with self._changed:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            if self._is_closed or key == self._busy or self._has_just_failed(key):
                return None
            if not self._waits:
                self._ask(key)
                return None
        self._do(key)
        return self._kept.get(key)

    def failure(self, key: str) -> BaseException | None:
        """Why this key could not be had; None if it could, or is not known yet."""
        with self._changed:
            return self._failed[key][1] if key in self._failed else None

    def close(self) -> None:
        """Stop the thread; what it is doing is finished first, and not waited for longer than two seconds."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._worker is not None:
            self._worker.join(timeout=2.0)

    def _has_just_failed(self, key: str) -> bool:
        return key in self._failed and time.monotonic() < self._failed[key][0] + RETRY_S

    def _ask(self, key: str) -> None:
        self._waiting[key] = None
        self._waiting.move_to_end(key)
        while len(self._waiting) > WAITING:
            self._waiting.popitem(last=False)
        if self._worker is None:
            self._worker = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._worker.start()
        self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if self._is_closed:
                    return
                self._busy = key = self._waiting.popitem(last=True)[0]
            self._do(key)

    def _do(self, key: str) -> None:
        result: Result | None = None
        failure: BaseException | None = None
        try:
            result = self._work(key)
        except Exception as err:
            if key not in self._failed:  # once: it is tried again and again
                log.exception("%s: %r cannot be read", self._name, key)
            failure = err
        with self._changed:
            self._busy = ""
            self._failed.pop(key, None)
            if failure is not None:
                self._failed[key] = (time.monotonic(), failure)
            elif result is not None:
                self._kept[key] = result
            for kept in (self._kept, self._failed):
                while len(kept) > self._most:
                    kept.popitem(last=False)
