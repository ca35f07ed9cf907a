"""The desk as it is written beside the show, and read back by one that was restarted or resumed."""

import json
import time
from dataclasses import astuple, replace
from types import MappingProxyType
from typing import Any

from engine.parameters import PARAMETERS, Look, as_text
from vj.beat import Beat
from vj.cues.clock import CueClock
from vj.glide import NO_GLIDES, Glide, Glides
from vj.history import UNDO_LIMIT, History, Step
from vj.live import LivePrompt
from vj.state import ShowState


def to_json(state: ShowState, now: float) -> str:
    """What a desk needs to come back: parameters and their glides, the line typed by hand, preset and cue clock.

    The position is in whole seconds: a running song is written once a second, a resting one not at all.
    """
    live = state.live
    return json.dumps(
        {
            "look": json.loads(state.look.to_json()),
            "glides": {name: astuple(glide) for name, glide in state.glides.items()},
            "preset": state.preset,
            "song": [state.song, state.songs[state.song - 1].title if state.song else ""],
            "beat_s": state.beat.phase_s(state.look.number("tempo")),
            "clock": [state.clock.state, state.clock.base_s, state.clock.anchor],
            "position_s": int(state.clock.position(now)),
            "cue": [state.entered, state.came_from],
            "live": live and astuple(live),
            "undo": _undo(state),
        }
    )


def _undo(state: ShowState) -> list[Any]:
    """The steps of undo, the newest first: of each what was another than after it, its line, its preset."""
    found: list[Any] = []
    values, bank = state.look.values, state.bank
    for step in reversed(state.history.steps):
        changed = {name: value for name, value in step.values.items() if values[name] != value}
        places = {place for place in (*step.bank, *bank) if step.bank.get(place) != bank.get(place)}
        stored = {str(place): step.bank.get(place) for place in places}
        found.append([changed, step.live and astuple(step.live), step.preset, stored])
        values, bank = step.values, step.bank
    return found


def from_json(text: str, state: ShowState, is_same_boot: bool = True) -> ShowState:
    """The state with what `to_json` wrote put back. Raises ValueError for anything else.

    The monotonic clock goes on while a desk is restarted, so a running cue list goes on where the song is by now.
    With `is_same_boot` false (a show resumed later) a running one waits at the place that it had reached. Where the
    song that was on is no longer among the show's, the show's first one waits for its beginning.
    """
    try:
        found = _restored(json.loads(text), state, is_same_boot)
        now = time.monotonic()
        found.advanced(now).look_at(now).to_json()  # what cannot be looked at would end the desk again and again
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as err:
        raise ValueError(f"not a saved desk: {err}") from err
    return found


def _restored(data: Any, state: ShowState, is_same_boot: bool) -> ShowState:
    name, base_s, anchor = data["clock"]
    clock, glides = CueClock(str(name), float(base_s), float(anchor)), _glides(data["glides"])
    entered, came_from = data["cue"]
    place, title = data["song"]
    found = replace(
        state,
        look=Look.from_json(json.dumps(data["look"])),
        glides=glides,
        clock=clock,
        entered=max(0, int(entered)),
        came_from=as_text(came_from),
        beat=Beat(float(data["beat_s"])),
        live=_live(data["live"]),
        preset=str(data["preset"]),
    )
    found = replace(found, history=_history(data.get("undo", []), found))
    found = found if is_same_boot else _later(found, float(data["position_s"]))
    return _with_song(found, int(place), str(title)) if state.songs else found


def _with_song(state: ShowState, place: int, title: str) -> ShowState:
    """The state with this song on; the show file may have been edited since, so its title is what counts."""
    titled = [n for n, song in enumerate(state.songs, 1) if song.title == title]
    if not titled:
        return replace(state, clock=CueClock(), entered=0, came_from="")
    index = place if place in titled else titled[0]
    return replace(state, song=index, cues=state.songs[index - 1].cues)


def _later(state: ShowState, position_s: float) -> ShowState:
    """The state in another life of this machine: what was under way then has arrived, what ran waits."""
    resting = "waiting" if state.clock.state == "running" else state.clock.state
    look = state.look.with_values({name: glide.end for name, glide in state.glides.items()})
    live = state.live and replace(state.live, started=-1e9)
    steps = [replace(step, live=step.live and replace(step.live, started=-1e9)) for step in state.history.steps]
    state = replace(state, history=History(tuple(steps)))
    return replace(state, look=look, glides=NO_GLIDES, clock=CueClock(resting, position_s, 0.0), live=live)


def _history(saved: Any, state: ShowState) -> History:
    steps: list[Step] = []
    look, bank = state.look, dict(state.bank)
    for changed, live, preset, stored in saved[:UNDO_LIMIT]:
        look = look.with_values(changed)
        bank |= {int(place): as_text(text) for place, text in stored.items() if text is not None}
        bank = {place: text for place, text in bank.items() if stored.get(str(place), text) is not None}
        steps.insert(0, Step(look.values, _live(live), str(preset), MappingProxyType(dict(bank))))
    return History(tuple(steps))


def _live(saved: Any) -> LivePrompt | None:
    if not saved:
        return None
    line, before, started, fade_s, standby, cue = saved
    return LivePrompt(as_text(line), as_text(before), float(started), float(fade_s), as_text(standby), int(cue))


def _glides(saved: Any) -> Glides:
    glides = {str(name): Glide(*map(float, glide)) for name, glide in saved.items()}
    if any(PARAMETERS[name].kind != "number" for name in glides):
        raise ValueError("only numbers glide")
    return MappingProxyType(glides)
