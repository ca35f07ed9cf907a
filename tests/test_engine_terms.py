"""What the picture is to lose: each term against a case computed by hand, and by what it does to a picture."""

import math
from collections.abc import Callable

import pytest
import torch

from engine.objectives import (
    MOST_APART,
    Agreement,
    Goal,
    References,
    Seen,
    half_squared_angle,
    source_distance,
    spherical_distance,
    text_distance,
)

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
