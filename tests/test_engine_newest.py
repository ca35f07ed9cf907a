"""A look that comes while a frame is painted: the next step takes up what it can, and the frame says which it bears."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.goals import Goals
from engine.guides.colours import Colours, colour_guide
from engine.guides.guide import Guide
from engine.newest import NEED_REFERENCES, NOT_OURS, READ_EACH_STEP, WAITING, Newest, taken_up
from engine.parameters import PARAMETERS, Look
from engine.step import Engine
from engine.turns import Turns

CPU = torch.device("cpu")
VALUES = {"canvas_width": 96, "canvas_height": 64, "upscale": 1, "denoise": 0.0, "steps": 4, "first_steps": 4}
LOOK = replace(Look().with_values({**VALUES, "temperature": 60.0, "governor": False}), line="red", serial=5)


def test_every_parameter_is_read_each_step_or_waits_or_is_none_of_the_engines() -> None:
    assert READ_EACH_STEP | NOT_OURS | set(WAITING) == set(PARAMETERS)
    assert not READ_EACH_STEP & NOT_OURS and set(NEED_REFERENCES) <= READ_EACH_STEP
    assert {"canvas", "canvas_width", "steps", "crops", "guide", "zoom", "denoise", "kick"} <= set(WAITING)


@pytest.mark.parametrize(
    ("changes", "serial"),
    [
        ({"temperature": 1.0}, 6),
        ({"prompt_1": "sea", "weight_1": 1.0, "region_1": "left"}, 6),
        ({"master": 0.5, "freeze": True}, 6),
        ({"crops": 8}, 5),
        ({"temperature": 1.0, "zoom": 0.5}, 5),
        ({"palette_weight": 2.0}, 6),
    ],
)
def test_a_frame_bears_a_look_once_nothing_of_it_waits(changes: dict[str, object], serial: int) -> None:
    newer = replace(LOOK.with_values(changes), serial=6, next_line="sea", blend=0.5)
    taken = taken_up(LOOK, newer)
    assert taken.serial == serial and (taken.next_line, taken.blend) == ("sea", 0.5)
    for name in changes:
        expected = LOOK.values[name] if name in WAITING else newer.values[name]
        assert taken.values[name] == expected, name


def test_a_weight_of_what_was_not_fetched_for_the_frame_waits() -> None:
    without = LOOK.with_values(dict.fromkeys(NEED_REFERENCES, 0.0))
    taken = taken_up(without, replace(LOOK, serial=6))
    assert taken.serial == 5 and not any(taken.number(name) for name in NEED_REFERENCES)


def test_a_look_is_taken_up_once() -> None:
    coming = [None, LOOK, replace(LOOK, serial=6)]
    coming += [coming[-1], replace(LOOK, serial=7)]
    given = iter(coming)
    watch = Newest(LOOK, lambda: next(given))
    taken = [watch.take() for _ in coming]
    assert [look.serial if look else None for look in taken] == [None, None, 6, None, 7]
    assert watch.serial == 7


class Counts(Colours):
    """Counts what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.views = 0

    def encode_image(self, image: torch.Tensor) -> torch.Tensor:
        self.views += len(image)
        return super().encode_image(image)


def an_engine(guide: Guide | None = None, is_live: bool = True) -> Engine:
    return Engine([guide or colour_guide(CPU)], CPU, 0, is_live)


def read_in_time(engine: Engine, look: Look) -> None:
    """Let the texts of the look be read, as a show has by the time that they are asked for."""
    while not engine._lead._goals.has_read(look):
        pass


def painted(engine: Engine, look: Look, newest: Callable[[], Look | None], frames: int = 1) -> np.ndarray:
    for _ in range(frames):
        rgb = engine.paint(look, newest)
    return rgb.astype(float)


def test_a_prompt_that_comes_within_a_frame_is_painted_in_the_same_frame() -> None:
    """Against a frame that never heard of it, from the same picture and with the same random numbers."""
    blue, found = replace(LOOK, line="blue", serial=6), []
    for came in (False, True):
        engine = an_engine()
        read_in_time(engine, LOOK)
        read_in_time(engine, blue)
        asked: list[int] = []

        def newest(came: bool = came, asked: list[int] = asked) -> Look:
            asked.append(1)
            return blue if came and len(asked) > 1 else LOOK

        rgb = painted(engine, LOOK, newest)
        found.append(float(rgb[..., 2].mean() - rgb[..., 0].mean()))
        assert len(asked) == 3, "before each of four steps but the first"
        assert engine.serial == (6 if came else 5)
        engine.close()
    assert found[1] > found[0] + 5.0


def test_what_decides_a_frame_as_a_whole_waits_for_the_next() -> None:
    guide = replace(colour_guide(CPU), model=Counts())
    engine, wider = an_engine(guide), replace(LOOK.with_values({"crops": 8, "canvas_width": 128}), serial=6)
    rgb = painted(engine, LOOK, lambda: wider)
    assert rgb.shape == (64, 96, 3) and engine.serial == 5 and guide.model.views <= 4 * LOOK.whole("crops")
    assert painted(engine, wider, lambda: wider).shape == (64, 128, 3) and engine.serial == 6
    engine.close()


def test_a_render_takes_no_newer_look() -> None:
    blue = replace(LOOK, line="blue", serial=6)
    first, second = (painted(an_engine(is_live=False), LOOK, newest, 3) for newest in (lambda: blue, lambda: None))
    assert np.array_equal(first, second)


def test_guides_keep_their_turns_when_a_newer_look_comes() -> None:
    guides = [colour_guide(CPU, name) for name in ("a", "b")]
    goals, turns = Goals(guides, waits=True), Turns()
    before = turns.of(list(zip(guides, goals.of(LOOK), strict=True)), LOOK, steps=1)
    blue = replace(LOOK, line="blue")
    pulls = list(zip(guides, goals.of(blue), strict=True))
    again = turns.again(before, pulls, blue)
    assert [guide.name for guide, _ in again] == [guide.name for guide, _ in before] == ["a", "b"]
    assert all(goal is dict(zip("ab", goals.of(blue), strict=True))[guide.name] for guide, goal in again)
    assert turns.of(pulls, blue, steps=1)[0][0].name == "b", "nobody's turn has passed"
    summed = blue.with_values({"guide_mix": "sum", "guide_weight_2": 0.5})
    assert torch.allclose(turns.again(before, pulls, summed)[1][1].weights, 0.5 * pulls[1][1].weights)


def test_a_goal_is_the_same_object_until_something_changes() -> None:
    goals = Goals([colour_guide(CPU)], waits=True)
    first = goals.of(LOOK)[0]
    assert goals.of(replace(LOOK, serial=9))[0] is first
    assert goals.of(replace(LOOK, line="blue"))[0] is not first
    assert goals.of(LOOK.with_values({"prompt_1": "red", "weight_1": 0.5}))[0] is not first
