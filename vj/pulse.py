"""Pulses: what a process reports of itself, a few times a second, for the keeper and the dashboard."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

import psutil

from vj.mailboxes import TextMailbox

STALE_S = 3.0
# Until a part has said that it works (a pulse in none of these states) it may take its time, as a model load does.
STARTING = ("loading", "opening", "")


class Pulse:
    """Puts a part's report into its mailbox at most every `every_s` seconds. A report too large is left out."""

    def __init__(self, box: TextMailbox, every_s: float = 0.1, **fixed: Any) -> None:
        self._box, self._every_s = box, every_s
        self._fixed = {"pid": os.getpid(), **fixed}
        self._next = 0.0
        self._process = psutil.Process()
        self._memory_mb, self._memory_due = 0.0, 0.0
        self._facts: dict[str, Any] = {}

    def hasten(self) -> None:
        """The next beat is published however soon it comes."""
        self._next = 0.0

    def beat(self, report: Callable[[], dict[str, Any]], **facts: Any) -> None:
        """Publish the facts and the report if it is time; the report is only made then."""
        self._facts, now = facts, time.monotonic()
        if now < self._next:
            return
        self._next = now + self._every_s
        if now >= self._memory_due:
            self._memory_due = now + 2.0
            self._memory_mb = round(self._process.memory_info().rss / 2**20, 1)
        known = {**self._fixed, "at": now, "memory_mb": self._memory_mb, **facts}
        try:
            self._box.put(json.dumps({**known, **report()}))
        except (TypeError, ValueError):  # a part that says less is alive, one that has raised is not
            self._box.put(json.dumps({**known, "notes": ["its report cannot be shown: too large, or no JSON"]}))

    def again(self, report: Callable[[], dict[str, Any]]) -> None:
        """Beat from within a turn that takes long, with the facts of the beat before."""
        self.beat(report, **self._facts)


def read_pulse(box: TextMailbox) -> dict[str, Any]:
    """The newest report in a mailbox, {} before the first or when it cannot be read."""
    text = box.newest()
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def patience_s(pulse: dict[str, Any], least_s: float) -> float:
    """How long the part that reported this may be silent: `least_s`, and longer where it paints slowly.

    One step of 64 views through a large guide takes a processor ten seconds and more; `beat_ms` is what the engine
    expects of the next one.
    """
    slowest_ms = max(float(pulse.get("frame_ms", 0.0)), float(pulse.get("beat_ms", 0.0)))
    return max(least_s, 4.0 * slowest_ms / 1000.0)


def is_fresh(pulse: dict[str, Any], now: float) -> bool:
    """Whether the part that reported is still answering."""
    return bool(pulse) and now - float(pulse.get("at", -1e9)) <= patience_s(pulse, STALE_S)
