"""The state of the show: one frozen value, replaced by the desk and by nobody else.

Pure: time comes in as an argument, files and devices stay outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from engine.parameters import PARAMETERS, Look, ParameterError, Value, as_text, parameter
from vj.changes import Change
from vj.cues import CueList
from vj.cues.position import CueMoment, moment

# action → the kinds of parameter it can move, where not every kind
_MOVES = {"toggle": ("switch",), "fire": ("trigger",), "nudge": ("number", "whole", "choice")}
UNDO_LIMIT = 100
GESTURE_S = 1.0


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


@dataclass(frozen=True, slots=True)
class LivePrompt:
    """A line typed or sent by hand: it crossfades in from `before` and stays until the song takes the line back."""

    text: str
    before: str
    started: float
    fade_s: float
    standby: str = ""
    cue_index: int = 0

    def lines(self, now: float) -> tuple[str, str, float]:
        """Line, next line and blend at this time."""
        done = 1.0 if self.fade_s <= 0 else min(1.0, (now - self.started) / self.fade_s)
        if done < 1.0 and self.before and self.before != self.text:
            return self.before, self.text, done
        return self.text, self.standby, 0.0


@dataclass(frozen=True, slots=True)
class _Step:
    """What `undo` goes back to."""

    values: Mapping[str, Value]
    live: LivePrompt | None
    preset: str


@dataclass(frozen=True, slots=True)
class ShowState:
    """Everything the desk knows. `after` makes a change, `look_at` says what the engine should paint from."""

    look: Look
    opening: Look
    cues: CueList | None = None
    clock: CueClock = field(default_factory=CueClock)
    live: LivePrompt | None = None
    preset: str = ""
    opening_preset: str = ""
    moved: Mapping[str, tuple[str, float]] = field(default_factory=lambda: MappingProxyType({}))
    history: tuple[_Step, ...] = ()
    gestures: Mapping[tuple[str, str], float] = field(default_factory=lambda: MappingProxyType({}))

    def after(self, change: Change, now: float) -> "ShowState":
        """The state once this change has been made. Raises ParameterError; then nothing has changed."""
        if change.action == "undo":
            return self._undone(now)
        if change.action.startswith("cue_"):
            return self._cued(change, now)
        name = change.parameter or change.action
        if change.action in ("prompt", "lyric"):
            return replace(self._remembered(name, change.source, now), live=self._prompted(change, now))
        if change.action == "panic":
            return self._remembered(name, change.source, now)._panicked(change.source, now)
        value = self._value(change)
        return self._remembered(name, change.source, now)._set({name: value}, change.source, now)

    def recalled(self, preset: str, values: Mapping[str, Any], source: str, now: float) -> "ShowState":
        """The state once a preset's parameters have been recalled; every other parameter stays."""
        state = self._remembered(f"preset {preset}", source, now)._set(values, source, now)
        return replace(state, preset=preset)

    def begun(self, now: float) -> "ShowState":
        """The state once the first frame has been painted and the cue clock starts."""
        if self.clock.state != "waiting":
            return self
        return replace(self, clock=self.clock.moved("running", self.clock.base_s, now))

    def cue_at(self, now: float) -> CueMoment | None:
        """Where the cue list stands, or None without one."""
        return moment(self.cues, self.clock.position(now)) if self.cues else None

    def look_at(self, now: float) -> Look:
        """The look at this time: the parameters, and the line from a live prompt or else from the cue list."""
        cue = self.cue_at(now)
        index = cue.index if cue else 0
        if self.live and self._holds(self.live, index, now):
            line, next_line, blend = self.live.lines(now)
        elif cue and self.clock.state != "stopped":
            line, next_line, blend = cue.line, cue.next_line, cue.blend
        else:
            line, next_line, blend = self.look.line, "", 0.0
        return replace(self.look, line=line, next_line=next_line, blend=blend)

    def _holds(self, live: LivePrompt, index: int, now: float) -> bool:
        """Whether a prompt by hand has the line: until another cue is sung, and for `hold` seconds whatever is sung."""
        return index == live.cue_index or now - live.started < self.look.number("hold")

    def _value(self, change: Change) -> Value:
        row = parameter(change.parameter)
        now_at = self.look.values[row.name]
        if row.kind == "trigger":  # whatever moves it, its count only grows; a pad that is let go sends 0
            return int(now_at) + int(change.value != 0)
        if change.action in _MOVES and row.kind not in _MOVES[change.action]:
            raise ParameterError(f"{row.name} is a {row.kind} and has no {change.action}")
        if change.action == "norm":
            return row.from_unit(float(change.value))
        if change.action == "nudge":
            if row.kind == "choice":
                place = row.choices.index(str(now_at)) + (1 if change.value > 0 else -1)
                return row.choices[place % len(row.choices)]
            return row.checked(float(now_at) + float(change.value))
        if change.action == "toggle":
            return row.checked(not now_at)
        return row.checked(change.value)

    def _set(self, values: Mapping[str, Any], source: str, now: float) -> "ShowState":
        moved = {**self.moved, **dict.fromkeys(values, (source, now))}
        return replace(self, look=self.look.with_values(values), moved=MappingProxyType(moved))

    def _remembered(self, name: str, source: str, now: float) -> "ShowState":
        """The state with today's look kept for undo, unless this move belongs to the gesture before it."""
        # Several can go on at once: the two axes of a pad arrive in turns.
        ongoing = {move: at for move, at in self.gestures.items() if now - at < GESTURE_S}
        step = _Step(self.look.values, self.live, self.preset)
        history = self.history if (name, source) in ongoing else (*self.history, step)[-UNDO_LIMIT:]
        return replace(self, history=history, gestures=MappingProxyType({**ongoing, (name, source): now}))

    def _undone(self, now: float) -> "ShowState":
        if not self.history:
            return self
        step = self.history[-1]
        changed = [name for name, value in step.values.items() if self.look.values[name] != value]
        # A trigger's count never goes back: the engine would take the step for another firing.
        values = {name: step.values[name] for name in changed if PARAMETERS[name].kind != "trigger"}
        state = self._set(values, "undo", now)
        return replace(
            state,
            live=step.live,
            preset=step.preset,
            history=self.history[:-1],
            gestures=MappingProxyType({}),
        )

    def _panicked(self, source: str, now: float) -> "ShowState":
        kept = {name: self.look.values[name] for name, row in PARAMETERS.items() if row.kind == "trigger"}
        values = {**self.opening.values, **kept, "blackout": False, "freeze": False}
        values["reroll"] = int(self.look.values["reroll"]) + 1
        changed = {name: value for name, value in values.items() if self.look.values[name] != value}
        return replace(self._set(changed, source, now), live=None, preset=self.opening_preset)

    def _prompted(self, change: Change, now: float) -> LivePrompt:
        before = self.look_at(now)
        cue = self.cue_at(now)
        texts = [change.value] if change.action == "prompt" else list(change.value)
        texts = [as_text(text) for text in texts]
        # Mid-crossfade the picture is nearest to the heavier of the two lines.
        shown = before.next_line if before.blend > 0.5 else before.line
        # float: what is no number must fail here, where it is said, and not at every look from now on
        fade_s = float(change.seconds) if change.seconds is not None else before.number("fade")
        return LivePrompt(
            text=texts[0],
            before=shown,
            started=now,
            fade_s=0.0 if change.action == "lyric" else fade_s,
            standby=texts[1] if len(texts) > 1 else "",
            cue_index=cue.index if cue else 0,
        )

    def _cued(self, change: Change, now: float) -> "ShowState":
        clock = _moved_clock(self, change, now)
        if self.cues is None or clock is self.clock:  # no such cue: a typed prompt stays too
            return self
        # A move by hand to a cue gives the line back to the cue list; a pause or a nudge leaves a typed prompt.
        gives_back = change.action not in ("cue_pause", "cue_nudge", "cue_stop")
        held = self.look_at(now).line if change.action == "cue_stop" else self.look.line
        look = replace(self.look, line=held)
        return replace(self, clock=clock, live=None if gives_back else self.live, look=look)


