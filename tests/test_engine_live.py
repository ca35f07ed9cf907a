"""The default on stage: the live preset and the shipped guide, from one prompt to the next within two seconds."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.goals import Goals
from engine.governor import rungs
from engine.guides.loading import load_guide
from engine.painting import Painting
from engine.parameters import PARAMETERS, Look
from engine.step import Engine
from vj.changes import Change
from vj.state import ShowState

CPU = torch.device("cpu")
PRESETS = Path(__file__).resolve().parent.parent / "presets"
TWO_SECONDS = 24
"""Frames in two seconds at twelve a second, the least the engine is to reach."""


def values_of(name: str) -> dict[str, object]:
    return tomllib.loads((PRESETS / f"{name}.toml").read_text(encoding="utf-8"))["parameters"]


LIVE = Look().with_values({**values_of("live"), "governor": False})


@pytest.fixture()
def engine() -> Engine:
    torch.set_num_threads(1)
    return Engine([load_guide("shipped", CPU)], CPU, seed=0, is_live=False)


def painted(engine: Engine, text: str, frames: int = TWO_SECONDS) -> np.ndarray:
    """The last of these frames, (h, w, 3), 0..1."""
    for _ in range(frames):
        rgb = engine.paint(replace(LIVE, line=text))
    return rgb / 255.0


def places_of(picture: np.ndarray, rows: int = 4, columns: int = 6) -> np.ndarray:
    """The mean colour of each of 4 x 6 places, (24, 3); the outer ones are the border."""
    parts = [np.array_split(row, columns, axis=1) for row in np.array_split(picture, rows, axis=0)]
    return np.array([part.mean(axis=(0, 1)) for row in parts for part in row])


def test_the_live_preset_is_what_the_table_starts_with():
    values = values_of("live")
    assert values == {name: PARAMETERS[name].default for name in values}
    painted = {row.name for row in PARAMETERS.values() if row.group in ("picture", "motion") and row.kind != "trigger"}
    assert set(values) >= painted - {"tempo", "beat", "guide", "denoiser_weights"}  # the song's, and the show's


def test_a_bright_picture_turns_to_night_within_two_seconds_border_and_all(engine: Engine):
    bright = painted(engine, "a red heart on white", 60)
    assert bright.mean() > 0.5
    night = places_of(painted(engine, "starry night")).mean(axis=1)
    assert night.mean() < 0.25
    assert (night < 0.45).all()


def test_night_turns_to_grass_within_two_seconds_border_and_all(engine: Engine):
    assert painted(engine, "starry night", 60).mean() < 0.25
    red, green, blue = places_of(painted(engine, "grass")).T
    assert (green > 0.25).all()
    assert (green > red).mean() > 0.8 and (green > blue).mean() > 0.8


FLOOR_EFFORT = (1, 2)
"""Steps and crops of the governor's last rung."""


class Slow:
    """A machine at the governor's floor that paints twelve of the twenty frames asked for each second."""

    fps = 12.0

    def __init__(self, seed: int) -> None:
        torch.set_num_threads(1)
        guide = load_guide("shipped", CPU)
        self._pulls, self._goals = [guide], Goals([guide], waits=True)
        self._painting = Painting(CPU, seed)

    def paint(self, look: Look) -> np.ndarray:
        """The next frame, (h, w, 3), 0..1."""
        self._painting.move(look, 1.0 / self.fps)
        goals = self._goals.of(look)
        picture = self._painting.next_frame(look, *FLOOR_EFFORT, list(zip(self._pulls, goals, strict=True)))
        return picture[0].clamp(0.0, 1.0).permute(1, 2, 0).numpy()


def test_the_governors_floor_is_what_these_tests_take_for_it():
    assert rungs(LIVE.whole("steps"), LIVE.whole("crops"))[-1] == FLOOR_EFFORT


def typed(state: ShowState, text: str, now: float) -> ShowState:
    return state.after(Change("prompt", text, source="key"), now)


@pytest.mark.parametrize("fade_s", [0.0, 2.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_at_the_floor_a_typed_prompt_takes_hold_within_two_seconds_border_and_all(seed: int, fade_s: float):
    slow, look = Slow(seed), LIVE.with_values({"fade": fade_s})
    state, now = typed(ShowState(look, look), "a red heart on white", 0.0), 0.0

    def after(seconds: float) -> np.ndarray:
        nonlocal now
        for _ in range(round(seconds * slow.fps)):
            now += 1.0 / slow.fps
            shown = slow.paint(state.look_at(now))
        return places_of(shown)

    assert after(5.0).mean() > 0.45
    state = typed(state, "starry night", now)
    night = after(2.0).mean(axis=1)
    assert night.mean() < 0.25 and (night < 0.5).all()
    after(1.0)
    state = typed(state, "grass", now)
    red, green, blue = after(2.0).T
    assert (green > 0.25).all()
    assert (green > red).mean() > 0.8 and (green > blue).mean() > 0.8


def test_at_full_effort_a_typed_prompt_takes_hold_within_its_fade_of_two_seconds(engine: Engine):
    look = LIVE.with_values({"fade": 2.0, "engine_fps": 12.0})
    state = typed(typed(ShowState(look, look), "a red heart on white", 0.0), "starry night", 0.0)
    painted(engine, "a red heart on white", 60)
    for n in range(1, TWO_SECONDS + 1):
        rgb = engine.paint(state.look_at(n / 12.0))
    night = places_of(rgb / 255.0).mean(axis=1)
    assert night.mean() < 0.25 and (night < 0.45).all()


def test_pictures_have_no_grid(engine: Engine):
    """Neighbouring pixels are alike: nothing alternates from pixel to pixel."""
    picture = painted(engine, "ocean waves", 40)
    across, down = np.abs(np.diff(picture, 2, axis=1)).mean(), np.abs(np.diff(picture, 2, axis=0)).mean()
    assert across < 0.25 * picture.std() and down < 0.25 * picture.std()
