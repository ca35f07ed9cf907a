"""A prompt can own a part of the picture: its views lie there, and its pull ends at the part's soft border."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.crops import Chance, Cut, boxes_by, look_at
from engine.guides.colours import ROAMING, colour_guide
from engine.parameters import Look
from engine.regions import AREAS, FRAMES, YIELD, frames, owners, ownership
from engine.step import Engine
from engine.table import REGIONS

CPU = torch.device("cpu")
LOOK = Look().with_values(
    {"canvas_width": 96, "canvas_height": 64, "upscale": 1, "temperature": 50.0, "governor": False, **ROAMING}
)
CUT = Cut(overviews=2, inner=2, low=0.3, high=0.8, tilt=0.0, overhang=0.0, is_mirrored=True)
PARTS = [region for region in REGIONS if region != "whole"]


def points() -> torch.Tensor:
    """Every point of a picture of 64 x 64 pixels, as one view's, (1, 64, 64, 2)."""
    at = (torch.arange(64) + 0.5) / 32 - 1.0
    down, across = torch.meshgrid(at, at, indexing="ij")
    return torch.stack([across, down], dim=-1)[None]


def mask_of(region: str) -> torch.Tensor:
    return ownership((region,), (region,), CPU).masks(points(), torch.ones(1))[0, 0]


def asked(**slots: str) -> Look:
    """A look whose slots say these texts, each for the part it is called after."""
    values: dict[str, object] = {}
    for n, (region, text) in enumerate(slots.items(), start=1):
        values |= {f"prompt_{n}": text, f"weight_{n}": 1.0, f"region_{n}": region}
    return LOOK.with_values(values)


def painted(look: Look, frames: int = 60) -> np.ndarray:
    """The last of these frames, 0..1."""
    engine = Engine((colour_guide(CPU),), CPU, 0, is_live=False)
    for _ in range(frames):
        rgb = engine.paint(look)
    return rgb / 255.0


def is_colour(part: np.ndarray, colour: tuple[int, int, int]) -> bool:
    """Whether the part's mean is clearly nearer to this colour than to grey in each channel that tells."""
    mean = part.reshape(-1, 3).mean(axis=0)
    return bool((np.abs(mean - np.array(colour)) < 0.42).all())


def test_nothing_owned_means_nothing_changed():
    assert owners(("whole", "whole"), 2, 2, 0) == ()
    assert CUT.shared(("whole",), 3) is CUT


@pytest.mark.parametrize(
    ("regions", "views", "turn", "whose"),
    [
        (("whole", "left", "right"), (2, 2), 0, ("whole", "whole", "left", "right")),
        (("whole", "left", "right", "left"), (1, 1), 0, ("whole", "left")),
        (("whole", "left", "right"), (1, 1), 1, ("whole", "right")),
        (("whole", "left", "top", "edge"), (2, 2), 1, ("whole", "whole", "edge", "left")),
        (("left", "right"), (2, 2), 0, ("left", "right", "left", "right")),
        (("whole", "left"), (4, 0), 0, ("whole", "whole", "whole", "left")),
        (("whole", "left"), (1, 0), 0, ("whole",)),
        (("whole", "left"), (1, 0), 1, ("left",)),
    ],
)
def test_views_are_given_to_the_parts_in_turn(
    regions: tuple[str, ...], views: tuple[int, int], turn: int, whose: tuple[str, ...]
):
    assert owners(regions, *views, turn) == whose


@pytest.mark.parametrize(("overviews", "inner"), [(2, 2), (1, 1), (4, 0), (0, 4), (1, 0)])
@pytest.mark.parametrize("regions", [("whole", "left", "right", "top"), ("whole", "edge"), ("centre", "left")])
def test_over_the_turns_every_prompt_counts_by_the_area_it_owns(regions: tuple[str, ...], overviews: int, inner: int):
    turns = 12
    total = torch.zeros(len(regions))
    for turn in range(turns):
        whose = owners(regions, overviews, inner, turn)
        total += ownership(regions, whose, CPU).shares.sum(dim=0) / turns
    assert total.tolist() == pytest.approx([AREAS[region] for region in regions])


@pytest.mark.parametrize("region", PARTS)
def test_a_part_covers_its_share_of_the_picture_and_its_border_is_soft(region: str):
    mask = mask_of(region)
    assert mask.mean().item() == pytest.approx(AREAS[region], abs=0.03)
    assert ((mask > 0.1) & (mask < 0.9)).float().mean() > 0.05
    assert mask.max() > 0.99 and mask.min() < 0.01


def test_the_two_sides_of_a_border_add_up_to_the_picture():
    for one, other in (("left", "right"), ("top", "bottom"), ("centre", "edge")):
        assert torch.allclose(mask_of(one) + mask_of(other), torch.ones(64, 64), atol=1e-5)


