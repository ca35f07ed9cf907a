"""Styles and moods: what they do to a scene, when a scene is in one, and words taken over by their names."""

from pathlib import Path

import pytest
import torch

from engine.guides.shipped import GuideShape, save_shipped
from engine.guides.shipped_text import WordTokenizer
from engine.training.concepts import TABLE, Concepts, read_concepts, tokenizer_for
from engine.training.facts import NONE
from engine.training.patterns import Chance
from engine.training.recipes import Cook
from engine.training.styles import STYLES, styled
from engine.training.trainer import WORDS, Trainer

TINY = GuideShape(
    embedding=15, finest=6, coarsest=4, channels=(4, 4, 8, 8), text_width=16, text_layers=1, text_hidden=24
)


@pytest.fixture(scope="module")
def concepts() -> Concepts:
    return read_concepts(TABLE, Path("no-such-file"))


@pytest.fixture(scope="module")
def views() -> torch.Tensor:
    """A warm disc on a cold ground, once for each style and once for none."""
    down, across = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    is_disc = (down**2 + across**2 < 0.4)[None]
    warm, cold = torch.tensor([0.9, 0.4, 0.2]), torch.tensor([0.2, 0.35, 0.7])
    view = torch.where(is_disc, warm[:, None, None], cold[:, None, None])
    return styled(view.expand(len(STYLES) + 1, -1, -1, -1), torch.arange(-1, len(STYLES)))


def of(views: torch.Tensor, name: str) -> torch.Tensor:
    return views[1 + [*STYLES].index(name)]


def saturation(view: torch.Tensor) -> float:
    return float((view.amax(0) - view.amin(0)).mean())


def test_the_table_and_the_painters_know_the_same_styles(concepts: Concepts) -> None:
    assert [style.phrases[0] for style in concepts.styles] == [*STYLES]
    assert all(style.home in concepts.grounds for style in concepts.styles)


def test_a_style_is_what_its_name_says(views: torch.Tensor) -> None:
    plain = views[0]
    assert saturation(of(views, "monochrome")) < 1e-6
    red, _, blue = of(views, "sepia").mean((1, 2))
    assert red > 1.5 * blue
    assert of(views, "pastel").mean() > plain.mean() and of(views, "pastel").std() < 0.7 * plain.std()
    assert of(views, "gloomy").min() > 0.08 and of(views, "gloomy").mean() < 0.8 * plain.mean()
    assert saturation(of(views, "vivid")) > 1.5 * saturation(plain)
    neon = of(views, "neon").amax(0)
    assert neon[32, 32] < 0.2 and neon[2, 2] < 0.2 and neon[32].max() > 0.5


def test_styles_change_only_the_views_they_are_asked_for(views: torch.Tensor) -> None:
    again = styled(views[:2], torch.tensor([NONE, NONE]))
    assert torch.equal(again, views[:2])
    assert views.min() >= 0 and views.max() <= 1


def test_scenes_come_in_styles_and_say_so(concepts: Concepts) -> None:
    cook, tokenizer = Cook(concepts, 0, [False] * len(concepts.subjects)), tokenizer_for(concepts)
    recipes = [cook.recipe() for _ in range(2000)]
    found = [recipe for recipe in recipes if recipe.true[7] != NONE]
    assert 0.06 * len(recipes) < len(found) < 0.2 * len(recipes)
    assert {recipe.true[7] for recipe in found} == set(range(len(STYLES)))
    for recipe in found:
        phrases = [tokenizer.numbers(phrase) for phrase in concepts.styles[recipe.true[7]].phrases]
        numbers = tokenizer.numbers(recipe.caption)
        assert recipe.said[7] == recipe.true[7]
        assert any(numbers[: len(phrase)] == phrase or numbers[-len(phrase) :] == phrase for phrase in phrases)
    assert any(not recipe.figures for recipe in found) and any(recipe.figures for recipe in found)


def test_words_are_taken_over_by_their_names(tmp_path: Path) -> None:
    before, now = ("heart", "moon", "star"), ("comet", "heart", "star")
    path = tmp_path / "guide.safetensors"
    first = Trainer(TINY, len(before), 2, 2, Chance(0, "cpu"))
    save_shipped(path, first.average, tokenizer_like(before), before)
    second = Trainer(TINY, len(now), 2, 2, Chance(1, "cpu"))
    own = second.model.state_dict()[WORDS].clone()
    assert second.take_over(path, now) == len(second.model.state_dict())
    theirs, ours = first.average.state_dict()[WORDS], second.average.state_dict()[WORDS]
    assert torch.allclose(ours[2:], theirs[[1, 3]], atol=0.02) and torch.equal(ours[1], own[1])


def tokenizer_like(words: tuple[str, ...]) -> WordTokenizer:
    return WordTokenizer(words, {})
