"""Ink: lines of coloured text, and how they become strips of the terminal.

Blue is well, orange wants attention, vermilion is trouble (after Okabe and Ito's palette, which colour-blind eyes can
tell apart); a word or a symbol always says the same as the colour.
"""

from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

BACKGROUND = "#08090b"
CURSOR_BACKGROUND = "#16263a"

_STYLES = {
    "text": "#b9c0c9",
    "bright": "bold #f3f5f7",
    "dim": "#7f8a96",
    "faint": "#353c45",
    "title": "bold #8fa3b8",
    "good": "#56b4e9",
    "warn": "#f0a431",
    "bad": "bold #ff6e54",
    "badge-good": "bold #08090b on #56b4e9",
    "badge-warn": "bold #08090b on #f0a431",
    "badge-bad": "bold #ffffff on #c03a1c",
}

Ink = tuple[str, str]


Line = tuple[Ink, ...]
"""One line of a panel: texts, each with its style: a name or a Rich style; an "@" behind it is the cursor's ground."""


def line(*inks: Ink) -> Line:
    """A line of these pieces."""
    return inks


def selected(inks: Line) -> Line:
    """The line as the cursor shows it."""
    return tuple((text, f"{style}@") for text, style in inks)


def glow(upper: float, lower: float) -> str:
    """The style of a half block whose halves are this bright, 0 (the ground) to 1 (bright text)."""
    return f"{_grey(upper)} on {_grey(lower)}"


def _grey(share: float) -> str:
    dark, light = (0x08, 0x09, 0x0B), (0xF3, 0xF5, 0xF7)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(dark, light, strict=True))


def text_of(inks: Line) -> str:
    """What a line says, without its colours."""
    return "".join(text for text, _ in inks)


def cut(text: str, width: int) -> str:
    """The text in at most `width` cells, with an ellipsis where it was cut."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + "…" if width > 0 else ""


def padded(text: str, width: int) -> str:
    """The text in exactly `width` cells, cut or filled with blanks."""
    return set_cell_size(cut(text, width), max(0, width))


def wrapped(text: str, width: int, most: int) -> list[str]:
    """The text broken between words into at most `most` pieces of `width` cells; the last one is cut."""
    lines: list[str] = []
    rest = text.split()
    while rest and len(lines) < most - 1:
        row = rest.pop(0)
        while rest and cell_len(f"{row} {rest[0]}") <= width:
            row = f"{row} {rest.pop(0)}"
        lines.append(cut(row, width))
    return [*lines, cut(" ".join(rest), width)] if rest else lines


def bar(fraction: float, width: int, style: str = "good") -> tuple[Ink, Ink]:
    """A bar of `width` cells filled by a fraction 0..1, in half cells."""
    halves = round(min(1.0, max(0.0, fraction)) * width * 2)
    filled = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    return (filled, style), ("─" * (width - len(filled)), "faint")


def centred_bar(place: float, width: int) -> tuple[Ink, ...]:
    """A bar from its middle to a place -1..1: to the right in blue, to the left in orange."""
    half = width // 2
    reach = min(half, round(abs(place) * half))
    left, right = (reach, 0) if place < 0 else (0, reach)
    return (
        ("─" * (half - left), "faint"),
        ("━" * left, "warn"),
        ("┼" if not reach else "┿", "dim"),
        ("━" * right, "good"),
        ("─" * (width - half - 1 - right), "faint"),
    )


def block_bar(fraction: float, width: int, style: str = "good") -> tuple[Ink, Ink]:
    """A bar of whole blocks, for what is read from afar."""
    eighths = round(min(1.0, max(0.0, fraction)) * width * 8)
    filled = "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")
    return (filled, style), ("·" * (width - len(filled)), "faint")


def ago(seconds: float | None) -> str:
    """How long ago something was: now, 12 s, 3 min, 2 h."""
    if seconds is None:
        return ""
    if seconds < 1.0:
        return "now"
    if seconds < 60.0:
        return f"{int(seconds)} s"
    return f"{int(seconds // 60)} min" if seconds < 3600.0 else f"{int(seconds // 3600)} h"


def clock(seconds: float) -> str:
    """A place in a song: 1:05."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


@lru_cache(maxsize=256)
def _style(name: str) -> Style:
    bare = name.removesuffix("@")
    ground = BACKGROUND if bare == name else CURSOR_BACKGROUND
    return Style.parse(f"on {ground}") + Style.parse(_STYLES.get(bare, bare))


def strip(drawn: Line, width: int) -> Strip:
    """The line as exactly `width` cells of the terminal. Texts from outside were made clean as they were read."""
    segments = [Segment(text, _style(name)) for text, name in drawn if text]
    return Strip(segments).adjust_cell_length(width, _style("text"))
