"""What the guide learns to name: the table of concepts.toml, and the words of Unicode CLDR."""

import re
import tomllib
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from engine.guides.shipped_text import WordTokenizer
from engine.guides.words import PLACES

TABLE = Path(__file__).parent / "concepts.toml"
CLDR = Path("/usr/share/unicode/cldr/common/annotations/en.xml")
"""English names and keywords of the glyphs, where Debian's unicode-cldr-core puts them."""

FAVOURED = 2.0
"""How much oftener a favourite is shown than another subject."""

COUNTS = {2: ("two", "a pair of", "twin"), 3: ("three",), 4: ("four", "some"), 5: ("five", "many", "lots of")}


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that stands on a ground: its glyph, the phrases naming it (the first is its name), its home."""

    name: str
    glyph: str
    phrases: tuple[str, ...]
    home: str
    weight: float


@dataclass(frozen=True, slots=True)
class Colour:
    """A named colour, red, green, blue in 0..1."""

    phrases: tuple[str, ...]
    rgb: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Mood:
    """What is done to a whole scene, and the ground it has when nothing else is named."""

    phrases: tuple[str, ...]
    home: str


@dataclass(frozen=True, slots=True)
class Concepts:
    """All that a scene is made of. Grounds and patterns map a name to the phrases naming it.

    `heard` are words besides those of the phrases: of phrases that another thing has.
    """

    subjects: tuple[Subject, ...]
    grounds: dict[str, tuple[str, ...]]
    patterns: dict[str, tuple[str, ...]]
    colours: tuple[Colour, ...]
    moods: tuple[Mood, ...]
    heard: frozenset[str] = frozenset()

    def names(self) -> list[str]:
        """One name for each thing that was learnt, subjects first."""
        grounds = [phrases[0] for phrases in (*self.grounds.values(), *self.patterns.values())]
        return (
            [s.name for s in self.subjects]
            + grounds
            + [c.phrases[0] for c in self.colours]
            + [s.phrases[0] for s in self.moods]
        )

    def phrases(self) -> list[str]:
        """Every phrase a caption can be made of."""
        groups = [s.phrases for s in self.subjects] + list(self.grounds.values()) + list(self.patterns.values())
        groups += [c.phrases for c in self.colours] + [s.phrases for s in self.moods] + list(COUNTS.values()) + [PLACES]
        return [phrase for group in groups for phrase in group]


def read_concepts(table: Path = TABLE, cldr: Path = CLDR) -> Concepts:
    """The table, its subjects enriched with CLDR's names and keywords where that file is installed."""
    rows = tomllib.loads(table.read_text(encoding="utf-8"))
    favourites = set(_split(rows["favourites"]))
    subjects = [
        _subject(name, line, home, FAVOURED if name in favourites else 1.0)
        for home, lines in rows["subjects"].items()
        for name, line in lines.items()
    ]
    grounds = {name: _split(line) for name, line in rows["grounds"].items()}
    patterns = {name: _split(line) for name, line in rows["patterns"].items()}
    colours = tuple(_colour(*item) for item in rows["colours"].items())
    moods = tuple(_mood(*item) for item in rows["moods"].items())
    found = Concepts(tuple(subjects), grounds, patterns, colours, moods)
    if cldr.exists():
        found = replace(found, subjects=tuple(_with_cldr(found, cldr, set(_split(rows["unlearnt"])))))
    return _unmistakable(found)


def _unmistakable(concepts: Concepts) -> Concepts:
    """Every phrase for one thing only: the subject of that name, else a ground, colour, mood, the first other subject.

    What two pictures are shown for is painted as neither. Plurals count as their singular, as the tokenizer reads them.
    """
    tokenizer = tokenizer_for(concepts)
    taken: dict[tuple[int, ...], str] = {}

    def claim(phrases: Iterable[str], owner: str) -> tuple[str, ...]:
        claims = [(phrase, f"{owner}: {phrase}") for phrase in phrases]
        return tuple(p for p, mine in claims if taken.setdefault(tuple(tokenizer.numbers(p)), mine) == mine)

    named = {s.name: claim([s.name], s.name) for s in concepts.subjects}
    grounds = {name: claim(phrases, f"ground {name}") for name, phrases in concepts.grounds.items()}
    for colour in concepts.colours:
        claim(colour.phrases, f"colour {colour.phrases[0]}")
    moods = tuple(replace(m, phrases=claim(m.phrases, f"mood {m.phrases[0]}")) for m in concepts.moods)
    subjects = [replace(s, phrases=named[s.name] + claim(s.phrases[1:], s.name)) for s in concepts.subjects]
    heard = frozenset(word for phrase in concepts.phrases() for word in words_of(phrase))
    kept = tuple(s for s in subjects if s.phrases)
    return replace(concepts, subjects=kept, grounds=grounds, moods=moods, heard=heard)


def tokenizer_for(concepts: Concepts, aliases: dict[str, str] | None = None) -> WordTokenizer:
    """A tokenizer that knows every word of every phrase; plurals share their singular's number."""
    found = {word for phrase in concepts.phrases() for word in words_of(phrase)} | concepts.heard
    words = found - {"a", "an", "the"}
    words = {word for word in words if not (word.endswith("s") and word[:-1] in words)}
    return WordTokenizer(sorted(words), aliases or {})


def _split(line: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in line.split(",") if part.strip())


def _subject(name: str, line: str, home: str, weight: float) -> Subject:
    glyph, *further = _split(line)
    return Subject(name, glyph, (name, *further), home, weight)


def _colour(name: str, line: str) -> Colour:
    value, *further = _split(line)
    red, green, blue = (int(value[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return Colour((name, *further), (red, green, blue))


def _mood(name: str, line: str) -> Mood:
    home, *further = _split(line)
    return Mood((name, *further), home)


def _with_cldr(concepts: Concepts, cldr: Path, unlearnt: set[str]) -> list[Subject]:
    """Subjects with CLDR's keywords added, but only those that name one subject alone.

    None with a word that means something else in the table, or is better not learnt: the emoji of a bridge at night
    is no reason to see a bridge in every night, and a zebra's stripe none to see one in every stripe.
    """
    subjects = concepts.subjects
    claimed = Counter(word for phrase in concepts.phrases() for word in set(words_of(phrase)))
    keywords: dict[str, set[str]] = {}
    for node in ET.parse(cldr).getroot().iter("annotation"):
        words = {w.strip().lower() for w in (node.text or "").split("|")}
        keywords.setdefault(bare(node.get("cp", "")), set()).update(words)
    found = [keywords.get(bare(s.glyph), set()) for s in subjects]
    taken = [set(s.phrases) for s in subjects]

    def is_free(keyword: str, subject: Subject) -> bool:
        own = {word for phrase in subject.phrases for word in words_of(phrase)}
        words = words_of(keyword)
        foreign = set(words) - own if len(words) > 1 else set(words)  # alone, "black" is no cat
        return bool(words) and not any(claimed[w] or claimed[w + "s"] or w in unlearnt for w in foreign)

    claims = [w for words, own in zip(found, taken, strict=True) for w in words | own]
    return [
        replace(s, phrases=s.phrases + tuple(sorted(w for w in words - own if claims.count(w) == 1 and is_free(w, s))))
        for s, words, own in zip(subjects, found, taken, strict=True)
    ]


def words_of(phrase: str) -> list[str]:
    """Its words, small, without what is no letter."""
    return re.findall(r"[a-z]+", phrase.lower().replace("'", ""))


def bare(glyph: str) -> str:
    """The emoji without the sign that asks for colour."""
    return glyph.replace("\ufe0f", "")
