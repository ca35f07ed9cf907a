"""The kinds of files that are checked, told by what stands in them, and the command that checks each."""

from pathlib import Path

from vj.cues import READERS
from vj.errors import FileProblems, UsageError
from vj.sheet import read_sheet

# kind → what it is called, the command that checks it
_KINDS = {
    "shows": ("show file", "vj check"),
    "cues": ("cue file", "vj cues check"),
    "mappings": ("mapping", "vj mappings check"),
    "presets": ("preset", "vj presets check"),
}
# a key at the top of a TOML file → the kind that alone has it
_MARKS = {
    "song": "shows", "sinks": "shows", "mappings": "shows",
    "cue": "cues", "control": "mappings", "parameters": "presets",
}  # fmt: skip


def refuse_other_kind(kind: str, path: Path) -> None:
    """Raise UsageError naming the right command for a file that is plainly of another kind than `kind`.

    A file that bears marks of several kinds, or of none, is left to its reader.
    """
    found = _kinds_of(path)
    if found and kind not in found:
        what, command = _KINDS[found[0]]
        typed = f'"{path}"' if " " in str(path) else path
        raise UsageError(f"{path}: this is a {what}, not a {_KINDS[kind][0]}; check it with: {command} {typed}")


def _kinds_of(path: Path) -> list[str]:
    ending = path.suffix.lower()
    if ending != ".toml":
        return ["cues"] if ending in READERS else []
    try:
        table = read_sheet(path).table
    except FileProblems:  # what is wrong with it is its reader's to say
        return []
    return [kind for key, kind in _MARKS.items() if key in table]
