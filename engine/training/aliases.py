"""Words never trained that mean some that were, for the tokenizer: from the hand table first, else from WordNet.

`python -m engine.training.aliases [GUIDE]` writes the table of today into an exported guide; its weights stay.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from engine.guides.shipped_text import WordTokenizer
from engine.guides.words import FAINT, PLACES, SHIPPED_PATH, Words
from engine.training.concepts import COUNTS, Concepts, read_concepts, tokenizer_for, words_of
from engine.training.links import Links, read_links
from engine.training.meanings import PICTURABLE, Meanings
from engine.training.wordnet import FOLDER, WordNet

SURE = 0.38
"""A word's likeliest meaning must be so near; weaker ones were more often wrong than right."""

SURE_UNTAGGED = 0.53
"""The same for words that WordNet's makers never met in the texts they tagged."""

NOUNS = 0.4
"""A word that is a noun so seldom, of all times it was tagged, names no thing."""

NEAR = 0.55
"""How near a noun must be to what it stands for to name it: a sparrow is a bird, a finger is no hand."""

SELDOM = 0.19
"""A word that is a noun at least so often, of all times it was tagged, can be meant as one."""

AMBIENT = ("flame", "sparkles", "bubbles", "droplet", "snowflake")
"""Things that can be all over another: a burning ship is both."""

FEELINGS = "12"
"""The lexicographer file of feelings."""

PERSONS = "18"
"""The lexicographer file of persons."""

LETTERS = range(3, 14)
INFLECTED = ("s", "ing", "ed")


def full_tokenizer(concepts: Concepts) -> WordTokenizer:
    """The tokenizer a guide is exported with: learnt words, aliases, and the name of what is drawn for a phrase."""
    plain = tokenizer_for(concepts)
    shown = shown_names(concepts, plain)
    near = _near(concepts, plain)
    aliases = wordnet_aliases(plain, concepts, near)
    if near is not None:
        aliases = Fainting(concepts, plain, shown, near).of(aliases)
    things = frozenset(subject.name for subject in concepts.subjects)
    moods = frozenset(mood.phrases[0] for mood in concepts.moods)
    return replace(plain, aliases=aliases | read_links().instead, shown=shown, things=things, moods=moods)


def _near(concepts: Concepts, tokenizer: WordTokenizer, folder: Path = FOLDER) -> Meanings | None:
    """What WordNet's senses mean in learnt words; None where it is not installed."""
    if not (folder / "data.noun").exists():
        return None
    return Meanings(WordNet(folder), concepts, tokenizer, read_links())


class Fainting:
    """Which words only remind of a thing, and are left out where something is named. Grounds are seen beside anything.

    "kept" is no hand beside a television, nor is "finger"; but a sparrow is a bird, and "blazing" is fire beside all.
    """

    def __init__(self, concepts: Concepts, tokenizer: WordTokenizer, shown: dict[str, str], near: Meanings) -> None:
        self._wordnet, self._meanings, self._shown = near.wordnet, near, shown
        self._silent = read_links().silent
        self._names = {subject.name for subject in concepts.subjects}
        self._learnt = tokenizer.words
        self._phrases = {_learnt(tokenizer, phrase) for phrase in concepts.phrases()}
        self._said_alone = {_learnt(tokenizer, name) for name in self._names} | _counting()

    def of(self, aliases: dict[str, str]) -> dict[str, str]:
        """The aliases with those marked that only remind, and learnt words that do added: each an alias of itself."""
        found = {word: FAINT + meant if self._reminds(word, meant) else meant for word, meant in aliases.items()}
        return found | {word: FAINT + word for word in self._learnt if word not in aliases and self._hints(word)}

    def _reminds(self, word: str, meant: str) -> bool:
        """Whether an alias is of a thing that the word does not name: it is no noun, or not near enough to it."""
        names = {self._shown.get(part, "") for part in meant.split()}
        if not names or not names <= self._names:
            return False
        return _is_no_noun(self._wordnet, word) or not self._is_near(word, meant)

    def _is_near(self, word: str, meant: str) -> bool:
        return any(near >= NEAR and learnt in (meant, *meant.split()) for near, learnt in self._meanings.of(word))

    def _hints(self, word: str) -> bool:
        """Whether a learnt word alone is a verb for a thing ("follow", footprints), or only the beginning of its name.

        What is a thing itself as often as one time in five ("crow", "love") is none of these.
        """
        if word in self._said_alone:
            return False
        if word in self._silent:
            return True
        shown = self._shown.get(word)
        if shown not in self._names or shown in AMBIENT or self._is_thing(word):
            return False
        if word not in self._phrases:
            return not any(phrase.endswith(f" {word}") for phrase in self._phrases)
        return _is_no_noun(self._wordnet, word)

    def _is_thing(self, word: str) -> bool:
        weighed = self._wordnet.weights(word, "n")
        is_one = bool(weighed) and self._wordnet.senses[weighed[0][0]].file in (*PICTURABLE, FEELINGS)
        return is_one and self._wordnet.count(word, "n") + 0.3 >= SELDOM * (self._wordnet.count(word) + 0.6)


