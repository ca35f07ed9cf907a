"""Words never trained that mean one that was: from WordNet's synonyms and kinds ("schooner" is a ship).

WordNet 3.0's files, as man page wndb(5) describes them; Debian's wordnet-base installs them.
"""

from collections.abc import Iterator
from pathlib import Path

from engine.guides.shipped_text import WordTokenizer
from engine.training.concepts import Concepts

WORDNET = Path("/usr/share/wordnet")

CLIMB = 5
"""Kinds above a word that are tried: spaniel → sporting dog → hunting dog → dog."""

PICTURABLE = {"05", "06", "08", "13", "17", "19", "20"}
"""Lexicographer files of animals, artifacts, bodies, food, objects, phenomena and plants (lexnames(5))."""

TOO_WIDE = {"person", "man", "body", "piece", "thing", "plant", "structure", "bar", "line", "square", "record"}
"""Learnt words under which too much would fall."""


class _Nouns:
    """WordNet's nouns: the first sense of each, the words of each sense, and the kind above it."""

    def __init__(self, folder: Path) -> None:
        self.first: dict[str, str] = {}
        for line in _lines(folder / "index.noun"):
            fields = line.split()
            if fields[0].isalpha():
                self.first[fields[0]] = fields[6 + int(fields[3])]
        self.above: dict[str, str] = {}
        self.kind: dict[str, str] = {}
        for line in _lines(folder / "data.noun"):
            fields = line.split(" | ")[0].split()
            self.kind[fields[0]] = fields[1]
            rest = fields[4 + 2 * int(fields[3], 16) + 1 :]
            parents = [rest[i + 1] for i in range(0, len(rest) - 1, 4) if rest[i] in ("@", "@i")]
            if parents:
                self.above[fields[0]] = parents[0]

    def climb(self, sense: str) -> Iterator[str]:
        """This sense and the kinds above it."""
        for _ in range(CLIMB + 1):
            yield sense
            if sense not in self.above:
                return
            sense = self.above[sense]


def wordnet_aliases(tokenizer: WordTokenizer, concepts: Concepts, folder: Path = WORDNET) -> dict[str, str]:
    """Alias to learnt word for English nouns; empty where WordNet is not installed."""
    if not (folder / "data.noun").exists():
        return {}
    nouns = _Nouns(folder)
    learnt: dict[str, str] = {}
    for phrase in _picturable_phrases(concepts):
        word = phrase.split()[-1] if " " not in phrase else phrase.replace(" ", "_")
        sense = nouns.first.get(word)
        if sense and nouns.kind[sense] in PICTURABLE and word not in TOO_WIDE:
            learnt.setdefault(sense, phrase)
    aliases: dict[str, str] = {}
    for word, sense in nouns.first.items():
        if not 3 <= len(word) <= 14 or tokenizer.learnt(word):
            continue
        found = next((learnt[kind] for kind in nouns.climb(sense) if kind in learnt), None)
        if found:
            aliases[word] = found
    return aliases


def _picturable_phrases(concepts: Concepts) -> Iterator[str]:
    """Names of subjects first, then their and the grounds' other single words."""
    for subject in concepts.subjects:
        yield subject.name
    for group in [s.phrases for s in concepts.subjects] + list(concepts.grounds.values()):
        yield from (phrase for phrase in group if " " not in phrase)


def _lines(path: Path) -> Iterator[str]:
    """The lines of a WordNet file without its licence, which is indented."""
    with path.open(encoding="utf-8") as file:
        yield from (line for line in file if not line.startswith("  "))
