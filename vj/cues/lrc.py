"""LRC lyric files: `[mm:ss.xx]words`, as players write them and as they are found in the wild.

Read: several stamps a line, `[m:ss]`, any fraction after `.` or `:`; tags, of which `ti` and `offset` are
used (milliseconds, positive is earlier); word stamps `<mm:ss.xx>`, which are removed; UTF-8, UTF-16 and
Windows-1252, any line ends. There is no standard: the forms are those of the Wikipedia article and of files
that players wrote.
"""

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path

from engine.parameters import TEXT_LIMIT
from vj.cues.cue import Cue, CueList, cleaned
from vj.errors import FileProblems, Problem

MAX_BYTES = 1 << 20

_TIME = r"(\d{1,3}):(\d{1,2})(?:[.:](\d{1,6}))?"
_STAMP = re.compile(rf"\s*\[\s*{_TIME}\s*\]")
_STAMP_LIKE = re.compile(r"\s*\[\s*[-+]?\d+\s*[.:;,][^\]]*\]?")
_WORD_STAMP = re.compile(rf"<\s*{_TIME}\s*>|\[\s*{_TIME}\s*\]")
_TAG = re.compile(r"\s*\[\s*([A-Za-z]\w*|#)\s*:(.*)\]\s*$")
_TAGS = frozenset(("ti", "ar", "al", "au", "by", "re", "ve", "length", "offset", "la", "lr", "id", "tool", "hash", "#"))


def read_lrc(path: Path) -> CueList:
    """The cue list of an LRC file. Raises FileProblems: unreadable, a broken stamp, or no line with words."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FileProblems([Problem(path, 0, f"cannot be read: {error.strerror or error}")]) from error
    if len(raw) > MAX_BYTES:
        raise FileProblems([Problem(path, 0, f"{len(raw)} bytes are too many for a lyric file (at most {MAX_BYTES})")])
    page = _Page(path)
    for number, text in enumerate(re.split(r"\r\n|\r|\n", page.decode(raw)), start=1):
        page.read_line(number, text)
    return page.cue_list()


@dataclass(slots=True)
class _Page:
    """Collects what one file holds, line by line."""

    path: Path
    title: str = ""
    offset_s: float = 0.0
    cues: list[Cue] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def decode(self, raw: bytes) -> str:
        """The text of the file. What is neither UTF-8 nor UTF-16 is read as Windows-1252, with a warning."""
        for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
                               (codecs.BOM_UTF16_BE, "utf-16")):  # fmt: skip
            if raw.startswith(mark):
                return raw.decode(encoding, errors="replace")
        # Text without a mark holds a zero byte only in UTF-16, where most letters bring one on the same side.
        if raw.count(0) > len(raw) // 8:
            return raw.decode("utf-16-be" if raw[0:1] == b"\0" else "utf-16-le", errors="replace")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self._warn(0, "not UTF-8, read as Windows-1252; save it as UTF-8 if the words look wrong")
            return raw.decode("cp1252", errors="replace")

    def read_line(self, number: int, text: str) -> None:
        """Take in one line of the file."""
        at, rest, is_broken = self._stamps(number, text)
        if at:
            words = self._words(number, rest)
            self.cues += [Cue(at_s, words, number) for at_s in at]
        elif not is_broken and text.strip("\ufeff \t"):
            self._read_unstamped(number, text)

    def _stamps(self, number: int, text: str) -> tuple[list[float], str, bool]:
        """The times a line begins with, s, what follows them, and whether one of them was broken."""
        at: list[float] = []
        is_broken = False
        while True:
            found = _STAMP.match(text)
            like = found or _STAMP_LIKE.match(text)
            if like is None:
                return at, text, is_broken
            if found and int(found[2]) < 60:
                at.append(_seconds(found[1], found[2], found[3]))
            else:
                self._problem(number, _right_stamp(like[0].strip(), found))
                is_broken = True
            text = text[like.end() :]

    def _read_unstamped(self, number: int, text: str) -> None:
        tag = _TAG.match(text)
        if tag is None:
            self._warn(number, f"skipped, it has no time stamp: {_short(text)!r}")
            return
        name, value = tag[1].lower(), cleaned(tag[2])
        if name == "ti":
            self.title = value[:TEXT_LIMIT]
        elif name == "offset":
            self._read_offset(number, value)
        elif name not in _TAGS:
            self._warn(number, f"skipped, no tag called {name!r} is known: {_short(text)!r}")

    def _read_offset(self, number: int, value: str) -> None:
        if re.fullmatch(r"[-+]?\s*\d{1,9}", value):
            self.offset_s = int(value.replace(" ", "")) / 1000.0
        elif value:
            self._problem(number, f"offset {value!r} is no whole number of milliseconds; write [offset:+500]")

    def _words(self, number: int, text: str) -> str:
        words = cleaned(_WORD_STAMP.sub(" ", text))
        if len(words) > TEXT_LIMIT:
            self._warn(number, f"cut to {TEXT_LIMIT} letters, it has {len(words)}")
        return words[:TEXT_LIMIT]

    def cue_list(self) -> CueList:
        """The finished list, earliest first. Raises FileProblems, with the warnings among the problems."""
        if not self.problems and not any(cue.text for cue in self.cues):
            what = "no line has both a time stamp and words; write lines such as [00:12.00]a red rose"
            raise FileProblems([Problem(self.path, 0, what)])  # alone: a warning for every line would bury it
        cues = self._in_order()
        if self.problems:
            raise FileProblems(sorted((*self.problems, *self.warnings), key=lambda each: each.line))
        warnings = tuple(sorted(self.warnings, key=lambda warning: warning.line))
        return CueList(self.title or self.path.stem, cues, warnings, self.path)

    def _in_order(self) -> tuple[Cue, ...]:
        """The cues as they are sung, no two at one time; a warning for each that another one hides."""
        by_time: dict[float, Cue] = {}
        # Sorted before the shift: of the cues that an offset pushes to 0, the last one begins the song.
        for cue in sorted(self.cues, key=lambda cue: cue.at_s):
            at_s = round(max(0.0, cue.at_s - self.offset_s), 6)
            hidden = by_time.get(at_s)
            if hidden and hidden.text and hidden.text != cue.text:
                self._warn(hidden.line, f"not shown, line {cue.line} has the same time: {_short(hidden.text)!r}")
            by_time[at_s] = Cue(at_s, cue.text, cue.line)
        return tuple(by_time.values())

    def _warn(self, line: int, what: str) -> None:
        self.warnings.append(Problem(self.path, line, what))

    def _problem(self, line: int, what: str) -> None:
        self.problems.append(Problem(self.path, line, what))


def _seconds(minutes: str, seconds: str, fraction: str | None) -> float:
    return int(minutes) * 60 + int(seconds) + (float(f"0.{fraction}") if fraction else 0.0)


def _right_stamp(stamp: str, found: re.Match[str] | None) -> str:
    if found is None:
        return f"{_short(stamp)!r} is no time stamp; write [mm:ss.xx], such as [01:02.50]"
    minutes, seconds = int(found[1]), int(found[2])
    fraction = f".{found[3]}" if found[3] else ""
    right = f"[{minutes + seconds // 60:02}:{seconds % 60:02}{fraction}]"
    return f"{stamp!r} has {seconds} seconds in its minute; write {right}"


def _short(text: str) -> str:
    text = cleaned(text)
    return text if len(text) <= 40 else text[:39] + "…"
