"""Guides change while the picture goes on, share the steps as they are weighed, and say what they take."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from torch import Tensor

from engine import lead, relief, step
from engine.errors import MissingGuideError
from engine.guides.colours import Colours, colour_guide
from engine.guides.guide import Guide
from engine.guides.loading import Source, load_guide
from engine.objectives import Goal
from engine.parameters import Look
from engine.relief import Asked, Relief
from engine.step import Engine
from engine.turns import Turns

CPU = torch.device("cpu")
LOOK = Look(line="red").with_values(
    {"canvas_width": 96, "canvas_height": 64, "upscale": 1, "temperature": 50.0, "governor": False}
)
OTHER = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}


@pytest.fixture()
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a guide of another input size and width, of random weights in a file."""
    configs = dict(open_clip.factory._MODEL_CONFIGS)
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", {**configs, "small-test": OTHER})
    torch.save({"state_dict": open_clip.CLIP(**OTHER).state_dict()}, tmp_path / "other.pt")
    return f"small-test:{tmp_path / 'other.pt'}"


def asking(names: str, look: Look = LOOK) -> Look:
    return look.with_values({"guide": names})


def wait_until(holds: Callable[[], bool], meanwhile: Callable[[], object] = lambda: None) -> None:
    end = time.monotonic() + 60.0
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        meanwhile()
        time.sleep(0.005)


def leading(engine: Engine) -> str:
    return str(engine.report()["guide"])


def test_the_guide_changes_to_one_of_another_size_and_back_while_frames_go_on(other: str):
    engine = Engine([load_guide("shipped", CPU)], CPU, seed=0)
    engine.paint(LOOK)
    frames: list[np.ndarray] = []
    wait_until(lambda: leading(engine) == other, lambda: frames.append(engine.paint(asking(other))))
    assert len(frames) > 1 and all(frame.shape == (64, 96, 3) for frame in frames)
    wait_until(lambda: leading(engine) == "shipped", lambda: engine.paint(LOOK))
    assert engine.report()["notes"] == []
    engine.close()


def test_several_guides_of_different_kinds_lead_together(other: str):
    for mix in ("alternate", "sum"):
        engine = Engine([load_guide("shipped", CPU)], CPU, seed=0, is_live=False)
        look = asking(f"shipped + {other}", LOOK.with_values({"guide_mix": mix}))
        for _ in range(3):
            engine.paint(look)
        assert leading(engine) == f"shipped + {other}"
        shown = engine.report()["guides"]
        assert [one["sees"] for one in shown] == [64, 32] and all(one["memory_mb"] > 0 for one in shown)


def test_a_render_waits_for_the_guide_and_gives_the_same_frames_again(other: str):
    def frame() -> np.ndarray:
        engine = Engine([load_guide("shipped", CPU)], CPU, seed=3, is_live=False)
        engine.paint(LOOK)
        return engine.paint(asking(other))

    assert np.array_equal(frame(), frame())


def test_a_guide_that_is_not_here_is_said_with_its_command_and_the_old_one_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    engine = Engine([colour_guide(CPU)], CPU, seed=0, is_live=False)
    engine.paint(asking("clipag-b32"))
    (note,) = engine.report()["notes"]
    assert "vj guides pull clipag-b32" in note and "colours goes on" in note
    engine.paint(LOOK)
    assert engine.report()["notes"] == [] and leading(engine) == "colours"


class Loads:
    """Loads colour guides by any name, when told to, and notes what it was asked for."""

    def __init__(self, is_held: bool = False) -> None:
        self.asked: list[str] = []
        self.leave = threading.Semaphore(0 if is_held else 10**6)
        self.missing: set[str] = set()

    def __call__(self, name: str, device: torch.device) -> Guide:
        self.asked.append(name)
        assert self.leave.acquire(timeout=20.0)
        if name in self.missing:
            raise MissingGuideError(f"{name} is not here")
        if name == "blind":
            return replace(colour_guide(device, name), model=Blind())
        return colour_guide(device, name)


