"""Parameters that a cue sets: when, how they glide, who wins, and what undo makes of them."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from engine.parameters import Look, ParameterError
from vj.changes import Change
from vj.cues.clock import CueClock
from vj.cues.cue import Cue, CueList
from vj.saved import from_json, to_json
from vj.state import ShowState


def cue(at_s: float, text: str, fade_s: float | None = None, label: str = "", **values: Any) -> Cue:
    return Cue(at_s, text, 0, label, fade_s, MappingProxyType(values))


SONG = CueList("Song", (
    cue(0.0, "one", label="intro", temperature=20.0),
    cue(10.0, "two", 4.0, "A", temperature=60.0, steps=5, freeze=True),
    cue(20.0, "three", label="7", contrast=1.5),
    cue(30.0, "four", 2.0, "end"),
))  # fmt: skip


def running(at: float = 0.0) -> ShowState:
    return ShowState(Look(), Look(), SONG, CueClock("running", at, 0.0)).advanced(0.0)


def hand(state: ShowState, name: str, value: Any, now: float) -> ShowState:
    return state.after(Change("set", value, name, "key"), now)


def temperature(state: ShowState, now: float) -> float:
    return state.advanced(now).look.number("temperature")


def test_a_cue_sets_its_parameters_when_it_begins_and_says_so() -> None:
    state = running()
    assert state.look.number("temperature") == 20.0 and state.moved["temperature"] == ("cue", 0.0)
    assert state.advanced(9.9).look.whole("steps") == 2
    state = state.advanced(10.1)
    assert state.look.whole("steps") == 5 and state.look.is_on("freeze")


def test_numbers_glide_over_the_fade_and_all_else_is_set_at_once() -> None:
    state = running().advanced(10.0)
    assert [temperature(state, at) for at in (10.0, 11.0, 12.0, 14.0, 99.0)] == pytest.approx([20, 30, 40, 60, 60])
    assert state.advanced(14.0).glides == {} and state.look.whole("steps") == 5


def test_a_song_that_has_not_begun_sets_nothing() -> None:
    state = ShowState(Look(), Look(), SONG)
    assert state.advanced(50.0).look == Look()
    assert state.begun(50.0).advanced(50.0).look.number("temperature") == 20.0


def test_a_desk_that_looked_away_sets_what_every_cue_since_has_set() -> None:
    state = running().advanced(25.0)
    assert state.look.number("temperature") == 60.0 and state.look.number("contrast") == 1.5


def test_a_move_by_hand_wins_until_a_later_cue_sets_it_again() -> None:
    state = hand(running().advanced(11.0), "temperature", 90.0, 11.5)
    assert temperature(state, 12.0) == temperature(state, 29.0) == 90.0
    state = hand(state, "contrast", 0.5, 15.0)
    assert state.advanced(21.0).look.number("contrast") == 1.5


def test_a_jump_sets_the_parameters_of_its_own_cue_and_of_none_between() -> None:
    state = running().after(Change("cue_go", 3), 1.0).advanced(1.0)
    assert state.look.number("contrast") == 1.5 and state.look.whole("steps") == 2
    state = hand(state, "contrast", 0.5, 2.0).after(Change("cue_go", 3), 3.0)
    assert state.look.number("contrast") == 1.5  # called again, set again


def test_a_seek_into_a_glide_is_that_far_along() -> None:
    state = running().after(Change("cue_seek", 12.0), 5.0)
    assert temperature(state, 5.0) == pytest.approx(40.0) and temperature(state, 7.0) == pytest.approx(60.0)


def test_a_nudge_across_the_beginning_of_a_cue_and_back_sets_it_once() -> None:
    state = hand(running().advanced(20.5), "contrast", 0.5, 20.6)
    state = state.after(Change("cue_nudge", -1.0), 20.7).advanced(20.8)
    assert state.advanced(30.0).look.number("contrast") == 0.5


def test_a_seek_while_stopped_sets_nothing_until_go() -> None:
    state = running().after(Change("cue_stop"), 1.0).after(Change("cue_seek", 21.0), 2.0).advanced(3.0)
    assert state.look.number("contrast") == 1.0
    assert state.after(Change("cue_go"), 4.0).advanced(4.0).look.number("contrast") == 1.5


# Undo and panic


def test_undo_takes_back_a_move_by_hand_and_leaves_what_a_cue_has_set_since() -> None:
    state = hand(running(), "saturation", 1.8, 5.0).advanced(21.0)
    state = state.after(Change("undo", source="key"), 22.0)
    assert state.look.number("saturation") == 1.0
    assert state.look.number("contrast") == 1.5 and state.look.number("temperature") == 60.0


def test_a_move_that_a_cue_has_overridden_is_nothing_to_undo() -> None:
    state = hand(hand(running(), "saturation", 1.8, 3.0), "temperature", 90.0, 5.0).advanced(15.0)
    assert len(state.history) == 1
    state = state.after(Change("undo"), 16.0)
    assert state.look.number("saturation") == 1.0 and state.look.number("temperature") == 60.0


def test_undo_during_a_glide_lets_it_go_on() -> None:
    state = hand(running().advanced(11.0), "saturation", 1.8, 11.5).after(Change("undo"), 12.0)
    assert temperature(state, 12.0) == pytest.approx(40.0) and temperature(state, 14.0) == 60.0


def test_undo_of_a_move_that_broke_a_glide_goes_where_the_cue_wanted_to() -> None:
    state = hand(running().advanced(11.0), "temperature", 90.0, 11.5).after(Change("undo"), 13.0)
    assert temperature(state, 13.0) == 60.0


def test_panic_ends_a_glide() -> None:
    state = running().advanced(11.0).after(Change("panic"), 12.0)
    assert temperature(state, 14.0) == Look().number("temperature") and not state.glides


# The line


def line(state: ShowState, now: float) -> tuple[str, str, float]:
    look = state.advanced(now).look_at(now)
    return look.line, look.next_line, pytest.approx(look.blend)  # type: ignore[return-value]


def test_a_jump_crosses_over_from_what_was_shown_and_not_from_the_cue_before_its_own() -> None:
    state = running().advanced(5.0).after(Change("cue_go", "end"), 5.0)
    assert line(state, 6.0) == ("one", "four", 0.5) and line(state, 7.0) == ("four", "", 0.0)


def test_a_typed_prompt_gives_way_by_a_crossfade() -> None:
    state = replace(running(), look=Look().with_values({"hold": 0.0}))
    state = state.after(Change("prompt", "typed", seconds=0.0), 5.0)
    assert line(state, 9.9)[0] == "typed"
    assert line(state.advanced(10.0), 12.0) == ("typed", "two", 0.5)


def test_a_jump_while_paused_shows_its_words_at_once() -> None:
    state = running().after(Change("cue_pause"), 5.0).after(Change("cue_go", "A"), 6.0)
    assert line(state, 6.0)[0] == line(state, 60.0)[0] == "two"


@pytest.mark.parametrize(("asked", "index"), [("A", 2), ("a", 2), ("END", 4), ("7", 3), ("2", 2), ("three", 3)])
def test_a_cue_is_called_by_its_label_first_then_by_number_or_words(asked: str, index: int) -> None:
    state = running().after(Change("cue_go", asked), 5.0)
    assert state.clock.position(5.0) == SONG.cues[index - 1].at_s


@pytest.mark.parametrize("asked", ["B", ""])
def test_a_label_that_no_cue_has_is_refused(asked: str) -> None:
    with pytest.raises(ParameterError, match=f"no cue '{asked}' among the 4 of this song"):
        running().after(Change("cue_go", asked), 5.0)


# Saved


def test_a_desk_killed_in_a_glide_goes_on_with_it_and_sets_no_cue_twice() -> None:
    state = hand(running().advanced(11.0), "freeze", False, 11.0)
    back = from_json(to_json(state, 11.0), ShowState(Look(), Look(), SONG))
    assert temperature(back, 12.0) == pytest.approx(40.0) and not back.advanced(15.0).look.is_on("freeze")
    later = from_json(to_json(state, 11.0), ShowState(Look(), Look(), SONG), is_same_boot=False)
    assert later.look.number("temperature") == 60.0 and later.glides == {}
