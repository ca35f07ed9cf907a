"""Optimisation steps of one painting: from the canvas through the guide's views to the canvas again."""

import logging
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor

from engine.aim import Toward, loss
from engine.buffers import Buffers
from engine.canvas import Canvas, Pyramid
from engine.compiled import Compiled
from engine.crops import Chance
from engine.errors import first_line
from engine.fused.loading import adopt, fused_for
from engine.optimiser import LevelAdam, Optimiser, set_rate
from engine.quick import QuickStep
from engine.recording import CudaRecord, Record, Recorder, Step
from engine.written import State, fits, written_step

log = logging.getLogger("engine.steps")


class Steps:
    """Makes steps. Owns the places they read from and their recordings; used by one thread.

    On CUDA they run in a stream of their own, as recording asks for; whoever calls is before and after them in order,
    and waits for none of them.
    """

    def __init__(self, random: torch.Generator, record: Record | None = None, compiled: Compiled | None = None) -> None:
        """Random numbers come from `random`, on its device; `record` records steps where that is no CUDA device.

        Usual steps are made by what is `compiled` for their shape, if anything is.
        """
        self._random = random
        self._device = device = random.device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        record = CudaRecord(device) if device.type == "cuda" else record
        self._recorder, self._is_plain = Recorder(record), record is None and compiled is None
        self._is_written = not self._is_plain or device.type != "cpu"
        self._quick_fault = ""
        self._compiled = compiled
        self._buffers = Buffers(device, is_padded=record is not None)
        self._works_on: tuple[Canvas, Optimiser] | None = None

    def make(self, canvas: Canvas, optimiser: Optimiser, asked: Toward, rate: float) -> None:
        """Move the canvas one step of this size. Where nothing pulls it stays as it is."""
        adopt()
        if self._is_plain and self._makes_quickly(canvas, optimiser, asked, rate):
            return
        if self._works_on is None or self._works_on[0] is not canvas or self._works_on[1] is not optimiser:
            self._let_go()
            self._works_on = canvas, optimiser
            set_rate(optimiser, self._buffers.rate)
        with self._in_order():
            held = self._buffers.hold(asked, rate)
            style = held.references.style
            generators = [self._random] if style is None else [self._random, style.random]
            step = self._step(canvas, optimiser, held)
            self._recorder.make(*step, generators, self._compiled is None or not self._compiled.is_busy)

    def _makes_quickly(self, canvas: Canvas, optimiser: Optimiser, asked: Toward, rate: float) -> bool:
        """Whether the step could be made in the quick way, and is; one that fails is the last, and autograd goes on."""
        quick = QuickStep.of(canvas, optimiser) if not self._quick_fault else None
        if quick is None:
            return False
        try:
            quick.make(asked, rate, self._random)
        except Exception as err:
            log.exception("steps: the quick way failed; going on by autograd")
            self._quick_fault = f"steps take longer: the quick way failed ({first_line(err)})"
        return not self._quick_fault

    def _step(self, canvas: Canvas, optimiser: Optimiser, held: Toward) -> tuple[Hashable, Step]:
        """A step that may be recorded, and what it is known by: one that is compiled or written out, if it can be."""
        shape = held.shape()
        if not (self._is_written and isinstance(canvas, Pyramid) and isinstance(optimiser, LevelAdam) and fits(held)):
            return shape, partial(_step, canvas, optimiser, held, self._random)
        state, rate = State.of(canvas, optimiser), self._buffers.rate
        made = None if self._compiled is None else self._compiled.find(state, held, rate)
        if made is None:
            shape = ("fused", shape) if fused_for(state.picture) else shape
            return shape, partial(_drawn, written_step, state, held, rate, self._random)
        return ("compiled", shape), partial(_drawn, made, state, held, rate, self._random)

    @property
    def recordings(self) -> int:
        """How many shapes of steps are recorded."""
        return len(self._recorder)

    def forget(self) -> None:
        """Let go of recordings and places, as after a change of guides, which would be held on to else."""
        self._let_go()
        if self._compiled is not None:
            self._compiled.forget()

    def _let_go(self) -> None:
        self._recorder.forget()
        self._buffers.forget()
        self._works_on = None

    def notes(self) -> list[str]:
        """Sentences for the screen about steps that take longer than they should."""
        about_compiled = "" if self._compiled is None else self._compiled.fault
        return [note for note in (self._recorder.fault, self._quick_fault, about_compiled) if note]

    @contextmanager
    def _in_order(self) -> Iterator[None]:
        if self._stream is None:
            yield
            return
        outer = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(outer)
        with torch.cuda.stream(self._stream):
            yield
        outer.wait_stream(self._stream)


def _drawn(step: Callable[..., None], state: State, asked: Toward, rate: Tensor, random: torch.Generator) -> None:
    """Draw what is left to chance, and make this step by it."""
    step(state, asked, rate, [Chance.of(one.cut, random) for one in asked.pulling])


def _step(canvas: Canvas, optimiser: Optimiser, asked: Toward, random: torch.Generator) -> None:
    """Crops, guide, losses, gradients, optimiser, canvas. Asks the device for the same whatever the numbers are."""
    lost = loss(canvas.at_rest(), asked, random)
    if not lost.requires_grad:  # nothing pulls before the first prompt is ready
        return
    leaves = canvas.parameters()
    for leaf, gradient in zip(leaves, torch.autograd.grad(lost, leaves), strict=True):
        leaf.grad = gradient
    optimiser.step()
    for leaf in leaves:
        leaf.grad = None
    canvas.settle()
