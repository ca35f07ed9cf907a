"""What the words of a prompt mean to the shipped guide. Pure and without torch: the dashboard looks words up too."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SHIPPED_PATH = Path(__file__).parent / "shipped" / "guide.safetensors"
"""The shipped guide's file: its weights, and in the header its words."""

LONGEST_HEADER = 16 * 2**20
"""Bytes of a header that are read at most."""

FAINT = "?"
"""How the alias of a word begins that only reminds of what it stands for: "keep" of a hand.

A learnt word that is such an alias of itself reminds of what it was learnt for: "walk" of somebody walking.
"""

PLACES = ("on", "in", "over", "under", "with", "and", "at", "near", "of", "inside", "against", "behind")
"""Words between what is drawn; they say nothing where nothing is drawn on one side of them."""

_WORD = re.compile(r"[a-z]+")
_SUNG = (
    # 'cause, 'til, 'em, 'round and 'bout stand for nothing drawn; 'neath does.
    (re.compile(r"(?<![a-z])'neath\b"), "beneath"),
    (re.compile(r"(?<![a-z])'(?:cause|coz|cuz|til|till|em|round|bout|cross|less|fore|ya|tis|twas|n)\b"), " "),
    # burnin' is burning, but in' alone is not a word.
    (re.compile(r"(?<=[a-z]in)'(?![a-z])"), "g"),
    # "she'll" is no shell and "we'd" no wedding.
    (re.compile(r"(?:n't|'ll|'re|'ve|'d|'m)\b"), " "),
)
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")
_ENDINGS = (
    ("ies", "y"),
    ("es", ""),
    ("s", ""),
    ("ing", ""),
    ("ing", "e"),
    ("in", ""),
    ("ed", ""),
    ("ed", "e"),
    ("er", ""),
    ("y", ""),
    ("in", "e"),
    ("in", "ing"),
    ("ied", "y"),
    ("ier", "y"),
    ("iest", "y"),
    ("est", ""),
    ("est", "e"),
    ("ily", "y"),
    ("ly", ""),
)
_DOUBLED = re.compile(r"([bdgklmnprt])\1(?:ing|in|ed|er|est|y)$")


