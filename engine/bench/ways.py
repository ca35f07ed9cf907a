"""How fast a look is painted: ours and the authors' way on the same guides, canvas, steps and crops, and the limit."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from engine.bench.baseline import PROMPTS, baseline_frames
from engine.bench.limit import limit
from engine.bench.stages import stages
from engine.bench.turns import Way, spread, take_turns
from engine.compiled import MODES, Compiled
from engine.errors import EngineError
from engine.goals import Goals
from engine.guides.guide import Guide
from engine.painting import Painting
from engine.parameters import Look
from engine.step import Engine


class BenchError(EngineError):
    """The bench cannot measure what was asked."""


def bench_engine(guides: Sequence[Guide], look: Look, repeats: int, compile_mode: str = "") -> dict[str, Any]:
    """Figures of painting this look, units in their names; `step` is an optimisation step, `frame` a finished frame,
    which CUDA copies while it works on the next.

    Nothing is governed. Medians over `repeats` turns, with quartiles; the ways take turns within one run. `ratio`
    compares steps. Raises BenchError where ours did less than was asked, as when memory ran out.
    """
    guides, device = tuple(guides), guides[0].device
    look, steps = ungoverned(look), look.whole("steps")
    engine = Engine(guides, device, seed=0, is_live=False, compile_mode=compile_mode, overlaps=True)
    ours = {"step": Way(step_frames(guides, look, compile_mode)), "frame": Way(_whole_frames(engine, look))}
    for way in ours.values():
        way.warm_up(device)
    figures: dict[str, Any] = _peak(device)
    ways = {**ours, **_baseline(guides, look)}
    figures["repeats"] = take_turns(ways, device, repeats)
    figures |= {f"{name}_turn_frames": way.turn_frames for name, way in ways.items()}
    _check_whole(engine, look)
    engine.close()
    figures |= _compared(ways, steps)
    figures |= limit(guides, look, figures["step_ms"])
    return {**figures, **stages(guides, look)}


def ungoverned(look: Look) -> Look:
    """The look with the bench's prompts, everything asked for being done in every frame, the first among them."""
    look = look.with_values({"first_steps": look.whole("steps"), "governor": False})
    return replace(look, line=PROMPTS[0], next_line=PROMPTS[1], blend=0.5)


def step_frames(guides: Sequence[Guide], look: Look, compile_mode: str = "") -> Iterator[None]:
    """The product's own painting, one frame of optimisation steps for each `next`, neither denoised nor converted."""
    device = guides[0].device
    compiled = Compiled(device, compile_mode, waits=True) if compile_mode in MODES else None
    painting, goals = Painting(device, seed=0, compiled=compiled), Goals(guides, waits=True)
    pulls = list(zip(guides, goals.of(look), strict=True))
    while True:
        painting.next_frame(look, look.whole("steps"), look.whole("crops"), pulls)
        yield


def _whole_frames(engine: Engine, look: Look) -> Iterator[None]:
    while True:
        engine.paint(look)
        yield


def _baseline(guides: Sequence[Guide], look: Look) -> dict[str, Way]:
    """The authors' way, warmed up; none where its gradients for the guide's weights do not fit into the memory."""
    way = Way(baseline_frames(guides, look))
    try:
        way.warm_up(guides[0].device)
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        return {}
    return {"baseline": way}


def _check_whole(engine: Engine, look: Look) -> None:
    """Raise BenchError where the engine painted elsewhere, or less, than it was asked to."""
    report = engine.report()
    did, asked = (report["steps"], report["crops"]), (look.whole("steps"), look.whole("crops"))
    fell_back = [note for note in report["notes"] if "out of memory" in note or "painting on the CPU" in note]
    if did != asked or fell_back:
        raise BenchError(f"the engine did {did[0]} steps x {did[1]} crops of {asked[0]} x {asked[1]}: {fell_back}")


def _compared(ways: dict[str, Way], steps: int) -> dict[str, Any]:
    """A step's time each way, a frame's, and how many times faster our step is."""
    step_ms = [spent / steps for spent in ways["step"].spent_ms]
    frame = spread("frame", "ms", ways["frame"].spent_ms)
    found: dict[str, Any] = {
        **spread("step", "ms", step_ms),
        **frame,
        "frames_per_s": round(1000.0 / frame["frame_ms"], 2),
    }
    if "baseline" not in ways:
        return {**found, "baseline_fits_memory": False}
    theirs_ms = [spent / steps for spent in ways["baseline"].spent_ms]
    found |= spread("baseline_step", "ms", theirs_ms)
    ratios = spread("ratio", "", [theirs / mine for theirs, mine in zip(theirs_ms, step_ms, strict=True)])
    found["ratio_vs_baseline"] = round(found["baseline_step_ms"] / found["step_ms"], 3)
    return {**found, "ratio_q1": ratios["ratio_q1"], "ratio_q3": ratios["ratio_q3"]}


def _peak(device: torch.device) -> dict[str, float]:
    """What ours took of a CUDA device's memory at most so far, with what the allocator held beside it, in MiB."""
    if device.type != "cuda":
        return {}
    return {
        "vram_peak_mb": round(torch.cuda.max_memory_allocated(device) / 2**20, 1),
        "vram_held_mb": round(torch.cuda.max_memory_reserved(device) / 2**20, 1),
    }