def test_the_top_is_above_and_the_left_is_left():
    assert mask_of("top")[2, 32] > 0.99 and mask_of("top")[61, 32] < 0.01
    assert mask_of("left")[32, 2] > 0.99 and mask_of("left")[32, 61] < 0.01
    assert mask_of("centre")[32, 32] > 0.99 and mask_of("centre")[32, 1] < 0.01


def test_the_whole_gives_way_where_a_part_is_owned_by_its_weight():
    owns = ownership(("whole", "left"), ("whole", "left"), CPU)
    seen = points().expand(2, -1, -1, -1)
    for weight, kept in ((1.0, 1.0 - YIELD), (0.4, 1.0 - 0.4 * YIELD), (2.0, 1.0 - YIELD), (-1.0, 1.0)):
        mask = owns.masks(seen, torch.tensor([1.0, weight]))[0, 0]
        assert mask[32, 1].item() == pytest.approx(kept, abs=0.01)
        assert mask[32, 62].item() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("region", PARTS)
@pytest.mark.parametrize(("height", "width"), [(90, 160), (160, 90), (64, 64)])
def test_the_views_of_a_part_lie_in_it(region: str, height: int, width: int):
    cut = replace(CUT, overviews=0, inner=200, owners=(region,) * 200)
    boxes = boxes_by(Chance.of(cut, torch.Generator().manual_seed(0)), cut, height, width)
    left, top, right, bottom = FRAMES[region]
    assert boxes[:, 0].min() >= left - 1e-5 and boxes[:, 2].max() <= right + 1e-5
    assert boxes[:, 1].min() >= top - 1e-5 and boxes[:, 3].max() <= bottom + 1e-5
    pixels = (boxes[:, 2] - boxes[:, 0]) * width / ((boxes[:, 3] - boxes[:, 1]) * height)
    assert pixels.min() > 0.74 and pixels.max() < 1.34
    assert torch.equal(frames((region,), CPU), torch.tensor([FRAMES[region]]))


def test_the_middle_of_a_part_is_seen_even_where_all_views_of_the_whole_lie_at_its_ends():
    cut = replace(CUT, overviews=0, inner=200, owners=("top",) * 200, ends=1.0, low=0.3, high=0.5, overhang=0.0)
    boxes = boxes_by(Chance.of(cut, torch.Generator().manual_seed(0)), cut, 144, 256)
    seen = (boxes[:, 0] < 0.0) & (boxes[:, 2] > 0.0)
    assert 0.1 < seen.float().mean() < 0.6
    whole = boxes_by(
        Chance.of(replace(cut, owners=("whole",) * 200), torch.Generator().manual_seed(0)),
        replace(cut, owners=("whole",) * 200),
        144,
        256,
    )
    assert ((whole[:, 0] < -1 + 1e-4) | (whole[:, 2] > 1 - 1e-4)).all()


def test_views_of_parts_come_after_those_of_the_whole():
    cut = CUT.shared(("whole", "left"), 0)
    assert (cut.overviews, cut.inner, cut.owners) == (2, 2, ("whole", "whole", "left", "left"))
    sight = look_at(torch.rand(1, 3, 64, 96), cut, 16, torch.Generator().manual_seed(0))
    assert sight.views.shape == (4, 3, 16, 16) and sight.points().shape == (4, 16, 16, 2)
    assert (sight.boxes[2:, 2] <= 1e-5).all()


def test_red_left_and_blue_right_is_red_left_and_blue_right():
    rgb = painted(asked(left="red", right="blue"))
    assert is_colour(rgb[:, :40], (1, 0, 0)) and is_colour(rgb[:, -40:], (0, 0, 1))


def test_a_white_sky_over_black_ground():
    rgb = painted(asked(top="white", bottom="black"))
    assert rgb[:26].mean() > 0.56 and rgb[-26:].mean() < 0.44


def test_green_in_the_centre_red_around_it():
    rgb = painted(asked(centre="green", edge="red"))
    assert is_colour(rgb[24:40, 36:60], (0, 1, 0))
    border = np.concatenate([rgb[:6].reshape(-1, 3), rgb[-6:].reshape(-1, 3), rgb[:, :6].reshape(-1, 3)])
    assert is_colour(border, (1, 0, 0))


def test_the_sung_line_has_the_rest_of_the_picture():
    rgb = painted(replace(asked(left="red"), line="blue"))
    assert is_colour(rgb[:, -40:], (0, 0, 1))
    left = rgb[:, :32].reshape(-1, 3).mean(axis=0)
    assert left[0] > left[2] + 0.15


def test_parts_take_turns_where_the_governor_leaves_one_view_for_them():
    few = asked(left="red", right="blue", top="white").with_values({"crops": 2, "weight_3": 0.0})
    rgb = painted(replace(few, line="green", values={**few.values, "lyrics": 0.2}))
    assert rgb[:, :40, 0].mean() > rgb[:, :40, 2].mean() + 0.15
    assert rgb[:, -40:, 2].mean() > rgb[:, -40:, 0].mean() + 0.15