@dataclass(frozen=True, slots=True)
class _Part:
    """The learnt words that a word or a phrase of a text comes to; whether it only reminds, and of itself."""

    words: list[str]
    is_faint: bool = False
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """The learnt words, numbered from 1; other words that mean some of them; what is drawn for a learnt phrase.

    A word never learnt is left out; an alias stands for the learnt words it means, "" for none. It counts for more
    than having been learnt. Where it begins with FAINT the word only reminds of something.
    """

    words: Sequence[str]
    aliases: Mapping[str, str]
    shown: Mapping[str, str] = field(default_factory=dict)
    things: frozenset[str] = frozenset()
    """Names of what is drawn that are things, not grounds, colours or moods."""
    moods: frozenset[str] = frozenset()
    """Names of what is done to a whole picture: alone they name nothing that other words would have to give way to."""
    _numbers: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_numbers", {word: i + 1 for i, word in enumerate(self.words)})

    def numbers(self, text: str) -> list[int]:
        """The numbers of the learnt words in this text, in their order."""
        return [self._numbers[word] for word in self.read(text)]

    def read(self, text: str) -> list[str]:
        """The learnt words that this text comes to, in its order: "burnin' frigate" → burning, ship.

        A learnt word with an alias was taught by chance and means something else ("dark" by sunglasses); within a
        learnt phrase of several words ("dark blue") it is meant as it was learnt. What a word only reminds of is left
        out where something is named ("you left without closing the door" is a door, no hand), a learnt word only where
        a thing is: someone walks in the rain, but the mouse that walks behind you is a mouse.
        """
        words, found = [word for word in _WORD.findall(_plain(text)) if self.form(word)], list[_Part]()
        forms = [next((form for form in (word, *stems(word)) if form in self._numbers), "") for word in words]
        while words:
            size = next((n for n in (4, 3, 2) if len(words) >= n and " ".join(forms[:n]) in self.shown), 1)
            found.append(_Part(forms[:size]) if size > 1 else self._part(words[0]))
            words, forms = words[size:], forms[size:]
        named = {name for part in found if not part.is_faint for name in self._names(part.words)} - self.moods
        gives_way = {False: bool(named), True: bool(named & self.things)}
        left = [part.words for part in found if not (part.is_faint and gives_way[part.is_own])]
        return [word for part in (_trimmed(left) if self.shown else left) for word in part]

    def _part(self, word: str) -> "_Part":
        form, is_faint = self.form(word), self.is_faint(word)
        return _Part(self.learnt(word), is_faint, self.aliases.get(form) == FAINT + form)

    def _names(self, words: Sequence[str]) -> list[str]:
        """What is drawn for these learnt words: for all together, else for each."""
        whole = self.shown.get(" ".join(words))
        return [whole] if whole else [self.shown[word] for word in words if word in self.shown]

    def is_faint(self, word: str) -> bool:
        """Whether this word names nothing drawn and only reminds of it."""
        return self.aliases.get(self.form(word), "").startswith(FAINT)

    def learnt(self, word: str) -> list[str]:
        """The learnt words this word stands for: its aliases, itself, its stem's, or none."""
        form = self.form(word)
        if form in self._numbers and form not in self.aliases:
            return [form]
        return [part for part in self.aliases.get(form, "").removeprefix(FAINT).split() if part in self._numbers]

    def form(self, word: str) -> str:
        """The form of this word that is known: itself, a stem that was learnt or one with aliases; "" where none is."""
        if word in self._numbers or word in self.aliases:
            return word
        shorter = list(stems(word))
        known = [form for form in shorter if form in self._numbers] + [form for form in shorter if form in self.aliases]
        return known[0] if known else ""

    def drawn(self, text: str, most: int = 6) -> list[str]:
        """The names of what is drawn for this text, at most so many, each once: longest phrases first."""
        words = self.read(text)
        found: list[str] = []
        while words:
            size = next((n for n in (4, 3, 2) if " ".join(words[:n]) in self.shown and n <= len(words)), 1)
            # An old guide says nothing of what is drawn; then its own words are the answer.
            name = self.shown.get(" ".join(words[:size]), "" if self.shown else words[0])
            if name and name not in found:
                found.append(name)
            words = words[size:]
        return found[:most]


def read_words(path: Path = SHIPPED_PATH) -> Words | None:
    """The words of a shipped guide from its header; None where there is no such file or it is no shipped guide.

    safetensors: eight bytes, the header's length, little endian; then the header, JSON, with `__metadata__`.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(length, LONGEST_HEADER)))
        facts = json.loads(header["__metadata__"]["guide"])
        things, moods = (frozenset(facts.get(kind, ())) for kind in ("things", "moods"))
        return Words(facts["words"], facts["aliases"], facts.get("shown", {}), things, moods)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def stems(word: str) -> Iterator[str]:
    """Shorter forms worth trying, likeliest first: "stars" → "star", "burnin" → "burn", "looove" → "love"."""
    shorter = [word.removesuffix(end) + put for end, put in _ENDINGS if word.endswith(end)]
    yield from (form for form in shorter if len(form) >= 3)
    if doubled := _DOUBLED.search(word):
        yield word[: doubled.start() + 1]
    if _DRAWN_OUT.search(word):
        for kept in (r"\1", r"\1\1"):
            short = _DRAWN_OUT.sub(kept, word)
            yield from (short, *stems(short))


def _trimmed(parts: list[list[str]]) -> list[list[str]]:
    """The parts without places at either end: "meet me on the bridge when it's over" is a bridge."""
    drawn = [n for n, part in enumerate(parts) if part and (len(part) > 1 or part[0] not in PLACES)]
    return parts[drawn[0] : drawn[-1] + 1] if drawn else parts


def _plain(text: str) -> str:
    """The text in lower case, without accents, contractions and sung spellings written out."""
    letters = unicodedata.normalize("NFKD", text.lower().replace("’", "'").replace("‘", "'").replace("`", "'"))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    for pattern, put in _SUNG:
        plain = pattern.sub(put, plain)
    return plain.replace("'", "")
