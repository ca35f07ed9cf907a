"""Guides that want to know are told where in the picture each view lies, from the point of view of each prompt."""

from dataclasses import replace

import pytest
import torch

from engine.guides.colours import Colours, colour_guide
from engine.guides.guide import Guide
from engine.guides.shipped import MEAN, STD, GuideShape, SmallCLIP
from engine.parameters import Look
from engine.placing import places
from engine.step import Engine

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


def test_in_a_picture_that_comes_the_other_way_round_a_view_lies_where_it_would_in_a_mirror() -> None:
    box = torch.tensor([[-1.0, -1.0, 0.0, 1.0]])
    mine, whole = places(box, ("left", "whole"), 100, 200, is_turned=True)[0]
    assert mine.tolist() == pytest.approx([-1, -1, 1, 1])
    assert whole.tolist() == pytest.approx([0, -1, 2, 1])


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


def test_after_a_reroll_the_same_words_come_the_other_way_round() -> None:
    class Leaning(Colours):
        """Wants what lies left of the picture's middle red and what lies right of it blue."""

        def place_text(self, vectors: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
            is_left = ((boxes[..., 0] + boxes[..., 2]) < 0)[..., None]
            return torch.where(is_left, warm, cold)

    guide = replace(colour_guide(CPU), model=Leaning())
    warm, cold = guide.embed_text(["red", "blue"])
    size = {
        "canvas_width": 96,
        "canvas_height": 64,
        "upscale": 1,
        "governor": False,
        "temperature": 80.0,
        "denoiser": "none",
    }
    look = Look().with_values(
        {**size, "steps": 2, "crops": 8, "overview": 0.0, "crop_low": 0.1, "crop_high": 0.2, "reroll_s": 0.0}
    )
    look = replace(look, line="red")
    engine = Engine([guide], CPU, 0, is_live=False)
    for count in (0, 1, 2):
        for _ in range(30):
            rgb = engine.paint(look.with_values({"reroll": count})).astype(int)
        redder = (rgb[..., 0] - rgb[..., 2])[:, :24].mean() - (rgb[..., 0] - rgb[..., 2])[:, -24:].mean()
        assert (redder > 50) if count != 1 else (redder < -50), (count, redder)


def test_an_engine_started_anew_after_a_reroll_goes_on_the_same_way_round() -> None:
    asked = []

    class Asked(Colours):
        """Remembers where views were said to lie."""

        def place_text(self, vectors: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
            asked.append(boxes[:, 0])
            return vectors.expand(*boxes.shape[:2], -1)

    guide = replace(colour_guide(CPU), model=Asked())
    size = {"canvas_width": 96, "canvas_height": 64, "upscale": 1, "steps": 1, "first_steps": 1, "denoiser": "none"}
    for count in (0, 1):
        Engine([guide], CPU, 0, is_live=False).paint(replace(Look().with_values({**size, "reroll": count}), line="red"))
    plain, turned = asked[0], asked[-1]
    assert torch.allclose(turned, torch.stack([-plain[:, 2], plain[:, 1], -plain[:, 0], plain[:, 3]], dim=1))
