"""What a change of a parameter makes of its value. Pure."""

from engine.parameters import Look, ParameterError, Value, parameter
from vj.changes import Change

# action → the kinds of parameter it can move, where not every kind
_MOVES = {"toggle": ("switch",), "fire": ("trigger",), "nudge": ("number", "whole", "choice")}


def new_value(change: Change, look: Look) -> Value:
    """The value of the change's parameter once it has been made. Raises ParameterError."""
    row = parameter(change.parameter)
    now_at = look.values[row.name]
    if row.kind == "trigger":  # whatever moves it, its count only grows; a pad that is let go sends 0
        return int(now_at) + int(change.value != 0)
    if change.action in _MOVES and row.kind not in _MOVES[change.action]:
        raise ParameterError(f"{row.name} is a {row.kind} and has no {change.action}")
    if change.action == "norm":
        return row.from_unit(float(change.value))
    if change.action == "nudge":
        if row.kind == "choice":
            place = row.choices.index(str(now_at)) + (1 if change.value > 0 else -1)
            return row.choices[place % len(row.choices)]
        return row.checked(float(now_at) + float(change.value))
    if change.action == "toggle":
        return row.checked(not now_at)
    return row.checked(change.value)
