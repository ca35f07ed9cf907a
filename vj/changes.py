"""Changes: what a control asked for. The pure middle between a device and the state.

Every input ends as a `Change`, and the desk's one writer applies them in order.
"""

from dataclasses import dataclass
from typing import Any

from engine.parameters import SLOTS

# action → the kind of value it takes: none, number, text, index (number, label or title), texts (line, next line),
# place (of the bank, from 1), place_slot (place, slot), place_text (place, text)
ACTIONS: dict[str, str] = {
    "set": "any",  # parameter to value, in its own unit
    "norm": "number",  # parameter to a fraction 0..1 of its range
    "nudge": "number",  # parameter by a step, in its own unit
    "toggle": "none",  # a switch to its other state
    "fire": "none",  # a trigger
    "prompt": "text",  # crossfade the line to this text; `seconds` overrides the fade parameter
    "lyric": "texts",  # this line now, the next on standby
    "cue_go": "index",  # start the cue list, or jump to a cue by number or label
    "cue_next": "none",
    "cue_back": "none",
    "cue_stop": "none",
    "cue_pause": "none",
    "cue_seek": "number",  # to this time, s
    "cue_nudge": "number",  # the cue clock by this many seconds
    "song_go": "index",  # begin a song again, or another one by number or title
    "song_next": "none",
    "song_back": "none",
    "preset": "text",  # recall a preset by name
    "bank": "place",  # crossfade the line to the stored prompt of this place
    "bank_slot": "place_slot",  # put the stored prompt of a place into a slot; weight 1 if it was 0
    "bank_text": "place_text",  # store a text in a place
    "tap": "none",  # a beat of the tempo: two and more set it
    "resync": "none",  # the beat begins now
    "panic": "none",  # the look the show began with, no blackout, no freeze, a fresh canvas
    "undo": "none",  # the look before the last move
}

NAME_LIMIT = 80
BANK_PLACES = 128

# the kinds of value that name a place of the bank → what they are, in words
PLACED = {
    "place": f"a place of the bank from 1 to {BANK_PLACES}",
    "place_slot": f"[place, slot], from 1 to {BANK_PLACES} and to {SLOTS},",
    "place_text": f"[place, text], the place from 1 to {BANK_PLACES},",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing a control asked for, and which control it was.

    `source` is what the dashboard shows as having moved a parameter: "osc 127.0.0.1", "midi nanoKONTROL2 cc 16",
    "key", "cue". Changes with the same source and parameter within a second are one gesture for undo.
    """

    action: str
    value: Any = None
    parameter: str = ""
    source: str = ""
    seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The change as a JSON object, for the control socket."""
        return {
            "action": self.action,
            "value": self.value,
            "parameter": self.parameter,
            "source": self.source,
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, data: Any) -> "Change":
        """Read back `to_json`. Raises ValueError for an unknown action or a value of the wrong kind."""
        if not isinstance(data, dict) or str(data.get("action")) not in ACTIONS:
            raise ValueError(f"not a change: {str(data)[:80]!r}")
        seconds = data.get("seconds")
        if seconds is not None and not (isinstance(seconds, (int, float)) and 0 <= seconds < 1e6):
            raise ValueError(f"seconds must be a number of at least 0, not {seconds!r}")
        action, value = str(data["action"]), data.get("value")
        if not _fits(ACTIONS[action], value):
            raise ValueError(f"{action} does not take {str(value)[:80]!r}")
        parameter, source = (str(data.get(key) or "")[:NAME_LIMIT] for key in ("parameter", "source"))
        return cls(action, value, parameter, source, seconds)


def _fits(kind: str, value: Any) -> bool:
    number = isinstance(value, (int, float)) and value == value and abs(value) < 1e12
    if kind == "none":
        return value is None
    if kind == "number":
        return number and not isinstance(value, bool)
    if kind == "text":
        return isinstance(value, str)
    if kind == "index":
        return value is None or number or isinstance(value, str)
    if kind == "texts":
        return isinstance(value, (list, tuple)) and 1 <= len(value) <= 2 and all(isinstance(v, str) for v in value)
    if kind in PLACED:
        return is_placed(kind, value)
    return isinstance(value, (int, float, str, bool))


def is_placed(kind: str, value: Any) -> bool:
    """Whether a value names a place of the bank and, by its kind, a slot or a text."""
    if kind == "place":
        return _is_whole(value, BANK_PLACES)
    if not isinstance(value, (list, tuple)) or len(value) != 2 or not _is_whole(value[0], BANK_PLACES):
        return False
    return _is_whole(value[1], SLOTS) if kind == "place_slot" else isinstance(value[1], str) and bool(value[1].strip())


def _is_whole(value: Any, most: int) -> bool:
    return type(value) is int and 1 <= value <= most
