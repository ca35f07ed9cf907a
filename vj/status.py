"""What the running show says of itself in one JSON object, gathered from the pulses of its parts."""

import time
from typing import Any

from vj.pulse import is_fresh, read_pulse
from vj.runtime import Folder, Plan

STARTING_S = 15.0


def status(folder: Folder, plan: Plan, started: float) -> dict[str, Any]:
    """The JSON line of a headless show. A part that does not answer is a fault, and its rates are 0."""
    now = time.monotonic()
    names = ("keeper", "desk", "engine", "program", *(f"sink-{n}" for n in range(len(plan.sinks))))
    pulses = {name: read_pulse(folder.pulse(name)) for name in names}
    parts = pulses["keeper"].get("parts", {})
    fresh = {name: pulse if is_fresh(pulse, now) else {} for name, pulse in pulses.items()}
    # A part that has not spoken yet is starting; only after a while is that a fault.
    heard = {name: pulse for name, pulse in fresh.items() if pulses[name] or now - started > STARTING_S}
    return {
        "t": round(now - started, 2),
        **_rates(fresh["engine"], fresh["program"]),
        **_played(fresh["desk"]),
        "sinks": {
            _unique(plan.sinks, n): _sink(fresh[f"sink-{n}"], parts.get(f"sink-{n}", {}))
            for n in range(len(plan.sinks))
        },
        "restarts": {name: parts.get(name, {}).get("restarts", 0) for name in ("engine", "program", "desk")},
        "faults": faults(heard, parts),
        "memory_mb": {name: pulse.get("memory_mb", 0.0) for name, pulse in pulses.items()},
    }


def _rates(engine: dict[str, Any], program: dict[str, Any]) -> dict[str, Any]:
    return {
        "engine_fps": float(engine.get("fps", 0.0)),
        "program_fps": float(program.get("fps", 0.0)),
        "program_gap_p99_ms": float(program.get("gap_p99_ms", 0.0)),
        "latency_ms": round(float(program.get("latency_ms", 0.0)), 1),
        "engine_frame_ms": float(engine.get("frame_ms", 0.0)),
        "guide": engine.get("guide", ""),
    }


def _played(desk: dict[str, Any]) -> dict[str, Any]:
    cue = desk.get("cue", {})
    return {
        "song": desk.get("song", ""),
        "cue": {"index": cue.get("index", 0), "text": cue.get("text", "")},
        "look": desk.get("look", {}),
        "inputs": desk.get("inputs", {}),
    }


def faults(fresh: dict[str, dict[str, Any]], parts: dict[str, Any]) -> list[str]:
    """Every sentence a performer should know of, most serious first."""
    found = [f"{name} does not answer" for name, pulse in fresh.items() if not pulse]
    found += [f"{name} restarted: {part['reason']}" for name, part in parts.items() if part.get("restarts")]
    engine = fresh.get("engine", {})
    found += [str(note) for note in engine.get("notes", [])]
    found += [engine["gpu_unused"]] if engine.get("gpu_unused") else []
    for name, pulse in fresh.items():
        if name.startswith("sink-") and pulse.get("error"):
            found.append(_named(str(pulse.get("spec", name)), str(pulse["error"])))
    for name, report in fresh.get("desk", {}).get("inputs", {}).items():
        if report.get("reason"):
            found.append(f"{name}: {report['reason']}")
    return found


def _named(spec: str, error: str) -> str:
    """An error with its sink's name before it; most begin with it already."""
    return error if error.startswith(f"{spec.partition(':')[0]}: ") else f"{spec}: {error}"


def _sink(pulse: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    facts = {key: value for key, value in pulse.items() if key not in ("pid", "at", "spec", "memory_mb")}
    return {"state": "silent", "fps": 0.0, **facts, "restarts": part.get("restarts", 0)}


def _unique(sinks: tuple[str, ...], n: int) -> str:
    """The sink's kind, or its whole spec where two are of one kind."""
    kind = sinks[n].partition(":")[0]
    return sinks[n] if sum(spec.partition(":")[0] == kind for spec in sinks) > 1 else kind
