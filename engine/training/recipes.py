"""What a scene shows and what is said of it: drawn by chance, before anything is painted."""

import math
import random
from collections.abc import Sequence

from engine.training.concepts import COUNTS, Concepts, Subject
from engine.training.facts import FARTHEST, MOOD, NONE, STEADY, Figure, Freedom, Recipe
from engine.training.grounds import Grounds
from engine.training.moods import IN_MOOD

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
SIDES = {
    "and": (0.5, 0.0), "with": (0.5, 0.0), "near": (0.5, 0.0), "": (0.5, 0.0),
    "over": (0.0, 0.5), "above": (0.0, 0.5), "under": (0.0, -0.5),
}  # fmt: skip
"""What stands between two subjects, and the way from the picture's middle to the second of them."""

SIZES = {1: 0.82, 2: 0.47, 3: 0.4, 4: 0.4, 5: 0.36}


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
        self.held_out = held_out
        self.grounds = Grounds(concepts, self.chance, dim, held_out, freedom)
        self.weights = [s.weight for s in concepts.subjects]

    def recipe(self) -> Recipe:
        """One view of one scene of any kind."""
        if self.held_out:
            return self._subject_on_landscape()
        kinds = {
            self._subject_alone: 0.35,
            self._subject_on_landscape: 0.26,
            self._subject_on_pattern: 0.08,
            self._ground_only: 0.19,
            self._two_subjects: 0.12,
        }
        recipe = self.chance.choices(list(kinds), list(kinds.values()))[0]()
        if self.chance.random() < IN_MOOD:
            recipe = self._in_mood(recipe)
        recipe.box = self._box()
        return recipe

    def _in_mood(self, recipe: Recipe) -> Recipe:
        """The scene in a mood. One time in eight nothing else is said, and the mood has its home."""
        number = self.chance.randrange(len(self.concepts.moods))
        mood = self.concepts.moods[number]
        words = self.chance.choice(mood.phrases) if self.chance.random() < 0.6 else mood.phrases[0]
        if self.chance.random() < 0.125:
            recipe = Recipe()
            self.grounds.at_home(recipe, mood.home, number)
        order = (words, recipe.caption) if self.chance.random() < 0.5 else (recipe.caption, words)
        recipe.caption = " ".join(filter(None, order))
        recipe.said[MOOD] = recipe.true[MOOD] = number
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
        self.grounds.unsaid(recipe, subject)
        recipe.caption = self._with_idle_word(words)
        return recipe

    def _subject_on_landscape(self) -> Recipe:
        recipe = Recipe()
        _, words = self._stand(recipe)
        ground = self.grounds.landscape(recipe, recipe.said[0])
        recipe.caption = self._join(self._with_idle_word(words), ground)
        return recipe

    def _subject_on_pattern(self) -> Recipe:
        recipe = Recipe()
        _, words = self._stand(recipe)
        recipe.caption = self._join(words, self.grounds.pattern(recipe))
        return recipe

    def _ground_only(self) -> Recipe:
        recipe = Recipe()
        is_pattern = self.chance.random() < 0.4
        recipe.caption = self.grounds.pattern(recipe) if is_pattern else self.grounds.landscape(recipe)
        return recipe

    def _two_subjects(self) -> Recipe:
        """Two in one picture: side by side as they are said, or one above the other where a word says so."""
        recipe = Recipe()
        numbers = [self._pick() for _ in range(2)]
        recipe.said[:2] = recipe.true[:2] = numbers
        word, step = self.chance.choice(tuple(SIDES.items()))
        for sign, number in zip((-1, 1), numbers, strict=True):
            recipe.figures.append(self._figure(number, step[0] * sign, step[1] * sign, 0.5, NONE))
        ground = ""
        if self.chance.random() < 0.5:
            self.grounds.unsaid(recipe, self.concepts.subjects[numbers[0]])
        else:
            ground = self.grounds.landscape(recipe, numbers[0])
        words = [self._phrase(self.concepts.subjects[n]) for n in numbers]
        recipe.caption = self._join(f"{words[0]} {word} {words[1]}", ground)
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
        is_named = subject.name in subject.phrases and self.chance.random() < 0.45
        return subject.name if is_named else self.chance.choice(subject.phrases)
