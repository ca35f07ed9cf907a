"""The paper's presets do what the authors published, each constant against a case computed by hand."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.aim import Aim, loss_of, pulling
from engine.crops import Chance, Cut, boxes_by, corners_by, views
from engine.guides.colours import colour_guide
from engine.objectives import Agreement, Goal, Seen, stability, text_distance
from engine.painting import Painting
from engine.parameters import Look
from engine.step import Engine
from engine.temperature import CALM, LAWS, Noise, next_start

CPU = torch.device("cpu")
PRESETS = Path(__file__).resolve().parent.parent / "presets"


def preset(name: str) -> Look:
    values = tomllib.loads((PRESETS / f"{name}.toml").read_text(encoding="utf-8"))["parameters"]
    return Look().with_values(values)


FAST, SLOW = preset("paper"), preset("paper-slow")
SMALL = {"canvas_width": 64, "canvas_height": 64}


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_fast_setting_is_the_published_one():
    wanted = {
        "canvas_width": 640, "canvas_height": 360, "first_steps": 50, "steps": 10, "learning_rate": 0.17,
        "carry_step": 9, "crops": 4, "temperature_scale": 0.5, "stability": 4.0, "stability_every": 4,
        "keep_optimizer": False, "perspective": 0.5, "crop_low": 0.7, "crop_high": 0.999, "canvas": "pixels",
    }  # fmt: skip
    assert {name: FAST.values[name] for name in wanted} == wanted


def test_the_slow_setting_differs_in_four_numbers_only():
    changed = {name: SLOW.values[name] for name in SLOW.values if SLOW.values[name] != FAST.values[name]}
    assert changed == {"steps": 25, "learning_rate": 0.1, "carry_step": 13, "temperature_scale": 1.0}


def test_the_first_picture_is_uniform_noise():
    look = FAST.with_values({"first_steps": 1, "learning_rate": 0.001})
    first = Painting(CPU, seed=3).next_frame(look, 1, 4, [])
    assert first.shape == (1, 3, 360, 640)
    assert first.min() < 0.01 and first.max() > 0.99
    counts = torch.histc(first, bins=10, min=0.0, max=1.0) / first.numel()
    assert torch.allclose(counts, torch.full((10,), 0.1), atol=0.005)


def test_the_first_frame_is_pulled_by_the_first_prompt_alone():
    look = replace(FAST, line="red", next_line="blue", blend=0.0)
    assert look.prompts() == (("red", 1.0),)


@pytest.mark.parametrize(("frame", "of"), [(5, 20), (10, 20), (19, 20)])
def test_the_weights_change_linearly_over_the_cue(frame: int, of: int):
    look = replace(FAST, line="red", next_line="blue", blend=frame / of)
    assert dict(look.prompts()) == pytest.approx({"red": 1 - frame / of, "blue": frame / of})


def test_the_text_loss_is_the_weighted_sum_of_cosine_distances():
    goal = Goal(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([0.75, 0.25]))
    views_seen = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    # First view: 0.75 * 0 + 0.25 * 1; second: 0.75 * 0.4 + 0.25 * 0.2; the mean of 0.25 and 0.35.
    picture = torch.zeros(1, 3, 2, 2)
    assert text_distance(Seen(picture, picture, (Agreement(goal, views_seen),))).item() == pytest.approx(0.30)


def test_stability_is_the_mean_absolute_difference():
    now, before = torch.zeros(1, 3, 1, 2), torch.tensor([[[[1.0, 0.0]], [[0.5, 0.0]], [[0.0, 0.0]]]])
    assert stability(Seen(now, before, ())).item() == pytest.approx(1.5 / 6)


@pytest.mark.parametrize(
    ("look", "temperature", "hold", "squish"),
    [(SLOW, 0, 4.0, 2.0), (SLOW, 30, 2.8, 3.2), (SLOW, 100, 0.0, 6.0), (FAST, 30, 3.4, 2.6), (FAST, 100, 2.0, 4.0)],
)
def test_temperature_sets_the_hold_and_the_squish(look: Look, temperature: float, hold: float, squish: float):
    heat = LAWS["paper"](look.with_values({"temperature": temperature}), CALM)
    assert (heat.hold, heat.squish, heat.noise, heat.pace) == pytest.approx((hold, squish, 1.0, 1.0))


def test_the_next_frame_starts_from_the_last_one_divided_plus_normal_noise():
    heat = LAWS["paper"](SLOW.with_values({"temperature": 50.0}), CALM)
    start = next_start(torch.full((1, 3, 200, 200), 0.8), heat, Noise(random()))
    assert start.mean().item() == pytest.approx(0.8 / 4.0, abs=0.01)
    assert start.std().item() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("step", range(9))
def test_stability_counts_on_every_fourth_iteration_from_the_second_frame_on(step: int):
    look = FAST.with_values({**SMALL, "temperature": 0.0})
    picture = torch.full((1, 3, 64, 64), 0.5)
    aim = Aim(look, LAWS["paper"](look, CALM), 4, (), picture + 0.25)
    expected = 4.0 * 0.25 if step % 4 == 0 else 0.0
    assert loss_of(picture, aim, step, random()).item() == pytest.approx(expected)
    assert loss_of(picture, replace(aim, previous=None), step, random()).item() == 0.0


def test_adam_is_made_afresh_for_every_frame():
    look = FAST.with_values({**SMALL, "first_steps": 3, "noise": 0.0, "carry_step": 0, "temperature": 100.0})
    painting, guide = Painting(CPU, seed=0), colour_guide(CPU)
    goal = Goal(guide.embed_text(["red"]), torch.ones(1))
    before = painting.next_frame(look, 1, 4, [(guide, goal)])
    after = painting.next_frame(look, 1, 4, [(guide, goal)])
    moved = (after - before / 4.0).abs()
    # A fresh Adam's first step moves every pixel that got a gradient by the learning rate, whatever was before.
    assert moved.max().item() == pytest.approx(0.17, abs=1e-3)
    assert moved.median().item() == pytest.approx(0.17, abs=1e-3)


def test_the_picture_carried_over_is_the_one_after_nine_iterations_and_the_last_one_is_shown():
    guide = colour_guide(CPU)
    pulls = [(guide, Goal(guide.embed_text(["red"]), torch.ones(1)))]
    look = FAST.with_values({**SMALL, "first_steps": 10})
    nine, ten = (
        Painting(CPU, seed=0).next_frame(look.with_values({"first_steps": steps}), 10, 4, pulls) for steps in (9, 10)
    )
    painting = Painting(CPU, seed=0)
    assert torch.equal(painting.next_frame(look, 10, 4, pulls), ten)
    assert torch.equal(painting.carried, nine)
    shown = Painting(CPU, seed=0).next_frame(look.with_values({"show_step": 9}), 10, 4, pulls)
    assert torch.equal(shown, nine)


def test_the_two_guides_take_turns_by_iteration():
    sixteen, thirtytwo = (colour_guide(CPU, name) for name in ("ViT-B-16", "ViT-B-32"))
    pulls = ((sixteen, None), (thirtytwo, None))
    turns = [pulling(pulls, FAST.text("guide_mix"), step)[0][0].name for step in range(4)]
    assert turns == ["ViT-B-16", "ViT-B-32", "ViT-B-16", "ViT-B-32"]


def test_with_one_guide_a_note_says_so():
    engine = Engine([colour_guide(CPU)], CPU, seed=0, is_live=False)
    engine.paint(replace(FAST.with_values({**SMALL, "first_steps": 1}), line="red"))
    assert any("one guide only" in note for note in engine.report()["notes"])
    two = Engine([colour_guide(CPU), colour_guide(CPU)], CPU, seed=0, is_live=False)
    two.paint(replace(FAST.with_values({**SMALL, "first_steps": 1}), line="red"))
    assert two.report()["notes"] == []


def test_four_inner_views_of_the_guides_own_size_are_cut():
    cut = Cut.of(FAST, FAST.whole("crops"))
    assert (cut.overviews, cut.inner, cut.tilt, cut.low, cut.high) == (0, 4, 0.5, 0.7, 0.999)
    assert views(torch.rand(1, 3, 36, 64), cut, 224, random()).shape == (4, 3, 224, 224)


def test_a_view_has_the_published_share_of_the_area_and_shape():
    cut = replace(Cut.of(FAST, 4), inner=500)
    boxes = boxes_by(Chance.of(cut, random()), cut, 400, 400)
    sides = (boxes[:, 2:] - boxes[:, :2]) / 2.0
    shares, aspects = sides.prod(dim=1), sides[:, 0] / sides[:, 1]
    fits = (sides < 0.999).all(dim=1)
    assert fits.sum() > 50
    assert shares[fits].min() >= 0.7 - 1e-4 and shares[fits].max() <= 0.999
    assert aspects.min() >= 3 / 4 - 1e-4 and aspects.max() <= 4 / 3 + 1e-4
    assert boxes.min() >= -1.0001 and boxes.max() <= 1.0001


def test_the_corners_move_inward_by_up_to_half_of_the_half_side():
    tilt = torch.rand(2000, 4, 2, generator=random())
    corners = corners_by(Chance(tilt[..., 0], tilt), FAST.number("perspective"))
    assert corners.abs().max() <= 1.0 and corners.abs().min() >= 0.5
    assert corners.abs().mean().item() == pytest.approx(0.75, abs=0.01)


def test_beyond_the_picture_views_are_white():
    seen = views(torch.zeros(1, 3, 64, 64), Cut.of(FAST, 4), 32, random(1))
    assert seen.max().item() == pytest.approx(1.0) and seen.min().item() == pytest.approx(0.0, abs=1e-6)


def test_nothing_is_governed():
    assert not FAST.is_on("governor") and not SLOW.is_on("governor")
