"""The clock of a cue list, and where each move by hand puts it. Pure."""

from dataclasses import dataclass

from engine.parameters import ParameterError
from vj.changes import Change
from vj.cues.cue import CueList
from vj.cues.position import moment
from vj.errors import did_you_mean


@dataclass(frozen=True, slots=True)
class CueClock:
    """Where the cue list stands. `anchor` is the monotonic time at which position `base_s` held."""

    state: str = "waiting"  # waiting | running | paused | stopped
    base_s: float = 0.0
    anchor: float = 0.0

    def position(self, now: float) -> float:
        """Seconds into the cue list."""
        return max(0.0, self.base_s + (now - self.anchor if self.state == "running" else 0.0))

    def moved(self, state: str, position_s: float, now: float) -> "CueClock":
        """The clock in this state at this position."""
        return CueClock(state, max(0.0, position_s), now)


def goes_on(clock: CueClock, change: Change) -> bool:
    """Whether a GO starts the clock from where it is, instead of jumping to a cue."""
    return change.action == "cue_go" and change.value is None and clock.state != "running"


def is_jump(clock: CueClock, change: Change) -> bool:
    """Whether a move by hand goes to a cue or a time, rather than starting, holding or correcting the clock."""
    return change.action not in ("cue_pause", "cue_nudge", "cue_stop") and not goes_on(clock, change)


def moved_clock(clock: CueClock, cues: CueList, change: Change, now: float) -> CueClock:
    """The clock after a move by hand; the very same one past the last cue. Raises ParameterError for an unknown cue."""
    position = clock.position(now)
    action = change.action
    if action == "cue_stop":
        return clock.moved("stopped", position, now)
    if action == "cue_pause":
        return clock.moved("running" if clock.state == "paused" else "paused", position, now)
    if action == "cue_seek":
        return clock.moved(clock.state, float(change.value), now)
    if action == "cue_nudge":
        return clock.moved(clock.state, position + float(change.value), now)
    if action == "cue_back" and position < cues.cues[0].at_s:
        return clock.moved(clock.state, 0.0, now)
    if goes_on(clock, change):
        return clock.moved("running", position, now)
    target = _target(cues, change, moment(cues, position).index)
    if target is None:
        return clock
    return clock.moved("paused" if clock.state == "paused" else "running", target, now)


def _target(cues: CueList, change: Change, index: int) -> float | None:
    """The time of the cue a move goes to from the one with this 1-based index, or None behind the last one.

    Raises ParameterError for a name or number that no cue has.
    """
    if change.action == "cue_back":
        index = max(1, index - 1)
    elif change.action == "cue_next" or change.value is None:
        index += 1
    elif isinstance(change.value, str):
        index = _named(cues, change.value)
    else:
        index = _numbered(cues, change.value)
    return cues.cues[index - 1].at_s if 1 <= index <= len(cues.cues) else None


def _named(cues: CueList, name: str) -> int:
    """The place of a cue by its label, else by its number or its words, case ignored."""
    wanted = name.casefold()
    labels = (n for n, cue in enumerate(cues.cues, 1) if wanted and cue.label.casefold() == wanted)
    others = (n for n, cue in enumerate(cues.cues, 1) if wanted and wanted in (str(n), cue.text.casefold()))
    found = next(labels, None) or next(others, None)
    if found is None:
        labelled = did_you_mean(name, {cue.label for cue in cues.cues if cue.label})
        raise ParameterError(f"no cue {name!r} among the {len(cues.cues)} of this song{labelled}")
    return found


def _numbered(cues: CueList, number: float) -> int:
    if not 1 <= int(number) <= len(cues.cues):
        raise ParameterError(f"no cue {int(number)}: the cues of this song are 1 to {len(cues.cues)}")
    return int(number)
