"""The states that matter, as a symbol, words and a colour, the gravest first. Pure."""

from dataclasses import dataclass

from vj.dashboard.scene import Part, Scene


@dataclass(frozen=True, slots=True)
class Badge:
    """One state of the show. `kind` is good, warn or bad."""

    symbol: str
    word: str
    kind: str


def badges(scene: Scene) -> tuple[Badge, ...]:
    """Every state worth a word now; a single LIVE (or what the cues do) when all is well."""
    found = [*_silences(scene), *_covers(scene), *_engine(scene), *_sinks(scene)]
    if _waits_for_go(scene):
        found.append(Badge("▷", "WAITING FOR GO", "warn"))
    if scene.desk.is_live and scene.cue.state in ("paused", "stopped"):
        found.append(Badge("‖", f"CUES {scene.cue.state.upper()}", "warn"))
    return tuple(found) or (Badge("●", "LIVE", "good"),)


def picture_word(scene: Scene) -> str:
    """What to write across the picture: why it is dark, still or not there; "" for a picture that runs."""
    if scene.program.silence:
        return scene.program.silence.upper()
    if scene.is_on("blackout"):
        return "■ BLACKOUT"
    if scene.is_on("freeze"):
        return "‖ FROZEN"
    if _is_standby(scene):
        return "□ STANDBY"
    return ""


def _waits_for_go(scene: Scene) -> bool:
    # Before the first picture a show that was not asked to wait is in the same state, and starts by itself.
    is_waiting = scene.desk.is_live and scene.cue.state == "waiting" and scene.cue.count > 0
    return is_waiting and (scene.waits or scene.program.is_on("painted"))


def _silences(scene: Scene) -> list[Badge]:
    found = [_silence(part) for part in (scene.program, scene.desk) if not part.is_live]
    if scene.keeper.age_s is not None and not scene.keeper.is_live:
        found.append(_silence(scene.keeper))
    return found


def _silence(part: Part) -> Badge:
    how = "RESTARTING" if part.fate else "NOT THERE YET" if part.age_s is None else "NOT ANSWERING"
    return Badge("×", f"{part.name.upper()} {how}", "bad")


def _covers(scene: Scene) -> list[Badge]:
    found = []
    if scene.is_on("blackout"):
        found.append(Badge("■", "BLACKOUT", "warn"))
    if scene.is_on("freeze"):
        found.append(Badge("‖", "FROZEN", "warn"))
    return found


def _is_standby(scene: Scene) -> bool:
    return scene.program.is_live and scene.program.pulse.values.get("painted") is False


def _engine(scene: Scene) -> list[Badge]:
    found = []
    if _is_standby(scene):
        found.append(Badge("□", "STANDBY", "warn"))
    if scene.program.is_on("holding") or (not scene.engine.is_live and scene.program.is_on("painted")):
        found.append(Badge("~", f"HOLDING ({_why_holding(scene)})", "bad"))
    elif not scene.engine.is_live:
        found.append(_silence(scene.engine))
    elif scene.engine.text("state") == "loading":
        found.append(Badge("…", "ENGINE LOADING", "warn"))
    if scene.engine.text("gpu_unused"):
        found.append(Badge("▲", "GPU UNUSED", "bad"))
    return found


def _why_holding(scene: Scene) -> str:
    if scene.engine.fate:
        return "engine restarting"
    state = scene.engine.text("state")
    words = {"loading": "engine loading", "waiting": "no words to paint", "painting": "engine slow"}
    return words.get(state, "engine silent")


def _sinks(scene: Scene) -> list[Badge]:
    failed = [sink.name.partition(":")[0] for sink in scene.sinks if sink.state in ("failed", "silent")]
    return [Badge("▲", f"SINK {name.upper()}", "bad") for name in failed]
