"""The bank: stored prompts by their places from 1 to 128, and the file that keeps what was stored during a show.

[bank]                  # bank.toml in your own folder: in every show
1 = "a red rose"        # a show file's list hides these places, and what was stored during that show hides both:
12 = "a blue sea"       # it stands in bank-NAME.toml, NAME being the show file's
"""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from engine.parameters import TEXT_LIMIT, as_text
from vj import library
from vj.changes import BANK_PLACES
from vj.sheet import read_sheet

log = logging.getLogger("vj.bank")

SAVE_EVERY_S = 0.5
Bank = Mapping[int, str]
EMPTY: Bank = MappingProxyType({})
_HEAD = "# Stored prompts, written by the instrument; edit it when no show runs.\n[bank]\n"


def own_file() -> Path:
    """The bank that is there in every show."""
    return library.own_folder() / "bank.toml"


def show_file(show: str) -> Path:
    """What was stored by hand during this show; in a show without a show file ("") the bank of every show."""
    return library.own_folder() / f"bank-{show}.toml" if show else own_file()


def read_bank(path: Path) -> Bank:
    """Read and check a bank; empty where there is no such file. Raises FileProblems with every problem at once."""
    if not path.exists():
        return EMPTY
    sheet = read_sheet(path)
    sheet.check_keys(sheet.table, ("bank",))
    found, rows = {}, sheet.table.get("bank", {})
    if not isinstance(rows, dict):
        sheet.problem("bank must be a table: [bank]", "bank")
        rows = {}
    for key, text in rows.items():
        if not (key.isdecimal() and 1 <= int(key) <= BANK_PLACES):
            sheet.problem(f"{key!r} is no place of the bank; they are 1 to {BANK_PLACES}", key)
        elif not isinstance(text, str) or len(text) > TEXT_LIMIT:
            sheet.problem(f"place {key} takes a text of at most {TEXT_LIMIT} letters", key)
        elif as_text(text):
            found[int(key)] = as_text(text)
    sheet.finish()
    return MappingProxyType(found)


class BankFile:
    """Keeps what was stored during the show on disk: all places that are not as in `given`. Owned by the desk."""

    def __init__(self, path: Path, bank: Bank, given: Bank = EMPTY) -> None:
        """`bank` is what is on disk already, together with what the show was `given`."""
        self._path, self._given = path, given
        self._kept, self._due = bank, 0.0
        self._text = _text_of(path)
        self._error = ""

    def keep(self, bank: Bank, now: float) -> str:
        """Write the bank if it is another one, at most twice a second; what went wrong, said once, or ""."""
        if bank == self._kept or now < self._due:
            return ""
        self._due = now + SAVE_EVERY_S
        try:
            self._write({n: text for n, text in bank.items() if self._given.get(n) != text})
        except OSError as err:
            log.exception("bank: could not be written")
            before, self._error = self._error, f"the bank could not be written, tried again: {err}"
            return self._error if self._error != before else ""
        self._kept, self._error = bank, ""
        return ""

    def _write(self, stored: Bank) -> None:
        """Write atomically; a file that somebody else has changed meanwhile is put aside, not lost."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if _text_of(self._path) not in ("", self._text):
            self._path.replace(self._path.with_suffix(".before"))
        rows = (f"{n} = {_quoted(text)}\n" for n, text in sorted(stored.items()))
        text, draft = _HEAD + "".join(rows), self._path.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # a power cut must not leave an empty file
        draft.replace(self._path)
        self._text = text


def _quoted(text: str) -> str:
    """The text as TOML writes it: a JSON string is one, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return "" if not path.exists() else "\0"  # there, but not readable: not what we wrote
