"""Guides that have a name of their own, read from catalogue.toml. Any other open_clip model works as MODEL:TAG."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Entry:
    """One named guide. The shipped one has no model; of tag and url one is given, and what is not known is empty."""

    name: str
    licence: str
    sees: int
    """Side of its views, px."""
    good_at: str
    model: str = ""
    """As open_clip calls it."""
    tag: str = ""
    hub: str = ""
    """The repository of the Hugging Face hub that the tag stands for."""
    url: str = ""
    file: str = ""
    """What the file of the url is called on this machine."""
    megabytes: int = 0
    """What a pull fetches, in millions of bytes; about, and 0 where unknown."""
    sha256: str = ""
    is_research: bool = False
    """Whether the licence allows research only."""

    def published(self) -> dict[str, str]:
        """Where its weights are published, in open_clip's words."""
        return {"hf_hub": f"{self.hub}/"} if self.hub else {"url": self.url, "file": self.file, "sha256": self.sha256}


def read_catalogue(path: Path) -> Mapping[str, Entry]:
    """The guides of this file by name, in its order. Raises OSError, ValueError or TypeError for any other file."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    return MappingProxyType({row["name"]: Entry(**row) for row in found["guide"]})


CATALOGUE: Mapping[str, Entry] = read_catalogue(Path(__file__).with_name("catalogue.toml"))
"""Every named guide, the shipped one first."""
