"""How near the senses of WordNet lie to what was learnt: a walk along its relations, weaker with every step.

The weights were set by reading results, not learnt.
"""

import heapq
from collections.abc import Iterator

from engine.guides.shipped_text import WordTokenizer
from engine.training.concepts import Concepts, Subject
from engine.training.links import Links
from engine.training.wordnet import PARTS, WordNet

PICTURABLE = ("05", "06", "08", "13", "17", "19", "20")
"""Lexicographer files of animals, artifacts, bodies, food, objects, phenomena and plants (lexnames(5))."""

KEPT = {
    "n": {"@": 0.8, "@i": 0.8, "+": 0.65, "#p": 0.5, "#m": 0.45, "%p": 0.3, "%m": 0.4, "%s": 0.35, "#s": 0.3, "=": 0.6},
    "v": {"@": 0.6, "+": 0.7, "$": 0.8, ">": 0.6, "*": 0.5},
    "a": {"&": 0.7, "^": 0.6, "+": 0.7, "\\": 0.8, "=": 0.5},
    "r": {"\\": 0.95},
}
"""What is kept along each relation of wndb(5): kinds, derived words, parts and wholes, causes, likenesses."""

FAINTEST = 0.22
"""Paths fainter than this end."""

DOWN = 0.35
"""What is kept along one step down, from a kind to the likeliest of its learnt examples ("insect" to "bee")."""


class Meanings:
    """For each sense, the learnt words near it. Owns what was already walked."""

    def __init__(self, wordnet: WordNet, concepts: Concepts, tokenizer: WordTokenizer, links: Links) -> None:
        self.wordnet = wordnet
        self._links = links
        self._anchors: dict[str, tuple[float, str]] = {}
        self._walked: dict[str, dict[str, float]] = {}
        self._ahead: dict[str, list[tuple[float, str]]] = {}
        for word, sense, strength in _anchors(wordnet, concepts, links):
            if all(part in tokenizer.words for part in word.split()):
                self._anchors[sense] = max(self._anchors.get(sense, (0.0, "")), (strength, word))

    def of(self, word: str) -> list[tuple[float, str]]:
        """Learnt words that this word may mean with how likely and near each is, the best first."""
        found: dict[str, float] = {}
        counts = {part: 0.3 + self.wordnet.count(word, part) for part in PARTS if (word, part) in self.wordnet.of_word}
        for part, count in counts.items():
            for sense, share in self.wordnet.weights(word, part):
                part_share = count / sum(counts.values())
                for learnt, near in self.near(sense).items():
                    found[learnt] = found.get(learnt, 0.0) + part_share * share * near
        return sorted(((near, learnt) for learnt, near in found.items()), reverse=True)

    def near(self, start: str) -> dict[str, float]:
        """Learnt words near this sense and what is kept on the way there, at most 1."""
        if start not in self._walked:
            self._walked[start] = self._walk(start)
        return self._walked[start]

    def _walk(self, start: str) -> dict[str, float]:
        found: dict[str, float] = {}
        ahead, been = [(-1.0, start)], set[str]()
        while ahead and len(found) < 3:
            kept, sense = heapq.heappop(ahead)
            if sense in been:
                continue
            been.add(sense)
            strength, word = self._anchors.get(sense, (0.0, ""))
            if word and (sense == start or word not in self._links.wide):
                found[word] = max(found.get(word, 0.0), -kept * strength)
            for step, to in self._steps(sense):
                if to not in been and kept * step <= -FAINTEST:
                    heapq.heappush(ahead, (kept * step, to))
        return found

    def _steps(self, sense: str) -> list[tuple[float, str]]:
        if sense not in self._ahead:
            self._ahead[sense] = list(self._relations(sense))
        return self._ahead[sense]

    def _relations(self, sense: str) -> Iterator[tuple[float, str]]:
        kept = KEPT[sense[0]]
        for pointer in self.wordnet.senses[sense].pointers:
            if pointer.symbol in kept:
                yield kept[pointer.symbol], pointer.to
            elif pointer.symbol == "~" and pointer.to in self._anchors:
                yield DOWN, pointer.to


def _anchors(wordnet: WordNet, concepts: Concepts, links: Links) -> Iterator[tuple[str, str, float]]:
    """Learnt words with a sense of theirs and how surely it is the one learnt."""
    for subject in concepts.subjects:
        yield from _subject_anchors(wordnet, subject, links)
    grounds = [*concepts.grounds.items(), *concepts.patterns.items()]
    for name, phrases in grounds:
        for phrase in dict.fromkeys((name, *phrases)):
            yield from _word_anchors(wordnet, phrase, links, ("17", "15", "19", "06", "28", "26"))
    for colour in concepts.colours:
        for phrase in colour.phrases:
            yield from _word_anchors(wordnet, phrase, links, ("07",))


def _subject_anchors(wordnet: WordNet, subject: Subject, links: Links) -> Iterator[tuple[str, str, float]]:
    senses = [sense for sense, _ in wordnet.weights(subject.name.replace(" ", "_"), "n")]
    files = [wordnet.senses[sense].file for sense in senses]
    own = next((file for file in files if file in PICTURABLE), files[0] if files else "")
    for phrase in subject.phrases:
        surety = 1.1 if phrase == subject.name else 1.0
        for word, sense, strength in _word_anchors(wordnet, phrase, links, (own,)):
            yield word, sense, strength * surety


def _word_anchors(
    wordnet: WordNet, phrase: str, links: Links, files: tuple[str, ...]
) -> Iterator[tuple[str, str, float]]:
    """The noun sense in one of these files, else the likeliest; and the likeliest as a verb and as an adjective."""
    word = phrase.replace(" ", "_").replace("-", "_")
    for part in "nva":
        weighed = wordnet.weights(word, part)
        chosen = links.senses.get((word, part))
        if chosen is not None:
            yield from ((phrase, sense, 1.0) for sense, _ in weighed if chosen in wordnet.senses[sense].words)
            continue
        fitting = [sense for sense, _ in weighed if part == "n" and wordnet.senses[sense].file in files]
        if fitting:
            yield phrase, fitting[0], 0.95
        elif weighed:
            yield phrase, weighed[0][0], 0.5 + 0.4 * weighed[0][1]
