"""How well a guide names drawings it never saw: python -m engine.training.held_out [--guide FILE] [--list].

Emoji that are not in the table, but whose CLDR name says one subject of it ("grinning cat", "blue book"): shown on the
plain ground, each is compared with the names of all subjects.
"""

import argparse
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from engine.guides.shipped import SHIPPED_PATH, SmallCLIP, load_shipped
from engine.training.concepts import CLDR, Concepts, Subject, bare, read_concepts, tokenizer_for, words_of
from engine.training.facts import WHOLE, Figure, Recipe
from engine.training.glyphs import dim_ones, draw_glyphs, drawn_by_font
from engine.training.grounds import DARK, LIGHT
from engine.training.guide import RUNS
from engine.training.measure import normalised
from engine.training.patterns import Chance
from engine.training.recipes import SIZES
from engine.training.scenes import Studio

Reader = Callable[[Sequence[str]], torch.Tensor]
"""Turns texts into word numbers (n, L)."""


def main() -> None:
    """Print how many there are, and the shares whose subject comes first and among the first five."""
    parser = argparse.ArgumentParser(prog="python -m engine.training.held_out", description=__doc__)
    parser.add_argument("--guide", type=Path, default=SHIPPED_PATH)
    parser.add_argument("--list", action="store_true", help="also print each, and what it was taken for")
    options = parser.parse_args()
    guide, concepts = load_shipped(options.guide), read_concepts()
    drawings = held_out(concepts)
    places = named(guide.model, guide.tokenizer, concepts, drawings)
    for (number, drawing), (place, first) in zip(drawings, places, strict=True):
        if options.list:
            print(f"{drawing.glyph} {drawing.name}: {concepts.subjects[number].name} is {place + 1}., first {first}")
    for most in (1, 5):
        share = sum(place < most for place, _ in places) / max(1, len(places))
        print(f"of {len(places)} held-out emoji, named among {most} of {len(concepts.subjects)}: {share:.0%}")


def held_out(concepts: Concepts, cldr: Path = CLDR) -> list[tuple[int, Subject]]:
    """Emoji not in the table whose name has the words of just one subject's name: its number, and the drawing."""
    known = {bare(subject.glyph) for subject in concepts.subjects}
    found = list[tuple[int, Subject]]()
    for node in ET.parse(cldr).getroot().iter("annotation"):
        glyph, name = node.get("cp", ""), node.text or ""
        # Of several characters joined in one, most are the same drawing for other people or in other colours.
        if node.get("type") != "tts" or bare(glyph) in known or len(bare(glyph)) != 1:
            continue
        words = set(words_of(name))
        said = [n for n, subject in enumerate(concepts.subjects) if set(words_of(subject.name)) <= words]
        longest = [n for n in said if not any(_is_part(concepts, n, other) for other in said)]
        if len(longest) == 1:
            found.append((longest[0], replace(concepts.subjects[longest[0]], name=name, glyph=glyph)))
    drawn = set(drawn_by_font([drawing.glyph for _, drawing in found]))
    return [(number, drawing) for number, drawing in found if drawing.glyph in drawn]


@torch.no_grad()
def named(
    model: SmallCLIP, read: Reader, concepts: Concepts, drawings: Sequence[tuple[int, Subject]]
) -> list[tuple[int, str]]:
    """For each drawing the place of the right subject's name, from 0, and the name that comes first."""
    glyphs = draw_glyphs([drawing for _, drawing in drawings], RUNS / "cache")
    shades = dim_ones(glyphs)
    studio = Studio(concepts, glyphs, Chance(0, "cpu"))
    recipes = [
        Recipe(figures=[Figure(n, 0.0, 0.0, SIZES[1], 0.0, -1)], plain=LIGHT if is_dim else DARK, box=WHOLE)
        for n, is_dim in enumerate(shades)
    ]
    images = model.encode_image(normalised(studio.paint(recipes, tokenizer_for(concepts)).pictures), normalize=True)
    names = [subject.name for subject in concepts.subjects]
    texts = model.place_text(model.encode_text(read(names)), torch.tensor(WHOLE).expand(1, len(names), 4))[0]
    order = (images @ texts.T).argsort(dim=1, descending=True)
    right = torch.tensor([number for number, _ in drawings])[:, None]
    places = (order == right).float().argmax(dim=1).tolist()
    return [(int(place), names[int(row[0])]) for place, row in zip(places, order, strict=True)]


def _is_part(concepts: Concepts, number: int, other: int) -> bool:
    mine, theirs = (set(words_of(concepts.subjects[n].name)) for n in (number, other))
    return mine < theirs


if __name__ == "__main__":
    main()
