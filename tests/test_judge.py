"""The judge: trained in little, kept and read again, never to be had as a guide; and judging with it."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import GuideError
from engine.guides.colours import colour_guide
from engine.guides.loading import load_guide
from engine.guides.shipped import load_shipped
from engine.guides.shipped_text import WordTokenizer
from engine.score.critic import GuideCritic, JudgeCritic
from engine.score.judge import JUDGE_PATH, Judge, JudgeShape, load_judge, save_judge
from engine.score.song import judging_prompts
from engine.training.concepts import TABLE, Concepts, read_concepts, tokenizer_for
from engine.training.judge import examine, fair_cook, judged_box
from engine.training.judge_distortions import distorted
from engine.training.judge_trainer import JudgeTrainer
from engine.training.judging import accuracy, pick
from engine.training.judging_variety import Variety, variety
from engine.training.patterns import Chance
from engine.training.recipes import Cook
from engine.training.scenes import Bank, Scenes, Studio
from engine.training.sheets_layout import Tile, contact_sheet, table_of_frames
from engine.training.sheets_painting import crossfade, last_frame, preset_look

TINY = JudgeShape(sees=32, embedding=16, channels=(8, 16), words=8)


@pytest.fixture(scope="module")
def concepts() -> Concepts:
    return read_concepts(TABLE, Path("no-such-file"))


@pytest.fixture(scope="module")
def scenes(concepts: Concepts) -> Scenes:
    discs = torch.zeros(len(concepts.subjects), 4, 96, 96)
    discs[:, :, 20:76, 20:76] = 0.8
    cook, order = fair_cook(Cook(concepts, 0, [False] * len(discs))), random.Random(0)
    recipes = [cook.recipe() for _ in range(12)]
    for recipe in recipes:
        recipe.box = judged_box(order, recipe.box)
    return Studio(concepts, discs, Chance(0, "cpu"), size=32, bank=Bank(2)).paint(recipes, tokenizer_for(concepts))


def test_training_goes_on_where_it_stopped_also_with_other_words(
    concepts: Concepts, scenes: Scenes, tmp_path: Path
) -> None:
    tokenizer = tokenizer_for(concepts)
    trainer = JudgeTrainer(concepts, tokenizer, Chance(1, "cpu"), TINY)
    losses = trainer.train(scenes, 1e-3)
    assert trainer.steps == 2 and all(np.isfinite(value) for value in losses.values())
    trainer.save(tmp_path / "checkpoint.pt")
    fewer = WordTokenizer(tokenizer.words[5:], {})
    for words in (tokenizer, fewer):
        other = JudgeTrainer(concepts, words, Chance(2, "cpu"), TINY)
        other.resume(tmp_path / "checkpoint.pt")
        assert other.steps == 2
        assert torch.equal(other.judge.read(["heart"]), trainer.judge.read(["heart"]))
    trainer.average.load_state_dict(trainer.judge.state_dict())
    save_judge(tmp_path / "judge.safetensors", trainer.average)
    third = JudgeTrainer(concepts, fewer, Chance(4, "cpu"), TINY)
    assert third.take_over(tmp_path / "judge.safetensors") == len(trainer.judge.state_dict())
    assert torch.allclose(third.judge.read(["heart"]), trainer.judge.read(["heart"]), atol=1e-2)
    found = examine(trainer.average, scenes, [s.name for s in concepts.subjects], Chance(3, "cpu"))
    assert all(0.0 <= share <= 1.0 for share in found.values())


def test_no_subject_is_a_favourite_of_the_judge(concepts: Concepts) -> None:
    assert set(fair_cook(Cook(concepts, 0, [False] * len(concepts.subjects))).weights) == {1.0}


def test_distorted_views_stay_pictures_and_repeat_for_the_same_seed(scenes: Scenes) -> None:
    one, two = (distorted(scenes.pictures, Chance(5, "cpu")) for _ in (1, 2))
    assert torch.equal(one, two) and not torch.equal(one, scenes.pictures)
    assert one.shape == scenes.pictures.shape and one.min() >= 0 and one.max() <= 1


def test_a_judge_reads_back_as_it_was_written_and_is_no_guide(tmp_path: Path) -> None:
    judge = Judge(TINY, WordTokenizer(["heart", "over"], {"heartlet": "heart"}), ["heart"]).eval()
    save_judge(tmp_path / "judge.safetensors", judge)
    found = load_judge(tmp_path / "judge.safetensors")
    assert found.words_of("Over a heartlet, a heart") == ("heart", "heart")
    assert torch.allclose(found.read(["heart"]), judge.read(["heart"]), atol=2e-3)
    assert not any(weight.requires_grad for weight in found.parameters())
    with pytest.raises(ValueError, match="not a shipped guide"):
        load_shipped(tmp_path / "judge.safetensors")
    for name in ("judge", str(tmp_path / "judge.safetensors")):
        with pytest.raises(GuideError):
            load_guide(name, torch.device("cpu"))


def test_a_wide_frame_is_seen_whole() -> None:
    critic = JudgeCritic(Judge(TINY, WordTokenizer(["heart"], {}), ["heart"]).eval())
    plain = np.full((36, 64, 3), 90, np.uint8)
    edge = plain.copy()
    edge[:, :8] = 255
    seen = critic.see([plain, edge])
    assert seen.shape == (2, 16) and not torch.allclose(seen[0], seen[1])
    assert float(seen.norm(dim=1).max()) <= 1.0 + 1e-5


@pytest.mark.skipif(not JUDGE_PATH.exists(), reason="the judge's weights are not in this checkout")
def test_the_shipped_judge_is_small_and_knows_a_word_of_every_prompt_it_is_asked() -> None:
    judge = load_judge()
    assert JUDGE_PATH.stat().st_size <= 6 * 2**20
    texts = [text for texts in judging_prompts().values() for text in texts]
    assert [text for text in texts if not judge.words_of(text)] == []
    assert len({tuple(sorted(judge.words_of(text))) for text in texts}) == len(texts)


def test_judging_says_who_was_picked_per_class() -> None:
    critic = GuideCritic(colour_guide(torch.device("cpu")))
    red, blue = (np.full((36, 64, 3), rgb, np.uint8) for rgb in ((255, 0, 0), (0, 0, 255)))
    judged = pick([("object", "red"), ("object", "blue"), ("scene", "green")], [red, blue, red], critic)
    assert [one.place for one in judged] == [0, 0, 2] or judged[2].place == 1
    assert judged[2].picked == "red"
    assert accuracy(judged)["accuracy_per_class"] == {"object": 1.0, "scene": 0.0}


def test_variety_is_one_where_prompts_make_no_difference_and_more_where_they_do() -> None:
    critic = GuideCritic(colour_guide(torch.device("cpu")))
    chance = np.random.default_rng(0)

    def noisy(level: int) -> tuple[np.ndarray, ...]:
        return tuple(chance.integers(level, level + 60, (36, 64, 3)).astype(np.uint8) for _ in (1, 2))

    same = variety([Variety("a", noisy(50)), Variety("b", noisy(50))], critic)
    apart = variety([Variety("a", noisy(0)), Variety("b", noisy(190))], critic)
    assert same["colour_ratio"] == pytest.approx(1.0, abs=0.2) and apart["colour_ratio"] > 5.0


def test_clips_for_sheets_are_the_engines_own_frames_and_repeat() -> None:
    guides = [colour_guide(torch.device("cpu"))]
    look = preset_look("live", canvas_width=64, canvas_height=64, first_steps=2, steps=1, upscale=1)
    looks = crossfade(look, "red", "blue", 4)
    assert [look.blend for look in looks] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    one, two = (last_frame(guides, looks[0], 3) for _ in (1, 2))
    assert one.shape == (64, 64, 3) and np.array_equal(one, two)


def test_sheets_hold_pictures_of_any_size() -> None:
    tiles = [Tile(np.zeros((height, 64, 3), np.uint8), "a very long prompt " * 5) for height in (36, 64, 9)]
    assert contact_sheet(tiles, 2, 80).size == (2 * 84 + 4, 2 * (80 + 20) + 4)
    rows = [("T = 0", [tile.rgb for tile in tiles]), ("T = 50", [tiles[0].rgb])]
    assert table_of_frames(rows, "title", 100).width == 96 + 3 * 104
