"""What can go wrong, said to the person at the desk, with the exit code it ends a command with."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


class VjError(Exception):
    """Could not be done: offline, not found, failed."""

    exit_code = 1


class UsageError(VjError):
    """The command line or a file given on it is wrong; nothing was started."""

    exit_code = 2


class DeviceError(VjError):
    """A device or port that was asked for cannot be had."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one file: where it is and what would be right."""

    path: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}" if self.line else f"{self.path}: {self.what}"


class FileProblems(UsageError):
    """Every problem of the files that were read, at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`"; did you mean 'x'?"` for the nearest known name, or the choices when none is near."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known are {', '.join(known)}" if 0 < len(known) <= 24 else ""
