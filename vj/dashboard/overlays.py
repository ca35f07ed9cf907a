"""What lies over the dashboard for a moment: help, the list of presets, the question before the end, the end itself.

All are modal: the hotkeys below them are dead, the picture goes on.
"""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from vj.dashboard.ink import Line, line, padded
from vj.dashboard.keys import KEYS
from vj.dashboard.panel import Lines

_ANSWER_WITHIN_S = 10.0


def help_lines(width: int) -> list[Line]:
    """Every key with what it does; in two columns where they fit."""
    rows = [(key.shown, key.does) for key in KEYS if key.does]
    if width < 100:
        return [_help_line(row, width) for row in rows]
    half = (len(rows) + 1) // 2
    pairs = zip(rows[:half], [*rows[half:], ("", "")][:half], strict=True)
    return [(*_help_line(left, width // 2), *_help_line(right, width // 2)) for left, right in pairs]


def _help_line(row: tuple[str, str], width: int) -> Line:
    shown, does = row
    return line((padded(f"  {shown}", 12), "bright"), (padded(does, width - 12), "text"))


class Overlay(ModalScreen[ScreenResultType]):
    """A screen over the board for a moment."""

    def leave(self, result: ScreenResultType) -> None:
        """Close with this result. A second key of one burst finds it closed already, and changes nothing."""
        if self.is_current:
            self.dismiss(result)


class HelpScreen(Overlay[None]):
    """All keys. Any key closes it."""

    def compose(self) -> ComposeResult:
        """A box of lines."""
        wide = 126 if self.app.size.width >= 136 else min(68, self.app.size.width - 6)
        with Vertical(classes="box tight") as box:
            box.styles.width = wide + 6
            yield Lines([line(("KEYS", "title"), ("   any key closes this", "dim"))])
            yield Lines(help_lines(wide))

    def on_key(self, event: events.Key) -> None:
        """Close."""
        event.stop()
        self.leave(None)


class PresetScreen(Overlay[str | None]):
    """The presets the desk knows; gives the chosen one's name, or None."""

    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,o,q", "leave", show=False)]

    def __init__(self, names: tuple[str, ...], current: str) -> None:
        super().__init__()
        self._names, self._current = names, current

    def compose(self) -> ComposeResult:
        """A list to choose from, on the current preset."""
        with Vertical(classes="box") as box:
            box.styles.width = 56
            yield Lines(
                [line(("PRESETS", "title"), ("   ↑ ↓ choose, enter recalls, esc leaves", "dim"))], classes="head"
            )
            yield OptionList(*(Option(name) for name in self._names), markup=False)

    def on_mount(self) -> None:
        """Begin at the preset the show is on."""
        choices = self.query_one(OptionList)
        choices.highlighted = self._names.index(self._current) if self._current in self._names else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Give the chosen name."""
        self.leave(self._names[event.option_index])

    def action_leave(self) -> None:
        """Choose nothing."""
        self.leave(None)


class EndScreen(Overlay[bool]):
    """The question before a running show is ended. Only y says yes; no answer within 10 s is a no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,Y", "answer(True)", show=False),
        Binding("n,N,escape,d,D", "answer(False)", show=False),
    ]

    def compose(self) -> ComposeResult:
        """The question."""
        with Vertical(classes="box") as box:
            box.styles.width = 52
            yield Lines([
                line(("END THE SHOW?", "bad")),
                line(("The audience's picture stops.", "text")),
                line(),
                line(("y", "bright"), ("  end the show", "text")),
                line(("n", "bright"), ("  go on (also esc, or wait ten seconds)", "text")),
            ])  # fmt: skip

    def on_mount(self) -> None:
        """Take silence for a no."""
        self.set_timer(_ANSWER_WITHIN_S, lambda: self.leave(False))

    def action_answer(self, is_yes: bool) -> None:
        """Give the answer."""
        self.leave(is_yes)


class EndedScreen(Overlay[None]):
    """Says that there is no show any more. Any key closes it."""

    def compose(self) -> ComposeResult:
        """Two lines."""
        with Vertical(classes="box") as box:
            box.styles.width = 40
            yield Lines([line(("THE SHOW HAS ENDED", "bright")), line(("any key closes this window", "dim"))])

    def on_key(self, event: events.Key) -> None:
        """Close."""
        event.stop()
        self.leave(None)
