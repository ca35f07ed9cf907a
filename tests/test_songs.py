"""Songs: what a control calls for, what a song brings with it, and where a show is after a restart."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from engine.parameters import Look, ParameterError
from vj.changes import Change
from vj.cues.clock import CueClock
from vj.cues.cue import Cue, CueList
from vj.desk import ShowDesk
from vj.opening import opening_state
from vj.runtime import Plan, PlannedSong
from vj.saved import from_json, to_json
from vj.songs import Song
from vj.state import ShowState


def a_song(title: str, first: str, preset: str = "", **values: Any) -> Song:
    cues = CueList(title, (Cue(1.0, first), Cue(5.0, f"{first} again")))
    return Song(PlannedSong(title, "", preset), cues, preset, MappingProxyType(values))


SONGS = (
    a_song("Ferry", "sea"),
    a_song("Glass", "garden", "glass", temperature=30.0, contrast=1.2),
    a_song("3", "moon"),
)


def show(songs: tuple[Song, ...] = SONGS, **values: Any) -> ShowState:
    look = Look().with_values(values)
    return ShowState(look, look, songs[0].cues if songs else None, songs=songs, song=1 if songs else 0)


def asked(state: ShowState, action: str, value: Any = None, now: float = 100.0) -> ShowState:
    return state.after(Change(action, value, source="osc"), now)


@pytest.mark.parametrize(
    ("at", "action", "value", "song"),
    [
        (1, "song_next", None, 2), (2, "song_back", None, 1), (1, "song_back", None, 1), (2, "song_go", None, 2),
        (1, "song_go", 3, 3), (1, "song_go", 3.0, 3), (1, "song_go", "glass", 2), (1, "song_go", "2", 2),
        (1, "song_go", "3", 3),
    ],
)  # fmt: skip
def test_a_song_is_called_by_its_number_or_its_title(at: int, action: str, value: Any, song: int) -> None:
    state = asked(replace(show(), song=at), action, value)
    assert state.song == song and state.cues == SONGS[song - 1].cues
    assert state.clock == CueClock("running", 0.0, 100.0)


@pytest.mark.parametrize(
    ("action", "value", "what"),
    [
        ("song_go", 4, "no song 4 among the 3"), ("song_go", -1, "no song -1"),
        ("song_go", "Glas", "did you mean 'Glass'"),
    ],
)  # fmt: skip
def test_a_song_that_is_not_there_changes_nothing(action: str, value: Any, what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        asked(show(), action, value)


def test_after_the_last_song_there_is_none_and_without_songs_neither() -> None:
    with pytest.raises(ParameterError, match="'3' is the last song"):
        asked(replace(show(), song=3), "song_next")
    with pytest.raises(ParameterError, match="this show has no songs"):
        asked(show(()), "song_go")


def test_a_song_recalls_its_preset_and_leaves_all_else() -> None:
    state = asked(show(saturation=1.7), "song_next")
    assert (state.look.number("temperature"), state.look.number("saturation")) == (30.0, 1.7)
    assert state.preset == "glass" and state.moved["temperature"] == ("osc", 100.0)


def test_a_song_takes_the_line_and_begins_at_its_beginning_whatever_was_on() -> None:
    state = asked(replace(show(), clock=CueClock("paused", 5.0, 0.0)), "prompt", "typed")
    state = asked(state, "song_next", now=101.0)
    assert state.live is None and state.look_at(101.0).line == "garden" and state.entered == 0
    assert state.cue_at(102.5).index == 1  # type: ignore[union-attr]


def test_after_the_last_cue_the_picture_holds_and_nothing_goes_on_by_itself() -> None:
    state = asked(show(), "song_go", 1).advanced(1e5)
    assert state.song == 1 and state.look_at(1e5).line == "sea again"


def test_undo_after_a_song_began_gives_the_look_back_but_neither_the_song_nor_its_typed_line() -> None:
    state = asked(asked(show(), "prompt", "typed"), "song_next", now=110.0).after(Change("undo"), 120.0)
    assert state.look.number("temperature") == 35.0 and state.preset == ""
    assert state.song == 2 and state.live is None
    assert state.after(Change("undo"), 130.0).live is None


def test_a_song_sets_the_parameters_of_its_own_first_cue() -> None:
    cues = CueList("x", (Cue(0.0, "x", parameters=MappingProxyType({"temperature": 70.0})),))
    state = asked(show((*SONGS, Song(PlannedSong("X", ""), cues))), "song_go", 4).advanced(100.0)
    assert state.look.number("temperature") == 70.0


# Saved


def test_a_restarted_desk_is_in_the_song_it_was_in() -> None:
    back = from_json(to_json(asked(show(), "song_next"), 103.0), show())
    assert back.song == 2 and back.cues == SONGS[1].cues and back.clock.position(104.0) == 4.0


def test_a_resumed_show_finds_its_song_by_the_title_where_the_file_was_edited() -> None:
    saved = to_json(asked(show(), "song_next"), 103.0)
    back = from_json(saved, show((SONGS[2], SONGS[0], SONGS[1])), is_same_boot=False)
    assert back.song == 3 and back.clock == CueClock("waiting", 3.0, 0.0)
    gone = from_json(saved, show((SONGS[2], SONGS[0])), is_same_boot=False)
    assert gone.song == 1 and gone.clock == CueClock() and gone.look.number("temperature") == 30.0


# The desk, with real files


def planned(folder: Path, title: str, text: str, preset: str = "") -> PlannedSong:
    path = folder / f"{title}.lrc"
    path.write_text(text)
    return PlannedSong(title, str(path), preset)


def told(desk: ShowDesk, action: str, value: Any = None) -> None:
    desk.put(Change(action, value, source="key"))
    desk.turn(0.0)


@pytest.fixture
def evening(home: Path) -> Plan:
    (home / "glass.toml").write_text("[parameters]\ntemperature = 12.0\n")
    one = planned(home, "one", "[00:01.00]a red rose\n")
    return Plan(songs=(one, planned(home, "two", "[00:02.00]a sea\n", str(home / "glass.toml"))), show="evening")


def test_a_show_begins_with_its_first_song_and_says_which(evening: Plan) -> None:
    desk = ShowDesk(opening_state(evening))
    assert desk.report()["song"] == "one" and desk.report()["songs"] == {"index": 1, "count": 2}
    told(desk, "song_next")
    report = desk.report()
    assert report["song"] == "two" and report["cue"]["state"] == "running" and report["preset"] == "glass"
    assert report["log"][-1].endswith("song 2/2 two begun by key")


def test_the_first_songs_preset_is_part_of_the_look_the_show_began_with(evening: Plan) -> None:
    state = opening_state(replace(evening, songs=evening.songs[1:]))
    assert state.look.number("temperature") == 12.0 and state.opening_preset == "glass"
    assert opening_state(replace(evening, songs=evening.songs[1:], values={"temperature": 50.0})).opening.number(
        "temperature"
    ) == 50.0  # fmt: skip


def test_a_song_is_read_afresh_when_it_begins_and_as_it_was_when_its_file_was_spoiled(evening: Plan) -> None:
    desk = ShowDesk(opening_state(evening))
    cues, preset = Path(evening.songs[1].cues), Path(evening.songs[1].preset)
    cues.write_text("[00:02.00]a lake\n")
    told(desk, "song_go", 2)
    assert desk.look().line == "a lake"
    cues.write_text("[00:99.00]\n")
    preset.write_text("[parameters]\ntemperature = 300\n")
    told(desk, "song_go", "two")
    log = desk.report()["log"]
    assert desk.look().line == "a lake" and desk.look().number("temperature") == 12.0
    assert any("two.lrc:1:" in line and "as it was read before" in line for line in log)


def test_a_song_whose_files_cannot_be_read_when_the_desk_comes_back_is_played_by_hand(evening: Plan) -> None:
    Path(evening.songs[0].cues).unlink()
    notes: list[str] = []
    desk = ShowDesk(opening_state(evening, notes))
    assert "cannot be read" in notes[0] and desk.report()["song"] == "one"
    told(desk, "prompt", "by hand")
    assert desk.look().line == "by hand"


def test_a_song_that_is_not_there_is_said(evening: Plan) -> None:
    desk = ShowDesk(opening_state(evening))
    told(desk, "song_go", "tow")
    assert "no song 'tow' among the 2 of this show; did you mean 'two'?" in desk.report()["log"][-1]
