"""The panels: pure functions from a scene to lines of ink. What does not fit into the room is left out."""

from vj.dashboard.ink import Ink, Line, bar, block_bar, centred_bar, clock, cut, line, padded, wrapped
from vj.dashboard.lettering import ROWS, lettered
from vj.dashboard.pulses import finite
from vj.dashboard.scene import Part, Scene, SinkLine, Slot
from vj.dashboard.states import badges

_LABEL = 12
_SINK_MARKS = {"ok": ("●", "good"), "opening": ("◌", "warn"), "waiting": ("○", "warn")}


def top_lines(scene: Scene, time_of_day: str, width: int) -> list[Line]:
    """The states that matter, then song, cue and preset, and the time of day at the right."""
    inks: list[Ink] = [(" ", "text")]
    room = width - len(time_of_day) - 2
    for badge in badges(scene):
        word = f" {badge.symbol} {badge.word} "
        if len(word) + 1 > room:
            break
        inks += [(word, f"badge-{badge.kind}"), (" ", "text")]
        room -= len(word) + 1
    where = f"{padded(f'  {_where(scene)}', room - 1)} " if room > 8 else " " * room
    return [line(*inks, (where, "text"), (f"{time_of_day} ", "dim"))]


def _where(scene: Scene) -> str:
    if not scene.desk.is_live:
        return ""
    cue = scene.cue
    place = f"cue {cue.index}/{cue.count}  {clock(cue.position_s)}" if cue.count else ""
    preset = f"preset {scene.preset}" if scene.preset else ""
    song = f"song {scene.song_index}/{scene.song_count} {scene.song}" if scene.song_index else scene.song
    beat = f"beat {scene.number('tempo'):.0f} bpm" if scene.is_on("beat") else ""
    return "  ·  ".join(part for part in (song, place, beat, preset) if part)


