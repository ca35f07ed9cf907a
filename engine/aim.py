"""What one optimisation step works toward, and what the picture is to lose in it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.crops import Cut, look_at
from engine.guides.guide import Guide
from engine.objectives import (
    NOTHING,
    TEXT_TERMS,
    Agreement,
    Goal,
    References,
    Seen,
    Term,
    source_distance,
    stability,
    style_distance,
    total_variation,
    weighted,
)
from engine.parameters import Look
from engine.placing import places
from engine.regions import ownership
from engine.temperature import Heat
from engine.tones import (
    MOST_DEVIATION,
    VIVID,
    brightness_from,
    contrast_from,
    palette_distance,
    range_excess,
    saturation_from,
    signed,
)

Pull = tuple[Guide, Goal | None]
"""A guide and what it pulls toward; None before its first prompt."""

SOURCE, STYLE = 20.0, 40.0
"""Factors of these terms at a weight of 1, whose square counts: at a half the prompt and they are both seen."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What every step of one frame works toward."""

    look: Look
    heat: Heat
    crops: int
    pulls: tuple[Pull, ...]
    previous: Tensor | None
    """The last picture of the frame before, (1, 3, h, w); None in a first frame."""
    references: References = NOTHING
    turn: int = 0
    """Counts the steps of all frames before, so that owned parts take turns."""


def loss_of(picture: Tensor, aim: Aim, step: int, random: torch.Generator) -> Tensor:
    """What the picture is to lose in this step (counted from 0): text, stability in its turn, smoothness."""
    agreements = tuple(
        _agreement(picture, guide, goal, _cut(aim, goal, step), random)
        for guide, goal in pulling(aim.pulls, aim.look.text("guide_mix"), step)
        if goal is not None
    )
    seen = Seen(picture, picture if aim.previous is None else aim.previous, agreements, aim.references)
    is_held = aim.previous is not None and step % aim.look.whole("stability_every") == 0
    terms = [
        (1.0, TEXT_TERMS[aim.look.text("distance")]),
        (aim.heat.hold if is_held else 0.0, stability),
        (aim.look.number("smoothness"), total_variation),
        *_tones(aim.look),
        *_comparisons(aim.look, aim.references),
    ]
    return weighted(terms, seen)


def _tones(look: Look) -> list[tuple[float, Term]]:
    return [
        (look.number("range_pull"), range_excess),
        signed(look.number("brightness_pull"), brightness_from, 1.0),
        signed(look.number("contrast_pull"), contrast_from, MOST_DEVIATION),
        signed(look.number("saturation_pull"), saturation_from, VIVID),
    ]


def _comparisons(look: Look, references: References) -> list[tuple[float, Term]]:
    """The terms of those references that are there."""
    return [
        (STYLE * look.number("style_weight") ** 2 * (references.style is not None), style_distance),
        (SOURCE * look.number("source_weight") ** 2 * (references.source is not None), source_distance),
        (look.number("palette_weight") * (references.palette is not None), palette_distance),
    ]


def _cut(aim: Aim, goal: Goal, step: int) -> Cut:
    # Guides that alternate see the same part one after the other; else each would always see its own.
    guides = 1 if aim.look.text("guide_mix") == "sum" else max(1, len({guide.name for guide, _ in aim.pulls}))
    return Cut.of(aim.look, aim.crops).shared(goal.regions, (aim.turn + step) // guides)


def _agreement(picture: Tensor, guide: Guide, goal: Goal, cut: Cut, random: torch.Generator) -> Agreement:
    """The goal beside views of the picture; where parts are owned, each view changes no more than is its own."""
    sight = look_at(picture, cut, guide.image_size, random)
    wanted = _wanted(guide, goal, sight.boxes, picture.shape[-2:])
    if not cut.owners:
        return Agreement(goal, guide.embed_image(sight.views), wanted=wanted)
    owns = ownership(goal.regions, cut.owners, guide.device)
    still = sight.views.detach()
    seen = still + owns.masks(sight.points, goal.weights) * (sight.views - still)
    return Agreement(goal, guide.embed_image(seen), owns.shares, wanted)


def _wanted(guide: Guide, goal: Goal, boxes: Tensor, size: torch.Size) -> Tensor:
    """What views in boxes (n, 4) should show, (n, k, d): a text's meaning depends on the place, not a picture's."""
    texts = len(goal.vectors) - goal.pictures
    wanted = goal.vectors[texts:].expand(len(boxes), -1, -1)
    if not texts:
        return wanted
    regions = (goal.regions or ("whole",) * texts)[:texts]
    placed = guide.place_text(goal.vectors[:texts], places(boxes, regions, size[0], size[1]))
    return torch.cat([placed, wanted], dim=1) if goal.pictures else placed


def pulling(pulls: tuple[Pull, ...], mix: str, step: int) -> tuple[Pull, ...]:
    """Who pulls in this step, counted from 0: one guide after the other, or all of them."""
    if mix == "sum" or not pulls:
        return pulls
    return (pulls[step % len(pulls)],)
