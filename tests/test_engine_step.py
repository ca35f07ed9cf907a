"""The engine paints from looks, keeps its picture through changes, and goes on when a device fails."""

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from engine.guides.colours import colour_guide
from engine.step import Engine

sys.path.insert(0, str(Path(__file__).parent / "rigs"))
from small_engine import CPU, LOOK, an_engine, paint, said, share_of


def border_of(rgb: np.ndarray, width: int = 5) -> np.ndarray:
    """The outermost pixels in one row, (1, n, 3)."""
    inside = np.zeros(rgb.shape[:2], bool)
    inside[width:-width, width:-width] = True
    return rgb[~inside][None]


def test_a_frame_is_rgb_of_the_canvas_size():
    rgb = an_engine().paint(said("red"))
    assert (rgb.shape, rgb.dtype) == ((64, 96, 3), np.uint8)


def test_the_picture_becomes_what_is_said():
    assert share_of(paint(an_engine(), said("red"), 40), "red") > 0.8


def test_a_white_picture_turns_black_in_two_seconds_border_and_all():
    engine = an_engine()
    assert share_of(paint(engine, said("white"), 120), "white") > 0.9
    black = paint(engine, said("black"), 24)
    assert share_of(black, "black") > 0.75
    assert share_of(border_of(black), "black") > 0.7


def test_a_negative_weight_pushes_away():
    look = LOOK.with_values({"prompt_1": "white", "weight_1": -1.0})
    assert share_of(paint(an_engine(), look, 50), "black") > 0.75


def test_prompts_blend_by_weight():
    half = replace(LOOK, line="red", next_line="blue", blend=0.5)
    rgb = paint(an_engine(), half, 30).astype(float)
    assert rgb[..., 1].mean() < 100 and abs(rgb[..., 0].mean() - rgb[..., 2].mean()) < 40


def test_same_seed_and_looks_give_the_same_frames_and_another_seed_others():
    first, second, other = (paint(an_engine(seed=seed), said("green"), 3) for seed in (5, 5, 6))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_an_empty_line_holds_the_picture():
    engine = an_engine()
    paint(engine, said("red"), 40)
    assert share_of(paint(engine, said(""), 30), "red") > 0.8


def test_before_the_first_prompt_there_is_a_picture():
    rgb = paint(an_engine(), said(""), 5)
    assert 40 < rgb.mean() < 215 and rgb.std() > 5


def test_temperature_zero_is_almost_still_and_a_hundred_is_lively():
    def change(temperature: float) -> float:
        engine, look = an_engine(), said("red", LOOK.with_values({"temperature": temperature}))
        paint(engine, look, 30)
        frames = [engine.paint(look).astype(float) for _ in range(6)]
        return float(np.mean([np.abs(a - b).mean() for a, b in pairwise(frames)]))

    still, lively = change(0.0), change(100.0)
    assert still < 1.5
    assert lively > 4 * still


@pytest.mark.parametrize("canvas", ["pyramid", "pixels"])
def test_the_canvas_size_changes_live_and_the_picture_stays(canvas: str):
    engine, look = an_engine(), LOOK.with_values({"canvas": canvas})
    before = share_of(paint(engine, said("red", look), 40), "red")
    larger = said("red", look.with_values({"canvas_width": 160, "canvas_height": 90, "temperature": 0.0}))
    rgb = engine.paint(larger)
    assert rgb.shape == (90, 160, 3) and abs(share_of(rgb, "red") - before) < 0.15 < before
    assert engine.report()["canvas"] == [160, 90]


def test_the_kind_of_canvas_changes_live_and_the_picture_stays():
    engine = an_engine()
    paint(engine, said("red"), 40)
    pixels = said("red", LOOK.with_values({"canvas": "pixels", "temperature": 0.0}))
    assert share_of(engine.paint(pixels), "red") > 0.8


def test_reroll_starts_afresh_once_for_each_count():
    engine, calm = an_engine(), {"temperature": 0.0, "first_steps": 1}
    before = paint(engine, said("red", LOOK.with_values(calm)), 40).astype(int)
    again = said("red", LOOK.with_values({**calm, "reroll": 1, "reroll_s": 0.0}))
    fresh = engine.paint(again).astype(int)
    assert np.abs(fresh - before).mean() > 20
    assert np.abs(engine.paint(again) - fresh).mean() < 10


def test_a_reroll_dissolves_into_a_picture_as_new_as_after_a_cut():
    def frames(reroll_s: float) -> list[np.ndarray]:
        engine, look = an_engine(), said("red", LOOK.with_values({"temperature": 20.0}))
        before = paint(engine, look, 30)
        look = look.with_values({"reroll": 1, "reroll_s": reroll_s})
        return [rgb.astype(float) for rgb in (before, *(engine.paint(look) for _ in range(50)))]

    cut, soft = frames(0.0), frames(1.0)
    jumps = [max(np.abs(b - a).mean() for a, b in pairwise(found)) for found in (cut, soft)]
    assert jumps[1] < 0.4 * jumps[0]
    assert np.abs(soft[1] - soft[0]).mean() < 0.2 * np.abs(cut[1] - cut[0]).mean()
    assert np.abs(soft[-1] - cut[-1]).mean() < 12.0


def test_a_count_that_was_there_before_the_first_frame_fires_nothing():
    engine = an_engine()
    engine.start_from(np.full((64, 96, 3), (255, 0, 0), np.uint8))
    assert share_of(engine.paint(said("red", LOOK.with_values({"reroll": 7, "kick": 3}))), "red") > 0.8


def test_a_kick_shakes_the_picture_as_far_as_it_is_told():
    moved = []
    for amount in (0.3, 0.05):
        engine, calm = an_engine(), LOOK.with_values({"temperature": 0.0, "kick_amount": amount})
        before = paint(engine, said("red", calm), 20).astype(int)
        kicked = engine.paint(said("red", calm.with_values({"kick": 1}))).astype(int)
        moved.append(np.abs(kicked - before).mean())
    assert moved[0] > 10 and moved[0] > 2 * moved[1]


def test_it_goes_on_from_a_frame_of_any_size():
    engine = an_engine()
    engine.start_from(np.full((360, 640, 3), (0, 0, 255), np.uint8))
    assert share_of(engine.paint(said("blue")), "blue") > 0.95


def test_several_guides_pull_in_turn_or_together():
    for mix in ("alternate", "sum"):
        look = said("red", LOOK.with_values({"guide_mix": mix}))
        assert share_of(paint(an_engine(colour_guide(CPU), colour_guide(CPU)), look, 40), "red") > 0.8


def test_the_report_has_what_the_pulse_needs():
    engine = an_engine(is_live=True)
    engine.paint(said("red"))
    report = engine.report()
    assert report["guide"] == "colours" and report["device"] == "cpu" and report["canvas"] == [96, 64]
    assert report["steps"] == LOOK.whole("first_steps") and report["crops"] == LOOK.whole("crops")
    assert report["frame_ms"] > report["step_ms"] > 0 and report["memory_mb"] > 0
    assert report["governor"] == "" and report["notes"] == []


def test_a_slow_machine_is_governed_and_says_so():
    ticks = iter(range(1000))
    engine = Engine([colour_guide(CPU)], CPU, 0, is_live=True, clock=lambda: float(next(ticks)))
    look = said("red", LOOK.with_values({"governor": True}))
    paint(engine, look, 30)
    assert (engine.report()["steps"], engine.report()["crops"]) == (1, 2)
    assert "to hold 30 fps" in engine.report()["governor"]
    engine.close()
