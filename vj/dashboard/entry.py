"""The entry at the foot of the screen, where prompts and slot texts are typed during the show."""

from functools import lru_cache
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Label

from engine.guides.words import Words, read_words
from engine.parameters import TEXT_LIMIT

_KEPT = 100


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
        Binding("escape", "put_away", show=False),
        Binding("up", "older", show=False),
        Binding("down", "newer", show=False),
        Binding("tab,shift+tab", "stay", show=False),
    ]

    class PutAway(Message):
        """Typing has ended without anything to send."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=TEXT_LIMIT, compact=True, select_on_focus=False, **options)
        self.cursor_blink = False
        self.history = History()

    def open(self, text: str) -> None:
        """Begin to type, from this text."""
        self.disabled = False
        self.value = text
        self.cursor_position = len(text)
        # At once: `focus` would come some messages later, and letters typed until then would be lost.
        self.screen.set_focus(self)

    def action_put_away(self) -> None:
        """Stop typing; nothing is lost."""
        self.history.keep(self.value)
        self.post_message(self.PutAway())

    def action_older(self) -> None:
        """The text typed before."""
        self._recall(-1)

    def action_newer(self) -> None:
        """The text typed after."""
        self._recall(1)

    def action_stay(self) -> None:
        """Keep the focus here."""

    def _recall(self, by: int) -> None:
        self.value = self.history.moved(by)
        self.cursor_position = len(self.value)


class Typing(Vertical):
    """What is typed into, the entry, and below it what the guide will draw of the text so far."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.entry = Entry(id="entry", disabled=True)
        self._place, self._meant = Label("", id="label", markup=False), Label("", id="meant", markup=False)
        self._guide = ""

    def compose(self) -> ComposeResult:
        """The place that is typed into, the entry, and what the text means."""
        with Horizontal(id="typed"):
            yield self._place
            yield self.entry
        yield self._meant

    def open(self, place: str, text: str, guide: str) -> None:
        """Begin to type from this text, for the guide of this name."""
        self._guide = guide
        self._place.update(f"{place} › enter sends, esc leaves ›")
        self.display = True
        self._say(text)
        self.entry.open(text)

    def close(self) -> None:
        """Go out of sight."""
        self.display = False
        self.entry.disabled = True

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say anew what the text means."""
        self._say(event.value)

    def _say(self, text: str) -> None:
        said = meaning(text, self._guide)
        self._meant.update(said)
        self._meant.display = bool(said)


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
