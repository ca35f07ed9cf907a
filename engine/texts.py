"""Prompts as vectors, made off the frame's path: a thread beside the engine, a bounded cache, newest text first."""

import logging
import threading
from collections import OrderedDict

from torch import Tensor

from engine.guides.guide import Guide

log = logging.getLogger("engine.texts")

Twins = tuple[Tensor, Tensor]
"""A vector on the guide's device, and in the host's memory; one and the same where that is the device."""

KEPT = 256
"""Texts whose vectors are kept, the longest unused dropped first."""
WAITING = 16
"""Texts that may wait to be read; the oldest is dropped, and asked for again by the next frame that wants it."""


class Texts:
    """One guide's vectors of texts. Owns the cache, the waiting list and the thread that works it off."""

    def __init__(self, guide: Guide, waits: bool = False) -> None:
        """With `waits` every text is read at once, in the caller's thread: slower, and the same every time."""
        self._guide = guide
        self._waits = waits
        self._kept: OrderedDict[str, Twins | None] = OrderedDict()
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._changed = threading.Condition()
        self._reading = ""
        self._reader: threading.Thread | None = None
        self._is_closed = False
        self.fault = ""
        """Why the last text that could not be read was not; "" when all could."""

    def find(self, text: str) -> Tensor | None:
        """The text's unit vector (d,), or None while it is not ready or cannot be read. Never blocks unless `waits`."""
        found = self.twins(text)
        return None if found is None else found[0]

    def twins(self, text: str) -> Twins | None:
        """The text's unit vector (d,) on the guide's device and in the host's memory, as `find` would give it."""
        if self._waits and text not in self._kept:
            self._keep(text, self._read(text))
        with self._changed:
            if text in self._kept:
                self._kept.move_to_end(text)
                return self._kept[text]
            if self._is_closed or text == self._reading:
                return None
            self._waiting[text] = None
            self._waiting.move_to_end(text)
            while len(self._waiting) > WAITING:
                self._waiting.popitem(last=False)
            if self._reader is None:
                self._reader = threading.Thread(target=self._work, name="texts", daemon=True)
                self._reader.start()
            self._changed.notify()
        return None

    def has_read(self, text: str) -> bool:
        """Whether this text is ready or known to be unreadable; asks for it if not."""
        is_ready = self.find(text) is not None
        with self._changed:
            return is_ready or text in self._kept

    def close(self) -> None:
        """Stop the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._reader is not None:
            self._reader.join(timeout=2.0)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if self._is_closed:
                    return
                self._reading = text = self._waiting.popitem(last=True)[0]
            self._keep(text, self._read(text))

    def _read(self, text: str) -> Twins | None:
        try:
            vector = self._guide.embed_text([text])[0]
            return vector, vector.cpu()  # which also waits for the device, so that whoever finds it need not
        except Exception as err:
            log.exception("texts: %r cannot be read", text)
            self.fault = f"the guide cannot read {text[:40]!r}: {err}"
            return None

    def _keep(self, text: str, found: Twins | None) -> None:
        with self._changed:
            self._kept[text], self._reading = found, ""
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
