"""How long one optimisation step takes, ours and the authors' way, on the same guide and machine."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

from engine.baseline import PROMPTS, baseline_frames
from engine.devices import wait_for
from engine.goals import Goals
from engine.guides.guide import Guide
from engine.painting import Painting
from engine.parameters import Look

FRAMES_A_TURN = 3
"""Frames each way computes before it is the other's turn; what else the machine does hits both alike."""


def bench_step(guide: Guide, look: Look, repeats: int) -> dict[str, float]:
    """Milliseconds a step: medians over `repeats` turns of each way, and how many times faster ours is.

    Both use this guide, canvas size, steps and crops, in one run, turn and turn about; the first turn of each is
    not counted.
    """
    ways = {"step_ms": _our_frames(guide, look), "baseline_step_ms": baseline_frames(guide, look)}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, frames in ways.items():
            step_ms = _turn_ms(frames, guide) / (FRAMES_A_TURN * look.whole("steps"))
            if turn:
                spent[name].append(step_ms)
    found = {name: statistics.median(times) for name, times in spent.items()}
    return {**found, "ratio_vs_baseline": found["baseline_step_ms"] / found["step_ms"]}


def _turn_ms(frames: Iterator[None], guide: Guide) -> float:
    began = time.perf_counter()
    for _ in range(FRAMES_A_TURN):
        next(frames)
    wait_for(guide.device)
    return 1000.0 * (time.perf_counter() - began)


def _our_frames(guide: Guide, look: Look) -> Iterator[None]:
    """The product's own painting with this look's settings, one frame for each `next`."""
    look = look.with_values({"first_steps": look.whole("steps")})
    look = replace(look, line=PROMPTS[0], next_line=PROMPTS[1], blend=0.5)
    painting, goals = Painting(guide.device, seed=0), Goals([guide], waits=True)
    while True:
        painting.next_frame(look, look.whole("steps"), look.whole("crops"), [(guide, goals.of(look)[0])])
        yield
