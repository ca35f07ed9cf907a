"""Steps compiled by torch's compiler: the same as made, beside the picture in a show, and none is ever waited for."""

import shutil
import time
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from engine.aim import Aim, toward
from engine.canvas import Pyramid, cloud_picture
from engine.compiled import MODES, NONE, Compiled
from engine.goals import Goals
from engine.guides import laid
from engine.guides.loading import load_guide
from engine.kernels import loading
from engine.optimiser import make_optimiser
from engine.parameters import Look
from engine.recording import Recording, Step
from engine.steps import Steps
from engine.temperature import CALM, LAWS
from vj.commands.arguments import COMPILE_MODES

pytestmark = [
    pytest.mark.skipif(shutil.which("g++") is None, reason="torch's compiler needs one for C++ here"),
    pytest.mark.timeout(300),
]
CPU = torch.device("cpu")
NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = [CPU, pytest.param(torch.device("cuda"), marks=NO_CUDA)]
SIZE, RATE, LONGEST_S = (48, 64), 0.05, 200.0
LOOK = Look(line="a red heart on white", next_line="starry night", blend=0.3).with_values({"crops": 4})
PARTS = {"prompt_1": "fire", "weight_1": 1.0, "region_1": "left", "prompt_2": "snow", "region_2": "top"}


class NoGraphs:
    """A shelf that stays empty."""

    waits, patience_s = True, 0.0

    def __init__(self, *_: object) -> None: ...

    def find(self, _size: object) -> None: ...


@pytest.fixture(autouse=True)
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights are plain, and passes torch's."""
    for which in ("lays_out", "halves"):
        monkeypatch.setattr(laid, which, lambda _: False)
    monkeypatch.setattr(loading._shelf, "kernels", None)
    monkeypatch.setattr("engine.guides.frozen.Shelf", NoGraphs)


def played(step: Step, _generators: Sequence[torch.Generator]) -> Recording:
    class Played:
        def replay(self) -> None:
            step()

    return Played()


class Painter:
    """One picture of one look, painted step by step."""

    def __init__(self, device: torch.device, compiled: Compiled | None, look: Look = LOOK) -> None:
        self._random = torch.Generator(device).manual_seed(3)
        self.canvas = Pyramid(cloud_picture(*SIZE, self._random))
        self._previous = self.canvas.picture.flip(-1)
        self._optimiser = make_optimiser(self.canvas.parameters(), True, "level")
        self.steps = Steps(self._random, played if device == CPU else None, compiled)
        guide = load_guide("shipped", device)
        goal = Goals([guide], waits=True).of(look)[0]
        self._aim = Aim(look, LAWS["live"](look, CALM), 4, ((guide, goal),), self._previous)

    def paint(self, count: int = 1) -> Tensor:
        for _ in range(count):
            self.steps.make(self.canvas, self._optimiser, toward(self._aim, 0), RATE)
        return self.canvas.picture.detach().cpu().clone()


def apart(one: Tensor, other: Tensor, start: Tensor) -> float:
    """How far apart two pictures are, as a share of the way that they came."""
    way = (other - start).abs().mean()
    assert way > 0.01
    return float((one - other).abs().mean() / way)


def until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + LONGEST_S
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.mark.parametrize("device", DEVICES, ids=str)
@pytest.mark.parametrize("values", [{}, PARTS], ids=["plain", "parts"])
def test_compiled_it_is_the_same(values: dict[str, object], device: torch.device) -> None:
    look = LOOK.with_values(values)
    compiled = Painter(device, Compiled(device, "default", waits=True), look)
    plain = Painter(device, None, look)
    start = plain.canvas.picture.detach().cpu().clone()
    assert apart(compiled.paint(8), plain.paint(8), start) < (1e-3 if device == CPU else 0.02)
    assert compiled.steps.notes() == []


@pytest.mark.parametrize("device", DEVICES, ids=str)
def test_in_a_show_it_is_compiled_beside_the_picture_and_taken_up_once_it_is_there(device: torch.device) -> None:
    beside = Compiled(device, "default", waits=False)
    painter, plain = Painter(device, beside), Painter(device, None)
    start = plain.canvas.picture.detach().cpu().clone()
    painter.paint(2)
    assert beside._shelf.is_busy, "the second step asked for it and did not wait"
    meanwhile = 0
    while beside._shelf.is_busy and meanwhile < 20:
        painter.paint()
        meanwhile += 1
    until(lambda: not beside._shelf.is_busy)
    taken: list[int] = []
    made = beside._whole
    beside._whole = lambda *args: (taken.append(1), made(*args))[0]  # type: ignore[func-returns-value,assignment,misc]
    found = painter.paint(2)
    assert taken and painter.steps.notes() == []
    assert apart(found, plain.paint(2 + meanwhile + 2), start) < (1e-3 if device == CPU else 0.02)


def test_a_compiler_that_fails_is_told_of_and_the_picture_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no compiler\nand more words")

    monkeypatch.setattr(torch, "compile", fails)
    painter, plain = Painter(CPU, Compiled(CPU, "default", waits=True)), Painter(CPU, None)
    assert torch.equal(painter.paint(6), plain.paint(6))
    assert painter.steps.notes() == ["steps take longer: torch's compiler failed (no compiler)"]


def test_a_step_that_would_have_to_be_compiled_anew_is_made_as_it_is_written() -> None:
    compiled = Compiled(CPU, "default", waits=True)
    painter, plain = Painter(CPU, compiled), Painter(CPU, None)

    def fails(*_: object) -> None:
        raise RuntimeError("detected recompile")

    for each in (painter, plain):
        each.paint(1)
    compiled._shelf._made[next(iter(compiled._seen))] = compiled._step
    compiled._whole = fails
    assert torch.equal(painter.paint(6), plain.paint(6))
    assert painter.steps.notes() == ["steps take longer: torch's compiler failed (detected recompile)"]


def test_the_command_line_knows_its_modes() -> None:
    assert (NONE, *MODES) == COMPILE_MODES
