"""Optimisation steps of one painting: from the canvas through the guide's views to the canvas again."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch

from engine.aim import Toward, loss
from engine.buffers import Buffers
from engine.canvas import Canvas
from engine.optimiser import set_rate
from engine.quick import QuickStep
from engine.recording import CudaRecord, Record, Recorder


class Steps:
    """Makes steps. Owns the places they read from and their recordings; used by one thread.

    On CUDA they run in a stream of their own, as recording asks for; whoever calls is before and after them in order,
    and waits for none of them.
    """

    def __init__(self, random: torch.Generator, record: Record | None = None) -> None:
        """Random numbers come from `random`, on its device; `record` records steps where that is no CUDA device."""
        self._random = random
        self._device = device = random.device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        record = CudaRecord(device) if device.type == "cuda" else record
        self._recorder, self._is_recorded = Recorder(record), record is not None
        self._buffers = Buffers(device, is_padded=record is not None)
        self._works_on: tuple[Canvas, torch.optim.Adam] | None = None

    def make(self, canvas: Canvas, optimiser: torch.optim.Adam, asked: Toward, rate: float) -> None:
        """Move the canvas one step of this size. Where nothing pulls it stays as it is."""
        quick = None if self._is_recorded else QuickStep.of(canvas, optimiser)
        if quick is not None:
            quick.make(asked, rate, self._random)
            return
        if self._works_on is None or self._works_on[0] is not canvas or self._works_on[1] is not optimiser:
            self.forget()
            self._works_on = canvas, optimiser
            set_rate(optimiser, self._buffers.rate)
        with self._in_order():
            held = self._buffers.hold(asked, rate)
            style = held.references.style
            generators = [self._random] if style is None else [self._random, style.random]
            self._recorder.make(held.shape(), partial(_step, canvas, optimiser, held, self._random), generators)

    @property
    def recordings(self) -> int:
        """How many shapes of steps are recorded."""
        return len(self._recorder)

    def forget(self) -> None:
        """Let go of recordings and places, as after a change of guides, which would be held on to else."""
        self._recorder.forget()
        self._buffers.forget()
        self._works_on = None

    def notes(self) -> list[str]:
        """Sentences for the screen about steps that cannot be recorded."""
        return [self._recorder.fault] if self._recorder.fault else []

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


def _step(canvas: Canvas, optimiser: torch.optim.Adam, asked: Toward, random: torch.Generator) -> None:
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
