"""Mapping files: which control of a MIDI device moves which parameter. TOML, one device a file, in `mappings/`.

    title = "Korg nanoKONTROL2"
    ports = ["nanoKONTROL2*"]    # names of ports, * and ? allowed, case ignored; absent: any port no other file names

    [[control]]
    cc = 16                      # or note = 60; both 0-127
    channel = 1                  # 1-16; absent: any channel
    parameter = "temperature"    # a knob turns a number or choice; from 64 up a switch is on and a trigger fires
    low = 0.0                    # in the parameter's unit; low may be above high
    high = 100.0
    takeover = "pickup"          # wait until the knob passes the value that is there; "jump" (default) does not

    [[control]]
    note = 60                    # a note, or the press of a button that sends a cc
    action = "cue_seek"          # any action of vj/changes.py; set, norm, nudge, toggle and fire also take a parameter
    value = 12.5                 # what the action needs: a number, a name, a text, [place, slot]

A note on a switch toggles it; with `hold = true` the switch is on while the key is down.
"""

from collections.abc import Mapping as Table
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.parameters import PARAMETERS
from vj.changes import ACTIONS, PLACED, is_placed
from vj.errors import did_you_mean
from vj.library import value_problem
from vj.sheet import Sheet, read_sheet

TAKEOVERS = ("jump", "pickup")
_TOP_KEYS = ("title", "ports", "control")
_KEYS = ("cc", "note", "channel", "parameter", "action", "value", "low", "high", "takeover", "hold")
# action → the kinds of parameter it can move
_MOVES = {
    "set": ("number", "whole", "choice", "switch", "text"),
    "norm": ("number", "whole", "choice", "switch"),
    "nudge": ("number", "whole", "choice"),
    "toggle": ("switch",),
    "fire": ("trigger",),
}


@dataclass(frozen=True, slots=True)
class Control:
    """One knob, fader, button or key, and what it does.

    `kind` is "cc" or "note", `channel` 1-16 or None for any. Action "set" without a value means that the control is
    turned: its place 0..127 becomes the parameter's low..high.
    """

    kind: str
    number: int
    action: str
    parameter: str = ""
    value: Any = None
    channel: int | None = None
    low: float = 0.0
    high: float = 0.0
    takeover: str = "jump"
    hold: bool = False
    line: int = 0

    @property
    def is_turned(self) -> bool:
        """Whether the control's place is the value, and not its press an event."""
        return self.action == "set" and self.value is None

    def __str__(self) -> str:
        channel = f" channel {self.channel}" if self.channel else ""
        does = self.parameter if self.is_turned else " ".join(filter(None, (self.action, self.parameter)))
        value = "" if self.value is None else f" {self.value!r}"
        span = f" {self.low:g} to {self.high:g}" if self.is_turned and self.low != self.high else ""
        how = " while held" if self.hold else " by pickup" if self.takeover == "pickup" else ""
        return f"{self.kind} {self.number}{channel}: {does}{value}{span}{how}"


@dataclass(frozen=True, slots=True)
class Mapping:
    """What one file says. No `ports` means any port that no other loaded mapping names."""

    title: str
    ports: tuple[str, ...]
    controls: tuple[Control, ...]
    path: Path = Path()


def read_mapping(path: Path) -> Mapping:
    """Read and check a mapping. Raises FileProblems with every problem at once, each with its line."""
    sheet = read_sheet(path)
    sheet.check_keys(sheet.table, _TOP_KEYS)
    title = sheet.title()
    ports = sheet.texts("ports", 'names, such as ["nanoKONTROL2*"]')
    blocks = sheet.blocks("control", "no control is mapped; write [[control]] and below it cc or note")
    controls = tuple(_control(row, start, sheet) for row, start in blocks)
    sheet.finish()
    return Mapping(title, ports, controls, path)


def _control(row: Table[str, Any], start: int, sheet: Sheet) -> Control:
    """The control of one block, checked. What it gives after a problem is never used."""
    before = len(sheet.problems)
    sheet.check_keys(row, _KEYS, start)
    kind = _source(row, start, sheet)
    _check_parameter_and_action(row, start, sheet)
    if row.get("takeover", "jump") not in TAKEOVERS:
        sheet.problem(f'takeover must be "jump" or "pickup", not {row["takeover"]!r}', "takeover", start)
    if not isinstance(row.get("hold", False), bool):
        sheet.problem(f"hold must be true or false, not {row['hold']!r}", "hold", start)
    if len(sheet.problems) > before:
        return Control("cc", 0, "panic")
    parameter = row.get("parameter", "")
    action = row.get("action") or _usual_action(kind, parameter, row)
    low, high = _span(row, parameter, start, sheet)
    value = _frozen(action, row.get("value"))
    control = Control(kind, row[kind], action, parameter, value, row.get("channel"), low, high, line=start)
    control = replace(control, takeover=row.get("takeover", "jump"), hold=row.get("hold", False))
    _check_use(control, row, sheet)
    return control


