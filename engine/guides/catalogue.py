"""Guides that have a name of their own. Any other open_clip model works as MODEL:TAG."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Entry:
    """One named guide: open_clip's model and tag ("" for the shipped one), its download, what to know of it."""

    name: str
    model: str
    tag: str
    megabytes: int
    remark: str


_ENTRIES = (
    Entry("shipped", "", "", 0, "comes with vj: small, quick on a CPU, knows a few hundred things"),
    Entry("openai-b32", "ViT-B-32", "openai", 605, "the paper's second guide; MIT"),
    Entry("openai-b16", "ViT-B-16", "openai", 599, "the paper's first guide, four times the work; MIT"),
    Entry("laion-b32", "ViT-B-32", "laion2b_s34b_b79k", 605, "trained on LAION-2B; MIT"),
    Entry("datacomp-b32", "ViT-B-32-256", "datacomp_s34b_b86k", 605, "the best of this size; MIT"),
    Entry("mobileclip2-s0", "MobileCLIP2-S0", "dfndr2b", 300, "small; Apple's research licence, not for shows"),
)

CATALOGUE: Mapping[str, Entry] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""Every named guide, the shipped one first."""
