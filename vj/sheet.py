"""A TOML file while it is read and checked: where its keys stand, and everything that is wrong with it so far."""

import codecs
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vj.errors import FileProblems, Problem, did_you_mean


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file while it is checked. `problems` grows; `finish` raises them all at once."""

    path: Path
    table: Mapping[str, Any]
    text: str
    problems: list[Problem] = field(default_factory=list)

    def problem(self, what: str, key: str = "", start: int = 1) -> None:
        """Note a problem on the line of a key at or after `start`."""
        self.problems.append(Problem(self.path, line_of(self.text, key, start) if key else start, what))

    def check_keys(self, table: Mapping[str, Any], known: tuple[str, ...], start: int = 1) -> None:
        """Note every key that is not known."""
        for key in table:
            if key not in known:
                self.problem(f"unknown key {key!r}{did_you_mean(key, known)}", key, start)

    def title(self) -> str:
        """The file's title; its own name where it gives none."""
        title = self.table.get("title", self.path.stem)
        if not isinstance(title, str):
            self.problem(f"title must be a text, not {title!r}", "title")
        return str(title)

    def texts(self, key: str, example: str) -> tuple[str, ...]:
        """The texts of a list; none where the key is absent or its value is something else, which is a problem."""
        found = self.table.get(key, [])
        if isinstance(found, list) and all(isinstance(text, str) and text for text in found):
            return tuple(found)
        self.problem(f"{key} must be a list of {example}", key)
        return ()

    def blocks(self, name: str, missing: str) -> list[tuple[Mapping[str, Any], int]]:
        """Each [[name]] block with its line; none and a problem where there is not even one."""
        rows = self.table.get(name, [])
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
            return list(zip(rows, self._block_lines(name, len(rows)), strict=True))
        self.problem(missing, name)
        return []

    def finish(self) -> None:
        """Raise FileProblems if anything was wrong: this file's problems by line, then those of files it names."""
        if self.problems:
            problems = dict.fromkeys(self.problems)  # a file that is named twice is wrong once
            raise FileProblems(sorted(problems, key=lambda each: (each.path != self.path, str(each.path), each.line)))

    def _block_lines(self, name: str, count: int) -> list[int]:
        """The line of each [[name]]; of the one `name = [...]` where they are written inline."""
        pattern = re.compile(rf"\s*\[\[\s*{re.escape(name)}\s*\]\]")
        found = [n for n, line in enumerate(self.text.splitlines(), 1) if pattern.match(line)]
        return found if len(found) == count else [line_of(self.text, name)] * count


def read_sheet(path: Path) -> Sheet:
    """The file, ready to be checked. Raises FileProblems when it cannot be read or is not TOML."""
    text = _text_of(path)
    try:
        return Sheet(path, tomllib.loads(text), text)
    except tomllib.TOMLDecodeError as err:
        found = re.search(r"at line (\d+)", str(err))
        what = re.sub(r" \(at .*", "", str(err))
        line = int(found[1]) if found else text.count("\n") + 1  # "at end of document"
        raise FileProblems([Problem(path, line, f"not TOML: {what}")]) from err
    except RecursionError as err:
        raise FileProblems([Problem(path, 0, "cannot be read: its brackets stand too deep in each other")]) from err
    except ValueError as err:  # Python's own limit
        raise FileProblems([Problem(path, 0, "cannot be read: a number in it has thousands of digits")]) from err


def _text_of(path: Path) -> str:
    """What is written in the file. Raises FileProblems when it cannot be read or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as err:
        raise FileProblems([_not_utf8(path, err.object, err.start)]) from err
    except OSError as err:
        raise FileProblems([Problem(path, 0, f"cannot be read: {err.strerror or err}")]) from err


def _not_utf8(path: Path, raw: bytes, at: int) -> Problem:
    """What bytes that are not UTF-8 from the one `at` on may be, and what would be right."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Problem(path, 0, "this file is saved as UTF-16; save it as UTF-8")
    if re.search(rb"[\x00-\x08\x0e-\x1f]", raw):  # control characters, which no text has
        return Problem(path, 0, "this is no text file; give a TOML file, saved as UTF-8")
    line = len(re.split(rb"\r\n|\r|\n", raw[:at]))
    return Problem(path, line, "a letter on this line is not UTF-8; save the file as UTF-8")


def line_of(text: str, key: str, start: int = 1) -> int:
    """The line (1-based) on which `key` is set in a TOML text, at or after `start`; `start` when not found."""
    pattern = re.compile(rf"""^\s*(\[+\s*)?(\w+\.)?["']?{re.escape(key)}["']?\s*(=|\.|\])""")
    lines = text.splitlines()
    for number in range(start, len(lines) + 1):
        if pattern.match(lines[number - 1]):
            return number
    return start


def inner_line_of(text: str, key: str, start: int) -> int:
    """As `line_of`, for a key that may stand within an inline table such as `parameters = { key = 1 }`."""
    pattern = re.compile(rf"""(^|[\s{{,.])["']?{re.escape(key)}["']?\s*=""")
    lines = text.splitlines()
    for number in range(start, len(lines) + 1):
        if pattern.search(lines[number - 1]):
            return number
    return start
