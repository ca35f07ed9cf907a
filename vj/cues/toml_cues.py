"""Cue lists in TOML: timed prompts with labels, fades and parameters.

title = "Night Ferry"        # absent: the file's name

[[cue]]
at = 0.0                     # s from the start of the song, from 0 to a day; each later than the one before
prompt = "a red lighthouse"  # at most 512 letters; "" holds the words before
label = "A"                  # to call it by; no two alike, case ignored
fade_s = 2.0                 # s, 0-60: the words before hold until `at`, then cross over into these; absent: they
                             # blend into these over their whole length, as lines of an LRC file do
parameters = { temperature = 55.0 }  # set when the cue begins; numbers glide there over fade_s
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from engine.parameters import PARAMETERS, TEXT_LIMIT
from vj.cues.cue import Cue, CueList, cleaned
from vj.errors import Problem
from vj.library import read_values
from vj.sheet import Sheet, line_of, read_sheet

LATEST_S = 86_400.0
LABEL_LIMIT = 80
_TOP_KEYS = ("title", "cue")
_KEYS = ("at", "prompt", "label", "fade_s", "parameters")


def read_toml_cues(path: Path) -> CueList:
    """The cue list of a TOML file. Raises FileProblems with every problem at once, each with its line."""
    sheet = read_sheet(path)
    sheet.check_keys(sheet.table, _TOP_KEYS)
    title = cleaned(sheet.title())[:TEXT_LIMIT] or path.stem
    blocks = [_Block(sheet, row, line) for row, line in sheet.blocks("cue", _NONE)]
    cues = [block.cue() for block in blocks]
    if blocks and not sheet.problems and not any(cue.text for cue in cues):
        sheet.problem("no cue has any words; give one a prompt", "prompt")
    _check_order(sheet, blocks)
    _check_labels(sheet, cues)
    sheet.finish()
    return CueList(title, tuple(cues), _cut_fades(path, cues), path)


_NONE = "no cue is given; write [[cue]] and below it at and prompt"


@dataclass(frozen=True, slots=True)
class _Block:
    """One [[cue]] while it is checked; it begins on `line`."""

    sheet: Sheet
    row: Mapping[str, Any]
    line: int

    def cue(self) -> Cue:
        """The cue of this block. What it gives after a problem is never used."""
        self.sheet.check_keys(self.row, _KEYS, self.line)
        at_s, fade_s = self._number("at", LATEST_S), self._number("fade_s", PARAMETERS["fade"].high)
        if "at" not in self.row:
            self.sheet.problem("a cue needs at, the time it begins at in seconds", start=self.line)
        parameters = read_values(self.sheet, self.row, self.line)
        return Cue(at_s or 0.0, self._prompt(), self.line, self._label(), fade_s, parameters)

    def at(self) -> float | None:
        """When it begins, s; None where that is wrong already."""
        return _seconds(self.row.get("at"), LATEST_S)

    def _number(self, key: str, high: float) -> float | None:
        value = self.row.get(key)
        seconds = _seconds(value, high)
        if value is not None and seconds is None:
            self.sheet.problem(f"{key} must be a number of seconds from 0 to {high:g}, not {value!r}", key, self.line)
        return seconds

    def _prompt(self) -> str:
        prompt = self.row.get("prompt")
        if prompt is None:
            self.sheet.problem('a cue needs a prompt; prompt = "" holds the words before', start=self.line)
        elif not isinstance(prompt, str):
            self.sheet.problem(f"prompt must be a text, not {prompt!r}", "prompt", self.line)
        elif len(cleaned(prompt)) > TEXT_LIMIT:
            what = f"prompt has {len(cleaned(prompt))} letters, at most {TEXT_LIMIT} are read"
            self.sheet.problem(what, "prompt", self.line)
        return cleaned(prompt) if isinstance(prompt, str) else ""

    def _label(self) -> str:
        label = self.row.get("label", "")
        is_label = isinstance(label, str) and 0 < len(cleaned(label)) <= LABEL_LIMIT
        if "label" in self.row and not is_label:
            self.sheet.problem(f"label must be a text of 1 to {LABEL_LIMIT} letters, not {label!r}", "label", self.line)
        return cleaned(label) if is_label else ""


def _seconds(value: Any, high: float) -> float | None:
    """The value as seconds, None where it is no number from 0 to `high`."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= high else None


def _check_order(sheet: Sheet, blocks: list[_Block]) -> None:
    """Note every cue that does not begin later than the one before it."""
    timed = [(block, at) for block in blocks if (at := block.at()) is not None]
    for (earlier, before), (block, at) in pairwise(timed):
        if at <= before:
            there = line_of(sheet.text, "at", earlier.line)
            what = f"at = {at:g} is not later than {before:g} on line {there}; write the cues in the order of time"
            sheet.problem(what, "at", block.line)


def _check_labels(sheet: Sheet, cues: list[Cue]) -> None:
    """Note every label that is given twice, case ignored."""
    first: dict[str, Cue] = {}
    for cue in cues:
        taken = first.setdefault(cue.label.casefold(), cue)
        if cue.label and taken is not cue:
            line = line_of(sheet.text, "label", taken.line)
            sheet.problem(f"label {cue.label!r} is taken by the cue on line {line}", "label", cue.line)


def _cut_fades(path: Path, cues: list[Cue]) -> tuple[Problem, ...]:
    """A warning for every fade that the next cue cuts short."""
    return tuple(
        Problem(path, cue.line, f"fade_s = {cue.fade_s:g} is cut short: the next cue begins {length_s:g} s later")
        for cue, following in pairwise(cues)
        if (length_s := round(following.at_s - cue.at_s, 6)) < (cue.fade_s or 0.0)
    )
