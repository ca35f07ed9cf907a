"""The picture moves between frames as the motion parameters say, the same way at any frame rate."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.canvas import Pyramid
from engine.flow import Flow
from engine.folds import Folds
from engine.guides.colours import colour_guide
from engine.motion import KNOBS, Motion, Move, Warp, echoed
from engine.objectives import Goal
from engine.optimiser import make_optimiser, move_memory
from engine.painting import Painting
from engine.parameters import PARAMETERS, Look
from engine.step import Engine

CPU = torch.device("cpu")
HEIGHT, WIDTH = 72, 128
torch.set_num_threads(1)
AT_ONCE = {"ease": 0.0, "canvas_width": WIDTH, "canvas_height": HEIGHT, "upscale": 1}


def dot(x: float, y: float, size: float = 8.0) -> Tensor:
    """A soft bright dot, its centre given in pixels, on black."""
    across, down = torch.arange(WIDTH) + 0.5 - x, torch.arange(HEIGHT) + 0.5 - y
    return torch.exp(-(across[None, :] ** 2 + down[:, None] ** 2) / size**2).expand(1, 3, HEIGHT, WIDTH).clone()


def place(picture: Tensor) -> tuple[float, float]:
    """The centre of the light, in pixels."""
    light = picture.mean(dim=(0, 1))
    x = (light.sum(dim=0) * (torch.arange(WIDTH) + 0.5)).sum() / light.sum()
    y = (light.sum(dim=1) * (torch.arange(HEIGHT) + 0.5)).sum() / light.sum()
    return x.item(), y.item()


def moved(picture: Tensor, seconds: float, fps: float = 20.0, **knobs: object) -> Tensor:
    """The picture after so many seconds of these knobs."""
    motion, look = Motion(seed=0), Look().with_values({**AT_ONCE, "border": "edge", **knobs})
    for _ in range(round(seconds * fps)):
        warp = motion.next(look, 1.0 / fps)
        picture = picture if warp is None else warp.picture(picture)
    return picture


@pytest.mark.parametrize(
    ("knobs", "begin", "end"),
    [
        ({"pan_x": 0.25}, (40, 36), (72, 36)),
        ({"pan_y": 0.125}, (64, 36), (64, 20)),
        ({"turn": 90.0}, (84, 36), (64, 56)),
        ({"turn": -90.0}, (84, 36), (64, 16)),
        ({"zoom": 1.0}, (70, 40), (76, 44)),
        ({"zoom": -1.0}, (84, 46), (74, 41)),
        ({"shear": 0.5}, (64, 18), (73, 18)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_each_knob_moves_the_picture_so_far_in_a_second(
    knobs: dict[str, float], begin: tuple[float, float], end: tuple[float, float]
):
    assert place(moved(dot(*begin), 1.0, **knobs)) == pytest.approx(end, abs=1.0)


def test_a_swirl_turns_the_middle_and_leaves_the_border():
    near, far = place(moved(dot(72, 36, 3), 1.0, swirl=90.0)), place(moved(dot(64, 68, 3), 1.0, swirl=90.0))
    assert near[1] > 41 and abs(near[0] - 66) < 4
    assert far == pytest.approx((58, 68), abs=2.0)


@pytest.mark.parametrize("knob", KNOBS)
def test_the_same_seconds_move_it_equally_far_at_any_frame_rate(knob: str):
    knobs = {knob: 0.2 * PARAMETERS[knob].high, "ease": 0.8}
    slow, fast = (moved(dot(76, 30), 1.0, fps, **knobs) for fps in (8.0, 40.0))
    assert place(slow) == pytest.approx(place(fast), abs=0.5)


def test_a_knob_that_jumps_sets_the_picture_going_without_a_jerk():
    motion, look = Motion(seed=0), Look().with_values({"pan_x": 0.5, "ease": 1.0})
    picture, places = dot(30, 36), []
    for _ in range(30):
        places.append(place(picture)[0])
        picture = motion.next(look, 0.05).picture(picture)
    speeds = np.diff(places)
    assert speeds[0] < 0.2 * 0.5 * 0.05 * WIDTH
    assert np.diff(speeds).max() < 0.2 * 0.5 * 0.05 * WIDTH
    assert speeds[22] == pytest.approx(0.5 * 0.05 * WIDTH, rel=0.1)


def test_a_motion_let_go_comes_to_rest_and_costs_nothing_then():
    motion, going = Motion(seed=0), Look().with_values({"turn": 90.0, "ease": 0.5})
    for _ in range(20):
        motion.next(going, 0.05)
    ends = [motion.next(Look().with_values({"ease": 0.5}), 0.05) for _ in range(60)]
    assert ends[0] is not None and ends[-1] is None


def test_without_motion_nothing_touches_the_picture():
    def frames(move: Callable[[Painting], None]) -> list[Tensor]:
        painting, guide, look = Painting(CPU, seed=1), colour_guide(CPU), Look().with_values(AT_ONCE)
        pulls = [(guide, Goal(guide.embed_text(["red"]), torch.ones(1)))]
        found = []
        for _ in range(4):
            move(painting)
            found.append(painting.next_frame(look, 1, 2, pulls))
        return found

    still = frames(lambda painting: None)
    moving = frames(lambda painting: painting.move(Look().with_values(AT_ONCE), 0.05))
    assert all(torch.equal(a, b) for a, b in zip(still, moving, strict=True))


@pytest.mark.parametrize(("border", "seen"), [("mirror", 0.75), ("wrap", 0.25), ("edge", 1.0)])
def test_what_comes_in_from_beyond_the_border(border: str, seen: float):
    ramp = torch.linspace(0.0, 1.0, WIDTH).expand(1, 3, HEIGHT, WIDTH)
    shifted = Warp(Move(pan_x=-0.5, border=border), WIDTH / HEIGHT).picture(ramp)
    assert shifted[..., 3 * WIDTH // 4].mean().item() == pytest.approx(seen, abs=0.02)


def test_wrapped_round_once_the_picture_is_back():
    picture = dot(100, 20)
    assert (moved(picture, 4.0, pan_x=0.25, border="wrap") - picture).abs().max() < 0.15


@pytest.mark.parametrize("knobs", [{"turn": 6.0}, {"pan_x": 0.05}, {"zoom": 0.03}, {"flow": 0.01}])
def test_ten_seconds_of_slow_motion_leave_the_detail(knobs: dict[str, float]):
    """Detail of four to eight pixels, far from the border, keeps its strength within a factor of two and a half."""
    noise = torch.randn(1, 3, HEIGHT // 3, WIDTH // 3, generator=torch.Generator().manual_seed(0))
    picture = 0.5 + 0.12 * torch.nn.functional.interpolate(noise, size=(HEIGHT, WIDTH), mode="bicubic")
    before, after = (x[..., 12:-12, 20:-20].diff(dim=-1).std() for x in (picture, moved(picture, 10.0, **knobs)))
    assert 0.4 < after / before < 2.5


def test_the_optimisers_memory_moves_with_the_picture():
    canvas = Pyramid(torch.zeros(1, 3, HEIGHT, WIDTH))
    leaves = canvas.parameters()[::-1]
    optimiser = make_optimiser(leaves, is_kept=True)
    for leaf in leaves:
        leaf.grad = torch.nn.functional.interpolate(dot(40, 36), size=leaf.shape[-2:], mode="area")
    optimiser.step()
    move_memory(optimiser, canvas, Warp(Move(pan_x=0.25, border="edge"), WIDTH / HEIGHT))
    for name in ("exp_avg", "exp_avg_sq"):
        assert place(optimiser.state[leaves[0]][name]) == pytest.approx((72, 36), abs=0.5)
    coarse = optimiser.state[leaves[2]]["exp_avg"][0, 0].sum(dim=0)
    assert coarse.argmax().item() == pytest.approx(72 / 4, abs=1)
    optimiser.step()


def test_the_currents_neither_gather_nor_thin_out_and_change_slowly():
    flow, step = Flow(seed=3), 0.02
    y, x = torch.meshgrid(torch.arange(-1.0, 1.0, step), torch.arange(-1.7, 1.7, step), indexing="ij")
    points = torch.stack([x, y], dim=-1)
    now, soon, later = (flow.at(points, at_s) for at_s in (5.0, 5.1, 25.0))
    assert 0.5 < now.square().sum(dim=-1).mean().sqrt() < 1.5
    divergence = now[1:-1, :, 0].diff(dim=1)[:, 1:] + now[:, 1:-1, 1].diff(dim=0)[1:, :]
    turning = now[1:-1, :, 1].diff(dim=1)[:, 1:] - now[:, 1:-1, 0].diff(dim=0)[1:, :]
    assert divergence.abs().mean() < 0.05 * turning.abs().mean()
    assert (soon - now).abs().mean() < 0.1 * now.abs().mean() < (later - now).abs().mean()
    assert torch.equal(Flow(seed=3).at(points, 5.0), now)


def test_feedback_lays_moved_copies_into_the_picture():
    look = Look().with_values({"feedback": 0.9, "feedback_zoom": 1.0, "feedback_turn": 0.0})
    picture = dot(74, 36, 3)
    for _ in range(10):
        picture = echoed(picture, look, 0.05)
    light = picture[0, 0, 36]
    assert light[84] > 0.15 and light[74] < 0.5
    assert echoed(picture, Look(), 0.05) is picture


def folded(picture: Tensor, **asked: object) -> Tensor:
    folds = Folds()
    folds.follow(Look().with_values({**AT_ONCE, **asked}), 0.05)
    return folds.of(picture)


def test_a_mirror_shows_the_left_or_the_upper_half_twice():
    picture = torch.rand(1, 3, 65, 131)
    across, both = folded(picture, mirror="across"), folded(picture, mirror="both")
    assert torch.equal(across, across.flip(-1)) and torch.equal(across[..., :65], picture[..., :65])
    assert torch.equal(both, both.flip(-1)) and torch.equal(both, both.flip(-2))
    assert folded(picture) is picture


@pytest.mark.parametrize("segments", [2, 3, 6, 16])
def test_a_kaleidoscope_looks_the_same_turned_by_a_segment(segments: int):
    picture = moved(dot(84, 40), 0.0) + dot(60, 20)
    seen = folded(picture, kaleidoscope=segments)
    turned = Warp(Move(turn=360.0 / segments), WIDTH / HEIGHT).picture(seen)
    middle = (slice(None), slice(None), slice(10, -10), slice(38, -38))
    assert (turned[middle] - seen[middle]).abs().mean() < 0.01
    assert (folded(seen, kaleidoscope=segments) - seen).abs().mean() < 0.002


def test_a_fold_grows_in():
    folds, look, picture = Folds(), Look().with_values({"mirror": "across", "ease": 1.0}), torch.rand(1, 3, 64, 64)
    shares = []
    for _ in range(60):
        folds.follow(look, 0.05)
        seen = folds.of(picture)
        shares.append((seen - picture).abs().mean().item())
    assert shares[0] < 0.25 * shares[-1] and shares == sorted(shares)
    assert torch.equal(seen, seen.flip(-1))


MOVING = {"zoom": 0.3, "turn": 20.0, "flow": 0.05, "swirl": 15.0, "feedback": 0.3, "kaleidoscope": 5}


def painted(engine: Engine, look: Look, frames: int) -> np.ndarray:
    for _ in range(frames):
        rgb = engine.paint(replace(look, line="red"))
    return rgb


@pytest.mark.parametrize("canvas", PARAMETERS["canvas"].choices)
def test_a_moving_picture_is_the_same_for_the_same_seed(canvas: str):
    look = Look().with_values({"canvas_width": 96, "canvas_height": 64, "canvas": canvas, **MOVING})
    one, two = (painted(Engine([colour_guide(CPU)], CPU, 4, is_live=False), look, 6) for _ in range(2))
    assert np.array_equal(one, two)


def test_live_the_clock_says_how_far_it_moves():
    """A frame that comes late moves further, but never by more than a quarter of a second's way."""

    def shift(gap_s: float) -> float:
        now = [0.0]
        engine = Engine([colour_guide(CPU)], CPU, 0, is_live=True, clock=lambda: now[0])
        engine.start_from((dot(40, 36, 10)[0].permute(1, 2, 0) * 255).byte().numpy())
        look = Look().with_values({**AT_ONCE, "pan_x": 0.5, "temperature": 0.0, "governor": False})
        engine.paint(look)
        now[0] += gap_s
        rgb = engine.paint(look)
        engine.close()
        return place(torch.from_numpy(rgb).permute(2, 0, 1)[None].float())[0] - 40

    assert shift(0.05) == pytest.approx(0.025 * WIDTH, abs=1.0)
    assert shift(0.2) == pytest.approx(0.1 * WIDTH, abs=1.0)
    assert shift(5.0) == pytest.approx(0.125 * WIDTH, abs=1.0)
