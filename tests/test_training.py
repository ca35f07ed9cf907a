"""The training script on a tiny world: scenes are painted, steps are made, a run goes on where it stopped."""

from pathlib import Path

import pytest
import torch

from engine.guides.shipped import GuideShape, load_shipped, save_shipped
from engine.training.canvases import Easel
from engine.training.concepts import CLDR, TABLE, Concepts, read_concepts, tokenizer_for
from engine.training.glyphs import FONT, draw_glyphs
from engine.training.losses import alignment, holds
from engine.training.patterns import Chance
from engine.training.recipes import Cook
from engine.training.scenes import Scenes, Studio
from engine.training.trainer import Trainer

TINY = GuideShape(embedding=16, channels=(4, 4, 8, 8), text_width=16, text_layers=1)


@pytest.fixture(scope="module")
def concepts() -> Concepts:
    return read_concepts(TABLE, Path("no-such-file"))


@pytest.fixture(scope="module")
def scenes(concepts: Concepts) -> Scenes:
    discs = torch.zeros(len(concepts.subjects), 4, 96, 96)
    discs[:, :, 20:76, 20:76] = 0.8
    studio = Studio(concepts, discs, Chance(0, "cpu"), variants=2)
    cook = Cook(concepts, 0, [False] * len(discs))
    return studio.paint([cook.recipe() for _ in range(12)], tokenizer_for(concepts))


def trainer(concepts: Concepts) -> Trainer:
    torch.manual_seed(0)
    words = len(tokenizer_for(concepts).words)
    return Trainer(TINY, words, len(concepts.subjects), 40, Chance(1, "cpu"))


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
    first.save(tmp_path / "checkpoint.pt")
    second = trainer(concepts)
    second.resume(tmp_path / "checkpoint.pt")
    assert second.steps == first.steps > 0
    assert torch.equal(second.model.visual.stem.weight, first.model.visual.stem.weight)


def test_an_exported_guide_can_be_loaded(concepts: Concepts, tmp_path: Path) -> None:
    path = tmp_path / "guide.safetensors"
    save_shipped(path, trainer(concepts).average, tokenizer_for(concepts), concepts.names())
    assert load_shipped(path).model.encode_image(torch.rand(1, 3, 64, 64)).shape == (1, 16)


def test_a_pull_along_the_way_is_aligned_and_one_against_it_is_not() -> None:
    way = torch.randn(2, 3, 64, 64)
    assert alignment(way * 3, way).max() < 0.01
    assert alignment(-way, way).min() > 1.5


@pytest.mark.skipif(not FONT.exists(), reason="Noto Color Emoji is not installed")
def test_glyphs_are_drawn_with_alpha(concepts: Concepts, tmp_path: Path) -> None:
    glyphs = draw_glyphs(concepts.subjects[:3], tmp_path)
    assert glyphs.shape == (3, 4, 96, 96)
    assert 0.2 < glyphs[:, 3].mean() < 0.95


@pytest.mark.skipif(not CLDR.exists(), reason="Unicode CLDR annotations are not installed")
def test_cldr_adds_words() -> None:
    assert len(read_concepts().phrases()) > len(read_concepts(TABLE, Path("no-such-file")).phrases())
