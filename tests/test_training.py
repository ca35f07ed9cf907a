"""The training script on a tiny world: scenes are painted, steps are made, a run goes on where it stopped."""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.guides.shipped import load_shipped, save_shipped
from engine.training.canvases import Easel
from engine.training.concepts import CLDR, Concepts, read_concepts, tokenizer_for, words_of
from engine.training.facts import LOOSE, NONE, STEADY, Recipe
from engine.training.glyphs import FONT, draw_glyphs
from engine.training.guide import BOTH, PICTURES, WORDS, Session
from engine.training.held_out import held_out
from engine.training.icons import RASTERISER, draw_icon
from engine.training.lessons import Album
from engine.training.losses import alignment, holds
from engine.training.patterns import Chance
from engine.training.recipes import Cook
from engine.training.scenes import Bank, Scenes, Studio
from engine.training.trainer import Trainer
from engine.training.workers import agreed, average_gradients

sys.path.insert(0, str(Path(__file__).parent / "rigs"))
from tiny_guide import TINY, table


@pytest.fixture(scope="module")
def concepts() -> Concepts:
    return table()


@pytest.fixture(scope="module")
def scenes(concepts: Concepts) -> Scenes:
    discs = torch.zeros(len(concepts.subjects), 4, 96, 96)
    discs[:, :, 20:76, 20:76] = 0.8
    studio = Studio(concepts, discs, Chance(0, "cpu"), bank=Bank(2))
    cook = Cook(concepts, 0, [False] * len(discs))
    return studio.paint([cook.recipe() for _ in range(12)], tokenizer_for(concepts))


def trainer(concepts: Concepts, *without: str) -> Trainer:
    torch.manual_seed(0)
    words = len(tokenizer_for(concepts).words)
    return Trainer(TINY, words, len(concepts.subjects), 40, Chance(1, "cpu"), frozenset(without))


def test_scenes_are_pictures_with_captions(scenes: Scenes) -> None:
    assert scenes.pictures.shape == (12, 3, 64, 64)
    assert scenes.pictures.min() >= 0 and scenes.pictures.max() <= 1
    assert (scenes.tokens[:, 0] > 0).all()


def test_every_caption_holds_for_its_own_scene(scenes: Scenes) -> None:
    assert holds(scenes.said, scenes.true).diagonal().all()


def test_training_steps_change_the_guide_and_a_run_resumes(concepts: Concepts, scenes: Scenes, tmp_path: Path) -> None:
    first = trainer(concepts)
    before = first.model.visual.stem.weight.clone()
    easel = Easel.of(scenes, Chance(0, "cpu"))
    canvas, steps = easel.canvas, easel.steps_left
    losses = [first.train(easel, 1e-3) for _ in range(2)][-1]
    assert not torch.equal(canvas, easel.canvas) and easel.steps_left == steps - 2
    assert all(value == value for value in losses.values())
    assert not torch.equal(before, first.model.visual.stem.weight)
    first.save(tmp_path / "checkpoint.pt", 12.5, ["sea"])
    second = trainer(concepts)
    assert second.resume(tmp_path / "checkpoint.pt", ["sea"]) == 12.5
    assert second.steps == first.steps > 0
    assert torch.equal(second.model.visual.stem.weight, first.model.visual.stem.weight)


def test_words_are_learnt_from_what_the_tower_sees_and_leave_it_as_it_is(concepts: Concepts, scenes: Scenes) -> None:
    guide, album = trainer(concepts), Album(Chance(0, "cpu"))
    album.add(scenes, guide.see(scenes.pictures))
    eye, word = guide.model.visual.stem.weight.clone(), guide.model.text.words.weight.clone()
    missed = [guide.learn_words(album.lesson(32), 3e-3)["missed"] for _ in range(60)]
    assert missed[-1] < 0.5 * missed[0]
    assert torch.equal(eye, guide.model.visual.stem.weight) and not torch.equal(word, guide.model.text.words.weight)


def test_an_album_keeps_the_newest_and_cuts_lessons_to_their_longest_prompt(scenes: Scenes) -> None:
    album = Album(Chance(0, "cpu"), room=20)
    for number in range(3):
        album.add(scenes, torch.full((12, 5), float(number)))
    lesson = album.lesson(200)
    assert set(lesson.views[:, 0].tolist()) == {1.0, 2.0}
    assert lesson.tokens.shape[1] == (scenes.tokens != 0).sum(1).max()


def test_canvases_can_be_painted_from_their_pictures_without_words(concepts: Concepts, scenes: Scenes) -> None:
    guide, easel = trainer(concepts), Easel.of(scenes, Chance(0, "cpu"))
    word = guide.model.text.words.weight.clone()
    losses = guide.train(easel, 1e-3, by_words=False)
    assert "told" not in losses and losses["aligned"] > 0 and torch.equal(word, guide.model.text.words.weight)


