"""Pulses as the dashboard reads them: the newest of every part, whatever is missing, stale or of the wrong kind.

Nothing here raises once the show runs: a part that is gone is an empty pulse without an age.
"""

import json
import math
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from vj.mailboxes import Frame, SharedFrames, SharedText
from vj.pulse import STALE_S, STARTING, patience_s
from vj.runtime import Folder, Plan, is_alive, pids

# A part that came back may have made its mailbox anew; the old mapping would stay silent for ever.
_REOPEN_S = 1.0
# Loading a library and a guide, beside other work; a part that died over it is named by the keeper at once.
_STARTS_WITHIN_S = 60.0


def clean(text: str) -> str:
    """The text without control characters: what a song file or a network sends must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(_visible(letter) for letter in text)


def _visible(letter: str) -> str:
    if letter.isprintable():
        return letter
    return "" if unicodedata.category(letter) == "Cf" else " "


def finite(value: object) -> float | None:
    """The value as a finite number, or None when it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # JSON knows whole numbers of any length
        return None


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a part last said of itself; every reading of it has a kind, whatever was written."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def number(self, name: str) -> float | None:
        """A finite number, or None."""
        return finite(self.values.get(name))

    def whole(self, name: str) -> int:
        """A number cut to a whole one; 0 when there is none."""
        return int(self.number(name) or 0)

    def text(self, name: str) -> str:
        """A clean text; "" when there is none."""
        value = self.values.get(name)
        return clean(value) if isinstance(value, str) else ""

    def is_on(self, name: str) -> bool:
        """A switch; false when it is missing."""
        return self.values.get(name) is True

    def group(self, name: str) -> "Pulse":
        """The object under this name; an empty one when there is none."""
        value = self.values.get(name)
        return Pulse(value if isinstance(value, Mapping) else {})

    def items(self, name: str) -> tuple[Any, ...]:
        """The list under this name; empty when there is none."""
        value = self.values.get(name)
        return tuple(value) if isinstance(value, (list, tuple)) else ()

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts of the list under this name, clean."""
        return tuple(clean(item) for item in self.items(name) if isinstance(item, str))

    def age_s(self, now: float) -> float | None:
        """Seconds since this was said, or None when nothing ever was."""
        at = self.number("at")
        return None if at is None else max(0.0, now - at)

    def is_live(self, now: float) -> bool:
        """Whether the part answers: it said something within the last 3 s; longer where it starts or paints slowly."""
        age = self.age_s(now)
        least_s = _STARTS_WITHIN_S if self.values.get("state") in STARTING else STALE_S
        return age is not None and age <= patience_s({"frame_ms": self.number("frame_ms") or 0.0}, least_s)


def pulse_from(text: str | None) -> Pulse:
    """Read one pulse; anything but a JSON object is an empty pulse."""
    try:
        data = json.loads(text) if text else {}
    except ValueError:
        return Pulse()
    return Pulse(data if isinstance(data, dict) else {})


class _Box(Protocol):
    def close(self) -> None: ...


BoxT = TypeVar("BoxT", bound=_Box)


class _Opened(Generic[BoxT]):
    """A mailbox opened once it is there, and anew when it has brought no news. Owns the mapping."""

    def __init__(self, open_box: Callable[[], BoxT], clock: Callable[[], float]) -> None:
        self._open, self._clock = open_box, clock
        self._box: BoxT | None = None
        self._tried_at = -math.inf

    def had_news(self) -> None:
        self._tried_at = self._clock()

    def box(self) -> BoxT | None:
        now = self._clock()
        if now - self._tried_at > _REOPEN_S:
            self._tried_at = now
            self.close()
            try:
                self._box = self._open()
            except (OSError, ValueError):
                self._box = None
        return self._box

    def close(self) -> None:
        if self._box is not None:
            self._box.close()
        self._box = None


class _Said:
    """The newest pulse of one mailbox, parsed once. Owns its mapping."""

    def __init__(self, open_box: Callable[[], SharedText], clock: Callable[[], float]) -> None:
        self._opened = _Opened(open_box, clock)
        self._text: str | None = None
        self._pulse = Pulse()

    def newest(self) -> Pulse:
        box = self._opened.box()
        try:
            text = box.newest() if box is not None else None
        except (OSError, ValueError):
            text = None
        if text is not None and text != self._text:
            self._text, self._pulse = text, pulse_from(text)
            self._opened.had_news()
        return self._pulse

    def close(self) -> None:
        self._opened.close()


class Pulses:
    """The newest pulse of every part of one show, and its look under "look". Owns the opened mailboxes."""

    def __init__(self, folder: Folder, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._clock = folder, clock
        self._said = {"look": _Said(folder.look, clock)}
        self._plan: Plan | None = None
        for part in ("desk", "engine", "program", "keeper"):
            self._listen(part)

    def plan(self) -> Plan | None:
        """What the show was asked to be, or None as long as that cannot be read."""
        if self._plan is None:
            try:
                self._plan = self._folder.plan()
            except (OSError, ValueError, KeyError, TypeError):
                return None
            for number in range(len(self._plan.sinks)):
                self._listen(f"sink-{number}")
        return self._plan

    def newest(self) -> dict[str, Pulse]:
        """Every part's newest pulse; an empty one for a part that has not spoken."""
        self.plan()
        return {part: said.newest() for part, said in self._said.items()}

    def has_ended(self) -> bool:
        """Whether there is no show any more: its mailboxes are gone, or every process it named is dead."""
        if not self._folder.boxes.is_dir():
            return True
        known = pids(self._folder)
        return bool(known) and not any(map(is_alive, known.values()))

    def close(self) -> None:
        """Unmap everything."""
        for said in self._said.values():
            said.close()

    def _listen(self, part: str) -> None:
        self._said[part] = _Said(lambda: self._folder.pulse(part), self._clock)


class ProgramFrames:
    """The program's newest frames as they come. Owns the opened mailbox."""

    def __init__(self, folder: Folder, clock: Callable[[], float] = time.monotonic) -> None:
        self._opened: _Opened[SharedFrames] = _Opened(folder.program, clock)
        self._number = -1
        self._clock = clock
        self._came_at = clock()

    def newest(self) -> Frame | None:
        """A frame not seen before, or None."""
        box = self._opened.box()
        # A program that was restarted counts its frames from the start again.
        after = self._number if self._clock() - self._came_at < _REOPEN_S else -1
        try:
            frame = box.newest(after) if box is not None else None
        except (OSError, ValueError):
            return None
        if frame is None or frame.number == self._number:
            return None
        self._number, self._came_at = frame.number, self._clock()
        self._opened.had_news()
        return frame

    def close(self) -> None:
        """Unmap."""
        self._opened.close()
