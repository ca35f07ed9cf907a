"""What one parameter is: its kind, range, unit and default, and the checks that follow from them.

Standard library only.
"""

import math
from dataclasses import dataclass

Value = float | int | bool | str

TEXT_LIMIT = 512


class ParameterError(ValueError):
    """A value does not fit its parameter, or the parameter does not exist."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One adjustable value. Kinds: number, whole, choice, switch, trigger, text.

    A trigger's value counts how often it was fired, so that a reader that missed a look still sees it moved.
    """

    name: str
    kind: str
    group: str
    default: Value
    does: str
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    choices: tuple[str, ...] = ()

    def checked(self, value: object) -> Value:
        """The value in this parameter's own type, numbers clamped to low..high.

        Raises ParameterError for a wrong kind, NaN, infinity or an unknown choice. Text is cut to 512 characters.
        """
        if self.kind in ("number", "whole"):
            return self._number(value)
        if self.kind == "switch":
            return self._switch(value)
        if self.kind == "trigger":
            return int(self._number(value))
        if not isinstance(value, str):
            raise ParameterError(f"{self.name} takes a text, not {_shown(value)}")
        if self.kind == "choice" and value not in self.choices:
            raise ParameterError(f"{self.name} must be one of {', '.join(self.choices)}, not {value!r}")
        return as_text(value) if self.kind == "text" else value

    def from_unit(self, fraction: float) -> Value:
        """The value at a fraction 0..1 of the range; choices and switches split the range evenly."""
        if not math.isfinite(fraction):
            raise ParameterError(f"{self.name} takes a finite number, not {fraction!r}")
        fraction = min(1.0, max(0.0, fraction))
        if self.kind == "choice":
            return self.choices[min(len(self.choices) - 1, int(fraction * len(self.choices)))]
        if self.kind == "switch":
            return fraction >= 0.5
        if self.kind == "text":
            raise ParameterError(f"{self.name} takes a text, not a number")
        return self.checked(self.low + fraction * (self.high - self.low))

    def to_unit(self, value: Value) -> float:
        """The place of a value in its range, 0..1; 0 for texts and triggers."""
        if self.kind == "choice":
            return self.choices.index(str(value)) / max(1, len(self.choices) - 1)
        if self.kind in ("text", "trigger"):
            return 0.0
        if self.kind == "switch":
            return float(bool(value))
        return (float(value) - self.low) / (self.high - self.low)

    def _number(self, value: object) -> Value:
        if isinstance(value, str) or not isinstance(value, (int, float)):
            raise ParameterError(f"{self.name} takes a number, not {_shown(value)}")
        if not -1e300 < value < 1e300:  # NaN too; and a whole number may be larger than any float
            raise ParameterError(f"{self.name} takes a finite number, not {_shown(value)}")
        number = value if self.kind == "trigger" else min(self.high, max(self.low, float(value)))
        return round(number) if self.kind in ("whole", "trigger") else number

    def _switch(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, (int, float)) and value == value:
            return value >= 0.5
        raise ParameterError(f"{self.name} is a switch and takes true or false, not {_shown(value)}")


def number(name: str, group: str, default: float, low: float, high: float, does: str, unit: str = "") -> Parameter:
    """A row for a number in low..high."""
    return Parameter(name, "number", group, default, does, low, high, unit)


def whole(name: str, group: str, default: int, low: int, high: int, does: str, unit: str = "") -> Parameter:
    """A row for a whole number in low..high."""
    return Parameter(name, "whole", group, default, does, low, high, unit)


def choice(name: str, group: str, choices: tuple[str, ...], does: str) -> Parameter:
    """A row for one of these choices; the first is the default."""
    return Parameter(name, "choice", group, choices[0], does, choices=choices)


def switch(name: str, group: str, default: bool, does: str) -> Parameter:
    """A row for something on or off."""
    return Parameter(name, "switch", group, default, does)


def text(name: str, group: str, does: str) -> Parameter:
    """A row for a text; empty by default."""
    return Parameter(name, "text", group, "", does)


def trigger(name: str, group: str, does: str) -> Parameter:
    """A row for something that happens once each time it is fired."""
    return Parameter(name, "trigger", group, 0, does)


def _shown(value: object) -> str:
    """The value for a sentence; a whole number may be too long to be written."""
    return "a number so large" if isinstance(value, int) and abs(value) > 1e300 else repr(value)[:80]


def as_text(text: str) -> str:
    """A text as parameters and lines hold it: one line, single spaces, at most 512 characters, writable as UTF-8."""
    return " ".join(text.encode("utf-8", "replace").decode().split())[:TEXT_LIMIT].rstrip()
