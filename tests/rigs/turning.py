"""Loops turned by hand, with memory mailboxes."""

from collections.abc import Callable
from typing import Any

from engine.parameters import Look
from vj.mailboxes import MemoryFrames, MemoryText


def turns(count: int, before_each: Callable[[int], None] = lambda n: None) -> Callable[[], bool]:
    """A `keep_on` that is true so many times and does something before each turn."""
    asked = iter(range(count))

    def keep_on() -> bool:
        if (n := next(asked, None)) is not None:
            before_each(n)
        return n is not None

    return keep_on


def a_look(**values: Any) -> str:
    return Look(line="a sea", serial=7).with_values({"engine_fps": 60.0, **values}).to_json()


def boxes(look: str | None = None) -> tuple[MemoryText, MemoryFrames, MemoryText]:
    looks = MemoryText()
    if look is not None:
        looks.put(look)
    return looks, MemoryFrames(), MemoryText()
