"""The state of the show: one frozen value, replaced by the desk and by nobody else.

Pure: time comes in as an argument, files and devices stay outside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from engine.parameters import PARAMETERS, Look, ParameterError, Value, as_text
from vj.bank import EMPTY, Bank
from vj.beat import Beat
from vj.changes import Change
from vj.cues import CueList
from vj.cues.clock import CueClock, is_jump, moved_clock
from vj.cues.position import CueMoment, moment
from vj.glide import NO_GLIDES, Glide, Glides
from vj.history import History, Step
from vj.live import LivePrompt
from vj.setting import new_value
from vj.songs import Song, called_for


@dataclass(frozen=True, slots=True)
class ShowState:
    """Everything the desk knows.

    `after` makes a change, `advanced` lets time pass, `look_at` says what the engine should paint from. `entered` is
    the cue (from 1) whose parameters have been set last, `came_from` the words it took the line from where they are
    not the cue list's own. `song` is the place (from 1) of the song that is on, 0 in a show without songs.
    """

    look: Look
    opening: Look
    cues: CueList | None = None
    clock: CueClock = field(default_factory=CueClock)
    live: LivePrompt | None = None
    preset: str = ""
    opening_preset: str = ""
    moved: Mapping[str, tuple[str, float]] = field(default_factory=lambda: MappingProxyType({}))
    history: History = field(default_factory=History)
    entered: int = 0
    came_from: str = ""
    glides: Glides = field(default_factory=lambda: NO_GLIDES)
    songs: tuple[Song, ...] = ()
    song: int = 0
    bank: Bank = field(default_factory=lambda: EMPTY)
    beat: Beat = field(default_factory=Beat)

    def after(self, change: Change, now: float) -> "ShowState":
        """The state once this change has been made. Raises ParameterError; then nothing has changed."""
        if change.action == "undo":
            return self._undone(now)
        if change.action.startswith("cue_"):
            return self._cued(change, now)
        if change.action.startswith("song_"):
            return self._song_begun(called_for(self.songs, self.song, change), change.source, now)
        if change.action.startswith("bank"):
            return self._banked(change, now)
        if change.action in ("tap", "resync"):
            return self._beat_set(change, now)
        name = change.parameter or change.action
        if change.action in ("prompt", "lyric"):
            return replace(self._remembered(name, change.source, now), live=self._prompted(change, now))
        if change.action == "panic":
            return self._remembered(name, change.source, now)._panicked(change.source, now)
        value = new_value(change, self.look)
        return self._remembered(name, change.source, now)._set({name: value}, change.source, now)

    def advanced(self, now: float) -> "ShowState":
        """The state as time alone has made it by now: cues that have begun, numbers that glide, beats that fell."""
        return self._cues_begun(now)._glided(now)._beaten(now)

    def recalled(self, preset: str, values: Mapping[str, Any], source: str, now: float) -> "ShowState":
        """The state once a preset's parameters have been recalled; every other parameter stays."""
        state = self._remembered(f"preset {preset}", source, now)._set(values, source, now)
        return replace(state, preset=preset)

    def begun(self, now: float) -> "ShowState":
        """The state once the first frame has been painted and the cue clock starts."""
        if self.clock.state != "waiting":
            return self
        return replace(self, clock=self.clock.moved("running", self.clock.base_s, now))

    def cue_at(self, now: float, ahead_s: float = 0.0) -> CueMoment | None:
        """Where the cue list stands, or will stand when the clock has run on so far; None without one."""
        if self.cues is None:
            return None
        position_s, shape = self.clock.position(now) + ahead_s, self.look.text("blend_shape")
        found = moment(self.cues, position_s, self.came_from, shape)
        # Between two turns of the desk another cue may begin, which comes from elsewhere.
        is_other = self.came_from and found.index != self.entered
        return moment(self.cues, position_s, shape=shape) if is_other else found

    def look_at(self, now: float) -> Look:
        """The look at this time: the parameters, and the line from a live prompt or else from the cue list."""
        cue = self.cue_at(now)
        if self.live and self.live.holds(cue.index if cue else 0, self.look.number("hold"), now):
            line, next_line, blend = self.live.lines(now)
        elif (sung := self.cue_at(now, self.look.number("lead"))) and self.clock.state != "stopped":
            line, next_line, blend = sung.line, sung.next_line, sung.blend
        else:
            line, next_line, blend = self.look.line, "", 0.0
        return replace(self.look, line=line, next_line=next_line, blend=blend)

    # ---- parameters

    def _set(self, values: Mapping[str, Any], source: str, now: float) -> "ShowState":
        """The state with these values; what glides to another one glides no more."""
        moved = {**self.moved, **dict.fromkeys(values, (source, now))}
        glides = self.glides
        if not glides.keys().isdisjoint(values):
            glides = MappingProxyType({name: glide for name, glide in glides.items() if name not in values})
        state = replace(self, moved=MappingProxyType(moved), glides=glides)
        return state._with_look(self.look.with_values(values), now)

    def _with_look(self, look: Look, now: float) -> "ShowState":
        """The state with this look; at another tempo the beat goes on from where it is."""
        before, tempo = self.look.number("tempo"), look.number("tempo")
        beat = self.beat if before == tempo else self.beat.at_tempo(before, tempo, now)
        return replace(self, look=look, beat=beat)

    def _settled(self) -> Mapping[str, Value]:
        """Every value, those that glide at the end of their way."""
        ends = {name: glide.end for name, glide in self.glides.items()}
        return self.look.with_values(ends).values if ends else self.look.values

    def _glided(self, now: float) -> "ShowState":
        if not self.glides:
            return self
        look = self.look.with_values({name: glide.at(now) for name, glide in self.glides.items()})
        left = {name: glide for name, glide in self.glides.items() if not glide.is_over(now)}
        return replace(self, glides=MappingProxyType(left))._with_look(look, now)

    def _panicked(self, source: str, now: float) -> "ShowState":
        kept = {name: self.look.values[name] for name, row in PARAMETERS.items() if row.kind == "trigger"}
        values = {**self.opening.values, **kept, "blackout": False, "freeze": False}
        values["reroll"] = int(self.look.values["reroll"]) + 1
        changed = {name: value for name, value in values.items() if self.look.values[name] != value}
        state = replace(self, glides=NO_GLIDES)._set(changed, source, now)
        return replace(state, live=None, preset=self.opening_preset)

    # ---- undo

    def _present(self) -> Step:
        return Step(self._settled(), self.live, self.preset, self.bank)

    def _remembered(self, name: str, source: str, now: float) -> "ShowState":
        """The state with what is there kept for undo, unless this move belongs to the gesture before it."""
        return replace(self, history=self.history.with_step(self._present(), name, source, now))

    def _undone(self, now: float) -> "ShowState":
        if not self.history:
            return self
        step, settled = self.history.steps[-1], self._settled()
        changed = [name for name, value in step.values.items() if settled[name] != value]
        # A trigger's count never goes back: the engine would take the step for another firing.
        values = {name: step.values[name] for name in changed if PARAMETERS[name].kind != "trigger"}
        state = self._set(values, "undo", now)
        return replace(state, live=step.live, preset=step.preset, bank=step.bank, history=self.history.shorter())

    # ---- beat and bank

    def _beaten(self, now: float) -> "ShowState":
        if now < self.beat.next_at:
            return self
        state = replace(self, beat=self.beat.passed(self.look.number("tempo"), now))
        return state._set({"kick": self.look.whole("kick") + 1}, "beat", now) if self.look.is_on("beat") else state

    def _beat_set(self, change: Change, now: float) -> "ShowState":
        """The state after a tap or a resync. The beat itself falls when time is let pass."""
        if change.action == "resync":
            return replace(self, beat=replace(self.beat, next_at=now))
        beat = self.beat.tapped(now)
        tempo = beat.tempo() if beat is not self.beat else None
        if tempo is None:
            return replace(self, beat=beat)
        state = self._remembered("tap", change.source, now)._set({"tempo": tempo}, change.source, now)
        return replace(state, beat=beat.on_tap(state.look.number("tempo"), now))

    def _banked(self, change: Change, now: float) -> "ShowState":
        """The state after a move of the bank. Raises ParameterError for an empty place."""
        place, rest = (change.value, "") if change.action == "bank" else change.value
        if change.action == "bank_text":
            state = self._remembered(f"bank {place}", change.source, now)
            return replace(state, bank=MappingProxyType({**self.bank, place: as_text(rest)}))
        if place not in self.bank:
            raise ParameterError(f"place {place} of the bank is empty")
        if change.action == "bank":
            return self.after(replace(change, action="prompt", value=self.bank[place]), now)
        values: dict[str, Value] = {f"prompt_{rest}": self.bank[place]}
        if self._settled()[f"weight_{rest}"] == 0:
            values[f"weight_{rest}"] = 1.0
        return self._remembered(f"prompt_{rest}", change.source, now)._set(values, change.source, now)

    # ---- songs, prompts and cues

    def _song_begun(self, index: int, source: str, now: float) -> "ShowState":
        """The state once a song begins: its cue list from 0, its preset. A typed line is the old song's and goes."""
        song, shown = self.songs[index - 1], self._shown(now)
        state = self._remembered(f"song {index}", source, now)
        state = state._set(song.values, source, now) if song.values else state
        return replace(
            state,
            look=replace(state.look, line=shown),
            history=state.history.without_lines(),
            song=index,
            cues=song.cues,
            clock=CueClock("running", 0.0, now),
            live=None,
            preset=song.preset or state.preset,
            entered=0,
            came_from="",
        )

    def _prompted(self, change: Change, now: float) -> LivePrompt:
        cue = self.cue_at(now)
        texts = [change.value] if change.action == "prompt" else list(change.value)
        texts = [as_text(text) for text in texts]
        # float: what is no number must fail here, where it is said, and not at every look from now on
        fade_s = float(change.seconds) if change.seconds is not None else self.look.number("fade")
        return LivePrompt(
            text=texts[0],
            before=self._shown(now),
            started=now,
            fade_s=0.0 if change.action == "lyric" else fade_s,
            standby=texts[1] if len(texts) > 1 else "",
            cue_index=cue.index if cue else 0,
        )

    def _shown(self, now: float) -> str:
        """The words that the picture is nearest to: mid-crossfade the heavier of the two lines."""
        look = self.look_at(now)
        return look.next_line if look.blend > 0.5 else look.line

    def _cued(self, change: Change, now: float) -> "ShowState":
        if self.cues is None:
            return self
        clock = moved_clock(self.clock, self.cues, change, now)
        if clock is self.clock:  # behind the last cue: a typed prompt stays too
            return self
        shown, line = self._shown(now), self.look_at(now).line
        if change.action == "cue_stop":
            return replace(self, clock=clock, look=replace(self.look, line=line))
        if change.action in ("cue_pause", "cue_nudge"):  # these leave a typed prompt
            return replace(self, clock=clock)
        # A move by hand to a cue gives the line back to the cue list.
        state = replace(self, clock=clock, live=None)
        return state._jumped(shown, now) if is_jump(self.clock, change) else state

    def _jumped(self, shown: str, now: float) -> "ShowState":
        """The state once a move by hand has put the clock where it is; its cue begins, and none between."""
        cue = self.cue_at(now)
        if self.cues is None or cue is None or cue.index == 0 or self.clock.state == "stopped":
            return replace(self, entered=max(0, cue.index - 1) if cue else 0, came_from="")
        # A clock that stands would stand in the crossfade too: the line is there at once.
        came_from = shown if self.clock.state == "running" else cue.text
        return replace(self._entered(cue.index, now), came_from=came_from)

    def _cues_begun(self, now: float) -> "ShowState":
        """The state with the parameters of every cue that has begun by itself since the last look at the clock."""
        if self.cues is None or self.clock.state != "running":
            return self
        position_s = self.clock.position(now)
        index = moment(self.cues, position_s).index
        state = self
        for n in range(self.entered + 1, index + 1):
            held = self.live and self.live.holds(n - 1, self.look.number("hold"), now)
            state = replace(state._entered(n, now), came_from=self.live.text if self.live and held else "")
        return state

    def _entered(self, index: int, now: float) -> "ShowState":
        """The state with the parameters of the cue with this 1-based index; numbers glide over its fade.

        They are nobody's move by hand: undo goes back behind them without taking them along.
        """
        state = replace(self, entered=index)
        cue = self.cues.cues[index - 1] if self.cues else None
        if cue is None or not cue.parameters:
            return state
        began = now - (self.clock.position(now) - cue.at_s)
        history = self.history.with_values(cue.parameters, self._present())
        kinds = {name: PARAMETERS[name].kind for name in cue.parameters}
        glides = {
            name: Glide(self.look.number(name), float(value), began, cue.fade_s)
            for name, value in cue.parameters.items()
            if cue.fade_s and kinds[name] == "number"
        }
        moved = {**self.moved, **dict.fromkeys(glides, ("cue", now))}
        state = replace(state, history=history, moved=MappingProxyType(moved))
        at_once = {name: value for name, value in cue.parameters.items() if name not in glides}
        state = state._set(at_once, "cue", now) if at_once else state
        return replace(state, glides=MappingProxyType({**state.glides, **glides}))