def _source(row: Table[str, Any], start: int, sheet: Sheet) -> str:
    """ "cc" or "note"."""
    kinds = [kind for kind in ("cc", "note") if kind in row]
    if len(kinds) != 1:
        sheet.problem("a control needs cc or note, one of them", start=start)
    for key, low, high in (("cc", 0, 127), ("note", 0, 127), ("channel", 1, 16)):
        if key in row and not (type(row[key]) is int and low <= row[key] <= high):
            sheet.problem(f"{key} must be a whole number from {low} to {high}, not {row[key]!r}", key, start)
    return kinds[0] if kinds else "cc"


def _check_parameter_and_action(row: Table[str, Any], start: int, sheet: Sheet) -> None:
    parameter, action = row.get("parameter", ""), row.get("action", "")
    if not parameter and not action:
        sheet.problem("a control needs a parameter or an action", start=start)
        return
    if parameter and not (isinstance(parameter, str) and parameter in PARAMETERS):
        sheet.problem(
            f"no parameter called {parameter!r}{did_you_mean(str(parameter), PARAMETERS)}", "parameter", start
        )
        return
    if not action:
        return
    if not (isinstance(action, str) and action in ACTIONS):
        sheet.problem(f"no action called {action!r}{did_you_mean(str(action), ACTIONS)}", "action", start)
    elif action in _MOVES and not parameter:
        sheet.problem(f"{action} needs a parameter to move", "action", start)
    elif action in _MOVES and PARAMETERS[parameter].kind not in _MOVES[action]:
        sheet.problem(f"{action} cannot move {parameter}, a {PARAMETERS[parameter].kind}", "action", start)
    elif action not in _MOVES and parameter:
        sheet.problem(f"{action} moves no parameter; leave parameter out", "parameter", start)
    else:
        what = _value_problem(action, parameter, row.get("value"))
        if what:
            sheet.problem(what, "value" if "value" in row else "action", start)


def _value_problem(action: str, parameter: str, value: Any) -> str:
    """What is wrong with a control's value for its action, or ""."""
    kind = ACTIONS[action]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9
    if action == "set":
        return "" if value is None else value_problem(parameter, value)
    if kind == "none" and value is not None:
        return f"{action} takes no value"
    if action == "norm" and not (is_number and 0 <= value <= 1):
        return f"norm needs a value from 0 to 1, not {value!r}"
    if kind == "number" and not is_number:
        return f"{action} needs a number as its value, not {value!r}"
    if kind == "text" and not (isinstance(value, str) and value):
        return f"{action} needs a text as its value, not {value!r}"
    if kind == "index" and value is not None and not is_number and not isinstance(value, str):
        return f"{action} takes a number or a name, not {value!r}"
    if kind in PLACED and not is_placed(kind, value):
        return f"{action} needs {PLACED[kind]} as its value, not {value!r}"
    if kind == "texts" and not _is_texts(value):
        return f"{action} needs one or two texts as its value, not {value!r}"
    return ""


def _is_texts(value: Any) -> bool:
    texts = [value] if isinstance(value, str) else value
    return isinstance(texts, list) and 1 <= len(texts) <= 2 and all(isinstance(text, str) for text in texts)


def _frozen(action: str, value: Any) -> Any:
    if ACTIONS[action] == "texts" and isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _usual_action(kind: str, parameter: str, row: Table[str, Any]) -> str:
    """What a control does to a parameter when its file names no action."""
    row_kind = PARAMETERS[parameter].kind
    if row_kind == "trigger":
        return "fire"
    return "toggle" if kind == "note" and row_kind == "switch" and row.get("hold") is not True else "set"


def _span(row: Table[str, Any], parameter: str, start: int, sheet: Sheet) -> tuple[float, float]:
    """The parameter's values at both ends of the control, (0, 0) where there is no range."""
    known = PARAMETERS.get(parameter)
    if known is None or known.kind not in ("number", "whole"):
        return 0.0, 0.0
    ends = []
    for key, usual in (("low", known.low), ("high", known.high)):
        what = value_problem(parameter, row.get(key, usual))
        if what:
            sheet.problem(f"{key}: {what}", key, start)
        ends.append(usual if what else float(row.get(key, usual)))
    if ends[0] == ends[1]:
        sheet.problem("low and high must not be the same", "low" if "low" in row else "high", start)
    return ends[0], ends[1]


def _check_use(control: Control, row: Table[str, Any], sheet: Sheet) -> None:
    """Note keys that would do nothing, and a note that would have to be turned."""
    kind = PARAMETERS[control.parameter].kind if control.parameter else ""
    is_knob = control.kind == "cc" and control.is_turned
    if control.kind == "note" and control.is_turned and not control.hold:
        sheet.problem(
            f'a note cannot turn {control.parameter}; give action = "set" or "nudge" and a value', "note", control.line
        )
    if control.is_turned and kind == "text":
        sheet.problem(f"{control.parameter} is a text and cannot be turned", "parameter", control.line)
    for key in ("low", "high", "takeover"):
        if key in row and not (is_knob and kind in ("number", "whole")):
            sheet.problem(f"{key} is for a cc that turns a number", key, control.line)
    if control.hold and not (control.kind == "note" and control.is_turned and kind == "switch"):
        sheet.problem("hold is for a note on a switch, without an action", "hold", control.line)
