"""A cue and a cue list, whatever file they were read from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from engine.parameters import Value
from vj.errors import Problem

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff]")


@dataclass(frozen=True, slots=True)
class Cue:
    """A timed prompt: seconds from the start of the song, and its words. Empty words hold the picture.

    With `fade_s` the words before hold until `at_s`, then cross over into these within so many seconds; without it
    they have blended into these over their whole length. `parameters` are set when the cue begins.
    """

    at_s: float
    text: str
    line: int = 0  # of the file, 1-based
    label: str = ""
    fade_s: float | None = None
    parameters: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class CueList:
    """The cues of one song, sorted by time with no two at the same time, and what the reader skipped."""

    title: str
    cues: tuple[Cue, ...]
    warnings: tuple[Problem, ...] = ()
    path: Path = Path()


def cleaned(text: str) -> str:
    """Words as they are sung: one line, single spaces, no control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())