def _counting() -> set[str]:
    """Words that say how many, and where."""
    return {word for group in (*COUNTS.values(), PLACES) for phrase in group for word in phrase.split()}


def _is_no_noun(wordnet: WordNet, word: str) -> bool:
    """Whether it is a verb, an adjective or an adverb most of the time, or such a word's irregular form."""
    if (word, "n") not in wordnet.of_word:
        return (wordnet.irregular.get(word, ("", "n"))[1] != "n") or any((word, p) in wordnet.of_word for p in "var")
    nouns, whole = wordnet.count(word, "n"), wordnet.count(word)
    return (nouns + 0.3) / (whole + 0.6) < NOUNS


def wordnet_aliases(tokenizer: WordTokenizer, concepts: Concepts, near: Meanings | None) -> dict[str, str]:
    """Alias to learnt words, "" for a word that stays silent; without WordNet only the hand table's."""
    captions = {word for phrase in concepts.phrases() for word in words_of(phrase)} | concepts.heard
    by_hand = _by_hand(read_links(), tokenizer)
    aliases = {word: meant for word, meant in by_hand.items() if word not in captions}
    if near is None:
        return aliases
    found = _Finder(near, Words(tokenizer.words, aliases))
    aliases.update((word, meant) for word, meant in found.aliases() if word not in captions)
    irregular = found.irregular(Words(tokenizer.words, dict(aliases)))
    aliases.update((form, meant) for form, meant in irregular if form not in captions)
    return aliases


def _by_hand(links: Links, tokenizer: WordTokenizer) -> dict[str, str]:
    """The hand table in learnt words. Raises ValueError naming what stands on its left side and was not learnt."""
    unlearnt = {meant for meant in links.means.values() if not all(map(tokenizer.learnt, meant.split()))}
    if unlearnt:
        raise ValueError(f"links.toml: not learnt: {', '.join(sorted(unlearnt))}")
    means = {
        word: " ".join(part for each in meant.split() for part in tokenizer.learnt(each))
        for word, meant in links.means.items()
    }
    return dict.fromkeys(sorted(links.silent), "") | means


def shown_names(concepts: Concepts, tokenizer: WordTokenizer) -> dict[str, str]:
    """Learnt phrase, as the tokenizer reads it, to the name of what is drawn for it; words of phrases last."""
    grounds = [
        (name if name in phrases else phrases[0], phrases)
        for name, phrases in (*concepts.grounds.items(), *concepts.patterns.items())
    ]
    alike = [colour.phrases for colour in concepts.colours] + [mood.phrases for mood in concepts.moods]
    grounds += [(phrases[0], phrases) for phrases in alike]
    subjects = [(subject.name, subject.phrases) for subject in concepts.subjects]
    named = [(name, name) for name, _ in (*grounds, *subjects)]
    named += [(phrase, name) for name, phrases in (*grounds, *subjects) for phrase in phrases]
    shown: dict[str, str] = {}
    for phrase, name in named:
        shown.setdefault(_learnt(tokenizer, phrase), name)
    small = _counting() | read_links().silent
    for phrase, name in list(shown.items()):
        for word in reversed(phrase.split()):
            if word not in small:
                shown.setdefault(word, name)
    shown.pop("", None)
    return shown


