"""A cue and a cue list, whatever file they were read from."""

from dataclasses import dataclass
from pathlib import Path

from vj.errors import Problem


@dataclass(frozen=True, slots=True)
class Cue:
    """A timed prompt: seconds from the start of the song, and its words. Empty words hold the picture."""

    at_s: float
    text: str
    line: int = 0  # of the file, 1-based


@dataclass(frozen=True, slots=True)
class CueList:
    """The cues of one song, sorted by time with no two at the same time, and what the reader skipped."""

    title: str
    cues: tuple[Cue, ...]
    warnings: tuple[Problem, ...] = ()
    path: Path = Path()
