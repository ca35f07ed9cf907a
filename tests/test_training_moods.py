"""Moods: what they do to a scene, when a scene is in one, and words taken over by their names."""

import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from engine.guides.shipped import save_shipped
from engine.guides.shipped_text import WordTokenizer
from engine.training.concepts import Concepts, tokenizer_for
from engine.training.facts import FACTS, MOOD, NONE
from engine.training.lessons import Lesson
from engine.training.moods import MOODS, in_moods
from engine.training.patterns import Chance
from engine.training.recipes import Cook
from engine.training.trainer import WORD_ROWS, Trainer

sys.path.insert(0, str(Path(__file__).parent / "rigs"))
from tiny_guide import TINY, table


@pytest.fixture(scope="module")
def concepts() -> Concepts:
    return table()


@pytest.fixture(scope="module")
def views() -> torch.Tensor:
    """A warm disc on a cold ground, once for each mood and once for none."""
    down, across = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    is_disc = (down**2 + across**2 < 0.4)[None]
    warm, cold = torch.tensor([0.9, 0.4, 0.2]), torch.tensor([0.2, 0.35, 0.7])
    view = torch.where(is_disc, warm[:, None, None], cold[:, None, None])
    return in_moods(view.expand(len(MOODS) + 1, -1, -1, -1), torch.arange(-1, len(MOODS)), [*MOODS])


def of(views: torch.Tensor, name: str) -> torch.Tensor:
    return views[1 + [*MOODS].index(name)]


def saturation(view: torch.Tensor) -> float:
    return float((view.amax(0) - view.amin(0)).mean())


def test_the_table_and_the_painters_know_the_same_moods(concepts: Concepts) -> None:
    assert {mood.phrases[0] for mood in concepts.moods} == {*MOODS}
    assert all(mood.home in concepts.grounds for mood in concepts.moods)


def test_a_mood_is_what_its_name_says(views: torch.Tensor) -> None:
    plain = views[0]
    assert saturation(of(views, "monochrome")) < 1e-6
    red, _, blue = of(views, "sepia").mean((1, 2))
    assert red > 1.5 * blue
    assert of(views, "pastel").mean() > plain.mean() and of(views, "pastel").std() < 0.7 * plain.std()
    assert 0.6 * plain.mean() < of(views, "gloomy").mean() < 0.8 * plain.mean()
    assert saturation(of(views, "vivid")) > 1.5 * saturation(plain)
    neon = of(views, "neon").amax(0)
    assert neon[32, 32] < 0.2 and neon[2, 2] < 0.2 and neon[32].max() > 0.5


def test_moods_change_only_the_views_they_are_asked_for(views: torch.Tensor) -> None:
    given = torch.rand(3, 3, 32, 32)
    found = in_moods(given, torch.tensor([NONE, 1, NONE]), [*MOODS])
    assert torch.equal(found[::2], given[::2]) and not torch.equal(found[1], given[1])
    assert views.min() >= 0 and views.max() <= 1


def test_scenes_come_in_moods_and_say_so(concepts: Concepts) -> None:
    cook, tokenizer = Cook(concepts, 0, [False] * len(concepts.subjects)), tokenizer_for(concepts)
    recipes = [cook.recipe() for _ in range(2000)]
    found = [recipe for recipe in recipes if recipe.true[MOOD] != NONE]
    assert 0.06 * len(recipes) < len(found) < 0.2 * len(recipes)
    assert {recipe.true[MOOD] for recipe in found} == set(range(len(MOODS)))
    for recipe in found:
        phrases = [tokenizer.numbers(phrase) for phrase in concepts.moods[recipe.true[MOOD]].phrases]
        numbers = tokenizer.numbers(recipe.caption)
        assert recipe.said[MOOD] == recipe.true[MOOD]
        assert any(numbers[: len(phrase)] == phrase or numbers[-len(phrase) :] == phrase for phrase in phrases)
    alone = [recipe for recipe in found if recipe.said[0] == recipe.said[3] == NONE and not recipe.figures]
    assert 0 < len(alone) < len(found)
    homes = [list(concepts.grounds).index(concepts.moods[recipe.true[MOOD]].home) for recipe in alone]
    assert [recipe.true[3] for recipe in alone] == homes


