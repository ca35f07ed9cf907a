"""Scoring on shows made for it: who is named, how soon, how still, and what a frozen picture gets."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from engine.guides.colours import COLOURS, colour_guide
from engine.guides.shipped_text import WordTokenizer
from engine.score.critic import GuideCritic, Rgb
from engine.score.judge import Judge, JudgeShape
from engine.score.measures import change, dynamic_degree, motion, roughness, small_grey, spectrum_slope, tone
from engine.score.plots import line_plot
from engine.score.report import as_html, as_json, as_table
from engine.score.results import Score, score
from engine.score.song import Line, choices, distractors, judging_prompts
from engine.score.watch import STILLS, Watch

FPS = 10.0


@pytest.fixture(scope="module")
def words() -> Judge:
    """Knows the colours' names, and by its weights nothing."""
    return Judge(JudgeShape(sees=16, channels=(8, 8)), WordTokenizer([*COLOURS, "over"], {}), list(COLOURS))


def plain(colour: str, height: int = 36, width: int = 64) -> Rgb:
    levels = [(value + 1) / 2 * 255 for value in COLOURS[colour]]
    return np.full((height, width, 3), levels, dtype=np.uint8)


def scored(frames: Sequence[Rgb], lines: Sequence[Line], words: Judge) -> Score:
    critic = GuideCritic(colour_guide(torch.device("cpu")))
    watch = Watch(critic)
    for n, rgb in enumerate(frames):
        watch.take(rgb, n / FPS)
    return score(watch.seen(), lines, critic, words)


def blobs(seed: int = 0, height: int = 72, width: int = 128) -> Rgb:
    grey = torch.rand(1, 3, 9, 16, generator=torch.Generator().manual_seed(seed))
    large = torch.nn.functional.interpolate(grey, (height, width), mode="bicubic").clamp(0, 1)
    return (large[0].permute(1, 2, 0) * 255).byte().numpy()


# Lines and cues


def test_a_picture_that_changes_a_second_late_has_that_latency(words: Judge) -> None:
    lines = [Line(0.0, 4.0, "red"), Line(4.0, 8.0, "blue")]
    found = scored([plain("red")] * 50 + [plain("blue")] * 30, lines, words)
    assert found.figures["cue_latency_median_s"] == pytest.approx(1.0, abs=0.3)
    assert found.verdicts[0].named == 1.0 and found.verdicts[0].latency_s is None
    assert found.verdicts[1].named == pytest.approx(0.75, abs=0.1)
    assert found.figures["lines_named"] == 1.0 and found.figures["cues_never_preferred"] == 0


def test_a_picture_that_never_changes_is_never_preferred_and_not_named(words: Judge) -> None:
    lines = [Line(0.0, 4.0, "red"), Line(4.0, 8.0, "blue")]
    found = scored([plain("red")] * 80, lines, words)
    assert found.figures["cues_never_preferred"] == 1 and found.figures["cue_latency_median_s"] is None
    assert found.figures["lines_named"] == 0.5 and found.figures["accuracy"] == pytest.approx(0.5, abs=0.05)


def test_clip_score_is_two_and_a_half_times_the_cosine_and_never_negative(words: Judge) -> None:
    found = scored([plain("red")] * 40, [Line(0.0, 2.0, "red"), Line(2.0, 4.0, "black")], words)
    assert found.verdicts[0].clip_score == pytest.approx(2.5, abs=0.01)
    critic = GuideCritic(colour_guide(torch.device("cpu")))
    cosine = float(critic.see([plain("red")])[0] @ critic.read(["black"])[0])
    assert found.verdicts[1].clip_score == pytest.approx(2.5 * max(0.0, cosine), abs=0.01)


def test_a_line_without_a_word_that_can_be_drawn_is_not_judged(words: Judge) -> None:
    found = scored([plain("red")] * 40, [Line(0.0, 2.0, "la la la over"), Line(2.0, 4.0, "red")], words)
    assert not found.verdicts[0].is_judged and found.figures["lines_judged"] == 1
    assert found.figures["accuracy"] == 1.0 and "no word of it can be drawn" in as_table(found)


def test_lines_beyond_the_recording_are_told_as_not_seen(words: Judge) -> None:
    found = scored([plain("red")] * 20, [Line(0.0, 2.0, "red"), Line(60.0, 65.0, "blue")], words)
    assert found.verdicts[1].samples == 0 and "not seen" in as_table(found)


def test_a_show_in_which_nothing_is_sung_still_has_figures(words: Judge) -> None:
    found = scored([plain("red")] * 20, [], words)
    assert found.figures["accuracy"] is None and found.figures["mean_first"] == pytest.approx(1 / 3, abs=0.01)
    assert "<svg" in as_html(found, "nothing sung")


def test_choices_are_a_hundred_and_no_two_mean_the_same(words: Judge) -> None:
    def meaning(text: str) -> str:
        return " ".join(sorted(text.lower().split()))

    found = choices(["red sky", "Sky red", "blue"], distractors(), meaning)
    assert len(found) == 100 and found[:2] == ["red sky", "blue"] and len({meaning(text) for text in found}) == 100


