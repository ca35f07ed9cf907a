"""A step is the same whether its numbers are plain or lie on the device, and whether it is made or played back."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from engine.aim import Aim, Toward, loss_of, toward
from engine.buffers import CAPACITY, Buffers, padded
from engine.canvas import CANVASES, Canvas, cloud_picture
from engine.goals import Goals
from engine.guides.colours import ROAMING
from engine.guides.guide import Guide
from engine.guides.loading import load_guide
from engine.objectives import Goal, References
from engine.optimiser import Optimiser, make_optimiser, set_rate
from engine.painting import Painting
from engine.parameters import Look
from engine.recording import KEPT, WARM_UPS, Recorder, Recording, Step
from engine.steps import Steps
from engine.style import Style
from engine.temperature import CALM, LAWS

CPU = torch.device("cpu")
NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = [CPU, pytest.param(torch.device("cuda"), marks=NO_CUDA)]
HEIGHT, WIDTH, RATE, MADE = 72, 128, 0.05, WARM_UPS + 5
LOOK = replace(
    Look(line="a red heart on white", next_line="starry night", blend=0.3).with_values(
        {"canvas_width": WIDTH, "canvas_height": HEIGHT, "steps": 2, "first_steps": 3, "crops": 4, **ROAMING}
    )
)
EVERY_TERM = {
    "range_pull": 0.5, "brightness_pull": 0.5, "contrast_pull": -0.5, "saturation_pull": 0.5, "stability": 2.0,
    "palette_weight": 1.0, "source_weight": 0.3, "prompt_1": "fire", "weight_1": -0.5, "no_words": 0.3,
}  # fmt: skip
OWNED = {
    "prompt_1": "fire",
    "weight_1": 1.0,
    "region_1": "left",
    "prompt_2": "snow",
    "weight_2": 0.5,
    "region_2": "top",
}


@dataclass
class Played:
    """Stands in for a CUDA graph: makes the very step that was recorded, whatever is asked for now."""

    step: Step

    def replay(self) -> None:
        self.step()


def record(step: Step, generators: Sequence[torch.Generator]) -> Recording:
    return Played(step)


def an_aim(look: Look, guide: Guide, turn: int) -> Aim:
    device = guide.device
    random = torch.Generator(device).manual_seed(7)
    source, style = (cloud_picture(HEIGHT, WIDTH, random) for _ in range(2))
    palette = torch.tensor([[1.0, 0.0, 0.0, 0.5], [1.0, 1.0, 1.0, 0.5]], device=device)
    references = References(source, palette, Style(style) if look.text("style_picture") else None)
    goal = Goals([guide], waits=True).of(look)[0]
    heat = LAWS["live"](look, CALM)
    return Aim(look, heat, look.whole("crops"), ((guide, goal),), source.flip(-1), references, turn)


def painted(look: Look, device: torch.device, make: Callable[..., None]) -> Tensor:
    """The picture after some steps, each made by `make(canvas, optimiser, aim, random)`."""
    guide = load_guide("shipped", device)
    random = torch.Generator(device).manual_seed(3)
    canvas: Canvas = CANVASES[look.text("canvas")](cloud_picture(HEIGHT, WIDTH, random))
    kind = "level" if look.text("canvas") == "pyramid" else "adam"
    optimiser = make_optimiser(canvas.parameters(), is_kept=True, kind=kind)
    aim = an_aim(look, guide, turn=0)
    for step in range(MADE):
        make(canvas, optimiser, replace(aim, turn=step), random)
    return canvas.draw().detach().cpu()


def plainly(canvas: Canvas, optimiser: Optimiser, aim: Aim, random: torch.Generator) -> None:
    set_rate(optimiser, RATE)
    optimiser.zero_grad()
    loss_of(canvas.draw(), aim, 0, random).backward()
    optimiser.step()
    canvas.settle()


class Recorded:
    """Makes steps as a painting does, recorded on any device."""

    def __init__(self) -> None:
        self.steps: Steps | None = None

    def __call__(self, canvas: Canvas, optimiser: Optimiser, aim: Aim, random: torch.Generator) -> None:
        self.steps = self.steps or Steps(random, record)
        self.steps.make(canvas, optimiser, toward(aim, 0), RATE)


LOOKS = {
    "the live preset": LOOK,
    "every term": LOOK.with_values(EVERY_TERM),
    "owned parts": LOOK.with_values(OWNED),
    "a style": LOOK.with_values({"style_picture": "any", "style_weight": 0.7}),
    "pixels, spherical, white": LOOK.with_values({"canvas": "pixels", "distance": "spherical", "beyond": "white"}),
    "waves": LOOK.with_values({"canvas": "fourier"}),
}


@pytest.mark.parametrize("device", DEVICES, ids=str)
@pytest.mark.parametrize("name", LOOKS)
def test_recorded_steps_lead_where_plain_ones_do(name: str, device: torch.device) -> None:
    torch.set_num_threads(1)
    recorded = Recorded()
    plain, played = painted(LOOKS[name], device, plainly), painted(LOOKS[name], device, recorded)
    start = painted(LOOKS[name].with_values({"temperature": 0.0}), device, lambda *_: None)
    apart, way = (played - plain).abs(), (plain - start).abs().mean()
    assert recorded.steps is not None and recorded.steps.recordings >= 1 and recorded.steps.notes() == []
    # Places on the device hold single precision where plain numbers are double. Measured on a CPU, eight steps on, and
    # with a guide in bfloat16: 0.05 % (every term) to 0.8 % (waves) of the way gone apart, one pixel by 0.06 at most.
    # A GPU adds up in no fixed order.
    assert way > 0.01
    assert apart.mean() < 0.02 * way, (apart.mean() / way, apart.max())


def looks_on_the_way() -> Iterator[Look]:
    """Frames with every kind of change: knobs, prompts that come and go, sizes, kinds, a term switched on and off."""
    yield from [LOOK] * 3
    for n in range(4):
        knobs = {"temperature": 20.0 * n, "crop_high": 0.9 - 0.1 * n, "squeeze": 1.0 + n, "overhang": 0.1 * n}
        yield replace(LOOK.with_values({**knobs, "smoothness": 0.1 * n, "perspective": 0.1 * n}), blend=0.2 * n)
    for values in (OWNED, EVERY_TERM, {"canvas_width": 96}, {"canvas": "pixels"}, {"keep_optimizer": False}, {}):
        yield from [LOOK.with_values(values)] * 4


def test_a_painting_played_back_is_the_painting() -> None:
    """What is played is the step recorded frames ago, which must find all that has changed since in its places."""
    torch.set_num_threads(1)
    guide = load_guide("shipped", CPU)
    found = []
    for how in (record, None):
        painting, goals = Painting(CPU, 5, record=how), Goals([guide], waits=True)
        frames = []
        for look in looks_on_the_way():
            painting.move(look, 0.05)
            frames.append(painting.next_frame(look, 2, 4, [(guide, goals.of(look)[0])]))
        found.append(frames)
    assert len(found[0]) > 20
    # The one has room for more prompts, and adds their nothing.
    for played, made in zip(*found, strict=True):
        assert (played - made).abs().mean() < 2e-3


def a_toward(look: Look, guide: Guide, buffers: Buffers) -> Toward:
    return buffers.hold(toward(an_aim(look, guide, 0), 0), RATE)


def test_a_knob_asks_for_no_other_recording_and_a_structure_does() -> None:
    guide, buffers = load_guide("shipped", CPU), Buffers(CPU, is_padded=True)
    shape = a_toward(LOOK, guide, buffers).shape()
    knobs = {"temperature": 90.0, "learning_rate": 0.2, "crop_high": 0.7, "squeeze": 1.2, "overhang": 0.3}
    prompts = {f"prompt_{n}": "fire" for n in (1, 2)} | {f"weight_{n}": -0.3 for n in (1, 2)}
    for same in (knobs, {"smoothness": 0.5}, {"stability": 3.0}, prompts, {"perspective": 0.5}):
        assert a_toward(LOOK.with_values(same), guide, buffers).shape() == shape, same
    for other in ({"crops": 6}, {"overview": 1.0}, {"smoothness": 0.0}, {"distance": "spherical"}, OWNED,
                  {"beyond": "white"}, {"brightness_pull": 0.1}):  # fmt: skip
        assert a_toward(LOOK.with_values(other), guide, buffers).shape() != shape, other


def test_room_for_more_prompts_weighs_nothing() -> None:
    vectors = torch.eye(3, 5)
    goal = Goal(vectors, torch.tensor([0.5, 1.0, -0.2]), ("left", "whole", "whole"), pictures=1)
    wide = padded(goal, CAPACITY)
    assert len(wide.vectors) == len(wide.weights) == len(wide.regions) == CAPACITY + 1
    assert wide.weights.tolist() == pytest.approx([0.5, 1.0, 0.0, 0.0, -0.2])
    assert wide.regions == ("left", "whole", "left", "left", "whole") and torch.equal(wide.vectors[-1], vectors[-1])
    assert torch.allclose(wide.direction(), goal.direction())
    assert len(padded(replace(goal, pictures=0), 2).vectors) == 4
    only_pictures = replace(goal, pictures=3)
    assert padded(only_pictures, CAPACITY) is only_pictures


# The recorder


def test_a_shape_is_recorded_once_it_has_been_made_a_few_times_and_played_from_then_on() -> None:
    made: list[str] = []
    taken: list[Step] = []

    def take(step: Step, generators: Sequence[torch.Generator]) -> Recording:
        taken.append(step)
        return Played(lambda: made.append("played"))

    recorder = Recorder(take)
    for _ in range(WARM_UPS + 3):
        recorder.make("a", lambda: made.append("made"), [])
    assert made == ["made"] * WARM_UPS + ["played"] * 3 and len(taken) == 1
    recorder.make("b", lambda: made.append("other"), [])
    recorder.make("a", lambda: made.append("made"), [])
    assert made[-2:] == ["other", "played"]
    recorder.forget()
    recorder.make("a", lambda: made.append("made"), [])
    assert made[-1] == "made"


def test_what_cannot_be_recorded_is_made_in_the_ordinary_way_and_said_once() -> None:
    made: list[int] = []
    tries: list[int] = []

    def take(step: Step, generators: Sequence[torch.Generator]) -> Recording:
        tries.append(1)
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nmore")

    recorder = Recorder(take)
    for shape in range(6):
        for _ in range(WARM_UPS + 2):
            recorder.make(shape, lambda: made.append(1), [])
    assert len(made) == 6 * (WARM_UPS + 2) and len(tries) == 2 * 3 and len(recorder) == 0
    assert "operation not permitted" in recorder.fault and "\n" not in recorder.fault


def test_what_another_thread_spoiled_once_is_recorded_the_next_time_and_nothing_while_it_may_not_be() -> None:
    tries: list[int] = []

    def take(step: Step, generators: Sequence[torch.Generator]) -> Recording:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")
        return record(step, generators)

    recorder = Recorder(take)
    for _ in range(WARM_UPS + 3):
        recorder.make(1, lambda: None, [], may_record=False)
    assert not tries
    for _ in range(WARM_UPS + 2):
        recorder.make(1, lambda: None, [])
    assert len(tries) == 2 and len(recorder) == 1 and recorder.fault == ""


def test_only_so_many_recordings_are_kept() -> None:
    recorder = Recorder(record)
    for shape in range(KEPT + 5):
        for _ in range(WARM_UPS + 1):
            recorder.make(shape, lambda: None, [])
    assert len(recorder) == KEPT
