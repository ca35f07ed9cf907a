"""The widgets that draw lines of ink: one that stands still, and one that follows the scene."""

from collections.abc import Callable
from typing import Any

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from vj.dashboard.ink import Line, strip
from vj.dashboard.scene import Scene

Draw = Callable[[Scene, int, int], list[Line]]


class Lines(Widget):
    """Lines of ink, one row each. Owns the lines; redraws only the rows that changed."""

    def __init__(self, lines: list[Line], **options: Any) -> None:
        super().__init__(**options)
        self._lines = lines

    def put(self, lines: list[Line]) -> None:
        """Show these lines instead."""
        before, self._lines = self._lines, lines
        count = max(len(before), len(lines))
        old, new = ([*some, *[()] * (count - len(some))] for some in (before, lines))
        changed = [y for y in range(count) if old[y] != new[y]]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def get_content_height(self, container: Any, viewport: Any, width: int) -> int:
        """As many rows as lines."""
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        """One line."""
        return strip(self._lines[y] if y < len(self._lines) else (), self.size.width)


class Panel(Lines):
    """A part of the screen that a pure function draws from the scene, for whatever room the panel has."""

    def __init__(self, draw: Draw, **options: Any) -> None:
        super().__init__([], **options)
        self._draw = draw

    def show(self, scene: Scene) -> None:
        """Draw this scene."""
        width, height = self.size
        if width and height:
            self.put(self._draw(scene, width, height))