def _moved_clock(state: ShowState, change: Change, now: float) -> CueClock:
    clock, position = state.clock, state.clock.position(now)
    action = change.action
    if action == "cue_stop":
        return clock.moved("stopped", position, now)
    if action == "cue_pause":
        return clock.moved("running" if clock.state == "paused" else "paused", position, now)
    if action == "cue_seek":
        return clock.moved(clock.state, float(change.value), now)
    if action == "cue_nudge":
        return clock.moved(clock.state, position + float(change.value), now)
    if action == "cue_back" and state.cues and clock.position(now) < state.cues.cues[0].at_s:
        return clock.moved(clock.state, 0.0, now)
    if action == "cue_go" and change.value is None and clock.state in ("waiting", "stopped", "paused"):
        return clock.moved("running", position, now)
    target = _target(state, change, now)
    if target is None:
        return clock
    return clock.moved("paused" if clock.state == "paused" else "running", target, now)


def _target(state: ShowState, change: Change, now: float) -> float | None:
    """The time of the cue a move goes to, or None when there is no such cue."""
    if state.cues is None:
        return None
    cues = state.cues.cues
    cue = state.cue_at(now)
    index = cue.index if cue else 0  # 1-based; 0 before the first cue
    if change.action == "cue_back":
        index = max(1, index - 1)
    elif change.action == "cue_next" or change.value is None:
        index += 1
    elif isinstance(change.value, str):
        wanted = change.value.casefold()
        index = next((n for n, c in enumerate(cues, 1) if wanted in (str(n), c.text.casefold())), 0)
    else:
        index = int(change.value)
    return cues[index - 1].at_s if 1 <= index <= len(cues) else None
