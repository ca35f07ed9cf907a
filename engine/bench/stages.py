"""Where the time of a frame goes: a step taken apart into its stages, the device waited for after each.

Stage by stage nothing overlaps and nothing is captured, what lies between the stages is left to autograd, and terms
that few looks have are left out: the sum is not what a step takes, but the shares tell where it is worth looking.
"""

import statistics
import time
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from engine.bench.limit import of_a_step
from engine.bench.turns import WARM_UP_S
from engine.canvas import CANVASES, FIRST_PICTURES, Canvas
from engine.crops import Cut, look_at
from engine.denoise.finish import Finish
from engine.devices import wait_for
from engine.goals import Goals
from engine.guides.guide import Guide
from engine.objectives import TEXT_TERMS, Agreement, Goal, Seen, stability, total_variation
from engine.optimiser import make_optimiser, set_rate
from engine.parameters import Look

STEP = ("draw", "crops", "guide_forward", "guide_backward", "crops_backward", "optimiser")
FRAME = ("denoise", "convert")
TURNS = 20
LONGEST_S = 20.0


class Laps:
    """Milliseconds between one stage and the next. Owns its lists; the device is waited for at each lap."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._at = device, 0.0
        self.spent_ms: dict[str, list[float]] = {}

    def start(self) -> None:
        """The first stage begins now."""
        wait_for(self._device)
        self._at = time.perf_counter()

    def lap(self, name: str) -> None:
        """This stage has ended and the next begins."""
        wait_for(self._device)
        now = time.perf_counter()
        self.spent_ms.setdefault(name, []).append(1000.0 * (now - self._at))
        self._at = now

    def medians(self) -> dict[str, float]:
        """The median of each stage, ms."""
        return {name: statistics.median(spent) for name, spent in self.spent_ms.items()}


def stages(guides: Sequence[Guide], look: Look) -> dict[str, float]:
    """Medians of each stage, `draw_ms` to `optimiser_ms` for a step and `denoise_ms`, `convert_ms` for a frame, and
    `share_…`: what part each is of a frame of that many steps, adding up to 1."""
    each = [_step_stages(guide, look) for guide in guides]
    found = {name: of_a_step([one[name] for one in each], look) for name in STEP} | _frame_stages(guides[0], look)
    steps = look.whole("steps")
    of_frame = {name: found[name] * (steps if name in STEP else 1) for name in (*STEP, *FRAME)}
    whole_ms = sum(of_frame.values())
    return {
        **{f"{name}_ms": round(ms, 4) for name, ms in found.items()},
        **{f"share_{name}": round(ms / whole_ms, 4) for name, ms in of_frame.items()},
    }


def _step_stages(guide: Guide, look: Look) -> dict[str, float]:
    random = torch.Generator(guide.device).manual_seed(0)
    kind = look.text("canvas")
    canvas = CANVASES[kind](FIRST_PICTURES[kind](look.whole("canvas_height"), look.whole("canvas_width"), random))
    step = _Step(guide, look, canvas, random)
    began = time.perf_counter()
    while time.perf_counter() - began < WARM_UP_S:
        step.run()
    step.laps = Laps(guide.device)
    began = time.perf_counter()
    for turn in range(TURNS):
        if turn > 2 and time.perf_counter() - began > LONGEST_S:
            break
        step.run()
    return step.laps.medians()


class _Step:
    """One step as `engine.aim` puts it together, with every term most looks have. Owns its laps and the optimiser."""

    def __init__(self, guide: Guide, look: Look, canvas: Canvas, random: torch.Generator) -> None:
        self.laps = Laps(guide.device)
        self._guide, self._look, self._canvas, self._random = guide, look, canvas, random
        self._goal = Goals([guide], waits=True).of(look)[0] or Goal(guide.embed_text(["red"]), torch.ones(1))
        kind = look.text("optimizer") if look.text("canvas") == "pyramid" else "adam"
        self._optimiser = make_optimiser(canvas.parameters(), look.is_on("keep_optimizer"), kind)
        set_rate(self._optimiser, look.number("learning_rate"))
        self._before = canvas.draw().detach().clone()
        self._cut = Cut.of(look, look.whole("crops"))

    def run(self) -> None:
        laps, look = self.laps, self._look
        laps.start()
        self._optimiser.zero_grad()
        picture = self._canvas.at_rest()
        laps.lap("draw")
        sight = look_at(picture, self._cut, self._guide.image_size, self._random)
        laps.lap("crops")
        with torch.no_grad():
            seen, back = self._guide.looked(sight.views.detach())
        laps.lap("guide_forward")
        leaf = seen.detach().requires_grad_(True)
        agreed = Seen(picture.detach(), self._before, (Agreement(self._goal, F.normalize(leaf, dim=1)),))
        (pulled,) = torch.autograd.grad(TEXT_TERMS[look.text("distance")](agreed), leaf)
        with torch.no_grad():
            pulled = back(pulled)
        laps.lap("guide_backward")
        plain = Seen(picture, self._before)
        rest = stability(plain) + look.number("smoothness") * total_variation(plain)
        torch.autograd.backward([sight.views, rest], [pulled, torch.ones_like(rest)])
        laps.lap("crops_backward")
        self._optimiser.step()
        self._canvas.settle()
        laps.lap("optimiser")


def _frame_stages(guide: Guide, look: Look) -> dict[str, float]:
    """Denoising, which enlarges as the look asks, and the way from there to bytes on the processor."""
    picture = torch.rand(1, 3, look.whole("canvas_height"), look.whole("canvas_width"), device=guide.device)
    finish, plain = Finish(guide.device, waits=True), look.with_values({"denoiser": "none"})
    height, width = finish.frame(look, picture).shape[:2]
    shown = torch.rand(1, 3, height, width, device=guide.device)
    laps = Laps(guide.device)
    for _ in range(TURNS):
        laps.start()
        finish.frame(look, picture)
        laps.lap("denoise")
        finish.frame(plain, shown)
        laps.lap("convert")
    found = laps.medians()
    return {"denoise": max(0.0, found["denoise"] - found["convert"]), "convert": found["convert"]}
