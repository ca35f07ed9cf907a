"""How steadily a show runs: rates of engine and program, the start, and what a killed engine costs."""

import time
from itertools import pairwise

import psutil

from vj.bench.show import BenchShow, watched
from vj.pulse import read_pulse

WARM_UP_S = 10.0
STEADY_S = 20.0


def first_frames(show: BenchShow) -> dict[str, float]:
    """Seconds from the start of the command to the first program frame and to the first painted one."""
    opened = painted = 0.0
    for frame in watched(show.program, 60.0):
        opened = opened or frame.painted_at
        if frame.is_painted:
            painted = frame.painted_at
            break
    return {
        "standby_s": round(opened - show.started, 2),
        "first_painted_s": round(painted - show.started, 2) if painted else -1.0,
    }


def steady(show: BenchShow, seconds: float = STEADY_S) -> dict[str, float]:
    """Rates over a stretch of undisturbed show, and what the governor spent at its end."""
    engine_box = show.folder.frames()
    first, began = engine_box.newest(), time.monotonic()
    times = [frame.painted_at for frame in watched(show.program, seconds)]
    last, took = engine_box.newest(), time.monotonic() - began
    painted = last.number - first.number if first and last else 0
    engine = read_pulse(show.folder.pulse("engine"))
    return {
        "engine_fps": round(painted / took, 2),
        "engine_steps": engine.get("steps", 0),
        "engine_crops": engine.get("crops", 0),
        "engine_denoise_ms": round(float(engine.get("denoise_ms", 0.0)), 2),
        **gaps(times),
    }


def gaps(times: list[float]) -> dict[str, float]:
    """Rate of the program and the gap that 99 in 100 of its frames stay under, and the longest, from their times, s."""
    found = sorted(after - before for before, after in pairwise(times))
    if not found:
        return {"program_fps": 0.0, "program_gap_p99_ms": -1.0, "program_gap_longest_ms": -1.0}
    return {
        "program_fps": round(len(found) / max(1e-9, times[-1] - times[0]), 2),
        "program_gap_p99_ms": round(1000 * found[min(len(found) - 1, int(0.99 * len(found)))], 1),
        "program_gap_longest_ms": round(1000 * found[-1], 1),
    }


def engine_killed(show: BenchShow) -> dict[str, float]:
    """Kill the engine with SIGKILL: the longest gap of the program, its darkest frame beside the last, the way back."""
    engine_box = show.folder.frames()
    before = engine_box.newest()
    killed = time.monotonic()
    psutil.Process(show.processes()["engine"]).kill()
    times, darkest, back = [killed], 255.0, -1.0
    for frame in watched(show.program, 30.0):
        times.append(frame.painted_at)
        darkest = min(darkest, float(frame.rgb.mean()))
        newest = engine_box.newest(after=before.number + 1 if before else -1)
        if newest is not None and newest.painted_at > killed + 0.3:
            back = time.monotonic() - killed
            break
    return {
        "engine_killed_longest_gap_ms": gaps(times)["program_gap_longest_ms"],
        "engine_killed_mean_before": round(float(before.rgb.mean()), 1) if before else -1.0,
        "engine_killed_darkest_mean": round(darkest, 1),
        "engine_killed_painting_again_s": round(back, 2),
    }
