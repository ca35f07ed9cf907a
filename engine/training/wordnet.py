"""WordNet 3.0 read from its files, as man pages wndb(5), cntlist(5) and senseidx(5) describe them.

Debian's wordnet-base installs them. A *sense* is named by its part of speech and its place in the file: "n02084071".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("/usr/share/wordnet")

PARTS = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
_PART_OF_KEY = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}


@dataclass(frozen=True, slots=True)
class Pointer:
    """A relation of a sense, wndb(5)'s symbol, to another sense; of one of its words alone where `word` is not 0."""

    symbol: str
    to: str
    word: int


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning: its words in lower case, its lexicographer file (lexnames(5)), its relations."""

    words: tuple[str, ...]
    file: str
    pointers: tuple[Pointer, ...]
    is_name: bool


class WordNet:
    """Words, senses, how often each was met in the texts that WordNet's makers tagged, and irregular forms."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.senses: dict[str, Sense] = {}
        self.of_word: dict[tuple[str, str], tuple[str, ...]] = {}
        self.irregular: dict[str, tuple[str, str]] = {}
        for part, name in PARTS.items():
            self.senses.update(_senses(folder / f"data.{name}", part))
            self.of_word.update(_index(folder / f"index.{name}", part))
            self.irregular.update({form: (base, part) for form, base in _exceptions(folder / f"{name}.exc")})
        self.counts = _counts(folder / "cntlist.rev")

    def weights(self, word: str, part: str) -> list[tuple[str, float]]:
        """The senses of a word, likeliest first, with their shares; untagged ones share by WordNet's order."""
        senses = self.of_word.get((word, part), ())
        counts = [self.counts.get((word, part, n + 1), 0) + 0.5 / (n + 1) for n in range(len(senses))]
        return [(sense, count / sum(counts)) for sense, count in zip(senses, counts, strict=True)]

    def count(self, word: str, parts: str = "nvar") -> int:
        """How often the word was tagged in any sense of these parts of speech."""
        return sum(
            self.counts.get((word, part, n + 1), 0)
            for part in parts
            for n in range(len(self.of_word.get((word, part), ())))
        )

    def words(self) -> list[str]:
        """Every single word, in the order of the alphabet."""
        return sorted({word for word, _ in self.of_word if word.isascii() and word.isalpha()})


def _senses(path: Path, part: str) -> Iterator[tuple[str, Sense]]:
    for line in _lines(path):
        fields = line.partition(" | ")[0].split()
        end = 4 + 2 * int(fields[3], 16)
        spelled = fields[4:end:2]
        words = tuple(word.partition("(")[0].lower() for word in spelled)
        count = int(fields[end])
        quads = [fields[end + 1 + 4 * i : end + 5 + 4 * i] for i in range(count)]
        pointers = tuple(Pointer(q[0], ("a" if q[2] == "s" else q[2]) + q[1], int(q[3][:2], 16)) for q in quads)
        yield part + fields[0], Sense(words, fields[1], pointers, spelled[0][0].isupper())


def _index(path: Path, part: str) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    for line in _lines(path):
        fields = line.split()
        yield (fields[0], part), tuple(part + place for place in fields[-int(fields[2]) :])


def _exceptions(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        form, base, *_ = line.split()
        yield form, base


def _counts(path: Path) -> dict[tuple[str, str, int], int]:
    found: dict[tuple[str, str, int], int] = {}
    for line in _lines(path):
        key, number, count = line.split()
        word, _, rest = key.partition("%")
        found[(word, _PART_OF_KEY[rest[0]], int(number))] = int(count)
    return found


def _lines(path: Path) -> Iterator[str]:
    """The lines of a WordNet file without its licence, which is indented."""
    with path.open(encoding="utf-8") as file:
        yield from (line for line in file if not line.startswith("  "))
