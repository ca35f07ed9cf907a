"""The dashboard: a terminal client of a running show. It starts nothing and owns nothing of the show.

It reads the show's mailboxes and sends changes to the desk; any part may die, the dashboard says so and goes on, and
nothing of the show notices when the dashboard is closed.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType

from engine.parameters import PARAMETERS
from vj.changes import Change
from vj.dashboard.arrangement import PANES
from vj.dashboard.board import Board, Hand
from vj.dashboard.entry import Entry, Typing
from vj.dashboard.keys import KEYS
from vj.dashboard.overlays import EndedScreen, EndScreen, HelpScreen, PresetScreen
from vj.dashboard.parameters import NAMES, nudge
from vj.dashboard.picture import is_paid_off
from vj.dashboard.pulses import ProgramFrames, Pulses
from vj.dashboard.scene import scene_of
from vj.dashboard.sending import Sending
from vj.dashboard.terminal import leave_with_terminal
from vj.runtime import Door, Folder

_PICTURE_FPS = 12.0
_SCENE_FPS = 5.0
_AGAIN_WITHIN_S = 2.0
# Terminals repeat a key that is held, some thirty times a second: blackout or reroll would flash the whole room.
_HELD_S = 0.25
_END_NOTE = "q again within 2 s ends the show · d only closes this window"
_PROMPT = "prompt"
# Without these the keyboard could not be left, whatever is typed or asked.
_ALWAYS = ("end_note",)


def run(folder: Folder, end_show: Callable[[], None]) -> int:
    """Show the dashboard of a running show until it is closed; gives the exit code.

    `end_show` is called after the terminal was given back, and only when the person asked for the end and confirmed.
    """
    leave_with_terminal()
    app = Dashboard(folder)
    # Without the mouse the terminal's own selection works: addresses can be copied.
    app.run(mouse=False)
    if app.return_value == "end":
        end_show()
    return app.return_code or 0


def _bindings() -> list[BindingType]:
    # All with priority: a binding without is looked up on a key's way back from the screen, and the letters typed
    # behind a "p" in the meantime would be taken for hotkeys that are dead, and lost.
    found: list[BindingType] = [
        Binding(name, key.action.replace("KEY", f"'{name}'"), key.does, show=False, priority=True)
        for key in KEYS
        for name in key.names.split(",")
    ]
    # Textual ends on ctrl+q and ctrl+c; on a stage they are hit by habit.
    return [*found, Binding("ctrl+q,ctrl+c", "end_note", show=False, priority=True)]


class Dashboard(App[str]):
    """The screen and its keys. Owns the mailboxes it reads, the hand, and the text that is being typed.

    Gives "end" when the person confirmed the end of the show, else nothing.
    """

    CSS_PATH = "dashboard.tcss"
    BINDINGS: ClassVar[list[BindingType]] = _bindings()
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    TITLE = "vj"

    def __init__(self, folder: Folder) -> None:
        super().__init__()
        self._pulses, self._frames = Pulses(folder), ProgramFrames(folder)
        self._sending = Sending(Door(folder), self._lost)
        self._scene = scene_of({}, None, time.monotonic())
        self._hand = Hand()
        # Kept rather than looked up: a turn may come while the screen is being taken apart.
        self._board, self._typing = Board(self._scene, id="board"), Typing(id="typing")
        self._target = ""
        self._pressed: dict[str, float] = {}
        self._note_until = self._end_asked_until = 0.0
        self._drawn_at = self._spent_s = 0.0

    def compose(self) -> ComposeResult:
        """The board, and the entry that takes the place of its foot."""
        yield self._board
        yield self._typing

    def on_mount(self) -> None:
        """Begin to follow the show."""
        self._sending.start()
        self.set_interval(1.0 / _PICTURE_FPS, self._picture_turn)
        self.set_interval(1.0 / _SCENE_FPS, self._scene_turn)
        self.set_interval(1.0, self._end_turn)

    def on_unmount(self) -> None:
        """Give the mailboxes and the door back."""
        self._sending.stop()
        self._pulses.close()
        self._frames.close()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hotkeys are dead while a text is typed, and below what lies over the board."""
        if action in _ALWAYS or not hasattr(self, f"action_{action}"):
            return True
        is_hotkey = any(key.action.partition("(")[0] == action for key in KEYS)
        return not (is_hotkey and (self._target or len(self.screen_stack) > 1))

    # ---- what the keys do

    def action_go(self) -> None:
        """Start the show, then the next cue."""
        if self._scene.desk.is_live and not self._scene.cue.count:
            self._say("there are no cues in this show: p types a prompt")
        self._send(Change("cue_go", source="key"))

    def action_send(self, action: str, is_once: bool = False) -> None:
        """A change that takes no value; with `is_once`, one however long its key is held."""
        if not (is_once and self._is_held(action)):
            self._send(Change(action, source="key"))

    def action_switch(self, name: str) -> None:
        """A switch to its other state, once however long its key is held."""
        if not self._is_held(name):
            self._send(Change("toggle", parameter=name, source="key"))

    def action_fire(self, name: str) -> None:
        """A trigger, once however long its key is held."""
        if not self._is_held(name):
            self._send(Change("fire", parameter=name, source="key"))

    def action_cue_clock(self, seconds: float) -> None:
        """The cue clock by so many seconds."""
        self._send(Change("cue_nudge", seconds, source="key"))

    def action_cursor(self, rows: int) -> None:
        """Choose a parameter so many rows further."""
        self._hold(cursor=min(len(NAMES) - 1, max(0, self._hand.cursor + rows)))

    def action_nudge(self, steps: int) -> None:
        """Move the chosen parameter; a text is typed."""
        name = NAMES[self._hand.cursor]
        if PARAMETERS[name].kind == "text":
            self._type(name, str(self._scene.value(name) or ""))
        else:
            self._nudge(name, steps)

    def action_nudge_of(self, name: str, steps: int) -> None:
        """Move this parameter."""
        self._nudge(name, steps)

    def action_weigh(self, step: float) -> None:
        """More or less weight to the chosen slot."""
        self._send(Change("nudge", step, f"weight_{self._hand.slot}", "key"))

    def action_slot(self, key: str) -> None:
        """Choose a slot and type into it."""
        self._hold(slot=int(key))
        self._type(f"prompt_{key}", self._scene.slots[int(key) - 1].text)

    def action_prompt(self) -> None:
        """Type a new prompt."""
        self._type(_PROMPT, "")

    def action_pane(self) -> None:
        """The next pane of a small screen."""
        self._hold(pane=PANES[(PANES.index(self._hand.pane) + 1) % len(PANES)])

    def action_presets(self) -> None:
        """Choose a preset from the list."""
        if self._scene.presets and self._scene.desk.is_live:
            self.push_screen(PresetScreen(self._scene.presets, self._scene.preset), self._recall)
        else:
            self._say(self._scene.desk.silence or "the desk knows no presets")

    def action_help(self) -> None:
        """All keys."""
        self.push_screen(HelpScreen())

    def action_detach(self) -> None:
        """Close the dashboard; the show goes on."""
        self.exit()

    def action_end(self) -> None:
        """The first time a note, the second time within 2 s the question."""
        if time.monotonic() < self._end_asked_until:
            self._end_asked_until = 0.0
            self.push_screen(EndScreen(), self._end)
        else:
            self.action_end_note()

    def action_end_note(self) -> None:
        """Say how the show is ended; the next q within 2 s asks."""
        self._end_asked_until = time.monotonic() + _AGAIN_WITHIN_S
        self._say(_END_NOTE, _AGAIN_WITHIN_S)

    # ---- typing

    def on_input_submitted(self, event: Entry.Submitted) -> None:
        """Send what was typed."""
        text, target = event.value.strip(), self._target
        self._typing.entry.history.keep(text)
        self._stop_typing()
        if target != _PROMPT:
            self._send(Change("set", text, target, "key"))
            self._explain_weight(target, text)
        elif text:
            self._send(Change("prompt", text, source="key"))

    def on_entry_put_away(self) -> None:
        """Nothing to send."""
        self._stop_typing()

    def _type(self, target: str, text: str) -> None:
        self._target = target
        place = "PROMPT" if target == _PROMPT else f"SLOT {target.removeprefix('prompt_')}"
        self._board.foot.display = False
        self._typing.open(place, text, self._scene.engine.text("guide"))

    def _stop_typing(self) -> None:
        self._target = ""
        self._typing.close()
        self._board.foot.display = True

    def _explain_weight(self, target: str, text: str) -> None:
        slot = self._scene.slots[self._hand.slot - 1]
        if text and target == f"prompt_{slot.number}" and not slot.weight:
            self._say(f"slot {slot.number} has weight 0: + brings it in", 4.0)

    # ---- following the show

    def _picture_turn(self) -> None:
        now, spent_s = time.monotonic(), time.process_time()
        if not is_paid_off(spent_s - self._spent_s, now - self._drawn_at):
            return
        frame = self._frames.newest()
        if frame is not None:
            self._drawn_at, self._spent_s = now, spent_s
            self._board.show_frame(frame.rgb)

    def _scene_turn(self) -> None:
        now = time.monotonic()
        self._scene = scene_of(self._pulses.newest(), self._pulses.plan(), now)
        if self._hand.note and now > self._note_until:
            self._hand = replace(self._hand, note="")
        self._board.show(self._scene, self._hand)

    def _end_turn(self) -> None:
        if self._pulses.has_ended() and not isinstance(self.screen, EndedScreen):
            self._stop_typing()
            self.push_screen(EndedScreen(), lambda _: self.exit())

    # ---- sending

    def _is_held(self, name: str) -> bool:
        before, now = self._pressed.get(name, 0.0), time.monotonic()
        self._pressed[name] = now
        return now - before < _HELD_S

    def _nudge(self, name: str, steps: int) -> None:
        parameter = PARAMETERS[name]
        change = nudge(parameter, self._scene.value(name), 1 if steps > 0 else -1, abs(steps) > 1)
        if change is not None:
            self._send(change)

    def _recall(self, name: str | None) -> None:
        if name is not None:
            self._send(Change("preset", name, source="key"))

    def _end(self, is_yes: bool | None) -> None:
        if is_yes:
            self.exit("end")

    def _send(self, change: Change) -> None:
        if not self._sending.put(change):
            self._lost(change)

    def _lost(self, change: Change) -> None:
        # Called from the sending thread too, and while the dashboard closes.
        if self.is_running:
            self.call_later(self._say, f"not sent: the desk did not take {change.action.replace('_', ' ')}", 4.0)

    def _say(self, note: str, seconds: float = 3.0) -> None:
        self._note_until = time.monotonic() + seconds
        self._hold(note=note)

    def _hold(self, **changes: Any) -> None:
        self._hand = replace(self._hand, **changes)
        self._board.show(self._scene, self._hand)
