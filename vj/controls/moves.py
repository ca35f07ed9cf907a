"""From MIDI to changes: what a move of a control means under a mapping and the look as it is. Pure; nothing raises."""

import math
import re
from collections.abc import Iterable
from collections.abc import Mapping as Table
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from engine.parameters import PARAMETERS, Look
from vj.changes import Change
from vj.controls.mapping import Control, Mapping

PRESSED_FROM = 64
# How many values the desk may lag behind a fader that is being moved.
_SENT_KEPT = 32


@dataclass(frozen=True, slots=True)
class Midi:
    """One message of a device: `kind` "cc" or "note", channel 1-16, number and value 0-127 (a key let go is 0)."""

    port: str
    kind: str
    channel: int
    number: int
    value: int

    def __str__(self) -> str:
        return f"{short_name(self.port)} {self.kind} {self.number}"


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a control stood last, 0..127, and the values it gave that the look may not show yet, oldest first."""

    place: int
    sent: tuple[float, ...] = ()


Memory = Table[tuple[str, Control], Seen]
NOTHING_SEEN: Memory = MappingProxyType({})


def translate(mapping: Mapping, midi: Midi, look: Look, memory: Memory) -> tuple[tuple[Change, ...], Memory]:
    """The changes a message asks for under one mapping, and what to remember for the next message."""
    changes: list[Change] = []
    seen_now: dict[tuple[str, Control], Seen] = {}
    for control in mapping.controls:
        if not _is_meant(control, midi):
            continue
        key = (midi.port, control)
        change, seen_now[key] = _moved(control, midi, look, memory.get(key))
        if change is not None:
            changes.append(change)
    return tuple(changes), MappingProxyType({**memory, **seen_now}) if seen_now else memory


def is_mapped(mapping: Mapping, midi: Midi) -> bool:
    """Whether any control of the mapping means this message."""
    return any(_is_meant(control, midi) for control in mapping.controls)


def awaits_pickup(mapping: Mapping, midi: Midi) -> bool:
    """Whether a control that this message means takes over only where it passes the value that is there."""
    return any(control.takeover == "pickup" and _is_meant(control, midi) for control in mapping.controls)


def mappings_for(mappings: Iterable[Mapping], port: str) -> tuple[Mapping, ...]:
    """The mappings that name this port; when none does, those that name no port."""
    named = tuple(mapping for mapping in mappings if mapping.ports and port_matches(port, mapping.ports))
    return named or tuple(mapping for mapping in mappings if not mapping.ports)


def port_matches(port: str, patterns: Iterable[str]) -> bool:
    """Whether a port's name fits a pattern, case ignored: `*` and `?` as in file names, plain words anywhere in it.

    The part after a colon is looked at too: JACK and ALSA put the name of a client or bridge before it.
    """
    name = port.casefold()
    forms = (name, name.partition(":")[2])
    for pattern in (pattern.casefold() for pattern in patterns):
        if pattern == name or any(fnmatchcase(form, pattern) for form in forms):
            return True
        if not re.search(r"[*?]", pattern) and pattern in name:
            return True
    return False


def short_name(port: str) -> str:
    """A port's name as a person knows it: of ALSA's "client:port 20:0" the client."""
    alsa = re.fullmatch(r"(.+?):.* \d+:\d+", port)
    return alsa[1] if alsa else port


def _is_meant(control: Control, midi: Midi) -> bool:
    is_channel = control.channel in (None, midi.channel)
    return is_channel and (control.kind, control.number) == (midi.kind, midi.number)


def _moved(control: Control, midi: Midi, look: Look, seen: Seen | None) -> tuple[Change | None, Seen]:
    source = f"midi {midi}"
    if control.is_turned and (control.hold or PARAMETERS[control.parameter].kind == "switch"):
        is_on = midi.value > 0 if control.kind == "note" else midi.value >= PRESSED_FROM
        return Change("set", is_on, control.parameter, source), Seen(midi.value)
    if control.is_turned:
        return _turned(control, midi, look, seen)
    change = Change(control.action, control.value, control.parameter, source)
    return (change if _is_press(midi, seen) else None), Seen(midi.value)


def _between(low: float, high: float, place: int) -> float:
    """What a knob at this place, 0 to 127, means; between ends of two signs 64, where it rests, is the very middle."""
    if low < 0.0 < high or high < 0.0 < low:
        share = place / 128 if place <= 64 else 0.5 + (place - 64) / 126
    else:
        share = place / 127
    return low + share * (high - low)


def _is_press(midi: Midi, seen: Seen | None) -> bool:
    if midi.kind == "note":
        return midi.value > 0
    # Some buttons send 127 at every press and nothing in between; a knob never sends the same place twice.
    return midi.value >= PRESSED_FROM and (seen is None or seen.place < PRESSED_FROM or seen.place == midi.value)


def _turned(control: Control, midi: Midi, look: Look, seen: Seen | None) -> tuple[Change | None, Seen]:
    row = PARAMETERS[control.parameter]
    source = f"midi {midi}"
    if row.kind == "choice":
        return Change("set", row.from_unit(midi.value / 127), row.name, source), Seen(midi.value)
    value = float(row.checked(_between(control.low, control.high, midi.value)))
    change = Change("set", value, row.name, source)
    if control.takeover == "jump":
        return change, Seen(midi.value)
    there = look.number(row.name)
    waiting = _not_shown_yet(there, seen)
    if not waiting and not _passes(control, there, midi.value, seen):
        return None, Seen(midi.value)
    return change, Seen(midi.value, (*(waiting or (there,)), value)[-_SENT_KEPT:])


def _not_shown_yet(there: float, seen: Seen | None) -> tuple[float, ...]:
    """The values the control gave from the one the look shows now on; none when something else moved the look.

    The look lags behind a fader that is being moved, so its value is looked for among all that were sent, and the
    older ones are dropped: they could be reached again by a preset or an undo, which must not count as holding on.
    """
    sent = seen.sent if seen else ()
    for n in range(len(sent) - 1, -1, -1):
        if math.isclose(sent[n], there, rel_tol=1e-6, abs_tol=1e-9):
            return sent[n:]
    return ()


def _passes(control: Control, there: float, place: int, seen: Seen | None) -> bool:
    """Whether the control has reached or passed the value that is there. A quick turn skips places, hence a crossing.

    A value beyond the control's ends is met at that end.
    """
    target = min(127.0, max(0.0, (there - control.low) / (control.high - control.low) * 127))
    before = place if seen is None else seen.place
    return min(before, place) - 1 <= target <= max(before, place) + 1
