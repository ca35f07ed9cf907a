"""The library: presets, mappings and cue files by name, from the user's folder, the package or the checkout."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import platformdirs

from engine.parameters import PARAMETERS, ParameterError, Value
from vj.errors import FileProblems, Problem, UsageError, did_you_mean

_SUFFIXES = {"presets": (".toml",), "mappings": (".toml",), "cues": (".lrc",)}
_PRESET_KEYS = ("title", "parameters")


@dataclass(frozen=True, slots=True)
class Preset:
    """Chosen parameters of a look, as read from a file in `presets/`."""

    name: str
    title: str
    values: Mapping[str, Value]
    path: Path


def folders(kind: str) -> tuple[Path, ...]:
    """Where files of this kind (presets, mappings, cues) are looked for, the user's own first."""
    here = Path(__file__).resolve().parent
    packed = here / "_shipped"
    # Beside an installed `vj` lie other people's packages, and one of them may well be called `presets`.
    shipped = packed if packed.is_dir() else here.parent
    places = (Path(platformdirs.user_config_path("vj")) / kind, shipped / kind)
    return tuple(place for place in places if place.is_dir())


def paths(kind: str) -> dict[str, Path]:
    """Every file of this kind by name; the user's own hides a shipped one of the same name."""
    found: dict[str, Path] = {}
    for folder in folders(kind):
        for path in sorted(folder.iterdir()):
            if path.suffix in _SUFFIXES[kind]:
                found.setdefault(path.stem, path)
    return found


def find(kind: str, name: str) -> Path:
    """The file for a name, or for a path if it contains a slash or ends like such a file. Raises UsageError."""
    if "/" in name or "\\" in name or Path(name).suffix:
        path = Path(os.path.expanduser(name))  # noqa: PTH111 - Path's own raises for an unknown ~user
        if path.is_file():
            return path
        raise UsageError(f"{path}: no such file")
    known = paths(kind)
    if name not in known:
        raise UsageError(f"no {_one(kind)} called {name!r}{did_you_mean(name, known)}")
    return known[name]


def _one(kind: str) -> str:
    return {"presets": "preset", "mappings": "mapping", "cues": "cue file"}[kind]


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """The file's table and its text. Raises FileProblems when it cannot be read or is not TOML."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as err:
        found = re.search(r"at line (\d+)", str(err))
        what = re.sub(r" \(at .*", "", str(err))
        line = int(found[1]) if found else text.count("\n") + 1  # "at end of document"
        raise FileProblems([Problem(path, line, f"not TOML: {what}")]) from err
    except (OSError, RecursionError, ValueError) as err:  # ValueError: not UTF-8, or a number of thousands of digits
        raise FileProblems([Problem(path, 0, f"cannot be read: {err}")]) from err


def line_of(text: str, key: str, start: int = 1) -> int:
    """The line (1-based) on which `key` is set in a TOML text, at or after `start`; `start` when not found."""
    pattern = re.compile(rf"""^\s*(\[+\s*)?["']?{re.escape(key)}["']?\s*(=|\.|\])""")
    lines = text.splitlines()
    for number in range(start, len(lines) + 1):
        if pattern.match(lines[number - 1]):
            return number
    return start


def read_preset(path: Path) -> Preset:
    """Read and check a preset. Raises FileProblems with every problem at once."""
    table, text = read_toml(path)
    problems = [
        Problem(path, line_of(text, key), f"unknown key {key!r}{did_you_mean(key, _PRESET_KEYS)}")
        for key in table
        if key not in _PRESET_KEYS
    ]
    title, given = table.get("title", path.stem), table.get("parameters", {})
    if not isinstance(title, str):
        problems.append(Problem(path, line_of(text, "title"), f"title must be a text, not {title!r}"))
    if not isinstance(given, dict):
        problems.append(Problem(path, line_of(text, "parameters"), "parameters must be a table: [parameters]"))
        given = {}
    values: dict[str, Value] = {}
    start = line_of(text, "parameters")
    for name, value in given.items():
        what = value_problem(name, value)
        if what:
            problems.append(Problem(path, line_of(text, name, start), what))
        else:
            values[name] = PARAMETERS[name].checked(value)
    if problems:
        raise FileProblems(sorted(problems, key=lambda problem: problem.line))
    return Preset(path.stem, title, MappingProxyType(values), path)


def value_problem(name: str, value: object) -> str:
    """What is wrong with setting this parameter to this value in a file, or "". Out of range is wrong here."""
    row = PARAMETERS.get(name)
    if row is None:
        return f"no parameter called {name!r}{did_you_mean(name, PARAMETERS)}"
    if row.kind == "trigger":
        return f"{name} is fired live and cannot stand in a file"
    if row.kind == "switch" and not isinstance(value, bool):
        return f"{name} is a switch and takes true or false, not {value!r}"
    if row.kind in ("number", "whole") and isinstance(value, bool):
        return f"{name} takes a number, not {value!r}"
    try:
        checked = row.checked(value)
    except ParameterError as err:
        return str(err)
    if row.kind in ("number", "whole") and checked != value:
        return f"{name} must be {_span(row.kind)} from {row.low:g} to {row.high:g}, not {value!r}"
    return ""


def _span(kind: str) -> str:
    return "a whole number" if kind == "whole" else "a number"
