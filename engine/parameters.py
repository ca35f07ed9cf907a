"""The one table of parameters, and the look: a frozen snapshot of all of them.

Everything that names, checks, scales or lists a parameter is derived from `PARAMETERS`. Standard library only.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

Value = float | int | bool | str

SLOTS = 8
TEXT_LIMIT = 512
GROUPS = ("prompts", "picture", "motion", "colour", "program")


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
            raise ParameterError(f"{self.name} takes a text, not {value!r}")
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
            raise ParameterError(f"{self.name} takes a number, not {value!r}")
        if not -1e300 < value < 1e300:  # NaN too; and a whole number may be larger than any float
            shown = value if isinstance(value, float) else "one so large"
            raise ParameterError(f"{self.name} takes a finite number, not {shown}")
        number = value if self.kind == "trigger" else min(self.high, max(self.low, float(value)))
        return round(number) if self.kind in ("whole", "trigger") else number

    def _switch(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, (int, float)) and value == value:
            return value >= 0.5
        raise ParameterError(f"{self.name} is a switch and takes true or false, not {value!r}")


def _number(name: str, group: str, default: float, low: float, high: float, does: str, unit: str = "") -> Parameter:
    return Parameter(name, "number", group, default, does, low, high, unit)


def _whole(name: str, group: str, default: int, low: int, high: int, does: str, unit: str = "") -> Parameter:
    return Parameter(name, "whole", group, default, does, low, high, unit)


def _choice(name: str, group: str, choices: tuple[str, ...], does: str) -> Parameter:
    return Parameter(name, "choice", group, choices[0], does, choices=choices)


def _switch(name: str, group: str, default: bool, does: str) -> Parameter:
    return Parameter(name, "switch", group, default, does)


def _slots() -> list[Parameter]:
    rows = []
    for n in range(1, SLOTS + 1):
        rows.append(Parameter(f"prompt_{n}", "text", "prompts", "", f"text of slot {n}"))
        rows.append(_number(f"weight_{n}", "prompts", 0.0, -2.0, 2.0, f"weight of slot {n}; negative pushes away"))
    return rows


# The defaults are the `live` preset's values, so that a show without any preset file is playable.
_ROWS = [
    _number("lyrics", "prompts", 1.0, 0.0, 2.0, "weight of the sung line against the slots"),
    *_slots(),
    _number("temperature", "picture", 35.0, 0.0, 100.0, "low holds the picture still, high changes everything"),
    _choice("temperature_law", "picture", ("live", "paper"), "how temperature sets stability and noise"),
    _number("temperature_scale", "picture", 1.0, 0.0, 1.0, "factor on temperature; the paper's fast setting halves it"),
    _choice("canvas", "picture", ("pyramid", "pixels"), "what is optimised: images at several sizes, or plain pixels"),
    _whole("canvas_width", "picture", 256, 64, 3840, "width of the canvas; the program scales it", "px"),
    _whole("canvas_height", "picture", 144, 64, 2160, "height of the canvas; the program scales it", "px"),
    _whole("steps", "picture", 2, 1, 50, "optimisation steps for each frame"),
    _whole("first_steps", "picture", 12, 1, 200, "optimisation steps for the first frame"),
    _whole("crops", "picture", 4, 1, 64, "random views the guide sees in each step"),
    _number("overview", "picture", 0.5, 0.0, 1.0, "share of the views that show the whole picture"),
    _number("crop_low", "picture", 0.35, 0.05, 1.0, "smallest inner view, as a share of the picture's area"),
    _number("crop_high", "picture", 0.9, 0.05, 1.0, "largest inner view, as a share of the picture's area"),
    _number("perspective", "picture", 0.1, 0.0, 1.0, "how far views are tilted"),
    _number("overhang", "picture", 0.1, 0.0, 0.5, "how far views may hang over the border"),
    _choice("beyond", "picture", ("mirror", "white"), "what views see beyond the border; the paper's see white"),
    _number("learning_rate", "picture", 0.05, 0.001, 1.0, "size of one optimisation step"),
    _switch("keep_optimizer", "picture", True, "keep the optimiser's state from frame to frame"),
    _whole("show_step", "picture", 0, 0, 200, "step whose picture is shown; 0 is the last"),
    _whole("carry_step", "picture", 0, 0, 200, "step whose picture the next frame starts from; 0 is the last"),
    _number("stability", "picture", 1.0, 0.0, 20.0, "weight of holding still at temperature 0 (w_c)"),
    _whole("stability_every", "picture", 1, 1, 50, "steps between two that hold still"),
    _number("noise", "picture", 0.05, 0.0, 2.0, "noise added to each new frame at temperature 100"),
    _number("smoothness", "picture", 0.03, 0.0, 5.0, "weight of smooth surfaces (total variation)"),
    _choice("guide_mix", "picture", ("alternate", "sum"), "several guides: one after the other by step, or together"),
    _choice("denoiser", "picture", ("edges", "none"), "filter on each finished picture: edge-preserving, or none"),
    _number("denoise", "picture", 0.5, 0.0, 1.0, "strength of the denoiser"),
    _number("engine_fps", "picture", 20.0, 1.0, 60.0, "frames a second asked of the engine", "fps"),
    _switch("governor", "picture", True, "spend fewer steps and crops rather than miss engine_fps"),
    Parameter("reroll", "trigger", "picture", 0, "start the canvas afresh from noise"),
    Parameter("kick", "trigger", "picture", 0, "shake the picture with noise once"),
    _number("contrast", "colour", 1.0, 0.0, 2.0, "contrast of the program"),
    _number("saturation", "colour", 1.0, 0.0, 2.0, "colourfulness of the program"),
    _number("master", "program", 1.0, 0.0, 1.0, "brightness of the program"),
    _number("fade", "program", 2.0, 0.0, 60.0, "length of a crossfade to a new prompt", "s"),
    _number("hold", "program", 8.0, 0.0, 3600.0, "how long a prompt by hand stays at least, in a song", "s"),
    _number("smooth", "program", 0.5, 0.0, 1.0, "blending of neighbouring frames in the program"),
    _switch("freeze", "program", False, "hold the program still"),
    _switch("blackout", "program", False, "program to black; it cuts at once"),
]  # fmt: skip

PARAMETERS: Mapping[str, Parameter] = MappingProxyType({row.name: row for row in _ROWS})
_DEFAULTS: Mapping[str, Value] = MappingProxyType({row.name: row.default for row in _ROWS})


@dataclass(frozen=True, slots=True)
class Look:
    """A frozen snapshot of every parameter and of the sung line; what the engine paints from.

    `line` is pulled toward with weight (1 - blend), `next_line` with weight blend, 0..1. `serial` grows by one with
    each new look, so that a frame can say which look it was painted from.
    """

    values: Mapping[str, Value] = field(default_factory=lambda: _DEFAULTS)
    line: str = ""
    next_line: str = ""
    blend: float = 0.0
    serial: int = 0

    def number(self, name: str) -> float:
        """A number parameter's value."""
        return float(self.values[name])

    def whole(self, name: str) -> int:
        """A whole or trigger parameter's value."""
        return int(self.values[name])

    def is_on(self, name: str) -> bool:
        """A switch's value."""
        return bool(self.values[name])

    def text(self, name: str) -> str:
        """A text or choice parameter's value."""
        return str(self.values[name])

    def with_values(self, changes: Mapping[str, object]) -> "Look":
        """The look with these parameters changed and clamped. Raises ParameterError; then nothing is changed."""
        checked = {name: parameter(name).checked(value) for name, value in changes.items()}
        return replace(self, values=MappingProxyType({**self.values, **checked}))

    def prompts(self) -> tuple[tuple[str, float], ...]:
        """Every text with a weight other than 0: the line, the next line, then the slots in order."""
        lyrics = self.number("lyrics")
        pairs = [(self.line, lyrics * (1.0 - self.blend)), (self.next_line, lyrics * self.blend)]
        pairs += [(self.text(f"prompt_{n}"), self.number(f"weight_{n}")) for n in range(1, SLOTS + 1)]
        return tuple((text, weight) for text, weight in pairs if text and weight)

    def to_json(self) -> str:
        """The look as one JSON object."""
        return json.dumps(
            {"values": dict(self.values), "line": self.line, "next_line": self.next_line,
             "blend": self.blend, "serial": self.serial}
        )  # fmt: skip

    @classmethod
    def from_json(cls, text: str) -> "Look":
        """Read back what `to_json` wrote. Raises ValueError for anything else."""
        try:
            data = json.loads(text)
            line, next_line = as_text(data["line"]), as_text(data["next_line"])
            look = cls(line=line, next_line=next_line, blend=float(data["blend"]), serial=int(data["serial"]))
            return look.with_values(data["values"])
        except (AttributeError, KeyError, OverflowError, RecursionError, TypeError) as err:
            raise ValueError(f"not a look: {err}") from err


def as_text(text: str) -> str:
    """A text as parameters and lines hold it: one line, single spaces, at most 512 characters, writable as UTF-8."""
    return " ".join(text.encode("utf-8", "replace").decode().split())[:TEXT_LIMIT].rstrip()


def parameter(name: str) -> Parameter:
    """The row called `name`. Raises ParameterError naming the nearest one."""
    found = PARAMETERS.get(name)
    if found is None:
        import difflib

        near = difflib.get_close_matches(name, PARAMETERS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"no parameter called {name!r}{hint}")
    return found
