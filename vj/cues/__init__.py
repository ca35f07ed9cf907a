"""Cue lists: one reader per file format, chosen by the file's ending."""

from collections.abc import Callable
from pathlib import Path

from vj.cues.cue import Cue, CueList
from vj.cues.lrc import read_lrc
from vj.cues.toml_cues import read_toml_cues
from vj.errors import FileProblems, Problem

__all__ = ["READERS", "Cue", "CueList", "read_cues"]

# ending → reader; a new format is one module and one row here
READERS: dict[str, Callable[[Path], CueList]] = {".lrc": read_lrc, ".toml": read_toml_cues}


def read_cues(path: Path) -> CueList:
    """The cue list in a file. Raises FileProblems with every problem at once; the skippable are warnings."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(sorted(READERS))
        what = f"{path.suffix!r}" if path.suffix else "a file without an ending"
        raise FileProblems([Problem(path, 0, f"no cue files are read from {what}; known are {known}")])
    return reader(path)
