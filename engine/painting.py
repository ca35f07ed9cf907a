"""The picture being painted, and what of it lives on from one frame to the next."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from engine.aim import Aim, Pull, toward
from engine.anchor import Anchor
from engine.canvas import CANVASES, FIRST_PICTURES, Canvas, cloud_noise, resized
from engine.compiled import Compiled
from engine.dissolve import Dissolve
from engine.folds import Folds
from engine.motion import Motion, Warp, echoed
from engine.objectives import NOTHING, References
from engine.optimiser import Optimiser, is_for_keeping, is_of, make_optimiser, move_memory, renew, take_over
from engine.parameters import Look
from engine.recording import Record
from engine.steps import Steps
from engine.temperature import LAWS, Noise, Stir, next_start
from engine.unrest import Unrest

Newest = Callable[[], tuple[Look, Sequence[Pull]] | None]
"""Gives a look that came since, and what pulls by it; None where there is none."""


class Painting:
    """One picture under way. Owns its canvas, optimiser and random numbers; every call is made by one thread."""

    def __init__(
        self,
        device: torch.device,
        seed: int,
        beat: Callable[[], None] = lambda: None,
        record: Record | None = None,
        compiled: Compiled | None = None,
    ) -> None:
        """`beat` is called before every step, so that others see that a long frame is still being worked at.

        `record` records steps where the device has no way of its own, as in a test; `compiled` is that of `Steps`.
        """
        self._beat = beat
        self._random = torch.Generator(device).manual_seed(seed)
        self._noise = Noise(self._random)
        self._motion = Motion(seed)
        self._folds = Folds()
        self._stepping = Steps(self._random, record, compiled)
        self._kind, self._size = "", (0, 0)
        self._canvas: Canvas | None = None
        self._optimiser: Optimiser | None = None
        self._carried: Tensor | None = None
        self._previous: Tensor | None = None
        self._unrest = Unrest()
        self._anchor = Anchor()
        self._dissolve: Dissolve | None = None
        self._passed_s: float | None = None
        self._steps = 0

    @property
    def is_new(self) -> bool:
        """Whether the next frame is the first one of its picture."""
        return self._previous is None

    @property
    def carried(self) -> Tensor | None:
        """The picture the next frame starts from, (1, 3, h, w); None before the first."""
        return self._carried

    def restart(self) -> None:
        """Forget the picture; the next frame begins from noise."""
        self._carried = self._previous = self._dissolve = None
        if self._optimiser is not None:
            renew(self._optimiser)

    def release(self) -> None:
        """Forget the picture and let go of all the memory it takes."""
        self.restart()
        self._canvas = self._optimiser = None
        self._stepping.forget()

    def change_guides(self) -> None:
        """Let go of what is kept for the guides that lead no more."""
        self._stepping.forget()

    def notes(self) -> list[str]:
        """Sentences for the screen about how it is painted."""
        return self._stepping.notes()

    def reroll(self, lasts_s: float) -> None:
        """Begin afresh from noise; what was there dissolves within so many seconds, with 0 at once."""
        old = self._previous
        self.restart()
        if old is not None and lasts_s > 0.0:
            self._dissolve = Dissolve(old.clamp(0.0, 1.0), self._random, lasts_s)

    def go_on_from(self, picture: Tensor) -> None:
        """Continue with this picture of any size, (1, 3, h, w)."""
        self.restart()
        self._carried = self._previous = picture

    def kick(self, amount: float) -> None:
        """Shake the picture once with soft noise of this deviation."""
        if self._carried is not None:
            height, width = self._carried.shape[-2:]
            self._carried = self._carried + amount * cloud_noise(height, width, self._random)

    def move(self, look: Look, passed_s: float) -> None:
        """Carry the picture along as the look's motion asks, so many seconds after the frame before."""
        self._passed_s = passed_s
        self._folds.follow(look, passed_s)
        warp = self._motion.next(look, passed_s)
        if self._dissolve is not None:
            self._dissolve = self._dissolve.after(passed_s, warp)
        if self._carried is None or self._previous is None:
            return
        is_one = self._carried is self._previous
        self._carried = _moved(self._carried, warp, look, passed_s)
        # What is held is the picture moving on, not the place where it was.
        self._previous = self._carried if is_one else _moved(self._previous, warp, look, passed_s)
        self._carried = self._anchor.hold(self._carried, look.number("anchor"), self._unrest.way, passed_s)
        if warp is not None and self._canvas is not None and look.is_on("keep_optimizer"):
            move_memory(self._ready_optimiser(self._canvas, look), self._canvas, warp)

    def next_frame(
        self,
        look: Look,
        steps: int,
        crops: int,
        pulls: Sequence[Pull],
        references: References = NOTHING,
        newest: Newest = lambda: None,
    ) -> Tensor:
        """Optimise one frame of this look, in so many steps unless it is the first, and give the picture to show.

        It is (1, 3, h, w), neither clamped nor denoised. `newest` is asked before every step but the first.
        """
        canvas = self._fitted(look)
        stir = self._stir(look, steps, pulls)
        heat = LAWS[look.text("temperature_law")](look, stir)
        # By the look's count, so that an engine started anew goes on the same way round. A guide that has one picture
        # for the same words would paint the same again.
        is_turned = look.whole("reroll") % 2 == 1
        aim = Aim(look, heat, crops, tuple(pulls), self._previous, references, self._steps, is_turned)
        if self._carried is not None and not self.is_new:
            canvas.become(next_start(self._carried, heat, self._noise))
        optimiser = self._ready_optimiser(canvas, look)
        if not look.is_on("keep_optimizer"):
            renew(optimiser)
        kept: dict[int, Tensor] = {}
        count = look.whole("first_steps") if self.is_new else steps
        for step in range(count):
            self._beat()
            if step and (fresh := newest()) is not None:
                aim = _renewed(aim, *fresh, stir)
            self._stepping.make(canvas, optimiser, toward(aim, step), self._rate(aim))
            if step + 1 in (look.whole("show_step"), look.whole("carry_step"), count):
                kept[step + 1] = self._folds.of(_drawn(canvas))
            self._steps += 1
        self._previous = kept[count]
        self._carried = kept.get(look.whole("carry_step"), self._previous)
        shown = kept.get(look.whole("show_step"), self._previous)
        return shown if self._dissolve is None else self._dissolve.over(shown)

    def _rate(self, aim: Aim) -> float:
        return aim.look.number("learning_rate") * (1.0 if self.is_new else aim.heat.pace)

    def _stir(self, look: Look, steps: int, pulls: Sequence[Pull]) -> Stir:
        """What besides the look bears on the frame to come."""
        due_s = 1.0 / look.number("engine_fps")
        passed_s = due_s if self._passed_s is None else self._passed_s
        effort = min(1.0, steps / look.whole("steps"))
        return Stir(self._unrest.after(pulls, passed_s), effort, passed_s / due_s)

    def _fitted(self, look: Look) -> Canvas:
        """The canvas of the look's kind and size; a change keeps the picture and, within a kind, the optimiser."""
        kind, size = look.text("canvas"), (look.whole("canvas_height"), look.whole("canvas_width"))
        is_fit = self._canvas is not None and (kind, size) == (self._kind, self._size)
        if self._carried is None or self._previous is None:
            picture = FIRST_PICTURES[kind](*size, self._random)
        else:
            self._carried = picture = resized(self._carried, *size)
            self._previous = resized(self._previous, *size)
        if self._canvas is not None and is_fit:
            if self.is_new:
                self._canvas.become(picture)
            return self._canvas
        self._canvas, is_same_kind = CANVASES[kind](picture), kind == self._kind
        self._kind, self._size, old, self._optimiser = kind, size, self._optimiser, None
        if old is not None and is_same_kind and look.is_on("keep_optimizer"):
            take_over(self._ready_optimiser(self._canvas, look), old)
        return self._canvas

    def _ready_optimiser(self, canvas: Canvas, look: Look) -> Optimiser:
        is_kept, kind = look.is_on("keep_optimizer"), look.text("optimizer")
        kind = kind if self._kind == "pyramid" else "adam"  # waves and noisy pixels differ by far too much
        old = self._optimiser
        if old is None or is_for_keeping(old) != is_kept or not is_of(old, kind):
            self._optimiser = old = make_optimiser(canvas.parameters(), is_kept, kind)
        return old


def _renewed(aim: Aim, look: Look, pulls: Sequence[Pull], stir: Stir) -> Aim:
    """The aim with what may be another within a frame."""
    return replace(aim, look=look, heat=LAWS[look.text("temperature_law")](look, stir), pulls=tuple(pulls))


def _drawn(canvas: Canvas) -> Tensor:
    with torch.no_grad():
        return canvas.at_rest().clone()


def _moved(picture: Tensor, warp: Warp | None, look: Look, passed_s: float) -> Tensor:
    return echoed(picture if warp is None else warp.picture(picture), look, passed_s)