def test_the_stages_of_a_training_follow_each_other() -> None:
    run = Session.__new__(Session)
    run.options = argparse.Namespace(without=[], only="")
    for done, stage in ((0.0, PICTURES), (0.2, PICTURES), (0.5, WORDS), (0.95, BOTH), (1.0, BOTH)):
        found, part = run._stage(done)
        assert found == stage and 0 <= part <= 1
    run.options.without = ["pictures-first"]
    assert run._stage(0.1) == (BOTH, 0.1)
    run.options.only = WORDS
    assert run._stage(0.1) == (WORDS, 0.1)


def test_landscapes_come_in_colours_and_two_in_one(concepts: Concepts) -> None:
    discs = torch.zeros(len(concepts.subjects), 4, 96, 96)
    studio, tokenizer = Studio(concepts, discs, Chance(0, "cpu"), bank=Bank(2)), tokenizer_for(concepts)
    night, ocean = (list(concepts.grounds).index(name) for name in ("night", "ocean"))
    red = 0
    plain = Recipe(true=[NONE, NONE, NONE, night, NONE, NONE, NONE, NONE], caption="night")
    tinted = Recipe(true=[NONE, NONE, NONE, night, red, NONE, NONE, NONE], caption="red night")
    both = Recipe(
        true=[NONE, NONE, NONE, min(night, ocean), NONE, NONE, max(night, ocean), NONE], caption="night over sea"
    )
    sea = Recipe(true=[NONE, NONE, NONE, ocean, NONE, NONE, NONE, NONE], caption="sea")
    pictures = studio.paint([plain, tinted, both, sea], tokenizer).pictures
    assert pictures[1, 0].mean() > 2 * pictures[1, 2].mean()
    assert (pictures[2, :, :16] - pictures[0, :, :16]).abs().mean() < 0.03
    assert (pictures[2, :, -16:] - pictures[3, :, -16:]).abs().mean() < 0.03


def test_the_same_words_are_one_recipe_for_the_guide(concepts: Concepts) -> None:
    cook = Cook(concepts, 0, [False] * len(concepts.subjects))
    found: dict[tuple[int, ...], Recipe] = {}
    again, other, tokenizer = 0, 0, tokenizer_for(concepts)
    for recipe in (cook.recipe() for _ in range(20_000)):
        first = found.setdefault(tuple(tokenizer.numbers(recipe.caption)), recipe)
        if first is recipe:
            continue
        again += 1
        places = [[(f.subject, f.colour, round(f.x), round(f.y)) for f in one.figures] for one in (first, recipe)]
        facts = [
            (one.true, one.variant % 4, one.plain, place) for one, place in zip((first, recipe), places, strict=True)
        ]
        other += facts[0] != facts[1]
    assert again > 1000 and other < 0.005 * again


def test_no_pair_that_is_held_out_is_trained_and_what_is_said_is_true(concepts: Concepts) -> None:
    cook = Cook(concepts, 0, [False] * len(concepts.subjects))
    for recipe in (cook.recipe() for _ in range(3000)):
        assert all(said in (NONE, true) for said, true in zip(recipe.said, recipe.true, strict=True))
        grounds = [n for n in (recipe.said[3], recipe.said[6]) if NONE < n < len(concepts.grounds)]
        if recipe.said[0] != NONE:
            assert all((7 * recipe.said[0] + 13 * n) % 10 for n in grounds), recipe.caption


def test_the_same_words_are_the_same_picture_for_the_guide_but_not_for_the_judge(concepts: Concepts) -> None:
    discs = torch.zeros(len(concepts.subjects), 4, 96, 96)
    discs[:, :, 20:76, 20:76] = 0.8
    tokenizer, apart = tokenizer_for(concepts), {}
    for freedom in (STEADY, LOOSE):
        cook = Cook(concepts, 3, [False] * len(discs), freedom=freedom)
        recipes = [recipe for recipe in (cook.recipe() for _ in range(24000)) if recipe.caption == "starry night"]
        for recipe in recipes:
            recipe.box = (-1.0, -1.0, 1.0, 1.0)
        pictures = Studio(concepts, discs, Chance(0, "cpu"), bank=Bank(4)).paint(recipes, tokenizer).pictures
        assert len(pictures) > 3
        apart[freedom] = (pictures - pictures[:1]).abs().mean()
    assert apart[STEADY] < 0.02 < 2 * apart[LOOSE]


