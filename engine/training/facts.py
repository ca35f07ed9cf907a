"""What a scene shows and what is said of it, as numbers."""

from dataclasses import dataclass, field

NONE = -1
FACTS = 8
"""Numbers that say what is true of a scene, or what is said of it."""
MOOD = 7
"""Which of them is its mood."""


@dataclass(frozen=True, slots=True)
class Freedom:
    """How much pictures of the same words differ: deviations of place, size and turn, and of the plain ground's level.

    `is_free` lets the ground of a prompt that names none be its subject's home or plain, in any of its variants.
    """

    shift: float
    jitter: float
    size: float
    turn: float
    level: float
    is_free: bool


STEADY = Freedom(shift=0.008, jitter=0.0, size=0.015, turn=0.01, level=0.0, is_free=False)
"""For the guide: one picture for the same words. What differs, a gradient can only blur."""

LOOSE = Freedom(shift=0.04, jitter=0.03, size=0.07, turn=0.05, level=0.08, is_free=True)
"""For a judge, which is to know a thing however it is shown."""

WHOLE = (-1.0, -1.0, 1.0, 1.0)
"""Left, top, right and bottom of the middle square of a picture."""

FARTHEST = 16 / 9
"""Where the widest picture ends, in halves of its height."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One glyph: number of the subject, centre and half extent in halves of the picture's height, turn in radians."""

    subject: int
    x: float
    y: float
    size: float
    turn: float
    colour: int


@dataclass(slots=True)
class Recipe:
    """One scene. The facts are what is true of it, the words what its caption says (NONE: unsaid).

    Both are: subject, second subject, subject's colour, ground, ground's colour, ground's second colour, second ground,
    mood.
    """

    caption: str = ""
    said: list[int] = field(default_factory=lambda: [NONE] * FACTS)
    true: list[int] = field(default_factory=lambda: [NONE] * FACTS)
    figures: list[Figure] = field(default_factory=list)
    plain: tuple[float, float, float] | None = None
    variant: int = 0
    box: tuple[float, float, float, float] = WHOLE
