"""Which ground stands behind a scene, and how it is said."""

import random
from collections.abc import Sequence

from engine.training.concepts import Concepts, Subject
from engine.training.facts import NONE, Freedom, Recipe

DARK_HOMES = ("dark", "light")
"""Homes that are no landscape: a plain dark or a plain light ground."""

LIGHT, DARK = (0.86, 0.87, 0.89), (0.035, 0.035, 0.05)
"""Plain grounds of subjects whose prompt names none."""

VARIANTS = 1000
"""More than any studio paints of one ground: each takes the remainder."""

SKIES = ("sky", "night", "sunset", "aurora", "storm", "galaxy")
"""Landscapes that stand above others."""

LANDS = ("ocean", "grass", "mountains", "city", "desert", "snow", "forest")
"""Landscapes that lie below a sky."""

AIRS = ("rain", "snow", "smoke", "fire", "lasers", "bokeh", "confetti")
"""What can be all over a landscape."""

PLAIN = 0.35
"""Share of patterns that are one colour all over."""

TINTED, DOUBLED = 0.12, 0.15
"""Shares of landscapes of a named colour, and of two landscapes in one."""


class Grounds:
    """Sets grounds into recipes. Shares the cook's source of chance."""

    def __init__(
        self, concepts: Concepts, chance: random.Random, dim: Sequence[bool], held_out: bool, freedom: Freedom
    ) -> None:
        self.concepts = concepts
        self.chance = chance
        self.dim = dim
        self.held_out = held_out
        self.freedom = freedom
        self.landscapes = list(concepts.grounds)
        self.patterns = list(concepts.patterns)
        self.names = {subject.name for subject in concepts.subjects}
        self.black = [c.phrases[0] for c in concepts.colours].index("black")
        self.white = [c.phrases[0] for c in concepts.colours].index("white")

    def landscape(self, recipe: Recipe, subject: int = NONE) -> str:
        """Set a landscape that this subject may be trained on, if there is one; how it is said."""
        words = self._said(recipe, self._allowed(subject))
        if self.held_out:
            return words
        kind = self.chance.random()
        if kind < TINTED:
            recipe.said[4] = recipe.true[4] = colour = self.chance.randrange(len(self.concepts.colours))
            return f"{self.chance.choice(self.concepts.colours[colour].phrases)} {words}"
        if kind < TINTED + DOUBLED:
            return self._doubled(recipe, subject, words)
        return words

    def _said(self, recipe: Recipe, number: int) -> str:
        """Set this landscape. Each way of saying it has a picture of its own."""
        recipe.said[3] = recipe.true[3] = number
        phrases = self.concepts.grounds[self.landscapes[number]]
        said = self.chance.randrange(len(phrases))
        recipe.variant = self._variant(said)
        return phrases[said]

    def _doubled(self, recipe: Recipe, subject: int, words: str) -> str:
        """Add a landscape that can be seen with the one set; how both are said, in any order."""
        name = self.landscapes[recipe.true[3]]
        others = [*(LANDS if name in SKIES else ()), *(SKIES if name in LANDS else ()), *AIRS]
        others += [*LANDS, *SKIES] if name in AIRS else []
        found = [self.landscapes.index(other) for other in others if other != name]
        found = [number for number in found if self._is_allowed(subject, number)]
        if not found or name not in (*SKIES, *LANDS, *AIRS):
            return words
        other = self.chance.choice(found)
        recipe.said[3], recipe.said[6] = recipe.true[3], recipe.true[6] = sorted((recipe.true[3], other))
        phrases = self.concepts.grounds[self.landscapes[other]]
        said = self.chance.randrange(len(phrases))
        recipe.variant = self._variant(recipe.variant + said)
        both = [words, phrases[said]]
        self.chance.shuffle(both)
        return self.chance.choice((" over ", " and ", " in ", " with ", " under ", " ")).join(both)

    def _variant(self, said: int) -> int:
        return self.chance.randrange(VARIANTS) if self.freedom.is_free else said

    def unsaid(self, recipe: Recipe, subject: Subject) -> None:
        """Set the ground of a prompt that names none: the subject's home, or something plain and mostly dark."""
        if subject.home not in DARK_HOMES and not (self.freedom.is_free and self.chance.random() < 0.5):
            self.at_home(recipe, subject.home, recipe.figures[0].subject)
            return
        number, colour = recipe.figures[0].subject, recipe.figures[0].colour
        dim = self.dim[number] if colour == NONE else max(self.concepts.colours[colour].rgb) < 0.35
        light = subject.home == "light" or dim
        recipe.plain = self._shade(LIGHT if light else DARK)
        recipe.true[3] = len(self.landscapes) + self.patterns.index("flat")
        recipe.true[4] = self.white if light else self.black

    def at_home(self, recipe: Recipe, home: str, number: int) -> None:
        """Set a landscape that is not said: the home of the thing or mood of this number."""
        recipe.true[3] = self.landscapes.index(home)
        recipe.variant = self._variant(number)

    def _shade(self, plain: tuple[float, float, float]) -> tuple[float, float, float]:
        red, green, blue = (min(1.0, max(0.0, self.chance.gauss(level, self.freedom.level))) for level in plain)
        return red, green, blue

    def pattern(self, recipe: Recipe) -> str:
        """Set a pattern in named colours; how it is said."""
        plain = self.chance.random() < PLAIN
        name = "flat" if plain else self.chance.choice(self.patterns[1:])
        colours = list(range(len(self.concepts.colours)))
        first, second = self.chance.sample(colours, 2)
        recipe.said[3] = recipe.true[3] = len(self.landscapes) + self.patterns.index(name)
        recipe.said[4] = recipe.true[4] = first
        said = [self.chance.choice(self.concepts.colours[first].phrases)]
        is_bare = plain and said[0] not in self.names and self.chance.random() < 0.6  # an orange is a fruit
        if not plain:
            recipe.said[5] = recipe.true[5] = second
            said += [self.chance.choice(("and", "")), self.chance.choice(self.concepts.colours[second].phrases)]
        if not is_bare:
            phrase = self.chance.randrange(len(self.concepts.patterns[name]))
            recipe.variant = self._variant(phrase)
            said.append(self.concepts.patterns[name][phrase])
        return " ".join(said)

    def _allowed(self, subject: int) -> int:
        while True:
            number = self.chance.randrange(len(self.landscapes))
            if self._is_allowed(subject, number):
                return number

    def _is_allowed(self, subject: int, number: int) -> bool:
        return subject == NONE or ((7 * subject + 13 * number) % 10 == 0) == self.held_out