class Blind(Colours):
    """Gives no numbers."""

    def encode_image(self, image: Tensor) -> Tensor:
        return super().encode_image(image) * float("nan")


@pytest.fixture()
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    made = Loads()
    monkeypatch.setattr(lead, "Relief", lambda: Relief(made))
    monkeypatch.setattr(relief, "find_source", lambda name: Source(name, "", {}, None))
    return made


def test_while_it_loads_the_engines_notes_say_so(loads: Loads):
    loads.leave = threading.Semaphore(0)
    engine = Engine([colour_guide(CPU)], CPU, seed=0)
    for _ in range(3):
        engine.paint(asking("b"))
    assert engine.report()["notes"] == ["getting b ready; colours goes on"]
    loads.leave.release()
    wait_until(lambda: leading(engine) == "b", lambda: engine.paint(asking("b")))
    assert engine.report()["notes"] == []


def test_the_texts_are_read_before_the_change(loads: Loads, monkeypatch: pytest.MonkeyPatch):
    """Else there would be nothing to pull toward for some frames."""
    engine = Engine([colour_guide(CPU)], CPU, seed=0)
    wait_until(lambda: engine._lead._goals.of(LOOK)[0] is not None)
    pulls: list[Goal | None] = []
    whole = engine._lead.pulls

    def noted(look: Look, steps: int) -> Sequence[tuple[Guide, Goal | None]]:
        found = whole(look, steps)
        pulls.extend(goal for _, goal in found)
        return found

    monkeypatch.setattr(engine._lead, "pulls", noted)
    wait_until(lambda: leading(engine) == "b", lambda: engine.paint(asking("b")))
    engine.paint(asking("b"))
    assert None not in pulls


def test_what_was_asked_for_last_leads_in_the_end(loads: Loads):
    loads.leave = threading.Semaphore(0)
    engine = Engine([colour_guide(CPU)], CPU, seed=0)
    for name in ("b", "c", "d"):
        engine.paint(asking(name))
    loads.leave.release(10)
    wait_until(lambda: leading(engine) == "d", lambda: engine.paint(asking("d")))
    assert "c" not in loads.asked


def test_a_guide_asked_for_and_taken_back_never_leads(loads: Loads):
    loads.leave = threading.Semaphore(0)
    engine = Engine([colour_guide(CPU)], CPU, seed=0)
    engine.paint(asking("b"))
    engine.paint(LOOK)
    loads.leave.release(10)
    wait_until(lambda: engine._lead._relief._worker is None)
    engine.paint(LOOK)
    assert leading(engine) == "colours" and engine.report()["notes"] == []


def test_a_guide_that_leads_already_is_not_loaded_again(loads: Loads):
    engine = Engine([colour_guide(CPU)], CPU, seed=0, is_live=False)
    engine.paint(asking("colours+b"))
    assert leading(engine) == "colours + b" and loads.asked == ["b"]


def test_one_of_several_that_cannot_be_had_leaves_all_as_they_were(loads: Loads):
    loads.missing = {"c"}
    engine = Engine([colour_guide(CPU)], CPU, seed=0, is_live=False)
    engine.paint(asking("b+c"))
    assert leading(engine) == "colours" and engine.report()["notes"] == ["c is not here; colours goes on"]


def test_a_guide_that_was_fetched_in_the_meantime_leads_by_itself(loads: Loads):
    loads.missing = {"b"}
    seconds = iter(range(10_000))
    engine = Engine([colour_guide(CPU)], CPU, 0, True, lambda: 3.0 * next(seconds))
    wait_until(lambda: bool(engine.report()["notes"]), lambda: engine.paint(asking("b")))
    loads.missing = set()
    wait_until(lambda: leading(engine) == "b", lambda: engine.paint(asking("b")))


