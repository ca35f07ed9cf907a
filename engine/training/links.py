"""The hand table of links.toml: what it holds, checked whole."""

import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).parent / "links.toml"


@dataclass(frozen=True, slots=True)
class Links:
    """Words and what they mean; words that stay silent; senses chosen by hand; learnt words too wide to climb to;

    and learnt words that sung mean something else.
    """

    means: dict[str, str]
    silent: frozenset[str]
    senses: dict[tuple[str, str], str]
    wide: frozenset[str]
    instead: dict[str, str]


def read_links(path: Path = TABLE) -> Links:
    """The table in this file. Raises ValueError naming every word that stands in it twice."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))
    pairs = [
        (word.strip(), shown)
        for part in rows["links"].values()
        for shown, line in part.items()
        for word in line.split(",")
    ]
    silent = rows["silent"].split()
    times = Counter([word for word, _ in pairs] + silent)
    if twice := sorted(word for word, count in times.items() if count > 1):
        raise ValueError(f"{path.name}: {', '.join(twice)}: written more than once")
    senses = {(key.split()[0], key.split()[1]): word for key, word in rows["senses"].items()}
    return Links(dict(pairs), frozenset(silent), senses, frozenset(rows["wide"].split()), dict(rows["instead"]))
