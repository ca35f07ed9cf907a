"""What the engine does when a text takes long or cannot be read, and when memory, a device or the numbers fail."""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.errors import EngineError
from engine.guides.colours import Colours, colour_guide
from engine.step import Engine

sys.path.insert(0, str(Path(__file__).parent / "rigs"))
from small_engine import CPU, LOOK, an_engine, paint, said, share_of


class SlowReader(Colours):
    """Reads a text only once it is allowed to."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed = threading.Event()

    def encode_text(self, text: Tensor) -> Tensor:
        self.allowed.wait(20.0)
        return super().encode_text(text)


def test_a_text_that_takes_long_never_holds_a_frame_up():
    model = SlowReader()
    engine = an_engine(replace(colour_guide(CPU), model=model), is_live=True)
    paint(engine, said("red"), 3)
    assert share_of(engine.paint(said("red")), "red") < 0.5
    model.allowed.set()
    wait_until(lambda: share_of(engine.paint(said("red")), "red") > 0.8)
    model.allowed.clear()
    assert share_of(paint(engine, said("blue"), 5), "red") > 0.8
    model.allowed.set()
    wait_until(lambda: share_of(engine.paint(said("blue")), "blue") > 0.8)
    engine.close()


def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to hold"


def test_a_text_that_cannot_be_read_is_said_and_the_picture_goes_on():
    def reads(texts: Sequence[str]) -> Tensor:
        if "bad" in texts[0]:
            raise ValueError("no such words")
        return colour_guide(CPU).tokenizer(texts)

    engine = an_engine(replace(colour_guide(CPU), tokenizer=reads))
    paint(engine, said("red"), 40)
    assert share_of(paint(engine, said("bad"), 5), "red") > 0.8
    assert "no such words" in engine.report()["notes"][0]


class SmallMemory(Colours):
    """Runs out of memory with more than four views."""

    def encode_image(self, image: Tensor) -> Tensor:
        if len(image) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return super().encode_image(image)


def test_out_of_memory_means_fewer_crops_and_the_picture_stays():
    engine = an_engine(replace(colour_guide(CPU), model=SmallMemory()))
    paint(engine, said("red"), 40)
    rgb = engine.paint(said("red", LOOK.with_values({"crops": 16})))
    assert share_of(rgb, "red") > 0.8
    assert engine.report()["crops"] == 4
    assert "ran out of memory; painting with 4 crops" in engine.report()["notes"][0]


class FailingDevice(Colours):
    """Computes nowhere but on the CPU it was moved to."""

    is_moved = False

    def to(self, device: torch.device) -> "FailingDevice":
        self.is_moved = True
        return self

    def encode_image(self, image: Tensor) -> Tensor:
        if not self.is_moved:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return super().encode_image(image)


def test_a_failing_device_means_the_cpu_and_the_picture_stays():
    elsewhere = torch.device("cpu:0")  # another device to the engine, the same arithmetic here
    engine = Engine([replace(colour_guide(elsewhere), model=FailingDevice())], elsewhere, 0, is_live=False)
    engine.start_from(np.full((64, 96, 3), (255, 0, 0), np.uint8))
    assert share_of(engine.paint(said("red")), "red") > 0.8
    assert engine.report()["device"] == "cpu"
    assert "illegal memory access" in engine.report()["notes"][0]


class Broken(Colours):
    """Fails everywhere."""

    def encode_image(self, image: Tensor) -> Tensor:
        raise RuntimeError("nothing works")


def test_when_the_cpu_fails_too_the_reason_is_given():
    with pytest.raises(EngineError, match="nothing works"):
        an_engine(replace(colour_guide(CPU), model=Broken())).paint(said("red"))


class SometimesNan(Colours):
    """Gives no numbers when told to."""

    is_broken = False

    def encode_image(self, image: Tensor) -> Tensor:
        return super().encode_image(image) * (float("nan") if self.is_broken else 1.0)


def test_values_that_are_no_numbers_never_reach_the_picture():
    model = SometimesNan()
    engine = an_engine(replace(colour_guide(CPU), model=model))
    paint(engine, said("red"), 40)
    model.is_broken = True
    assert share_of(paint(engine, said("red"), 3), "red") > 0.8
    model.is_broken = False
    assert share_of(paint(engine, said("blue"), 40), "blue") > 0.8
    assert any("painted again" in note for note in engine.report()["notes"])
