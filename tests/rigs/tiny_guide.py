"""A guide of the smallest sizes to be trained, and the table of what it learns, without the words of CLDR."""

from pathlib import Path

from engine.guides.shipped import GuideShape
from engine.training.concepts import TABLE, Concepts, read_concepts

TINY = GuideShape(
    embedding=15, finest=6, coarsest=4, channels=(4, 4, 8, 8), text_width=16, text_layers=1, text_hidden=24
)


def table() -> Concepts:
    """The concepts of the table alone: the same on every machine."""
    return read_concepts(TABLE, Path("no-such-file"))
