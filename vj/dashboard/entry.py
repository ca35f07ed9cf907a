"""The entry at the foot of the screen, where prompts and slot texts are typed during the show."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label

from engine.guides.words import Words, read_words
from engine.parameters import TEXT_LIMIT

PROMPT = "prompt"
"""What is typed into when it is no parameter: the next prompt."""

_KEPT = 100
_NARROW = 60


class History:
    """What was typed, the newest last. Owns the texts and the place that the arrow keys have reached."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._place = 0

    def keep(self, text: str) -> None:
        """Remember a text, sent or not, and go back to the end."""
        text = text.strip()
        if text and text in self._texts:
            self._texts.remove(text)
        self._texts = [*self._texts, text][-_KEPT:] if text else self._texts
        self._place = len(self._texts)

    def moved(self, by: int) -> str:
        """The text so many places later; "" behind the newest."""
        self._place = min(len(self._texts), max(0, self._place + by))
        return self._texts[self._place] if self._place < len(self._texts) else ""


class Entry(Input):
    """One line of typing. Enter sends, Esc puts it away; a text put away can be had again with the up arrow."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", show=False),
        Binding("escape", "put_away", show=False),
        Binding("up", "older", show=False),
        Binding("down", "newer", show=False),
        Binding("tab,shift+tab", "stay", show=False),
    ]

    def __init__(self, done: Callable[[str | None], None], **options: Any) -> None:
        """`done` is told the text to send, or None where there is none."""
        super().__init__(max_length=TEXT_LIMIT, compact=True, select_on_focus=False, **options)
        self.cursor_blink = False
        self._done, self._history = done, History()

    def open(self, text: str) -> None:
        """Begin to type, from this text."""
        self.disabled = False
        self.value = text
        self.cursor_position = len(text)
        self.screen.set_focus(self)

    async def take(self, event: events.Key | events.Paste) -> None:
        """Type this at once."""
        if isinstance(event, events.Paste):
            self._type((event.text.splitlines() or [""])[0])
        elif event.is_printable and event.character:
            self._type(event.character)
        elif action := _ACTIONS.get(event.key):
            await self.app.run_action(action, self)

    def action_send(self) -> None:
        """Stop typing and send the text."""
        self._history.keep(self.value)
        self._done(self.value.strip())

    def action_put_away(self) -> None:
        """Stop typing; nothing is lost."""
        self._history.keep(self.value)
        self._done(None)

    def action_older(self) -> None:
        """The text typed before."""
        self._recall(-1)

    def action_newer(self) -> None:
        """The text typed after."""
        self._recall(1)

    def action_stay(self) -> None:
        """Keep the focus here."""

    def _type(self, text: str) -> None:
        if self.selection.is_empty:
            self.insert_text_at_cursor(text)
        else:
            self.replace(text, *self.selection)

    def _recall(self, by: int) -> None:
        self.value = self._history.moved(by)
        self.cursor_position = len(self.value)


_ACTIONS = {
    key.strip(): binding.action
    for binding in (*Input.BINDINGS, *Entry.BINDINGS)
    if isinstance(binding, Binding)
    for key in binding.key.split(",")
}
"""What each key that types no letter does in the entry."""


class Typing(Vertical):
    """What is typed into, the entry, and below it what the guide will draw of the text so far.

    `typed` is told what was typed into, and the text to send or None where there is none.
    """

    def __init__(self, typed: Callable[[str, str | None], None], **options: Any) -> None:
        super().__init__(**options)
        self._typed, self._target, self._guide = typed, "", ""
        self._entry = Entry(self._finish, id="entry", disabled=True)
        self._place, self._meant = Label("", id="label", markup=False), Label("", id="meant", markup=False)

    @property
    def is_open(self) -> bool:
        """Whether something is being typed."""
        return bool(self._target)

    def compose(self) -> ComposeResult:
        """The place that is typed into, the entry, and what the text means."""
        with Horizontal(id="typed"):
            yield self._place
            yield self._entry
        yield self._meant

    def open(self, target: str, text: str, guide: str) -> None:
        """Begin to type into a parameter or `PROMPT`, from this text, for the guide of this name."""
        self._target, self._guide = target, guide if _is_drawn(target) else ""
        keys = "" if self.app.size.width < _NARROW else " enter sends, esc leaves ›"
        self._place.update(f"{_named(target)} ›{keys}")
        self.display = True
        self._say(text)
        self._entry.open(text)

    async def take(self, event: events.Event) -> bool:
        """Type this at once, if something is being typed and it is for that; gives whether it was."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded or not self.is_open:
            return False
        # On their way to the entry and back the keys after an Enter would overtake it, and be typed instead of done.
        await self._entry.take(event)
        return True

    def close(self) -> None:
        """Go out of sight."""
        self._target = ""
        self.display = False
        self._entry.disabled = True

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say anew what the text means."""
        self._say(event.value)

    def _finish(self, text: str | None) -> None:
        target = self._target
        self.close()
        self._typed(target, text)

    def _say(self, text: str) -> None:
        said = meaning(text, self._guide)
        self._meant.update(said)
        self._meant.display = bool(said)


def _is_drawn(target: str) -> bool:
    return target == PROMPT or target.removeprefix("prompt_").isdecimal()


def _named(target: str) -> str:
    """What is typed into, as the screen names it."""
    if target == PROMPT:
        return "PROMPT"
    return f"SLOT {target.removeprefix('prompt_')}" if _is_drawn(target) else target


def meaning(text: str, guide: str) -> str:
    """What the shipped guide will draw of a text: " draws: ocean, ship". A published guide knows any word: ""."""
    words = _shipped_words() if guide == "shipped" else None
    if words is None:
        return ""
    return f" draws: {', '.join(words.drawn(text)) or 'nothing it knows'}" if text.strip() else " draws: …"


@lru_cache(maxsize=1)
def _shipped_words() -> Words | None:
    # Read when first typed, and once: some 20 ms.
    return read_words()