def test_a_guide_without_usable_gradients_never_leads(loads: Loads):
    engine = Engine([colour_guide(CPU)], CPU, seed=0, is_live=False)
    engine.paint(asking("blind"))
    assert leading(engine) == "colours" and "no usable gradients" in engine.report()["notes"][0]


def test_a_guide_too_large_for_the_memory_is_not_tried(other: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(relief, "ROOM", 1e9)
    gets = Relief()
    gets.ask(Asked(other, CPU))
    gets.wait()
    assert "of memory" in gets.fault and not gets.guides


def test_what_fails_in_no_known_way_is_a_sentence_too():
    def fails(_name: str, _device: torch.device) -> Guide:
        raise ZeroDivisionError("nobody thought of this")

    gets = Relief(fails)
    gets.ask(Asked("shipped", CPU))
    gets.wait()
    assert "nobody thought of this" in gets.fault and "\n" not in gets.fault


def pulls(*names: str) -> list[tuple[Guide, Goal | None]]:
    return [(colour_guide(CPU, name), Goal(torch.eye(12)[:1], torch.ones(1))) for name in names]


def turns_of(look: Look, names: str, steps: int, frames: int) -> list[str]:
    """Who pulls in each step of so many frames."""
    turns = Turns()
    ordered = [turns.of(pulls(*names), look, steps) for _ in range(frames)]
    return [frame[step % len(frame)][0].name for frame in ordered for step in range(steps)]


def test_two_guides_take_turns_and_every_frame_begins_with_the_first():
    assert "".join(turns_of(LOOK, "ab", 3, 2)) == "aba" + "aba"


def test_frames_too_short_for_all_guides_go_on_where_the_last_one_ended():
    assert "".join(turns_of(LOOK, "ab", 1, 4)) == "abab"
    assert "".join(turns_of(LOOK, "abc", 2, 3)) == "ab" + "ca" + "bc"


def test_a_weight_is_a_share_of_the_steps():
    look = LOOK.with_values({"guide_weight_2": 0.5})
    assert Counter(turns_of(look, "ab", 2, 150)) == {"a": 200, "b": 100}


def test_a_weight_of_nothing_leaves_a_guide_out():
    assert set(turns_of(LOOK.with_values({"guide_weight_1": 0.0}), "ab", 2, 3)) == {"b"}
    none = LOOK.with_values({"guide_weight_1": 0.0, "guide_weight_2": 0.0})
    assert Turns().of(pulls("a", "b"), none, 2) == ()


def test_summed_a_weight_is_the_strength_of_the_pull():
    look = LOOK.with_values({"guide_mix": "sum", "guide_weight_1": 0.25, "guide_weight_3": 0.0})
    found = Turns().of(pulls("a", "b", "c", "d", "e"), look, 2)
    strengths = {guide.name: float(goal.weights[0]) for guide, goal in found if goal}
    assert strengths == {"a": 0.25, "b": 1.0, "d": 1.0, "e": 1.0}


def test_the_beat_is_heard_in_every_step_with_what_the_next_one_is_expected_to_take():
    engine = Engine([colour_guide(CPU)], CPU, seed=0, is_live=False)
    heard: list[float] = []
    engine.beat = lambda: heard.append(float(engine.report()["beat_ms"]))
    engine.paint(LOOK)
    assert heard == [0.0] * LOOK.whole("first_steps")  # nothing is known yet
    step_ms = float(engine.report()["step_ms"])
    engine.paint(LOOK.with_values({"steps": 3, "crops": 16}))
    assert heard[LOOK.whole("first_steps") :] == [pytest.approx(step_ms * 16 / LOOK.whole("crops"))] * 3


def test_slow_guides_begin_with_as_little_work_as_is_in_time():
    look = LOOK.with_values({"governor": True, "engine_fps": 20.0})
    assert step._governor(look, 0.001).effort(look) == (2, 4)
    assert step._governor(look, 0.01).effort(look) == (1, 3)
    assert step._governor(look, 10.0).effort(look) == (1, 2)
