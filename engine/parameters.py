"""The one table of parameters, and the look: a frozen snapshot of all of them.

Everything that names, checks, scales or lists a parameter is derived from `PARAMETERS`. Standard library only.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from engine.parameter import TEXT_LIMIT, Parameter, ParameterError, Value, as_text
from engine.table import ROWS, SLOTS

__all__ = [
    "GROUPS",
    "PARAMETERS",
    "SLOTS",
    "TEXT_LIMIT",
    "Look",
    "Parameter",
    "ParameterError",
    "Value",
    "as_text",
    "parameter",
]

GROUPS = ("prompts", "picture", "motion", "colour", "program")

PARAMETERS: Mapping[str, Parameter] = MappingProxyType({row.name: row for row in ROWS})
_DEFAULTS: Mapping[str, Value] = MappingProxyType({row.name: row.default for row in ROWS})


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
        return tuple((text, weight) for text, weight, _ in self._asked())

    def regions(self) -> tuple[str, ...]:
        """The part of the picture each of `prompts` owns; a sung line is for the whole."""
        return tuple(region for _, _, region in self._asked())

    def is_blank(self) -> bool:
        """Whether nothing is asked for: no prompt, no picture, no source."""
        pictures = (("prompt_picture", "picture_weight"), ("source", "source_weight"))
        return not self.prompts() and not any(self.text(name) and self.number(weight) for name, weight in pictures)

    def _asked(self) -> list[tuple[str, float, str]]:
        lyrics = self.number("lyrics")
        asked = [(self.line, lyrics * (1.0 - self.blend), "whole"), (self.next_line, lyrics * self.blend, "whole")]
        asked += [
            (self.text(f"prompt_{n}"), self.number(f"weight_{n}"), self.text(f"region_{n}"))
            for n in range(1, SLOTS + 1)
        ]
        return [one for one in asked if one[0] and one[1]]

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


def parameter(name: str) -> Parameter:
    """The row called `name`. Raises ParameterError naming the nearest one."""
    found = PARAMETERS.get(name)
    if found is None:
        import difflib

        near = difflib.get_close_matches(name, PARAMETERS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"no parameter called {name!r}{hint}")
    return found
