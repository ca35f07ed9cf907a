"""Show files: the songs of an evening in their order, with the mappings, sinks and stored prompts they are played with.

title = "Friday"
mappings = ["nanokontrol2"]          # names, or paths from the show file's folder; absent: the usual ones
sinks = ["browser", "camera"]        # absent: browser
bank = ["a red rose", "a blue sea"]  # stored prompts 1, 2 …; "" leaves a place empty

[[song]]
title = "Night Ferry"
cues = "ferry.lrc"                   # a path from the show file's folder, or the name of a cue file
preset = "glass"                     # recalled when the song begins; may be absent
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.parameters import TEXT_LIMIT, as_text
from vj import library
from vj.changes import BANK_PLACES
from vj.controls.mapping import read_mapping
from vj.cues import read_cues
from vj.errors import FileProblems, UsageError
from vj.runtime import PlannedSong
from vj.sheet import Sheet, read_sheet
from vj.sinks import make_sink

_TOP_KEYS = ("title", "song", "mappings", "sinks", "bank")
_KEYS = ("title", "cues", "preset")


@dataclass(frozen=True, slots=True)
class ShowFile:
    """What one file says; every path in it is whole."""

    title: str
    songs: tuple[PlannedSong, ...]
    mappings: tuple[str, ...]
    sinks: tuple[str, ...]
    bank: tuple[str, ...]
    path: Path


def read_show(path: Path) -> ShowFile:
    """Read and check a show and every file it names. Raises FileProblems with the problems of all of them at once."""
    sheet = read_sheet(path)
    sheet.check_keys(sheet.table, _TOP_KEYS)
    blocks = sheet.blocks("song", "no song is given; write [[song]] and below it title and cues")
    show = ShowFile(
        title=sheet.title(),
        songs=tuple(_song(sheet, row, line) for row, line in blocks),
        mappings=_mappings(sheet),
        sinks=_sinks(sheet),
        bank=_bank(sheet),
        path=path,
    )
    sheet.finish()
    return show


def is_show(path: Path) -> bool:
    """Whether a TOML file means to be a show and not a cue list; false for what cannot be read."""
    try:
        keys = read_sheet(path).table.keys() if path.suffix == ".toml" else frozenset[str]()
    except FileProblems:
        return False
    return "cue" not in keys and not keys.isdisjoint(_TOP_KEYS[1:])


def _song(sheet: Sheet, row: Mapping[str, Any], line: int) -> PlannedSong:
    sheet.check_keys(row, _KEYS, line)
    texts = {}
    for key in _KEYS:
        text = row.get(key, "")
        if not isinstance(text, str) or (key in row and not text.strip()):
            sheet.problem(f"{key} must be a text, not {text!r}", key, line)
        elif key not in row and key != "preset":
            sheet.problem(f"a song needs {key}", start=line)
        else:
            texts[key] = text
    cues, preset = (
        _found(sheet, kind, texts[key], key, line) if texts.get(key) else ""
        for kind, key in (("cues", "cues"), ("presets", "preset"))
    )
    return PlannedSong(as_text(texts.get("title", "")), cues, preset)


_READERS: Mapping[str, Callable[[Path], Any]] = {
    "cues": read_cues, "presets": library.read_preset, "mappings": read_mapping,
}  # fmt: skip


def _found(sheet: Sheet, kind: str, name: str, key: str, line: int = 1) -> str:
    """The path of a file that is named on the line of `key`; its problems join the sheet's."""
    try:
        path = library.find(kind, name, sheet.path.parent).resolve()
        _READERS[kind](path)
    except FileProblems as err:
        sheet.problems.extend(err.problems)
    except UsageError as err:
        sheet.problem(str(err), key, line)
    else:
        return str(path)
    return ""


def _mappings(sheet: Sheet) -> tuple[str, ...]:
    names = sheet.texts("mappings", 'names, such as ["nanokontrol2"]')
    return tuple(_found(sheet, "mappings", name, "mappings") for name in names)


def _sinks(sheet: Sheet) -> tuple[str, ...]:
    specs = sheet.texts("sinks", 'sinks, such as ["browser"]')
    for spec in specs:
        try:
            make_sink(spec)
        except UsageError as err:
            sheet.problem(f"sink {spec!r}: {err}", "sinks")
    return specs


def _bank(sheet: Sheet) -> tuple[str, ...]:
    texts = sheet.table.get("bank", [])
    if not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
        sheet.problem('bank must be a list of texts, such as ["a red rose"]', "bank")
        return ()
    if len(texts) > BANK_PLACES:
        sheet.problem(f"bank has {len(texts)} texts, and there are {BANK_PLACES} places", "bank")
    for n, text in enumerate(texts, 1):
        if len(text) > TEXT_LIMIT:
            sheet.problem(f"text {n} of bank has {len(text)} letters, at most {TEXT_LIMIT} are read", "bank")
    return tuple(map(as_text, texts))