def lyric_lines(scene: Scene, width: int, height: int) -> list[Line]:
    """The line that is painted, how far its cue is, and the line that comes."""
    room = width - 8
    is_live = scene.desk.is_live
    coming = line((" NEXT  ", "title"), (cut(_next(scene), room), "text" if is_live else "dim"))
    rest = [_progress(scene, width), coming]
    now = _now_lines(scene, room, height - 2)
    spare = max(0, height - len(now) - 2)
    return [*[line()] * ((spare + 1) // 2), *now, *rest]


def _now_lines(scene: Scene, room: int, height: int) -> list[Line]:
    """The line in large letters where they fit, else in bold."""
    label, blank = (" NOW   ", "title"), ("       ", "text")
    is_live = scene.desk.is_live
    large = lettered(scene.line, room) if is_live and height >= ROWS else ()
    if large:
        return [(label if n == ROWS // 2 else blank, *row) for n, row in enumerate(large)]
    style = "bright" if is_live and scene.line else "dim"
    pieces = wrapped(scene.line, room, 2 if height >= 3 else 1) or [_no_line(scene)]
    return [line(label if n == 0 else blank, (piece, style)) for n, piece in enumerate(pieces)]


def _no_line(scene: Scene) -> str:
    if not scene.desk.is_live:
        return scene.desk.silence
    if scene.cue.state == "waiting":
        return "waiting for go: press space"
    if not scene.cue.count:
        return "no line yet: press p and type a prompt"
    return "no line: the picture holds" if scene.cue.index else "no line yet"


def _next(scene: Scene) -> str:
    coming = scene.next_line or scene.cue.next
    if not scene.desk.is_live:
        return f"last known lines; {scene.desk.silence}" if scene.line else ""
    if coming and scene.cue.next and coming != scene.cue.next:
        return f"{coming}   (sung next: {scene.cue.next})"
    return coming or ("the end of the list" if scene.cue.state == "done" else "–")


def _progress(scene: Scene, width: int) -> Line:
    wide = max(4, width - 15)
    if not scene.desk.is_live:
        return line(("       ", "text"), ("─" * wide, "faint"), ("     –", "dim"))
    share = f"{scene.cue.progress:6.0%}"
    return line(("       ", "text"), *bar(scene.cue.progress, wide), (share, "dim"))


def vitals_lines(scene: Scene, width: int, height: int) -> list[Line]:
    """What engine and program do, what they run on, and the temperature, in at most `height` lines."""
    room = width - _LABEL
    unused = [line((text, "bad")) for text in wrapped(scene.engine.text("gpu_unused"), width, 3)]
    essential = [
        _labelled("ENGINE", _engine_words(scene), room, scene.engine),
        _labelled("PROGRAM", _program_words(scene), room, scene.program),
        _temperature(scene, room),
    ]
    rest = [
        _labelled("GUIDE", _guide_words(scene.engine, room), room, scene.engine),
        _labelled("LATENCY", _measured(scene.program, "latency_ms", "ms"), room, scene.program),
        *_governor(scene, room, 1 if scene.notes and height < 10 else 2),
    ]
    spare = max(0, height - len(unused) - len(essential) - len(rest))
    notes = [line((text, "warn")) for note in scene.notes for text in wrapped(note, width, max(1, spare))]
    return [*unused, *essential, *rest, *notes][:height]


def _labelled(label: str, words: str, room: int, part: Part) -> Line:
    if part.silence:
        return line((padded(label, _LABEL), "title"), (cut(part.fate or _short_silence(part), room), "bad"))
    return line((padded(label, _LABEL), "title"), (cut(words, room), "bright"))


def _short_silence(part: Part) -> str:
    return "not there yet" if part.age_s is None else f"not answering {int(part.age_s)} s"


def _measured(part: Part, name: str, unit: str) -> str:
    number = part.number(name)
    if number is None:
        return "–"
    return f"{number:.1f} {unit}" if unit == "fps" else f"{number:.0f} {unit}"


def _engine_words(scene: Scene) -> str:
    if scene.engine.text("state") == "loading":
        return "loading the guide"
    if scene.engine.text("state") == "waiting":
        return "no words to paint"
    return f"{_measured(scene.engine, 'fps', 'fps')} of {scene.number('engine_fps'):.0f}"


def _program_words(scene: Scene) -> str:
    return f"{_measured(scene.program, 'fps', 'fps')}  gap {_measured(scene.program, 'gap_p99_ms', 'ms')}"


def _guide_words(engine: Part, room: int) -> str:
    canvas = engine.pulse.items("canvas")
    size = f"{canvas[0]}×{canvas[1]}" if len(canvas) == 2 and all(canvas) else ""
    weighed = sum(_megabytes(guide) for guide in engine.pulse.items("guides")) if engine.is_live else 0.0
    memory = f"{weighed:.0f} MB" if weighed else ""
    facts = [fact for fact in (engine.text("guide"), engine.text("device"), size, memory) if fact]
    while len(facts) > 1 and len(" · ".join(facts)) > room:
        facts.pop()
    return " · ".join(facts)


def _megabytes(guide: object) -> float:
    return finite(guide.get("memory_mb")) or 0.0 if isinstance(guide, dict) else 0.0


def _governor(scene: Scene, room: int, most: int) -> list[Line]:
    if scene.engine.silence:
        return [_labelled("GOVERNOR", "", room, scene.engine)]
    sentence = scene.engine.text("governor")
    steps, crops = scene.engine.pulse.whole("steps"), scene.engine.pulse.whole("crops")
    how = "off" if scene.value("governor") is False else "at rest"
    words = sentence or (f"{how}: {steps} steps, {crops} crops" if steps else "–")
    pieces = wrapped(words, room, most)
    labels = ["GOVERNOR", *[""] * most]
    return [
        line((padded(label, _LABEL), "title"), (piece, "text")) for label, piece in zip(labels, pieces, strict=False)
    ]


def _temperature(scene: Scene, room: int) -> Line:
    value = scene.number("temperature")
    style = "good" if scene.desk.is_live else "dim"
    wide = min(40, room - 7)
    label = (padded("TEMPERATURE", _LABEL), "title")
    return line(
        label, *block_bar(value / 100.0, wide, style), (f"{value:6.1f}", "bright" if scene.desk.is_live else "dim")
    )


def sink_lines(scene: Scene, width: int, height: int) -> list[Line]:
    """Each sink with its health; its address on a line of its own where there is room for all of them."""
    if not scene.sinks:
        return [line(("SINKS", "title"), ("  none known yet", "dim"))]
    is_roomy = 2 * len(scene.sinks) + 1 <= height
    lines = [line(("SINKS", "title"))]
    for sink in scene.sinks:
        lines.append(_sink_line(sink, width, is_roomy))
        detail = sink.error or sink.url
        if is_roomy:
            lines.append(line((cut(f"  {detail}", width), "warn" if sink.error else "text")))
    return lines


def _sink_line(sink: SinkLine, width: int, is_roomy: bool) -> Line:
    mark, style = _SINK_MARKS.get(sink.state, ("▲", "bad"))
    word = {"ok": "ok", "silent": "SILENT", "failed": "FAILED"}.get(sink.state, sink.state or "–")
    fps = f"{sink.fps:.0f} fps" if sink.fps is not None and not sink.error else ""
    where = "" if is_roomy else sink.error or sink.url.removeprefix("http://").rstrip("/")
    restarts = f"restarted {sink.restarts}×" if sink.restarts else ""
    detail = "  ".join(fact for fact in (where, fps, restarts) if fact)
    name = padded(sink.name.partition(":")[0], 8)
    inks = (f"{mark} ", style), (name, "bright"), (f"{word} ", style)
    return line(*inks, (cut(detail, width - 11 - len(word)), "text"))


def part_lines(scene: Scene, width: int) -> list[Line]:
    """Each process of the show with its memory and how often it had to be started again."""
    parts = (scene.desk, scene.engine, scene.program, scene.keeper)
    return [line(("PARTS", "title")), *(_part_line(part, width) for part in parts)]


def _part_line(part: Part, width: int) -> Line:
    name = (padded(part.name, _LABEL - 2), "bright")
    if part.silence:
        return line(("× ", "bad"), name, (cut(part.silence.removeprefix(f"{part.name} "), width - _LABEL), "bad"))
    restarts = f"restarted {part.restarts}×" if part.restarts else ""
    memory = _measured(part, "memory_mb", "MB").rjust(8)
    return line(("● ", "good"), name, (f"{memory}  ", "text"), (restarts, "warn"))


def slot_lines(scene: Scene, slot: int, width: int, height: int) -> list[Line]:
    """The prompt slots with their weights; where room is short only those in use, and the chosen one."""
    title = line(("SLOTS", "title"), ("  1-8 types, + - weighs", "dim"))
    shown = scene.slots
    if height < len(shown) + 1:
        shown = tuple(each for each in shown if each.is_used or each.number == slot)
    return [title, *(_slot_line(each, each.number == slot, width) for each in shown)][:height]


def _slot_line(slot: Slot, is_chosen: bool, width: int) -> Line:
    wide = 9 if width < 60 else 17
    weight = f"{slot.weight:+.2f}" if slot.is_used or slot.weight else "     "
    mark = ("›" if is_chosen else " ", "bright")
    room = width - 11 - wide
    text = padded(slot.text or "–", room)
    words = "text" if slot.is_used and slot.weight else "dim"
    return line(
        mark,
        (f"{slot.number} ", "title"),
        (text, words),
        (f" {weight} ", words),
        *centred_bar(slot.weight / 2.0, wide),
    )
