"""The board: picture and panels in their arrangement, drawn from the scene and from what the dashboard itself holds."""

import time
from dataclasses import dataclass
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from vj.dashboard.arrangement import PANES, Arrangement, arrangement, feed_lines, side_lines
from vj.dashboard.ink import Ink, Line, cut, line
from vj.dashboard.keys import hints
from vj.dashboard.panel import Panel
from vj.dashboard.panels import lyric_lines, top_lines
from vj.dashboard.parameters import NAMES, parameter_lines
from vj.dashboard.picture import Picture
from vj.dashboard.scene import Scene
from vj.dashboard.states import picture_word
from vj.mailboxes import Rgb


@dataclass(frozen=True, slots=True)
class Hand:
    """What the dashboard itself holds: cursor in the parameters, chosen slot (from 1), pane, and a note at the foot."""

    cursor: int = NAMES.index("temperature")
    slot: int = 1
    pane: str = PANES[0]
    note: str = ""


class Board(Vertical):
    """Everything of the dashboard but the entry, which takes the place of `foot`. Owns the scene and hand it shows."""

    def __init__(self, scene: Scene, **options: Any) -> None:
        super().__init__(**options)
        self._scene, self._hand = scene, Hand()
        self._picture = Picture(id="picture")
        self._stage = Horizontal(id="stage")
        self._lyric = Panel(lyric_lines, id="lyric")
        self._parameters = Panel(self._draw_parameters, id="parameters")
        self._others = (
            Panel(self._draw_top, id="top"),
            Panel(self._draw_side, id="side"),
            Panel(self._draw_feed, id="feed"),
        )
        self.foot = Panel(self._draw_foot, id="foot")
        self._aspect = 16 / 9
        self._sizes: Arrangement | None = None

    def compose(self) -> ComposeResult:
        """Picture and panels."""
        top, side, feed = self._others
        yield top
        with self._stage:
            yield self._picture
            yield side
        yield self._lyric
        with Horizontal(id="lower"):
            yield self._parameters
            yield feed
        yield self.foot

    def show(self, scene: Scene, hand: Hand) -> None:
        """Draw this scene."""
        self._scene, self._hand = scene, hand
        for panel in (self._lyric, self._parameters, *self._others, self.foot):
            panel.show(scene)
        self._picture.say(picture_word(scene), scene.program.is_live)

    def show_frame(self, rgb: Rgb) -> None:
        """Draw this frame of the program."""
        aspect = rgb.shape[1] / rgb.shape[0]
        if abs(aspect - self._aspect) > 0.01:
            self._aspect = aspect
            self._arrange()
        self._picture.show(rgb)

    def on_resize(self) -> None:
        """Arrange everything for the new size."""
        self._arrange()
        self.call_after_refresh(lambda: self.show(self._scene, self._hand))

    def _arrange(self) -> None:
        # One row of the screen may be the entry's; the arrangement counts it as the foot's.
        sizes = arrangement(self.app.size.width, self.app.size.height, self._aspect)
        if sizes == self._sizes:
            return
        self._sizes = sizes
        self._stage.styles.height = sizes.stage_rows
        self._picture.styles.width = sizes.picture_columns
        self._lyric.styles.height = sizes.lyric_rows
        self._parameters.styles.width = sizes.parameter_columns

    def _draw_top(self, scene: Scene, width: int, height: int) -> list[Line]:
        return top_lines(scene, time.strftime("%H:%M"), width)

    def _draw_side(self, scene: Scene, width: int, height: int) -> list[Line]:
        return side_lines(scene, self._hand.slot, self._is_small, (width, height))

    def _draw_parameters(self, scene: Scene, width: int, height: int) -> list[Line]:
        return parameter_lines(scene, self._hand.cursor, width, height)

    def _draw_feed(self, scene: Scene, width: int, height: int) -> list[Line]:
        pane = self._hand.pane if self._is_small else ""
        return feed_lines(scene, self._hand.slot, pane, (width, height))

    def _draw_foot(self, scene: Scene, width: int, height: int) -> list[Line]:
        if self._hand.note:
            return [line((f" {cut(self._hand.note, width - 2)}", "warn"))]
        inks: list[Ink] = [(" ", "text")]
        for shown, word in hints(width - 2):
            inks += [(shown, "bright"), (f" {word}  ", "dim")]
        return [tuple(inks)]

    @property
    def _is_small(self) -> bool:
        return self._sizes is None or self._sizes.is_small
