"""What is sung when, and what a critic may choose from."""

import tomllib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

CHOICES = 100

PROMPTS = Path(__file__).parent.parent / "training" / "judging.toml"
"""The hundred prompts that the shipped guide is judged by; here they fill up the choices."""

Meaning = Callable[[str], Hashable]
"""Texts with the same meaning are one choice."""


@dataclass(frozen=True, slots=True)
class Line:
    """Words and from when to when they are sung, s."""

    start_s: float
    end_s: float
    text: str


def judging_prompts(path: Path = PROMPTS) -> dict[str, tuple[str, ...]]:
    """The prompts of each class, in the file's order."""
    return {kind: tuple(lines) for kind, lines in tomllib.loads(path.read_text(encoding="utf-8")).items()}


def distractors() -> list[str]:
    """The same prompts, classes taking turns, so that any first part of them is mixed."""
    turns = zip_longest(*judging_prompts().values())
    return [text for turn in turns for text in turn if text]


def choices(lines: Sequence[str], others: Sequence[str], meaning: Meaning, count: int = CHOICES) -> list[str]:
    """The texts chosen among: every line once, then others that mean something else, up to `count`."""
    found: dict[Hashable, str] = {}
    for text in lines:
        found.setdefault(meaning(text), text)
    for text in others:
        if len(found) >= count:
            break
        found.setdefault(meaning(text), text)
    return list(found.values())
