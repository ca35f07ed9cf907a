"""The desk as it is saved: one that was killed comes back as it was, with its undo, and a spoiled file is refused."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parameters import Look
from vj.changes import Change
from vj.cues.clock import CueClock
from vj.cues.cue import Cue, CueList
from vj.desk import ShowDesk
from vj.live import LivePrompt
from vj.saved import from_json, to_json
from vj.state import ShowState

SONG = CueList("Song", (Cue(0.0, "one"), Cue(1000.0, "two")))


def state(cues: CueList | None = SONG) -> ShowState:
    return ShowState(Look(), Look(), cues)


def told(desk: ShowDesk, *changes: Change) -> Look:
    for change in changes:
        desk.put(change)
    return desk.turn(0.0)


def test_a_desk_comes_back_as_it_was(tmp_path: Path) -> None:
    desk = ShowDesk(state(), tmp_path / "desk.json")
    desk.has_painted()
    told(desk, Change("set", 81, "temperature"), Change("prompt", "a sea", seconds=5.0), Change("fire", None, "kick"))
    back = from_json((tmp_path / "desk.json").read_text(), state())
    assert back.look.number("temperature") == 81 and back.look.whole("kick") == 1
    assert (back.clock, back.live, back.preset) == (desk.state.clock, desk.state.live, desk.state.preset)
    now = time.monotonic()
    assert back.look_at(now).line == desk.state.look_at(now).line


@pytest.mark.parametrize("is_same_boot", [True, False])
def test_undo_goes_on_behind_a_desk_that_was_killed(tmp_path: Path, is_same_boot: bool) -> None:
    desk = ShowDesk(state(None), tmp_path / "desk.json")
    moves = (
        Change("set", 81, "temperature", "key"),
        Change("bank_text", (3, "a red rose"), "", "key"),
        Change("prompt", "a sea", source="key", seconds=0.0),
        Change("prompt", "a fox", source="osc", seconds=0.0),
        Change("bank_text", (3, "a blue rose"), "", "osc"),
        Change("set", 20, "temperature", "midi"),
    )
    told(desk, *moves)
    desk.close()
    fresh = replace(state(None), bank=desk.state.bank)  # the bank has a file of its own
    back = ShowDesk(from_json((tmp_path / "desk.json").read_text(), fresh, is_same_boot))
    for left in range(len(moves), -1, -1):
        one, other = desk.state, back.state
        assert len(other.history) == left
        assert (other.look.values, other.bank, other.preset) == (one.look.values, one.bank, one.preset)
        assert (other.live and other.live.text) == (one.live and one.live.text)
        for each in (desk, back):
            told(each, Change("undo"))


def test_a_running_song_goes_on_where_it_is_by_now_and_a_resumed_one_waits_where_it_was() -> None:
    saved = to_json(
        ShowState(Look(), Look(), SONG, CueClock("running", 30.0, 1000.0), LivePrompt("a", "b", 990, 60, "", 1)),
        1005.5,
    )
    assert from_json(saved, state()).clock.position(1010.0) == 40.0
    later = from_json(saved, state(), is_same_boot=False)
    assert later.clock == CueClock("waiting", 35.0, 0.0)
    assert later.look_at(5.0).blend == 0.0 and later.look_at(5.0).line == "a"
    paused = to_json(ShowState(Look(), Look(), SONG, CueClock("paused", 12.0, 3.0)), 99.0)
    assert from_json(paused, state(), is_same_boot=False).clock == CueClock("paused", 12.0, 0.0)


def test_the_file_is_whole_at_every_moment_and_written_only_when_something_changed(tmp_path: Path) -> None:
    path = tmp_path / "desk.json"
    desk = ShowDesk(state(None), path)
    desk.turn(0.0)
    written = path.stat().st_mtime_ns
    until = time.monotonic() + 0.7
    while time.monotonic() < until:
        desk.turn(0.05)
    assert path.stat().st_mtime_ns == written and [file.name for file in tmp_path.iterdir()] == ["desk.json"]


def test_a_desk_that_cannot_save_goes_on(tmp_path: Path) -> None:
    desk = ShowDesk(state(), tmp_path / "gone" / "desk.json")
    assert told(desk, Change("set", 12, "temperature")).number("temperature") == 12


WHOLE = to_json(ShowState(Look(), Look(), SONG, CueClock("running", 1.0, 2.0), LivePrompt("a", "b", 0.0, 2.0)), 3.0)
SPOILED = [
    "", "{", "null", "[]", "5", "[" * 100_000, WHOLE[:-20],
    *(json.dumps({**json.loads(WHOLE), key: value}) for key, value in [
        ("look", {}), ("look", 3), ("clock", []), ("clock", 5), ("clock", ["running", "x", 0]),
        ("clock", [1, None, None]),
        ("undo", 5), ("undo", [[]]), ("undo", [[{"temperature": "x"}, None, "", {}]]),
        ("undo", [[{}, None, "", {"x": 1}]]),
        ("live", [1]), ("live", ["a", "b", "c", "d", "e", "f"]), ("live", [None, None, 0.0, 2.0, "", 1]),
    ]),
]  # fmt: skip


@pytest.mark.parametrize("text", SPOILED, ids=range(len(SPOILED)))
@pytest.mark.parametrize("is_same_boot", [True, False])
def test_a_spoiled_file_is_refused_and_never_half_taken(text: str, is_same_boot: bool) -> None:
    with pytest.raises(ValueError):
        from_json(text, state(), is_same_boot)


@given(st.integers(0, len(WHOLE)), st.text(max_size=3))
def test_no_spoiled_file_gives_a_desk_that_cannot_turn(place: int, text: str) -> None:
    try:
        back = from_json(WHOLE[:place] + text + WHOLE[place + len(text) :], state())
    except ValueError:
        return
    desk = ShowDesk(back)
    desk.turn(0.0).to_json()
    json.dumps(desk.report())
