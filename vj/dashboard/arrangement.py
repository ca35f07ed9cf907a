"""Where things are on a screen of a given size: as much picture as leaves the words readable. Pure."""

from dataclasses import dataclass
from math import ceil

from vj.dashboard.ink import Line, line
from vj.dashboard.inputs import input_lines, input_summary, log_lines
from vj.dashboard.panels import part_lines, sink_lines, slot_lines, vitals_lines
from vj.dashboard.scene import Scene

PANES = ("slots", "inputs", "log")


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Sizes in cells. On a small screen slots, inputs and log take turns in one pane."""

    picture_columns: int
    stage_rows: int
    lyric_rows: int
    parameter_columns: int
    is_small: bool


def arrangement(width: int, height: int, aspect: float) -> Arrangement:
    """The arrangement for a terminal of this size and a picture of this aspect (width over height)."""
    is_small = width < 110 or height < 34
    side = 36 if width < 110 else 46 if width < 160 else 64
    lyric = 3 if height < 34 else 5 if height < 50 or width < 160 else 10
    lower = max(7, round(height * 0.33)) if not is_small else max(7, (height - 5) // 3)
    rows = max(6, height - 2 - lyric - lower)
    columns = min(round(rows * 2 * aspect), max(16, width - side - 1))
    # A narrow screen makes the picture lower than its room; the list below takes the rows it leaves.
    rows = min(rows, max(12, ceil(columns / aspect / 2)))
    parameters = width * 2 // 3 if width >= 160 else width * 5 // 9 if not is_small else width * 5 // 8
    return Arrangement(columns, rows, lyric, parameters, is_small)


def side_lines(scene: Scene, slot: int, is_small: bool, room: tuple[int, int]) -> list[Line]:
    """Beside the picture: vitals, sinks, and the slots or a summary of the inputs. `room` is (width, height)."""
    width, height = room
    sinks = sink_lines(scene, width, max(1 + len(scene.sinks), height - 8))
    least = 1 if is_small else 2 + sum(each.is_used for each in scene.slots)
    lines = vitals_lines(scene, width, max(3, height - len(sinks) - least))
    gap = [line()] if not is_small else []
    lines = [*lines, *gap, *sinks]
    if is_small:
        lines = lines[: height - 1]
        return [*lines, *[line()] * (height - 1 - len(lines)), input_summary(scene, width)]
    lines = [*lines, *gap, *slot_lines(scene, slot, width, max(2, height - len(lines) - 1))]
    parts = part_lines(scene, width)
    return [*lines, *gap, *parts] if len(lines) + 1 + len(parts) <= height else lines[:height]


def feed_lines(scene: Scene, slot: int, pane: str, room: tuple[int, int]) -> list[Line]:
    """Beside the parameters: the chosen pane, or with `pane` "" inputs above log. `room` is (width, height)."""
    width, height = room
    if pane == "slots":
        return slot_lines(scene, slot, width, height)
    if pane == "inputs":
        return input_lines(scene, width, height)
    if pane == "log":
        return log_lines(scene, width, height)
    below = log_lines(scene, width, height // 2)
    upper = height - max(len(below), min(3, height // 2))
    above = input_lines(scene, width, upper - 1)[: max(0, upper - 1)]
    return [*above, *[line()] * (upper - len(above)), *below]
