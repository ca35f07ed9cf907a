"""What a frame goes through last: the denoiser asked for, or the next best, and never a stop."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import engine.denoise as denoise
from engine.denoise.cyclegan import Generator
from engine.denoise.finish import Finish
from engine.guides.colours import colour_guide
from engine.parameters import Look
from engine.picture import as_rgb
from engine.step import Engine

CPU = torch.device("cpu")
PICTURE = torch.rand(1, 3, 72, 128, generator=torch.Generator().manual_seed(5))


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(denoise, "library", lambda: tmp_path / "denoisers")
    (tmp_path / "denoisers").mkdir()
    return tmp_path / "denoisers"


@pytest.fixture
def finish() -> Finish:
    return Finish(CPU, waits=True)


def look(**values: object) -> Look:
    return Look().with_values({"denoiser": "shipped", "denoise": 1.0, "upscale": 1, **values})


def keep_generator(folder: Path, name: str) -> str:
    torch.manual_seed(0)
    torch.save(Generator(4, 2).state_dict(), folder / name)
    return str(folder / name)


@pytest.mark.parametrize("name", ["edges", "none", "shipped", "cyclegan"])
@pytest.mark.parametrize("scale", [1, 2])
def test_strength_zero_costs_nothing_and_changes_nothing(finish: Finish, name: str, scale: int):
    found = finish.frame(look(denoiser=name, denoise=0.0, upscale=scale, denoiser_weights="nothing"), PICTURE)
    assert np.array_equal(found, as_rgb(PICTURE))
    assert not finish._asked and finish.notes() == []


@pytest.mark.parametrize("name", ["edges", "shipped"])
def test_the_frame_is_as_many_times_larger_as_asked(finish: Finish, name: str):
    assert finish.frame(look(denoiser=name), PICTURE).shape == (72, 128, 3)
    assert finish.frame(look(denoiser=name, upscale=2), PICTURE).shape == (144, 256, 3)


def test_a_frame_too_large_for_its_mailbox_is_not_enlarged(finish: Finish, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.denoise.finish.LARGEST", 4 * 72 * 128 - 1)
    assert finish.frame(look(upscale=2), PICTURE).shape == (72, 128, 3)
    assert finish.notes() == ["the canvas is too large to be enlarged"]


def test_the_largest_frame_fits_into_the_mailbox():
    from engine.denoise.finish import LARGEST
    from vj.runtime import MAX_FRAME_BYTES

    assert 3 * LARGEST <= MAX_FRAME_BYTES


@pytest.mark.parametrize("name", ["by path", "by name"])
def test_a_generator_is_found_by_path_and_by_name(finish: Finish, library: Path, name: str):
    path = keep_generator(library, "mine.pth")
    found = finish.frame(look(denoiser="cyclegan", denoiser_weights=path if name == "by path" else "mine"), PICTURE)
    assert finish.notes() == []
    assert not np.array_equal(found, finish.frame(look(), PICTURE))


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ("", "names no file"),
        ("/nowhere/x.pth", "no such file"),
        ("mien", "did you mean 'mine'"),
        ("broken", "is no CycleGAN generator"),
        ("other", "it has no model.1.weight"),
        ("code", "holds more than weights"),
    ],
)
def test_what_cannot_be_had_is_a_note_and_the_next_best_goes_on(finish: Finish, library: Path, weights: str, told: str):
    keep_generator(library, "mine.pth")
    (library / "broken.safetensors").write_bytes(b"\0" * 64)
    torch.save({"layer.weight": torch.zeros(3)}, library / "other.pth")
    torch.save({"model": Path}, library / "code.pth")
    found = finish.frame(look(denoiser="cyclegan", denoiser_weights=weights), PICTURE)
    assert told in finish.notes()[0] and finish.notes()[0].endswith("; shipped instead")
    assert "\n" not in finish.notes()[0]
    assert np.array_equal(found, finish.frame(look(), PICTURE))


def test_other_weights_are_tried_when_they_are_named(finish: Finish, library: Path):
    finish.frame(look(denoiser="cyclegan", denoiser_weights="mine"), PICTURE)
    assert finish.notes()
    keep_generator(library, "later.pth")
    finish.frame(look(denoiser="cyclegan", denoiser_weights="later"), PICTURE)
    assert finish.notes() == []


def test_without_its_file_the_shipped_denoiser_leaves_the_work_to_the_filter(
    finish: Finish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("engine.denoise.clean.load_clean.__defaults__", (tmp_path / "gone.safetensors",))
    found = finish.frame(look(denoiser="cyclegan"), PICTURE)
    assert [note.rpartition("; ")[2] for note in finish.notes()] == ["shipped instead", "edges instead"]
    assert np.array_equal(found, finish.frame(look(denoiser="edges"), PICTURE))


def test_what_the_device_cannot_compute_is_left_to_the_next_best(finish: Finish, monkeypatch: pytest.MonkeyPatch):
    def out_of_memory(picture: torch.Tensor, strength: float, scale: int) -> torch.Tensor:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setitem(denoise.LOADED, "cyclegan", lambda weights, device, waits: out_of_memory)
    found = finish.frame(look(denoiser="cyclegan"), PICTURE)
    assert "cpu cannot compute it: out of memory; shipped instead" in finish.notes()[0]
    assert np.array_equal(found, finish.frame(look(), PICTURE))


def test_a_file_is_read_beside_the_frames(monkeypatch: pytest.MonkeyPatch, library: Path):
    path, made = keep_generator(library, "mine.pth"), denoise.cyclegan
    is_allowed: list[bool] = []

    def slowly(weights: str, device: torch.device, waits: bool) -> denoise.Denoiser:
        while not is_allowed:
            time.sleep(0.01)
        return made(weights, device, waits)

    monkeypatch.setitem(denoise.LOADED, "cyclegan", slowly)
    live, asked = Finish(CPU, waits=False), look(denoiser="cyclegan", denoiser_weights=path)
    before = live.frame(asked, PICTURE)
    assert live.notes() == []
    is_allowed.append(True)
    assert _in_time(lambda: not np.array_equal(live.frame(asked, PICTURE), before))


def test_one_that_is_too_slow_for_the_show_is_told():
    ticks: Iterator[float] = iter(range(1000))
    slow = Finish(CPU, waits=False, clock=lambda: float(next(ticks)))
    for _ in range(2):
        slow.frame(look(denoiser="edges"), PICTURE)
    assert slow.notes() == ["denoiser edges takes 200 ms a frame here, too long for 30 frames a second"]


def test_one_that_is_hardly_in_time_again_is_told_still():
    finish, said = Finish(CPU, waits=False), []
    for spent_ms in (40.0, 30.0, 34.0, 20.0, 30.0):
        finish._usual_s = spent_ms / 1000.0
        finish.levels(look(denoiser="edges"), PICTURE)
        said.append(len(finish.notes()))
    assert said == [1, 1, 1, 0, 0]


def test_an_engine_goes_on_from_an_enlarged_frame():
    asked = Look(line="red").with_values(
        {"canvas_width": 96, "canvas_height": 64, "denoiser": "shipped", "upscale": 2, "first_steps": 2}
    )
    engine = Engine([colour_guide(CPU)], CPU, seed=0, is_live=False)
    frame = engine.paint(asked)
    assert frame.shape == (128, 192, 3) and engine.report()["canvas"] == [96, 64]
    assert engine.report()["denoise_ms"] > 0.0
    engine.start_from(frame)
    assert engine.paint(asked).shape == (128, 192, 3)
    assert engine.paint(asked.with_values({"upscale": 1})).shape == (64, 96, 3)


def _in_time(is_so: object) -> bool:
    until = time.monotonic() + 20.0
    while time.monotonic() < until:
        if is_so():  # type: ignore[operator]
            return True
    return False
