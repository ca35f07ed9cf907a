"""Keys that act once however long they are held: blackout, freeze or reroll would flash the whole room."""

import math
import time
from collections.abc import Callable
from typing import Protocol

REPEAT_S = 0.15
"""A key that comes again so soon is held: terminals repeat it some thirty times a second, and nobody taps so fast."""
FIRST_REPEAT_S = 0.75
"""The first repeat of a held key comes within this, and so does a second tap; only what follows tells which it was."""


class Timer(Protocol):
    """What will call back once, unless it is stopped."""

    def stop(self) -> None:
        """Do not call."""
        ...


class Presses:
    """Tells keys tapped again from keys held. Owns when each was pressed last, and what waits to be told.

    A tap acts at once; one soon after another acts `REPEAT_S` later, if it was none of a held key's.
    """

    def __init__(
        self, later: Callable[[float, Callable[[], None]], Timer], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`later` calls back after so many seconds."""
        self._later, self._clock = later, clock
        self._pressed: dict[str, float] = {}
        self._waiting: dict[str, Timer] = {}

    def once(self, name: str, act: Callable[[], None]) -> None:
        """Act for a key of this name that was pressed, or is held."""
        now = self._clock()
        since, self._pressed[name] = now - self._pressed.get(name, -math.inf), now
        waiting = self._waiting.pop(name, None)
        if waiting is not None:
            waiting.stop()
        if since > FIRST_REPEAT_S:
            act()
        elif since > REPEAT_S:
            self._waiting[name] = self._later(REPEAT_S, act)
