"""The list of parameters: what each row shows, and what the arrow keys ask of it. Pure."""

import math

from engine.parameters import PARAMETERS, Parameter, Value
from vj.changes import Change
from vj.dashboard.ink import Ink, Line, ago, bar, centred_bar, cut, line, padded, selected
from vj.dashboard.scene import Row, Scene

NAMES = tuple(PARAMETERS)
_NAME, _VALUE, _UNIT = 18, 9, 4
# Narrower than this, two columns of parameters would each lose what moved them.
_TWO_COLUMNS = 132


def step_of(parameter: Parameter) -> float:
    """One arrow key's step in the parameter's own unit: about a hundredth of its range, rounded to 1, 2 or 5."""
    raw = (parameter.high - parameter.low) / (200.0 if parameter.kind == "whole" else 100.0)
    scale = 10.0 ** math.floor(math.log10(raw))
    nice = min((1.0, 2.0, 5.0, 10.0), key=lambda factor: abs(factor * scale - raw)) * scale
    return max(1.0, round(nice)) if parameter.kind == "whole" else round(nice, 6)


def nudge(parameter: Parameter, value: Value | None, direction: int, is_coarse: bool) -> Change | None:
    """What left (-1) or right (+1) asks of a parameter; None where it asks nothing."""
    name, kind = parameter.name, parameter.kind
    if kind in ("number", "whole"):
        step = step_of(parameter) * (10.0 if is_coarse else 1.0) * direction
        return Change("nudge", step, name, "key")
    if kind == "switch":
        return Change("set", direction > 0, name, "key")
    if kind == "trigger":
        return Change("fire", None, name, "key") if direction > 0 else None
    if kind == "choice" and value in parameter.choices:
        place = parameter.choices.index(str(value)) + direction
        return Change("set", parameter.choices[place % len(parameter.choices)], name, "key")
    return None


def shown(parameter: Parameter, value: Value | None) -> str:
    """A value as its row shows it."""
    if value is None:
        return "–"
    if parameter.kind == "switch":
        return "on" if value else "off"
    if parameter.kind == "trigger":
        return f"{int(value)}×"
    if parameter.kind != "number":
        return str(value)
    span = parameter.high - parameter.low
    digits = 1 if span >= 50.0 else 2 if span >= 2.0 else 3
    return f"{float(value):.{digits}f}"


def parameter_lines(scene: Scene, cursor: int, width: int, height: int) -> list[Line]:
    """The list under its title, scrolled so that the row of the cursor is on it; two columns where they fit."""
    entries = _entries(scene)
    columns = 2 if width >= _TWO_COLUMNS else 1
    rows = max(1, height - 1)
    wide = (width - 2 * (columns - 1)) // columns
    place = next(n for n, entry in enumerate(entries) if entry == cursor)
    deep = max(rows, math.ceil(len(entries) / columns))
    top = _top(place % deep, deep, rows)
    lines = [_title(scene, entries, width, top > 0, top + rows < deep)]
    for y in range(top, min(top + rows, deep)):
        cells = [_cell(scene, entries, y + column * deep, cursor, wide) for column in range(columns)]
        lines.append(cells[0] if columns == 1 else (*cells[0], ("  ", "text"), *cells[1]))
    return lines


def _entries(scene: Scene) -> list[int | str]:
    """Row numbers, with the name of each group before its first."""
    entries: list[int | str] = []
    group = ""
    for n, row in enumerate(scene.rows):
        if row.parameter.group != group:
            group = row.parameter.group
            entries.append(group)
        entries.append(n)
    return entries


def _top(place: int, deep: int, rows: int) -> int:
    return max(0, min(place - rows // 2, deep - rows))


def _title(scene: Scene, entries: list[int | str], width: int, is_more_above: bool, is_more_below: bool) -> Line:
    more = ("▲" if is_more_above else " ") + ("▼" if is_more_below else " ")
    note = "" if scene.desk.is_live else f"last known: {scene.desk.silence}"
    room = width - len(" PARAMETERS ") - 3
    return line((" PARAMETERS ", "title"), (padded(note, room), "warn"), (f" {more}", "dim"))


def _cell(scene: Scene, entries: list[int | str], place: int, cursor: int, width: int) -> Line:
    if place >= len(entries):
        return line((" " * width, "text"))
    entry = entries[place]
    if isinstance(entry, str):
        return line((padded(f"  {entry}", width), "dim"))
    return _row_line(scene.rows[entry], width, entry == cursor, scene.desk.is_live)


def _row_line(row: Row, width: int, is_selected: bool, is_live: bool) -> Line:
    parameter = row.parameter
    pointer = ("› " if is_selected else "  ", "bright")
    name = (padded(parameter.name, _NAME), "text" if is_live else "dim")
    moved_width = max(11, (width - 2 - _NAME - _VALUE - _UNIT) * 3 // 5)
    moved = (padded(f" {_moved(row, moved_width - 2)}", moved_width), _fresh(row))
    room = width - 2 - _NAME - moved_width
    drawn = line(pointer, name, *_value_inks(row, room, is_live), moved)
    return selected(drawn) if is_selected else drawn


def _value_inks(row: Row, room: int, is_live: bool) -> tuple[Ink, ...]:
    parameter, value = row.parameter, row.value
    bright = "bright" if is_live else "dim"
    if parameter.kind == "text":
        return ((padded(f"  {shown(parameter, value)}", room), bright),)
    number = (cut(shown(parameter, value), _VALUE).rjust(_VALUE), bright)
    unit = (padded(f" {parameter.unit}", _UNIT + 1), "dim")
    wide = room - _VALUE - _UNIT - 1
    if value is None or parameter.kind not in ("number", "whole") or wide < 4:
        return number, unit, (" " * wide, "text")
    if parameter.low < 0.0 < parameter.high:
        return number, unit, *centred_bar(float(value) / parameter.high, wide)
    return number, unit, *bar(parameter.to_unit(value), wide, "good" if is_live else "dim")


def _moved(row: Row, width: int) -> str:
    if not row.moved_by:
        return ""
    when = ago(row.moved_s)
    return f"{cut(row.moved_by, width - len(when) - 1)} {when}"


def _fresh(row: Row) -> str:
    return "good" if row.moved_s is not None and row.moved_s < 3.0 else "dim"
