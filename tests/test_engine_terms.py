"""What the picture is to lose: each term against a case computed by hand, and by what it does to a picture."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from engine.guides.colours import colour_guide
from engine.objectives import (
    MOST_APART,
    Agreement,
    Goal,
    References,
    Seen,
    Term,
    half_squared_angle,
    source_distance,
    spherical_distance,
    stability,
    text_distance,
    total_variation,
    weighted,
)
from engine.parameters import Look
from engine.step import Engine
from engine.tones import (
    FULL,
    LIFT,
    brightness_from,
    contrast_from,
    palette_distance,
    range_excess,
    saturation_from,
    signed,
)

CPU = torch.device("cpu")
BLANK = torch.zeros(1, 3, 2, 2)


def agreed(cosine: float, weight: float) -> Seen:
    """One view at this cosine from the only prompt."""
    goal = Goal(torch.tensor([[1.0, 0.0]]), torch.tensor([weight]))
    return Seen(BLANK, BLANK, (Agreement(goal, torch.tensor([[cosine, math.sqrt(1.0 - cosine**2)]])),))


def slope_at(cosine: float, term: Callable[[torch.Tensor], torch.Tensor]) -> float:
    at = torch.tensor(cosine, requires_grad=True)
    term(at).backward()
    return float(at.grad)


@pytest.mark.parametrize("degrees", [5.0, 30.0, 60.0, 90.0, 120.0, 150.0])
def test_the_spherical_distance_is_half_the_squared_angle(degrees: float):
    seen = agreed(math.cos(math.radians(degrees)), 0.5)
    assert spherical_distance(seen).item() == pytest.approx(0.5 * math.radians(degrees) ** 2 / 2.0, rel=1e-3)


def test_the_spherical_distance_pulls_harder_from_afar_and_is_finite_at_both_ends():
    near, far = slope_at(0.9, half_squared_angle), slope_at(-0.5, half_squared_angle)
    assert far < near < 0.0
    assert slope_at(-1.0, half_squared_angle) == pytest.approx(
        slope_at(MOST_APART + 1e-4, half_squared_angle), rel=0.01
    )
    assert math.isfinite(slope_at(1.0, half_squared_angle))


@pytest.mark.parametrize("cosine", [0.6, 0.0, -0.5])
def test_a_negative_prompt_costs_its_nearness_whatever_the_distance(cosine: float):
    for term in (text_distance, spherical_distance):
        assert term(agreed(cosine, -0.5)).item() == pytest.approx(0.5 * cosine, abs=1e-6)


def test_shares_say_which_view_counts_for_which_prompt():
    goal = Goal(torch.eye(2), torch.tensor([1.0, 2.0]))
    views = torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    shares = torch.tensor([[1.0, 0.0], [0.0, 0.5]])
    seen = Seen(BLANK, BLANK, (Agreement(goal, views, shares),))
    # The first view is the first prompt itself, the second is 0.2 from the second: 2 * 0.2 * 0.5.
    assert text_distance(seen).item() == pytest.approx(0.2)


def test_the_source_costs_the_mean_squared_difference():
    source = torch.full((1, 3, 2, 2), 0.5)
    assert source_distance(Seen(BLANK, BLANK, references=References(source=source))).item() == pytest.approx(0.25)


def pixels(*values: tuple[float, float, float]) -> torch.Tensor:
    """A picture of 8 x 400 pixels of each of these colours, beside each other."""
    return torch.tensor(values).T.reshape(1, 3, 1, len(values)).repeat_interleave(8, 2).repeat_interleave(400, 3)


def seen(picture: torch.Tensor, **references: torch.Tensor) -> Seen:
    return Seen(picture, picture, references=References(**references))


def test_the_range_costs_the_mean_square_of_what_lies_beyond_comfort():
    picture = pixels((0.5, 0.05, 0.95), (1.0, 0.0, 1.25))
    assert range_excess(seen(picture)).item() == pytest.approx((0.05**2 + 0.05**2 + 0.3**2) / 6, rel=1e-4)


def test_brightness_is_the_mean_toward_dark_and_of_every_part_toward_light():
    picture = pixels((0.2, 0.4, 0.6))
    assert brightness_from(1.0)(seen(picture)).item() == pytest.approx(LIFT * 0.6**2)
    half = torch.cat([picture, torch.full_like(picture, 0.9)], dim=-1)
    assert brightness_from(0.7)(seen(half)).item() == pytest.approx(LIFT * 0.3**2 / 2, rel=0.1)
    assert brightness_from(0.0)(seen(picture)).item() == pytest.approx(0.4**2)


def test_contrast_is_the_deviation_of_the_grey_picture():
    picture = pixels((0.3, 0.4, 0.5), (0.8, 0.8, 0.8))
    assert contrast_from(0.5)(seen(picture)).item() == pytest.approx((0.5 - 0.2) ** 2, rel=0.02)


def test_saturation_is_the_deviation_between_channels():
    red = math.sqrt(2.0) / 3.0
    picture = pixels((1.0, 0.0, 0.0), (0.5, 0.5, 0.5))
    assert saturation_from(0.4)(seen(picture)).item() == pytest.approx((0.4 - red / 2) ** 2, abs=2e-3)


def test_a_flat_grey_picture_has_finite_gradients():
    for term in (contrast_from(0.5), saturation_from(0.4)):
        picture = torch.full((1, 3, 8, 8), 0.5, requires_grad=True)
        term(seen(picture)).backward()
        assert torch.isfinite(picture.grad).all()


def test_a_signed_pull_goes_to_the_most_or_to_nothing():
    goals: list[float] = []

    def term_from(goal: float) -> Term:
        goals.append(goal)
        return stability

    assert [signed(weight, term_from, 0.0, 0.4)[0] for weight in (0.5, -0.25, 0.0)] == [0.5 * FULL, 0.25 * FULL, 0.0]
    assert goals[:2] == [0.4, 0.0]


def test_the_palette_costs_the_squared_distance_to_the_nearest_colour():
    palette = torch.tensor([[1.0, 0.0, 0.0, 0.5], [0.0, 0.0, 1.0, 0.5]])
    picture = pixels((0.9, 0.0, 0.0), (0.0, 0.2, 1.0))
    assert palette_distance(seen(picture, palette=palette)).item() == pytest.approx((0.01 + 0.04) / 2, rel=0.1)


def test_a_palettes_colour_that_is_missing_costs_by_its_share():
    palette = torch.tensor([[1.0, 0.0, 0.0, 0.75], [0.0, 0.0, 1.0, 0.25]])
    # Nothing is blue: a third of its share is missing, 0.3 * (1/3)² * 0.25.
    cost = palette_distance(seen(pixels((1.0, 0.0, 0.0), (1.0, 0.0, 0.0)), palette=palette)).item()
    assert cost == pytest.approx(0.3 / 9 * 0.25, rel=1e-3)


def test_a_term_of_weight_zero_is_not_even_asked():
    def never(_seen: Seen) -> torch.Tensor:
        raise AssertionError("it was asked")

    assert weighted([(0.0, never), (2.0, lambda _seen: torch.tensor(1.5))], seen(BLANK)).item() == 3.0


def painted(frames: int = 40, **values: object) -> np.ndarray:
    """The last of these frames of a picture about nothing but these values and the text "red", 0..1."""
    base = {"canvas_width": 96, "canvas_height": 64, "temperature": 50.0, "governor": False, "prompt_1": "red"}
    look = Look().with_values({**base, "weight_1": 0.3, **values})
    engine = Engine((colour_guide(CPU),), CPU, 0, is_live=False)
    for _ in range(frames):
        rgb = engine.paint(look)
    assert engine.report()["notes"] == []
    engine.close()
    return rgb / 255.0


def test_brightness_moves_the_picture():
    dark, plain, light = (painted(brightness_pull=pull).mean() for pull in (-1.0, 0.0, 1.0))
    assert dark + 0.1 < plain < light - 0.1


def test_contrast_moves_the_picture():
    flat, plain, strong = (painted(contrast_pull=pull).mean(axis=2).std() for pull in (-1.0, 0.0, 1.0))
    assert flat < plain < strong / 1.5


def test_saturation_moves_the_picture():
    grey, plain, vivid = (painted(saturation_pull=pull).std(axis=2).mean() for pull in (-1.0, 0.0, 1.0))
    assert grey < 0.7 * plain and vivid > 1.2 * plain


def test_the_range_keeps_a_picture_off_full_colours():
    def extremes(**values: object) -> float:
        picture = painted(temperature=0.0, learning_rate=0.5, stability=0.0, prompt_1="white", **values)
        return float(((picture < 0.03) | (picture > 0.97)).mean())

    assert extremes(range_pull=5.0) < 0.5 * extremes() > 0.05


def test_the_palette_colours_the_picture():
    picture = painted(palette="#0040a0 orange", palette_weight=2.0).reshape(-1, 3)
    colours = np.array([[0, 64, 160], [255, 165, 0]]) / 255.0
    far = np.linalg.norm(picture[:, None] - colours[None], axis=2)
    assert far.min(axis=1).mean() < 0.3
    shares = [float((far.argmin(axis=1) == n).mean()) for n in (0, 1)]
    assert min(shares) > 0.15


@pytest.mark.parametrize("distance", ["cosine", "spherical"])
def test_both_distances_lead_to_the_prompt(distance: str):
    picture = painted(distance=distance, weight_1=1.0).mean(axis=(0, 1))
    assert picture[0] > picture[1] + 0.1 and picture[0] > picture[2] + 0.1


@pytest.mark.parametrize("distance", ["cosine", "spherical"])
def test_pushing_hard_never_outweighs_what_is_asked_for(distance: str):
    picture = painted(distance=distance, weight_1=1.0, prompt_2="white", weight_2=-2.0, prompt_3="blue", weight_3=-2.0)
    mean = picture.mean(axis=(0, 1))
    assert mean[0] > 0.5 > max(mean[1], mean[2])


def test_smoothness_pulls_as_autograd_says_it_should():
    picture = torch.rand(1, 3, 9, 14, generator=torch.Generator().manual_seed(1)).requires_grad_(True)
    across, down = (picture[..., 1:] - picture[..., :-1]).abs(), (picture[..., 1:, :] - picture[..., :-1, :]).abs()
    plain, found = across.mean() + down.mean(), total_variation(seen(picture))
    assert found.item() == pytest.approx(plain.item(), rel=1e-5)
    wanted, ours = (torch.autograd.grad(2.0 * x, picture)[0] for x in (plain, found))
    assert torch.allclose(ours, wanted, atol=1e-7)
