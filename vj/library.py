"""The library: presets, mappings and cue files by name, from the user's folder, the package or the checkout."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import platformdirs

from engine.parameters import PARAMETERS, ParameterError, Value
from vj.errors import UsageError, did_you_mean
from vj.sheet import Sheet, inner_line_of, line_of, read_sheet

_SUFFIXES = {"presets": (".toml",), "mappings": (".toml",), "cues": (".lrc", ".toml"), "shows": (".toml",)}
_PRESET_KEYS = ("title", "parameters")


@dataclass(frozen=True, slots=True)
class Preset:
    """Chosen parameters of a look, as read from a file in `presets/`."""

    name: str
    title: str
    values: Mapping[str, Value]
    path: Path


def own_folder() -> Path:
    """The user's own folder; it may not be there yet."""
    return Path(platformdirs.user_config_path("vj"))


def folders(kind: str) -> tuple[Path, ...]:
    """Where files of this kind (presets, mappings, cues) are looked for, the user's own first."""
    here = Path(__file__).resolve().parent
    packed = here / "_shipped"
    # Beside an installed `vj` lie other people's packages, and one of them may well be called `presets`.
    shipped = packed if packed.is_dir() else here.parent
    places = (own_folder() / kind, shipped / kind)
    return tuple(place for place in places if place.is_dir())


def paths(kind: str) -> dict[str, Path]:
    """Every file of this kind by name; the user's own hides a shipped one of the same name."""
    found: dict[str, Path] = {}
    for folder in folders(kind):
        for path in sorted(folder.iterdir()):
            if path.suffix in _SUFFIXES[kind]:
                found.setdefault(path.stem, path)
    return found


def find(kind: str, name: str, beside: Path | None = None) -> Path:
    """The file for a name, or for a path if it contains a slash or ends like such a file. Raises UsageError.

    A path that is not whole begins at the folder `beside`, or where the command was given.
    """
    if "/" in name or "\\" in name or Path(name).suffix:
        path = Path(beside or "", os.path.expanduser(name))  # noqa: PTH111 - Path's own raises for an unknown ~user
        if path.is_file():
            return path
        raise UsageError(f"{path}: {'this is a folder; name a file in it' if path.is_dir() else 'no such file'}")
    known = paths(kind)
    if name not in known:
        raise UsageError(f"no {_one(kind)} called {name!r}{did_you_mean(name, known)}")
    return known[name]


def _one(kind: str) -> str:
    return {"presets": "preset", "mappings": "mapping", "cues": "cue file", "shows": "show file"}[kind]


def read_preset(path: Path) -> Preset:
    """Read and check a preset. Raises FileProblems with every problem at once."""
    sheet = read_sheet(path)
    sheet.check_keys(sheet.table, _PRESET_KEYS)
    title = sheet.title()
    values = read_values(sheet, sheet.table, 1)
    sheet.finish()
    return Preset(path.stem, title, values, path)


def read_values(sheet: Sheet, table: Mapping[str, Any], start: int) -> Mapping[str, Value]:
    """The `parameters` of a file or of a block of it that begins on line `start`; what is wrong is noted."""
    given = table.get("parameters", {})
    if not isinstance(given, dict):
        sheet.problem("parameters must be a table: [parameters]", "parameters", start)
        return MappingProxyType({})
    below = line_of(sheet.text, "parameters", start)
    values: dict[str, Value] = {}
    for name, value in given.items():
        what = value_problem(name, value)
        if what:
            sheet.problem(what, start=inner_line_of(sheet.text, name, below))
        else:
            values[name] = PARAMETERS[name].checked(value)
    return MappingProxyType(values)


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