def test_what_is_left_out_of_the_training_is_not_done(concepts: Concepts, scenes: Scenes) -> None:
    plain, without = trainer(concepts), trainer(concepts, "alignment", "attacks")
    assert plain.align > 0 and plain.attacks > 0 and without.align == without.attacks == 0
    easel = Easel.of(scenes, Chance(0, "cpu"))
    before = without.model.visual.stem.weight.clone()
    easel.steps_done = 9  # telling scenes apart is all there is to learn, however long an easel stands
    without.train(easel, 1e-3)
    assert not torch.equal(before, without.model.visual.stem.weight)


def test_an_icon_is_drawn_solid_in_its_colour(tmp_path: Path) -> None:
    if shutil.which(RASTERISER) is None:
        pytest.skip(f"{RASTERISER} is not installed")
    ring = '<path fill="currentColor" fill-rule="evenodd" d="M256 40a216 216 0 1 0 1 0zM256 140a116 116 0 1 1-1 0z"/>'
    icons = tmp_path / "icons.json"
    icons.write_text(json.dumps({"icons": {"ring": {"body": ring}}}), encoding="utf-8")
    image = np.asarray(draw_icon("game-icons/ring#c02020", icons)).astype(int)
    corner, line, gap = image[2, 2], image[80, 30], image[80, 80]
    assert corner[3] == 0 and line[3] == gap[3] == 255
    assert line[0] > 150 and line[0] > 3 * line[1] and gap[0] < 0.6 * line[0]
    with pytest.raises(ValueError, match="no icon 'rong'"):
        draw_icon("game-icons/rong#c02020", icons)


def test_an_exported_guide_can_be_loaded(concepts: Concepts, tmp_path: Path) -> None:
    path = tmp_path / "guide.safetensors"
    save_shipped(path, trainer(concepts).average, tokenizer_for(concepts), concepts.names())
    assert load_shipped(path).model.encode_image(torch.rand(1, 3, 64, 64)).shape == (1, 15)


def test_a_pull_along_the_way_is_aligned_and_one_against_it_is_not() -> None:
    way = torch.randn(2, 3, 64, 64)
    assert alignment(way * 3, way).max() < 0.01
    assert alignment(-way, way).min() > 1.5


@pytest.mark.skipif(not FONT.exists(), reason="Noto Color Emoji is not installed")
def test_glyphs_are_drawn_with_alpha(concepts: Concepts, tmp_path: Path) -> None:
    glyphs = draw_glyphs(concepts.subjects[:3], tmp_path)
    assert glyphs.shape == (3, 4, 96, 96)
    assert 0.2 < glyphs[:, 3].mean() < 0.95


@pytest.mark.skipif(not (CLDR.exists() and FONT.exists()), reason="emoji and their names are not installed")
def test_held_out_drawings_are_of_one_subject_and_never_trained() -> None:
    whole = read_concepts()
    found = held_out(whole)
    assert len(found) > 100
    trained = {subject.glyph.replace("\ufe0f", "") for subject in whole.subjects}
    for number, drawing in found:
        assert drawing.glyph.replace("\ufe0f", "") not in trained
        assert set(words_of(whole.subjects[number].name)) <= set(words_of(drawing.name))


@pytest.mark.skipif(not CLDR.exists(), reason="Unicode CLDR annotations are not installed")
def test_no_keyword_of_cldr_takes_a_word_that_means_something_else() -> None:
    meant = {word: s.name for s in read_concepts().subjects for word in s.phrases}
    assert not {"night", "sea", "black", "white", "gold", "silver", "spiral", "dark", "father", "stripe"} & set(meant)
    assert meant["sob"] == "crying face"


@pytest.mark.skipif(not CLDR.exists(), reason="Unicode CLDR annotations are not installed")
def test_cldr_adds_words() -> None:
    assert len(read_concepts().phrases()) > len(table().phrases())


HALVES = """
import torch, torch.distributed as dist
from engine.training.workers import agreed, average_gradients, share
dist.init_process_group("gloo")
weight = torch.full((3,), float(dist.get_rank()), requires_grad=True)
share([weight])
(weight.sum() * (dist.get_rank() + 1.0)).backward()
average_gradients([weight])
print(weight.tolist(), weight.grad.tolist(), agreed(dist.get_rank() + 0.25))
"""


def test_processes_share_weights_and_average_gradients() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    env = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    both = [
        subprocess.Popen([sys.executable, "-c", HALVES], env={**env, "RANK": rank}, stdout=subprocess.PIPE, text=True)
        for rank in ("0", "1")
    ]
    assert {process.communicate(timeout=120)[0].strip() for process in both} == {"[0.0, 0.0, 0.0] [1.5, 1.5, 1.5] 0.25"}


def test_without_other_processes_gradients_stay() -> None:
    weight = torch.ones(2, requires_grad=True)
    weight.sum().backward()
    average_gradients([weight])
    assert torch.equal(weight.grad, torch.ones(2)) and agreed(0.5) == 0.5