def _learnt(tokenizer: WordTokenizer, phrase: str) -> str:
    """A phrase of the table in the forms its words were learnt in."""
    return " ".join(form for word in words_of(phrase) for form in tokenizer.learnt(word))


class _Finder:
    """WordNet's answers for the words that neither were learnt nor stand in the hand table."""

    def __init__(self, meanings: Meanings, known: Words) -> None:
        self._wordnet, self._meanings, self._known = meanings.wordnet, meanings, known

    def aliases(self) -> Iterator[tuple[str, str]]:
        """Every word that gets an alias, with it."""
        for word in self._wordnet.words():
            if len(word) in LETTERS and word not in self._known.aliases and self._known.form(word) != word:
                meant = self._meant(word)
                if meant is not None:
                    yield word, meant

    def irregular(self, known: Words) -> Iterator[tuple[str, str]]:
        """Forms such as "sang" and "wolves" whose base is known; those known by themselves are left out."""
        for form, (base, _) in sorted(self._wordnet.irregular.items()):
            if form.isalpha() and form not in known.aliases and known.form(form) != form and known.learnt(base):
                yield form, " ".join(known.learnt(base))

    def _meant(self, word: str) -> str | None:
        """The learnt words it means; "" where its stem would mislead; None where nothing need be written down."""
        form = self._known.form(word)
        if form and self._is_form(word, form):
            return None
        tagged = self._wordnet.count(word) > 0
        if not tagged and self._is_name(word):
            return None
        surest = next(iter(self._meanings.of(word)), (0.0, ""))
        if surest[0] >= (SURE if tagged else SURE_UNTAGGED):
            return surest[1]
        if tagged and self._is_person(word):
            return "person"
        return "" if form and tagged else None

    def _is_form(self, word: str, form: str) -> bool:
        """Whether the stem is the word's own: "rocky" is of "rock", "army" is not of "arm"."""
        wordnet = self._wordnet
        ending = next((end for end in INFLECTED if word.endswith(end)), "")
        if ending and any((form, part) in wordnet.of_word for part in ("nv" if ending == "s" else "v")):
            return True
        near = {sense for part in "nvar" for sense in wordnet.of_word.get((word, part), ())}
        near |= {pointer.to for sense in near for pointer in wordnet.senses[sense].pointers}
        return any(sense in near for part in "nvar" for sense in wordnet.of_word.get((form, part), ()))

    def _is_name(self, word: str) -> bool:
        senses = self._wordnet.of_word.get((word, "n"), ())
        return bool(senses) and all(self._wordnet.senses[sense].is_name for sense in senses)

    def _is_person(self, word: str) -> bool:
        weighed = self._wordnet.weights(word, "n")
        persons = sum(share for sense, share in weighed if self._wordnet.senses[sense].file == PERSONS)
        others = self._wordnet.count(word) - self._wordnet.count(word, "n")
        return persons > 0.6 and others < self._wordnet.count(word, "n")


def rewrite(path: Path, tokenizer: WordTokenizer) -> None:
    """Put this tokenizer's aliases and names into a guide's file. Raises ValueError where its words are others."""
    from safetensors.torch import load_file, save_file

    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))["__metadata__"]
    facts = json.loads(header["guide"])
    if facts["words"] != list(tokenizer.words):
        raise ValueError(f"{path.name}: learnt other words than concepts.toml holds today")
    facts |= {"aliases": dict(tokenizer.aliases), "shown": dict(tokenizer.shown)}
    facts |= {"things": sorted(tokenizer.things), "moods": sorted(tokenizer.moods)}
    unfinished = path.with_suffix(".part")
    save_file(load_file(path), unfinished, {**header, "guide": json.dumps(facts)})
    # safetensors writes for its owner alone; the guide is packed for everybody.
    unfinished.chmod(0o644)
    unfinished.replace(path)


def main() -> None:
    """Rewrite the table of one guide and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m engine.training.aliases", description=__doc__)
    parser.add_argument("guide", type=Path, nargs="?", default=SHIPPED_PATH)
    path = parser.parse_args().guide
    tokenizer = full_tokenizer(read_concepts())
    rewrite(path, tokenizer)
    print(f"{path}: {len(tokenizer.aliases)} aliases, {len(json.dumps(dict(tokenizer.aliases))) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
