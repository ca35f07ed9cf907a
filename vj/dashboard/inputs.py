"""The panels of what comes in and what was said: counters and last messages of the inputs, the log."""

from vj.dashboard.ink import Line, cut, line, padded, wrapped
from vj.dashboard.pulses import Pulse
from vj.dashboard.scene import Scene


def input_lines(scene: Scene, width: int, height: int) -> list[Line]:
    """The counters of every input, then the monitor with the newest message last."""
    title = line(("INPUTS", "title"))
    if not scene.desk.is_live:
        return [title, line((cut(scene.desk.silence, width), "bad"))]
    names = scene.inputs.values
    counters = [row for name in names for row in _counter(name, scene.inputs.group(name), width)][: height - 1]
    room = max(0, height - 1 - len(counters))
    monitor = scene.monitor[-room:] if room else ()
    return [title, *counters, *(line((cut(f"  {text}", width), "dim")) for text in monitor)]


def _counter(name: str, counts: Pulse, width: int) -> list[Line]:
    facts = [f"{counts.whole('received')} in"]
    facts += [f"{counts.whole(what)} {what}" for what in ("clamped", "refused") if counts.whole(what)]
    where = counts.text("address") or ", ".join(counts.texts("ports"))
    words = " · ".join([*facts, *([where] if where else [])])
    lines = [line((padded(name, 6), "bright"), (cut(words, width - 6), "text"))]
    reason, last = counts.text("reason"), counts.text("last_refused")
    why = reason or (f"last refused: {last}" if last else "")
    return [*lines, line(("      ", "text"), (cut(why, width - 6), "warn"))] if why else lines


def input_summary(scene: Scene, width: int) -> Line:
    """Every input's count in one line."""
    label = (padded("INPUTS", 7), "title")
    if not scene.desk.is_live:
        return line(label, ("–", "dim"))
    counts = [f"{name} {scene.inputs.group(name).whole('received')}" for name in scene.inputs.values]
    return line(label, (cut(" · ".join(counts) or "–", width - 7), "text"))


def log_lines(scene: Scene, width: int, height: int) -> list[Line]:
    """What is wrong, then what the desk logged, the newest last."""
    note = "" if scene.desk.is_live else f"  last known: {scene.desk.silence}"
    title = line(("LOG", "title"), (cut(note, width - 3), "warn"))
    faults = [
        line((piece, "warn")) for fault in (*scene.faults, *scene.notes) for piece in wrapped(f"▲ {fault}", width, 2)
    ]
    # Old faults must not hide what was said just now.
    faults = faults[: max(0, height - 1 - min(len(scene.log), height // 2))]
    room = max(0, height - 1 - len(faults))
    said = [line((cut(text, width), "text")) for text in scene.log[-room:]] if room else []
    return [title, *faults, *said]
