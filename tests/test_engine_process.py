"""The engine's process says that it is at work within long frames, and what became of the guides asked for."""

import json
from pathlib import Path

import pytest

from engine.parameters import Look
from vj.engine_process import make_painter
from vj.mailboxes import MemoryText
from vj.pulse import Pulse, patience_s, read_pulse
from vj.runtime import Plan

LOOK = Look(line="a red heart").with_values({"canvas_width": 64, "canvas_height": 64, "first_steps": 3, "steps": 1})


class Kept(MemoryText):
    """A mailbox that keeps every text."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def put(self, text: str) -> None:
        self.texts.append(text)
        super().put(text)


def test_a_frame_of_several_steps_is_heard_of_in_each_with_the_state_it_began_in():
    box = Kept()
    pulse = Pulse(box, every_s=0.0)
    painter = make_painter(Plan(device="cpu", cores=1), beat=pulse.again)
    pulse.beat(painter.report, state="loading", fps=0.0)
    painter.paint(LOOK)
    beats = [json.loads(text) for text in box.texts]
    assert len(beats) == 1 + 3
    assert {beat["state"] for beat in beats} == {"loading"} and {beat["guide"] for beat in beats} == {"shipped"}
    assert [beat["at"] for beat in beats] == sorted(beat["at"] for beat in beats)


def test_a_step_that_is_expected_to_take_long_is_waited_for():
    assert patience_s({"frame_ms": 40.0, "beat_ms": 30_000.0}, 8.0) == 120.0
    assert patience_s({"frame_ms": 40.0, "beat_ms": 10.0}, 8.0) == 8.0
    assert patience_s({}, 8.0) == 8.0


def test_before_any_beat_there_is_nothing_to_repeat():
    box = MemoryText()
    Pulse(box).again(dict)
    assert set(read_pulse(box)) == {"pid", "at", "memory_mb"}


def test_what_is_said_of_a_missing_guide_goes_when_another_one_leads(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    painter = make_painter(Plan(device="cpu", cores=1, guide="clipag-b32"), is_live=False)
    assert painter.report()["guide"] == "shipped"
    notes = painter.report()["notes"]
    assert "vj guides pull clipag-b32" in notes[0] and notes[1] == "the shipped guide paints instead"
    painter.paint(LOOK.with_values({"guide": "shipped+shipped"}))
    assert painter.report()["guide"] == "shipped + shipped" and painter.report()["notes"] == []
