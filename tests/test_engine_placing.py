"""Guides that want to know are told where in the picture each view lies, from the point of view of each prompt."""

import pytest
import torch

from engine.guides.colours import colour_guide
from engine.guides.guide import Guide
from engine.guides.shipped import MEAN, STD, GuideShape, SmallCLIP
from engine.placing import places

CPU = torch.device("cpu")


def test_the_middle_square_of_a_wide_picture_is_one_high_and_one_wide() -> None:
    box = torch.tensor([[-9 / 16, -1.0, 9 / 16, 1.0]])
    assert places(box, ("whole",), 90, 160)[0, 0].tolist() == pytest.approx([-1, -1, 1, 1])


def test_the_whole_of_a_tall_picture_is_as_much_higher_than_wide() -> None:
    box = torch.tensor([[-1.0, -1.0, 1.0, 1.0]])
    assert places(box, ("whole",), 160, 90)[0, 0].tolist() == pytest.approx([-1, -16 / 9, 1, 16 / 9])


def test_a_prompt_that_owns_the_left_half_stands_in_its_middle() -> None:
    box = torch.tensor([[-1.0, -1.0, 0.0, 1.0]])
    mine, whole = places(box, ("left", "whole"), 100, 200)[0]
    assert mine.tolist() == pytest.approx([-1, -1, 1, 1])
    assert whole.tolist() == pytest.approx([-2, -1, 0, 1])


def test_a_guide_that_knows_nothing_of_places_wants_the_prompt_everywhere() -> None:
    guide = colour_guide(CPU)
    vectors = guide.embed_text(["red", "blue"])
    wanted = guide.place_text(vectors, torch.zeros(3, 2, 4))
    assert all(torch.equal(view, vectors) for view in wanted)


def test_a_guide_that_knows_of_places_wants_each_view_to_show_its_own_part() -> None:
    torch.manual_seed(0)
    model = SmallCLIP(GuideShape(), 10)
    torch.nn.init.normal_(model.place.say.weight) if model.place else None
    guide = Guide("small", model, lambda texts: torch.ones(len(texts), 16, dtype=torch.long), MEAN, STD, 64, CPU)
    vectors = guide.embed_text(["a ship"])
    corner, middle = guide.place_text(vectors, torch.tensor([[[-2.0, -1, 0, 0]], [[-1.0, -1, 1, 1]]]))
    assert corner.norm().item() == pytest.approx(1, abs=1e-4)
    assert torch.cosine_similarity(corner, middle).item() < 0.999