def test_the_hundred_prompts_are_five_classes_of_twenty_and_all_different() -> None:
    prompts = judging_prompts()
    assert [len(texts) for texts in prompts.values()] == [20] * 5
    assert set(prompts) == {"texture", "scene", "object", "composition", "lyric line"}
    assert len({text.lower() for texts in prompts.values() for text in texts}) == 100


# Stillness and motion


def test_a_frozen_picture_is_perfectly_steady_and_said_to_be_frozen(words: Judge) -> None:
    found = scored([plain("red")] * 60, [Line(0.0, 6.0, "red")], words)
    assert found.figures["temporal_flickering"] == 1.0 and found.figures["motion_smoothness_linear"] == 1.0
    assert found.figures["dynamic_degree"] == 0.0 and found.figures["seconds_frozen"] == 1.0
    assert any("frozen" in note for note in found.notes)


def test_a_sliding_picture_is_dynamic_and_smooth_and_a_flickering_one_is_neither_smooth_nor_steady(
    words: Judge,
) -> None:
    wide = blobs(width=512)
    sliding = [wide[:, n * 4 : n * 4 + 128] for n in range(60)]
    flickering = [blobs(n % 2) for n in range(60)]
    slid, flickered = (scored(frames, [Line(0.0, 6.0, "red")], words).figures for frames in (sliding, flickering))
    assert slid["dynamic_degree"] == 1.0 and slid["seconds_frozen"] == 0.0
    assert slid["temporal_flickering"] > flickered["temporal_flickering"] + 0.1
    assert slid["motion_smoothness_linear"] > flickered["motion_smoothness_linear"] + 0.1


def test_motion_is_as_far_as_the_picture_moved() -> None:
    wide = blobs(width=256)
    for shift in (0, 2, 4):
        grey = [small_grey(wide[:, at : at + 128]) for at in (20, 20 + shift)]
        assert motion(grey[1], grey[0]) == pytest.approx(shift / 72, abs=0.008)


def test_grain_alone_is_no_motion() -> None:
    chance = np.random.default_rng(0)
    frames = [np.clip(blobs().astype(int) + chance.normal(0, 5, (72, 128, 3)), 0, 255).astype(np.uint8) for _ in (0, 1)]
    assert dynamic_degree([motion(small_grey(frames[1]), small_grey(frames[0]))] * 16) == 0.0


def test_change_and_roughness_are_shares_of_the_whole_range() -> None:
    black, grey, white = (np.full((8, 8, 3), level, np.uint8) for level in (0, 127, 255))
    assert change(white, black) == 1.0 and change(black, white) == 1.0
    assert roughness(black, grey, white) == pytest.approx(0.0, abs=0.002) and roughness(black, white, black) == 1.0


def test_tones_tell_grey_from_red_and_soft_from_noise() -> None:
    assert tone(plain("red"))[2] == 1.0 and tone(np.full((36, 64, 3), 128, np.uint8))[1:] == (0.0, 0.0, 0.0)
    noise = np.random.default_rng(0).random((128, 128), dtype=np.float32)
    soft = blobs(height=128)[..., 0].astype(np.float32) / 255
    assert abs(spectrum_slope(noise)) < 0.5 and spectrum_slope(soft) < -3.0


# What is kept, and what is told


def test_an_hours_frames_are_not_kept(words: Judge) -> None:
    watch = Watch(GuideCritic(colour_guide(torch.device("cpu"))))
    for n in range(3000):
        watch.take(plain("red", 9, 16), n * 1.2)
    seen = watch.seen()
    assert seen.frames == 3000 and seen.seconds == pytest.approx(3598.8)
    assert len(seen.stills) <= STILLS and seen.vectors.shape == (3000, 12)


def test_a_change_of_size_on_the_way_is_taken(words: Judge) -> None:
    found = scored([plain("red")] * 20 + [plain("red", 72, 128)] * 20, [Line(0.0, 4.0, "red")], words)
    assert found.figures["frames"] == 40 and found.figures["accuracy"] == 1.0


def test_the_page_stands_alone_and_escapes_what_is_sung(words: Judge) -> None:
    found = scored([plain("red")] * 30, [Line(0.0, 3.0, 'red <script> & "quoted"')], words)
    page = as_html(found, "<b>show</b>")
    assert "<script" not in page and "&lt;script&gt;" in page and "<b>show" not in page
    assert all(source.startswith("data:image/png") for source in re.findall(r'src="([^"]*)', page))
    assert "http" not in page and page.count("<svg") == 4 and page.count("<img") == 1


def test_the_json_is_flat_with_the_lines_beside(words: Judge) -> None:
    import json

    found = json.loads(as_json(scored([plain("red")] * 30, [Line(0.0, 3.0, "red")], words)))
    nested = [name for name, value in found.items() if isinstance(value, list | dict)]
    assert sorted(nested) == ["line_scores", "notes"] and found["line_scores"][0]["named"] == 1.0


def test_a_plot_of_an_hour_is_no_larger_than_its_screen() -> None:
    long = [(float(n), float(n % 7)) for n in range(20_000)]
    assert len(line_plot("long", {"a": long})) < 20_000
    assert "nothing to plot" in line_plot("none", {"a": []})
