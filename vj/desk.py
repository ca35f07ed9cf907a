"""The desk: the one writer of the show's state. Takes changes from every input, gives the look."""

import contextlib
import logging
import math
import queue
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.parameters import Look, ParameterError, Value
from vj import library
from vj.bank import BankFile
from vj.changes import Change
from vj.errors import FileProblems, UsageError
from vj.saved import to_json
from vj.songs import called_for, read_song_or_note
from vj.state import ShowState

log = logging.getLogger("vj.desk")

WAITING_CHANGES = 4096
LINES_KEPT = 16
LINE_LIMIT = 200
TURN_S = 0.02
SAVE_EVERY_S = 0.5
LIST_EVERY_S = 2.0
WARN_EVERY_S, SAME_EVERY_S = 2.0, 30.0


class ShowDesk:
    """Owns the show's state. Inputs call `put` and `note` from their own threads; everything else is one thread's."""

    def __init__(
        self, state: ShowState, save_to: Path | None = None, waits: bool = False, bank: BankFile | None = None
    ) -> None:
        self.state = state
        self._changes: queue.Queue[Change] = queue.Queue(WAITING_CHANGES)
        self._save_to, self._save_due, self._saved = save_to, 0.0, ""
        self._waits, self._bank = waits, bank
        self._serial = state.look.serial
        self._look = state.look
        self._monitor: deque[str] = deque(maxlen=LINES_KEPT)
        self._log: deque[str] = deque(maxlen=LINES_KEPT)
        self._warned: dict[str, float] = {}
        self._warning: tuple[float, str] = (0.0, "")
        self._presets, self._list_due = sorted(library.paths("presets")), 0.0
        self._lost = 0
        self.inputs: dict[str, Callable[[], dict[str, Any]]] = {}
        self.listeners: list[Callable[[str, Value, str], None]] = []

    def look(self) -> Look:
        """The look as it was last given."""
        return self._look

    def put(self, change: Change) -> None:
        """Hand over a change, from any thread. Never waits; when the desk is swamped the change is counted as lost."""
        try:
            self._changes.put_nowait(change)
        except queue.Full:
            self._lost += 1

    def note(self, line: str) -> None:
        """Show a line in the input monitor, from any thread."""
        self._monitor.append(_stamped(line))

    def say(self, line: str) -> None:
        """Show a line in the dashboard's log and write it to the log file."""
        log.info(line)
        self._log.append(_stamped(line))

    def warn(self, line: str, source: str = "") -> None:
        """Say what the performer must know now: the dashboard shows it at its foot too.

        What no key was the cause of is shown there once in a while only: a controller may repeat it without end.
        """
        self.say(f"{source}: {line}" if source else line)
        now = time.monotonic()
        warned = {known: at for known, at in self._warned.items() if now - at < SAME_EVERY_S}
        is_noise = line in warned or any(now - at < WARN_EVERY_S for at in warned.values())
        if source == "key" or not is_noise:
            self._warning = now, line[:LINE_LIMIT]
        if source != "key" and not is_noise:
            self._warned = warned | {line: now}

    def turn(self, timeout_s: float) -> Look:
        """Make the changes that have come, waiting for the first at most this long; the look as it is now."""
        try:
            self._make(self._changes.get(timeout=timeout_s))
            until = time.monotonic() + TURN_S  # a flood must not keep the look from being published
            while time.monotonic() < until:
                self._make(self._changes.get_nowait())
        except queue.Empty:
            pass
        now = time.monotonic()
        self._advance(now)
        look = replace(self.state.look_at(now), serial=self._serial)
        if look != self._look:
            self._serial += 1
            self._look = replace(look, serial=self._serial)
        self._save(now)
        self._keep_bank(now)
        self._list_presets(now)
        return self._look

    def close(self) -> None:
        """Write down at once what would have been written soon."""
        self._save_due = 0.0
        self._save(time.monotonic())
        self._keep_bank(math.inf)

    def has_painted(self) -> None:
        """The first frame is there: the cue clock starts, unless the show waits for GO."""
        if not self._waits:
            self.state = self.state.begun(time.monotonic())

    def report(self) -> dict[str, Any]:
        """Facts for the desk's pulse."""
        now = time.monotonic()
        return {
            "look": dict(self._look.values),
            "line": self._look.line,
            "next_line": self._look.next_line,
            "blend": round(self._look.blend, 3),
            "serial": self._look.serial,
            "moved": {name: list(how) for name, how in self.state.moved.items()},
            "cue": self._cue(now),
            "song": self._song_title(),
            "songs": {"index": self.state.song, "count": len(self.state.songs)},
            "preset": self.state.preset,
            "presets": self._presets,
            "inputs": {name: report() for name, report in self.inputs.items()},
            "lost": self._lost,
            "monitor": list(self._monitor),
            "log": list(self._log),
            "warning": list(self._warning),
            "undo": len(self.state.history),
        }

    def _list_presets(self, now: float) -> None:
        """See now and then which presets there are: one that was saved meanwhile can be chosen at once."""
        if now < self._list_due:
            return
        self._list_due = now + LIST_EVERY_S
        with contextlib.suppress(OSError):  # a folder that has gone: those known so far stay
            self._presets = sorted(library.paths("presets"))

    def _song_title(self) -> str:
        state = self.state
        if state.song:
            return state.songs[state.song - 1].title
        return state.cues.title if state.cues else ""

    def _cue(self, now: float) -> dict[str, Any]:
        cue, clock = self.state.cue_at(now), self.state.clock
        if cue is None or self.state.cues is None:
            return {"index": 0, "text": "", "next": "", "progress": 0.0, "count": 0, "state": "none"}
        return {
            "index": cue.index,
            "text": cue.text,
            "next": cue.next_text,
            "progress": round(cue.progress, 4),
            "position_s": round(clock.position(now), 2),
            "count": len(self.state.cues.cues),
            "state": "done" if cue.is_over and clock.state == "running" else clock.state,
        }

    def _make(self, change: Change) -> None:
        """Make one change; whatever is wrong with it is said once and the show goes on."""
        now, before = time.monotonic(), self.state.look.values
        try:
            if change.action == "preset":
                self._recall(str(change.value), change.source, now)
            elif change.action.startswith("song_"):
                self._begin_song(change, now)
            else:
                self.state = self.state.after(change, now)
            self._tell(before, change.source)
        except (ParameterError, FileProblems, UsageError) as err:
            self.warn(str(err), change.source or "a control")
        except Exception:
            log.exception("desk: a change could not be made: %r", change)
            self.warn(f"{change.action} could not be made; see the log")

    def _advance(self, now: float) -> None:
        """Let time pass; what it trips over is said once a turn at most and changes nothing."""
        before = self.state.look.values
        self.state = self.state.advanced(now)
        self._tell(before, "cue")

    def _recall(self, name: str, source: str, now: float) -> None:
        preset = library.read_preset(library.find("presets", name))
        self.state = self.state.recalled(preset.name, preset.values, source, now)
        self.say(f"preset {preset.name} recalled by {source or 'a control'}")

    def _begin_song(self, change: Change, now: float) -> None:
        """Begin a song with its files as they are now; what was spoiled in them since the start is left out."""
        index = called_for(self.state.songs, self.state.song, change)
        notes: list[str] = []
        songs = list(self.state.songs)
        songs[index - 1] = read_song_or_note(songs[index - 1].planned, notes, songs[index - 1])
        for note in notes:
            self.warn(f"{note}; the song is as it was read before")
        self.state = replace(self.state, songs=tuple(songs)).after(replace(change, action="song_go", value=index), now)
        self.say(f"song {index}/{len(songs)} {songs[index - 1].title} begun by {change.source or 'a control'}")

    def _tell(self, before: Any, source: str) -> None:
        after = self.state.look.values
        if after is before or not self.listeners:
            return
        for name, value in after.items():
            if before[name] != value:
                for listener in self.listeners:
                    listener(name, value, source)

    def _keep_bank(self, now: float) -> None:
        problem = self._bank.keep(self.state.bank, now) if self._bank else ""
        if problem:
            self.warn(problem)

    def _save(self, now: float) -> None:
        """Write the state beside the show, atomically, so that a desk that was killed comes back as it was."""
        if self._save_to is None or now < self._save_due:
            return
        self._save_due = now + SAVE_EVERY_S
        text = to_json(self.state, now)
        if text == self._saved:
            return
        try:
            draft = self._save_to.with_suffix(".new")
            draft.write_text(text, encoding="utf-8")
            draft.replace(self._save_to)
            self._saved = text
        except OSError:
            log.exception("desk: the state could not be saved")


def _stamped(line: str) -> str:
    return f"{time.strftime('%H:%M:%S')} {line}"[:LINE_LIMIT]
