"""The dashboard: a terminal client of a running show. It starts nothing and owns nothing of the show.

It reads the show's mailboxes and sends changes to the desk; any part may die, the dashboard says so and goes on, and
nothing of the show notices when the dashboard is closed.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType

from engine.parameters import PARAMETERS
from vj.changes import Change
from vj.dashboard.arrangement import PANES
from vj.dashboard.board import Board, Hand
from vj.dashboard.entry import PROMPT, Typing
from vj.dashboard.keys import KEYS
from vj.dashboard.overlays import EndedScreen, EndScreen, HelpScreen, PresetScreen
from vj.dashboard.parameters import NAMES, nudge
from vj.dashboard.picture import is_paid_off
from vj.dashboard.presses import Presses
from vj.dashboard.pulses import ProgramFrames, Pulses
from vj.dashboard.scene import scene_of
from vj.dashboard.sending import Sending
from vj.dashboard.terminal import leave_with_terminal
from vj.runtime import Door, Folder

_PICTURE_FPS = 12.0
_SCENE_FPS = 5.0
_AGAIN_WITHIN_S = 2.0
_WARNS_S = 6.0
_FIRST_NOTE_S = 20.0
_END_NOTE = "q again within 2 s ends the show · d only closes this window"
# Without this the keyboard could not be left, whatever is typed or asked.
_LEAVING = ("ctrl+q", "ctrl+c")


def run(folder: Folder, end_show: Callable[[], None], note: str = "") -> int:
    """Show the dashboard of a running show until it is closed, with a note to begin with; gives the exit code.

    `end_show` is called after the terminal was given back, and only when the person asked for the end and confirmed.
    """
    leave_with_terminal()
    app = Dashboard(folder, note)
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
    return [*found, Binding(",".join(_LEAVING), "end_note", show=False, priority=True)]


class Dashboard(App[str]):
    """The screen and its keys. Owns the mailboxes it reads, the hand, and the text that is being typed.

    Gives "end" when the person confirmed the end of the show, else nothing.
    """

    CSS_PATH = "dashboard.tcss"
    BINDINGS: ClassVar[list[BindingType]] = _bindings()
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    TITLE = "vj"

    def __init__(self, folder: Folder, note: str = "") -> None:
        super().__init__()
        self._pulses, self._frames = Pulses(folder), ProgramFrames(folder)
        self._sending = Sending(Door(folder), self._lost)
        self._scene = scene_of({}, None, time.monotonic())
        self._hand = Hand(note=note)
        # Kept rather than looked up: a turn may come while the screen is being taken apart.
        self._board, self._typing = Board(self._scene, id="board"), Typing(self._typed, id="typing")
        self._presses = Presses(self.set_timer)
        self._note_until, self._end_asked_until = time.monotonic() + _FIRST_NOTE_S, 0.0
        self._drawn_at = self._spent_s = self._warned_at = 0.0

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

    async def on_event(self, event: events.Event) -> None:
        """What is typed is typed here and now, key after key."""
        is_leaving = isinstance(event, events.Key) and event.key in _LEAVING
        if is_leaving or len(self.screen_stack) > 1 or not await self._typing.take(event):
            await super().on_event(event)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hotkeys are dead while a text is typed and, but for the blackout, below what lies over the board."""
        is_hotkey = any(key.action.partition("(")[0] == action for key in KEYS)
        is_covered = len(self.screen_stack) > 1 and (action, *parameters) != ("switch", "blackout")
        return not (is_hotkey and hasattr(self, f"action_{action}") and (self._typing.is_open or is_covered))

    # ---- what the keys do

    def action_go(self) -> None:
        """Start the show, then the next cue."""
        if self._scene.desk.is_live and not self._scene.cue.count:
            self._say("there are no cues in this show: p types a prompt")
        self._send(Change("cue_go", source="key"))

    def action_send(self, action: str, is_once: bool = False) -> None:
        """A change that takes no value; with `is_once`, one however long its key is held."""
        send = partial(self._send, Change(action, source="key"))
        self._presses.once(action, send) if is_once else send()

    def action_switch(self, name: str) -> None:
        """A switch to its other state, once however long its key is held."""
        if isinstance(self.screen, HelpScreen):
            self.screen.leave(None)
        self._presses.once(name, partial(self._send, Change("toggle", parameter=name, source="key")))

    def action_fire(self, name: str) -> None:
        """A trigger, once however long its key is held."""
        self._presses.once(name, partial(self._send, Change("fire", parameter=name, source="key")))

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
        """More or less weight to the chosen slot; what was said of its weight is over."""
        self._hold(note="")
        self._send(Change("nudge", step, f"weight_{self._hand.slot}", "key"))

    def action_slot(self, key: str) -> None:
        """Choose a slot and type into it."""
        self._hold(slot=int(key))
        self._type(f"prompt_{key}", self._scene.slots[int(key) - 1].text)

    def action_prompt(self) -> None:
        """Type a new prompt."""
        self._type(PROMPT, "")

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

    def _type(self, target: str, text: str) -> None:
        self._board.foot.display = False
        self._typing.open(target, text, self._scene.engine.text("guide"))

    def _typed(self, target: str, text: str | None) -> None:
        self._board.foot.display = True
        if text and target == PROMPT:
            self._send(Change("prompt", text, source="key"))
        elif text is not None and target != PROMPT:
            self._send(Change("set", text, target, "key"))
            self._explain_weight(target, text)

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
        if self._warned_at < self._scene.warned_at > now - _WARNS_S:
            self._say(self._scene.warning, _WARNS_S)
        self._warned_at = self._scene.warned_at
        self._board.show(self._scene, self._hand)

    def _end_turn(self) -> None:
        if self._pulses.has_ended() and not isinstance(self.screen, EndedScreen):
            self._typing.close()
            self.push_screen(EndedScreen(), lambda _: self.exit())

    # ---- sending

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
            self.call_later(self._say, f"not sent: the desk did not take {_asked(change)}", 4.0)

    def _say(self, note: str, seconds: float = 3.0) -> None:
        self._note_until = time.monotonic() + seconds
        self._hold(note=note)

    def _hold(self, **changes: Any) -> None:
        self._hand = replace(self._hand, **changes)
        self._board.show(self._scene, self._hand)


def _asked(change: Change) -> str:
    return (change.parameter or change.action).replace("_", " ")
