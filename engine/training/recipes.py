"""What a scene shows and what is said of it: drawn by chance, before anything is painted."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.training.concepts import COUNTS, Concepts, Subject

NONE = -1
DARK_HOMES = ("dark", "light")
"""Homes that are no landscape: a plain dark or a plain light ground."""

IDLE = ["see", "look", "watch", "sing", "singing", "call", "calling", "run", "running"]
IDLE += ["fall", "falling", "fly", "sail", "dream", "glow", "shine"]
"""Words that mean a subject when they stand alone, and little beside another one."""

LAYOUTS: dict[int, tuple[tuple[float, float], ...]] = {
    1: ((0.0, 0.0),),
    2: ((-0.5, 0.0), (0.5, 0.0)),
    3: ((-0.6, 0.1), (0.0, -0.15), (0.6, 0.1)),
    4: ((-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)),
    5: ((-0.6, -0.55), (0.6, -0.55), (0.0, 0.0), (-0.6, 0.55), (0.6, 0.55)),
}
SIZES = {1: 0.82, 2: 0.47, 3: 0.4, 4: 0.4, 5: 0.36}


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

LIGHT, DARK = (0.86, 0.87, 0.89), (0.035, 0.035, 0.05)
"""Plain grounds of subjects whose prompt names none."""

VARIANTS = 1000
"""More than any studio paints of one ground: each takes the remainder."""

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
    """One scene. The six facts are what is true of it, the six words what its caption says (NONE: unsaid).

    Both are: subject, second subject, subject's colour, ground, ground's colour, ground's second colour.
    """

    caption: str = ""
    said: list[int] = field(default_factory=lambda: [NONE] * 6)
    true: list[int] = field(default_factory=lambda: [NONE] * 6)
    figures: list[Figure] = field(default_factory=list)
    plain: tuple[float, float, float] | None = None
    variant: int = 0
    box: tuple[float, float, float, float] = WHOLE


class Cook:
    """Invents recipes. Owns its source of chance.

    A tenth of the pairs of subject and landscape is held out: training never sees them together.
    """

    def __init__(
        self, concepts: Concepts, seed: int, dim: Sequence[bool], held_out: bool = False, freedom: Freedom = STEADY
    ) -> None:
        self.concepts = concepts
        self.freedom = freedom
        self.chance = random.Random(seed)
        self.dim = dim
        self.held_out = held_out
        self.landscapes = list(concepts.grounds)
        self.patterns = list(concepts.patterns)
        self.weights = [s.weight for s in concepts.subjects]
        self.black = [c.phrases[0] for c in concepts.colours].index("black")
        self.white = [c.phrases[0] for c in concepts.colours].index("white")

    def recipe(self) -> Recipe:
        """One view of one scene of any kind."""
        if self.held_out:
            return self._subject_on_landscape()
        kinds = {
            self._subject_alone: 0.40,
            self._subject_on_landscape: 0.27,
            self._subject_on_pattern: 0.07,
            self._ground_only: 0.18,
            self._two_subjects: 0.08,
        }
        recipe = self.chance.choices(list(kinds), list(kinds.values()))[0]()
        recipe.box = self._box()
        return recipe

    def _box(self) -> tuple[float, float, float, float]:
        """Where a view lies: the middle square, the whole width squeezed, or a part, as the engine cuts them."""
        kind = self.chance.random()
        high = self.chance.uniform(0.93, 1.02)
        x, y = self.chance.uniform(-0.04, 0.04), self.chance.uniform(-0.03, 0.03)
        if kind < 0.4:
            wide = high * self.chance.uniform(0.97, 1.03)
        elif kind < 0.65:
            wide = high * (FARTHEST if self.chance.random() < 0.7 else self.chance.uniform(1.0, FARTHEST))
        elif kind < 0.88:
            wide = high * self.chance.uniform(0.97, 1.03)
            x += (FARTHEST - wide) * self.chance.choice((-1, 1))
        else:
            high = self.chance.uniform(0.45, 1.0)
            wide = high * math.exp(self.chance.uniform(-0.29, 0.29))
            x = self.chance.uniform(-1, 1) * (FARTHEST + 0.1 - wide)
            y = self.chance.uniform(-1, 1) * (1.1 - high)
        return x - wide, y - high, x + wide, y + high

    def _subject_alone(self) -> Recipe:
        recipe = Recipe()
        subject, words = self._stand(recipe)
        self._unsaid_ground(recipe, subject)
        recipe.caption = self._with_idle_word(words)
        return recipe

    def _subject_on_landscape(self) -> Recipe:
        recipe = Recipe()
        _, words = self._stand(recipe)
        number = self._allowed_landscape(recipe.said[0])
        recipe.caption = self._join(self._with_idle_word(words), self._landscape(recipe, number))
        return recipe

    def _subject_on_pattern(self) -> Recipe:
        recipe = Recipe()
        _, words = self._stand(recipe)
        recipe.caption = self._join(words, self._pattern(recipe))
        return recipe

    def _ground_only(self) -> Recipe:
        recipe = Recipe()
        if self.chance.random() < 0.3:
            recipe.caption = self._pattern(recipe)
            return recipe
        number = self.chance.randrange(len(self.landscapes))
        recipe.caption = self._landscape(recipe, number)
        return recipe

    def _landscape(self, recipe: Recipe, number: int) -> str:
        """Set a landscape; how it is said. Each way of saying it has a picture of its own."""
        recipe.said[3] = recipe.true[3] = number
        phrases = self.concepts.grounds[self.landscapes[number]]
        said = self.chance.randrange(len(phrases))
        recipe.variant = self._variant(said)
        return phrases[said]

    def _variant(self, said: int) -> int:
        return self.chance.randrange(VARIANTS) if self.freedom.is_free else said

    def _two_subjects(self) -> Recipe:
        recipe = Recipe()
        first, second = (self._pick() for _ in range(2))
        recipe.said[:2] = recipe.true[:2] = [first, second]
        upright = self.chance.random() < 0.3
        for sign, number in ((-1, first), (1, second)):
            x, y = (0.0, 0.5 * sign) if upright else (0.5 * sign, 0.0)
            recipe.figures.append(self._figure(number, x, y, 0.5, NONE))
        if self.chance.random() < 0.5:
            self._unsaid_ground(recipe, self.concepts.subjects[first])
            ground = ""
        else:
            ground = self._landscape(recipe, self._allowed_landscape(first))
        words = [self._phrase(self.concepts.subjects[n]) for n in (first, second)]
        self.chance.shuffle(words)
        recipe.caption = self._join(" ".join([words[0], self.chance.choice(("and", "with", "")), words[1]]), ground)
        return recipe

    def _stand(self, recipe: Recipe) -> tuple[Subject, str]:
        """Put a subject, or several of it, into the scene; what it is and how it is said."""
        number = self._pick()
        subject = self.concepts.subjects[number]
        recipe.said[0] = recipe.true[0] = number
        count = self.chance.choices((1, 2, 3, 4, 5), (0.89, 0.04, 0.03, 0.02, 0.02))[0]
        words = self._phrase(subject)
        colour = NONE
        if self.chance.random() < 0.2:
            colour = self.chance.randrange(len(self.concepts.colours))
            words = f"{self.chance.choice(self.concepts.colours[colour].phrases)} {words}"
            recipe.said[2] = recipe.true[2] = colour
        if count > 1:
            words = f"{self.chance.choice(COUNTS[count])} {words}"
        shift = (0.0, 0.0) if count > 1 else self._shift()
        for x, y in LAYOUTS[count]:
            recipe.figures.append(self._figure(number, x + shift[0], y + shift[1], SIZES[count], colour))
        return subject, words

    def _with_idle_word(self, words: str) -> str:
        """A lyric is a sentence: in one line of eight something is done or seen."""
        if self.chance.random() > 0.125:
            return words
        idle = self.chance.choice(IDLE)
        return f"{words} {idle}" if self.chance.random() < 0.7 else f"{idle} {words}"

    def _shift(self) -> tuple[float, float]:
        """Off the centre, a little: views look elsewhere, the subject stays."""
        return self.chance.gauss(0, self.freedom.shift), self.chance.gauss(0, self.freedom.shift)

    def _figure(self, number: int, x: float, y: float, size: float, colour: int) -> Figure:
        free = self.freedom
        jitter = free.jitter if size < 0.6 else 0.0
        x, y = x + self.chance.gauss(0, jitter), y + self.chance.gauss(0, jitter)
        size *= self.chance.uniform(1.0 - free.size, 1.0 + free.size)
        return Figure(number, x, y, size, self.chance.gauss(0, free.turn), colour)

    def _unsaid_ground(self, recipe: Recipe, subject: Subject) -> None:
        """The ground of a prompt that names none: the subject's home, or something plain and mostly dark."""
        if subject.home not in DARK_HOMES and not (self.freedom.is_free and self.chance.random() < 0.5):
            recipe.true[3] = self.landscapes.index(subject.home)
            recipe.variant = self._variant(recipe.figures[0].subject)
            return
        number, colour = recipe.figures[0].subject, recipe.figures[0].colour
        dim = self.dim[number] if colour == NONE else max(self.concepts.colours[colour].rgb) < 0.35
        light = subject.home == "light" or dim
        recipe.plain = self._shade(LIGHT if light else DARK)
        recipe.true[3] = len(self.landscapes) + self.patterns.index("flat")
        recipe.true[4] = self.white if light else self.black

    def _shade(self, plain: tuple[float, float, float]) -> tuple[float, float, float]:
        red, green, blue = (min(1.0, max(0.0, self.chance.gauss(level, self.freedom.level))) for level in plain)
        return red, green, blue

    def _pattern(self, recipe: Recipe) -> str:
        """Set a pattern in named colours; how it is said."""
        plain = self.chance.random() < 0.5
        name = "flat" if plain else self.chance.choice(self.patterns[1:])
        colours = list(range(len(self.concepts.colours)))
        first, second = self.chance.sample(colours, 2)
        recipe.said[3] = recipe.true[3] = len(self.landscapes) + self.patterns.index(name)
        recipe.said[4] = recipe.true[4] = first
        said = [self.chance.choice(self.concepts.colours[first].phrases)]
        if not plain:
            recipe.said[5] = recipe.true[5] = second
            said += [self.chance.choice(("and", "")), self.chance.choice(self.concepts.colours[second].phrases)]
        if not plain or self.chance.random() < 0.4:
            phrase = self.chance.randrange(len(self.concepts.patterns[name]))
            recipe.variant = self._variant(phrase)
            said.append(self.concepts.patterns[name][phrase])
        return " ".join(said)

    def _join(self, words: str, ground: str) -> str:
        if not ground:
            return words
        place = self.chance.choice(("on", "in", "over", "under", "at", "with", "against", "and", ""))
        if self.chance.random() < 0.2:
            return f"{ground} {self.chance.choice(('with', 'and', ''))} {words}"
        return f"{words} {place} {ground}"

    def _pick(self) -> int:
        return self.chance.choices(range(len(self.weights)), self.weights)[0]

    def _phrase(self, subject: Subject) -> str:
        return subject.name if self.chance.random() < 0.45 else self.chance.choice(subject.phrases)

    def _allowed_landscape(self, subject: int) -> int:
        while True:
            number = self.chance.randrange(len(self.landscapes))
            if ((7 * subject + 13 * number) % 10 == 0) == self.held_out:
                return number
