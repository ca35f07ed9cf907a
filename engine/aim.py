"""What one optimisation step works toward, and what the picture is to lose in it."""

from collections.abc import Hashable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.crops import Cut, Sight, look_at
from engine.guides.guide import Guide
from engine.looking import seen_of
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
from engine.tones import TONES, palette_distance, range_excess, signed

Pull = tuple[Guide, Goal | None]
"""A guide and what it pulls toward; None before its first prompt."""

SOURCE, STYLE = 20.0, 40.0
"""Factors of these terms at a weight of 1, whose square counts: at a half the prompt and they are both seen."""

TERMS: dict[str, Term] = {
    "stability": stability,
    "smoothness": total_variation,
    "range": range_excess,
    **{f"{name} up": signed(1.0, *tone)[1] for name, tone in TONES.items()},
    **{f"{name} down": signed(-1.0, *tone)[1] for name, tone in TONES.items()},
    "style": style_distance,
    "source": source_distance,
    "palette": palette_distance,
}
"""Every term but that of the prompts, whose weight is always 1, in the order in which they are added."""


PLAIN = ("stability", "smoothness")
"""Those of most looks, whose gradients are found without autograd."""


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
    is_turned: bool = False
    """Whether the picture comes the other way round."""


@dataclass(frozen=True, slots=True)
class Pulling:
    """A guide that pulls in a step, toward what, and how its views are cut."""

    guide: Guide
    goal: Goal
    cut: Cut

    def shape(self) -> Hashable:
        """What of it decides what is computed, rather than with which numbers."""
        goal = self.goal
        shown = None if goal.shown is None else goal.shown.shape
        return id(self.guide), goal.regions, goal.pictures, shown, len(goal.vectors), self.cut.shape()


@dataclass(frozen=True, slots=True)
class Toward:
    """What one step works toward: either plain numbers and tensors, or the places on the device that hold them."""

    weights: dict[str, float | Tensor]
    """Of every term that counts, by its name."""
    pulling: tuple[Pulling, ...]
    distance: str
    previous: Tensor | None
    references: References

    def shape(self) -> Hashable:
        """What of it decides what is computed. Steps of one shape differ in what their places hold, and no more."""
        palette, style = self.references.palette, self.references.style
        colours = 0 if palette is None else len(palette)
        return tuple(self.weights), self.distance, tuple(one.shape() for one in self.pulling), id(style), colours


def loss_of(picture: Tensor, aim: Aim, step: int, random: torch.Generator) -> Tensor:
    """What the picture is to lose in this step (counted from 0): text, stability in its turn, smoothness."""
    return loss(picture, toward(aim, step), random)


def toward(aim: Aim, step: int) -> Toward:
    """What this step of the aim, counted from 0, works toward, in plain numbers."""
    return Toward(
        weights={name: weight for name, weight in _weights(aim, step).items() if weight},
        pulling=tuple(
            Pulling(guide, goal, _cut(aim, goal, step))
            for guide, goal in pulling(aim.pulls, aim.look.text("guide_mix"), step)
            if goal is not None
        ),
        distance=aim.look.text("distance"),
        previous=aim.previous,
        references=aim.references,
    )


def loss(picture: Tensor, asked: Toward, random: torch.Generator) -> Tensor:
    """What the picture (1, 3, h, w) is to lose, without dimensions; never waits for the device."""
    agreements = tuple(_agreement(picture, one, random) for one in asked.pulling)
    previous = picture if asked.previous is None else asked.previous
    seen = Seen(picture, previous, agreements, asked.references)
    terms = [(weight, TERMS[name]) for name, weight in asked.weights.items()]
    return weighted([(1.0, TEXT_TERMS[asked.distance]), *terms] if agreements else terms, seen)


def _weights(aim: Aim, step: int) -> dict[str, float]:
    look, references = aim.look, aim.references
    is_held = aim.previous is not None and step % look.whole("stability_every") == 0
    weights = {
        "stability": aim.heat.hold if is_held else 0.0,
        "smoothness": look.number("smoothness"),
        "range": look.number("range_pull"),
    }
    for name, tone in TONES.items():
        pull = look.number(name)
        weights[f"{name} {'up' if pull > 0.0 else 'down'}"] = signed(pull, *tone)[0]
    return weights | {
        "style": STYLE * look.number("style_weight") ** 2 * (references.style is not None),
        "source": SOURCE * look.number("source_weight") ** 2 * (references.source is not None),
        "palette": look.number("palette_weight") * (references.palette is not None),
    }


def _cut(aim: Aim, goal: Goal, step: int) -> Cut:
    # Guides that alternate see the same part one after the other; else each would always see its own.
    guides = 1 if aim.look.text("guide_mix") == "sum" else max(1, len({guide.name for guide, _ in aim.pulls}))
    cut = Cut.of(aim.look, aim.crops).shared(goal.regions, (aim.turn + step) // guides)
    # Who shows a picture wants that one: it may hold letters.
    return cut if goal.pictures else replace(cut, is_turned=aim.is_turned)


def _agreement(picture: Tensor, one: Pulling, random: torch.Generator) -> Agreement:
    """The goal beside views of the picture; where parts are owned, each view changes no more than is its own."""
    guide, goal = one.guide, one.goal
    sight = look_at(picture, one.cut, guide.image_size, random)
    wanted = wanted_of(picture, one, sight)
    if not one.cut.owners:
        return Agreement(goal, guide.embed_image(sight.views), wanted=wanted)
    owns = ownership(goal.regions, one.cut.owners, guide.device)
    still = sight.views.detach()
    seen = still + owns.masks(sight.points(), goal.weights) * (sight.views - still)
    return Agreement(goal, guide.embed_image(seen), owns.shares, wanted)


def wanted_of(picture: Tensor, one: Pulling, sight: Sight) -> Tensor:
    """What the views should show, (n, k, d): what a text means there, and what a picture shows there."""
    guide, goal, size = one.guide, one.goal, (picture.shape[-2], picture.shape[-1])
    texts = len(goal.vectors) - goal.pictures
    wanted = goal.vectors[texts:].expand(len(sight.boxes), -1, -1)
    if goal.shown is not None:
        wanted = seen_of(goal.shown, sight.boxes, size, guide)[:, None]
    if not texts:
        return wanted
    regions = (goal.regions or ("whole",) * texts)[:texts]
    placed = guide.place_text(goal.vectors[:texts], places(sight.boxes, regions, *size, one.cut.is_turned))
    return torch.cat([placed, wanted], dim=1) if goal.pictures else placed


def pulling(pulls: tuple[Pull, ...], mix: str, step: int) -> tuple[Pull, ...]:
    """Who pulls in this step, counted from 0: one guide after the other, or all of them."""
    if mix == "sum" or not pulls:
        return pulls
    return (pulls[step % len(pulls)],)
