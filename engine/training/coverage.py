"""What is drawn for words that songs use: python -m engine.training.coverage [--sample 200 --seed 1] [LIST ...]."""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.guides.words import SHIPPED_PATH, Words, read_words

LISTS = tuple(Path(__file__).parent / name for name in ("frequent_nouns.txt", "lyric_words.txt"))
"""WordNet's own counts give the nouns; the lyric words were written down for this project."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Each word of a list with the names of what is drawn for it, () where nothing is."""

    drawn: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def share(self) -> float:
        """Which part of the words gets something drawn, 0..1."""
        return sum(bool(names) for _, names in self.drawn) / max(1, len(self.drawn))

    def sample(self, count: int, seed: int) -> list[tuple[str, tuple[str, ...]]]:
        """So many words drawn at random, the same for the same seed, to be read by eye."""
        return random.Random(seed).sample(self.drawn, min(count, len(self.drawn)))


def read_list(path: Path) -> list[str]:
    """The words of a list: parted by white space, lines that begin with # left out."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


def covered(words: Words, asked: Sequence[str]) -> Coverage:
    """What is drawn for each of these words."""
    return Coverage(tuple((word, tuple(words.drawn(word))) for word in asked))


def main() -> None:
    """Print each word with what is drawn for it, or a sample, and the shares."""
    options = _options()
    words = read_words(options.guide)
    if words is None:
        raise SystemExit(f"{options.guide}: no shipped guide")
    if options.fresh:
        from engine.training.aliases import full_tokenizer
        from engine.training.concepts import read_concepts

        tokenizer = full_tokenizer(read_concepts())
        words = Words(tokenizer.words, tokenizer.aliases, tokenizer.shown, tokenizer.things)
    for path in options.lists:
        found = covered(words, read_list(path))
        for word, names in found.sample(options.sample, options.seed) if options.sample else found.drawn:
            print(f"{word:16} {', '.join(names) or '-'}")
        print(f"# {path.name}: {len(found.drawn)} words, {found.share:.1%} with something drawn")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.training.coverage", description=__doc__)
    parser.add_argument("lists", type=Path, nargs="*", default=list(LISTS), help="files of words")
    parser.add_argument("--guide", type=Path, default=SHIPPED_PATH, help="the guide whose words are asked")
    parser.add_argument("--fresh", action="store_true", help="ask the tables as they are now, not those in the guide")
    parser.add_argument("--sample", type=int, default=0, help="so many words at random instead of all")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