def test_words_are_taken_over_by_their_names(tmp_path: Path) -> None:
    before, now = ("heart", "moon", "star"), ("comet", "heart", "star")
    path = tmp_path / "guide.safetensors"
    first = Trainer(TINY, len(before), 2, 2, Chance(0, "cpu"))
    save_shipped(path, first.average, tokenizer_like(before), before)
    second = Trainer(TINY, len(now), 2, 2, Chance(1, "cpu"))
    own = second.model.state_dict()[WORD_ROWS].clone()
    assert second.take_over(path, now) == len(second.model.state_dict())
    theirs, ours = first.average.state_dict()[WORD_ROWS], second.average.state_dict()[WORD_ROWS]
    assert torch.allclose(ours[2:], theirs[[1, 3]], atol=0.02) and torch.equal(ours[1], own[1])


def lesson_of(trainer: Trainer, moods: tuple[int, ...]) -> Lesson:
    """Views that mean nothing, of words 1 and 2, in these moods."""
    count, width = len(moods), TINY.embedding
    facts = torch.full((count, FACTS), NONE)
    facts[:, MOOD] = torch.tensor(moods)
    views = F.normalize(torch.randn(count, width, generator=torch.Generator().manual_seed(1)), dim=1)
    tokens = torch.tensor([[1, 2]] * count)
    return Lesson(views, tokens, facts, facts, torch.tensor([[-1.0, -1.0, 1.0, 1.0]] * count))


def test_words_half_mean_what_they_mean_to_a_calm_guide_but_moods_are_as_seen(tmp_path: Path) -> None:
    words, path = ("heart", "moon", "star"), tmp_path / "guide.safetensors"
    first = Trainer(TINY, len(words), 2, 2, Chance(0, "cpu"))
    save_shipped(path, first.average, tokenizer_like(words), words)
    first.calm_by(path, words)
    lesson = lesson_of(first, (NONE, 0))
    goals = first._goals(lesson)
    texts = first.average.encode_text(lesson.tokens)
    meant = F.normalize(first.average.place(texts, lesson.boxes) if first.average.place else texts, dim=1)
    assert torch.equal(goals[1], lesson.views[1])
    assert (goals[0] @ lesson.views[0]).item() == pytest.approx((goals[0] @ meant[0]).item(), abs=0.02)
    assert (goals[0] @ meant[0]).item() > 0.5


def test_a_calm_guide_with_another_tower_is_refused_and_a_calmed_run_asks_for_it_again(tmp_path: Path) -> None:
    words, path = ("heart", "moon", "star"), tmp_path / "guide.safetensors"
    first, other = (Trainer(TINY, len(words), 2, 2, Chance(seed, "cpu")) for seed in (0, 1))
    for parameter in other.average.visual.parameters():
        parameter.add_(0.1)
    save_shipped(path, first.average, tokenizer_like(words), words)
    with pytest.raises(ValueError, match="image tower"):
        other.calm_by(path, words)
    first.calm_by(path, words)
    first.save(tmp_path / "checkpoint.pt", 1.0, words)
    with pytest.raises(ValueError, match="--calm-by"):
        Trainer(TINY, len(words), 2, 2, Chance(0, "cpu")).resume(tmp_path / "checkpoint.pt", words)
    second = Trainer(TINY, len(words), 2, 2, Chance(2, "cpu"))
    assert second.resume(tmp_path / "checkpoint.pt", words, is_calm=True) == 1.0
    second.calm_by(path, words)  # a resumed run has the tower again that its guide is compared with


def test_a_run_that_knew_other_words_is_not_resumed(tmp_path: Path) -> None:
    first = Trainer(TINY, 2, 2, 2, Chance(0, "cpu"))
    first.save(tmp_path / "checkpoint.pt", 1.0, ("heart", "moon"))
    with pytest.raises(ValueError, match="--start-from"):
        first.resume(tmp_path / "checkpoint.pt", ("heart", "star"))


def test_words_of_a_checkpoint_are_taken_over_by_their_names(tmp_path: Path) -> None:
    before, now = ("heart", "moon"), ("comet", "heart", "moon")
    first = Trainer(TINY, len(before), 2, 2, Chance(0, "cpu"))
    first.save(tmp_path / "checkpoint.pt", 1.0, before)
    second = Trainer(TINY, len(now), 2, 2, Chance(1, "cpu"))
    second.take_over(tmp_path / "checkpoint.pt", now)
    assert torch.equal(second.average.state_dict()[WORD_ROWS][2:], first.average.state_dict()[WORD_ROWS][1:])


def tokenizer_like(words: tuple[str, ...]) -> WordTokenizer:
    return WordTokenizer(words, {})
