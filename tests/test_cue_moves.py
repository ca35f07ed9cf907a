"""Prompts typed by hand and the cue list: who has the line, and where each move goes."""

import re
from dataclasses import replace
from typing import Any

import pytest

from engine.parameters import TEXT_LIMIT, Look, ParameterError
from vj.changes import ACTIONS, Change
from vj.cues.clock import CueClock
from vj.cues.cue import Cue, CueList
from vj.state import ShowState

SONG = CueList("Song", (Cue(2.0, "one"), Cue(6.0, "two"), Cue(10.0, ""), Cue(12.0, "four")))


def show(cues: CueList | None = SONG, **values: Any) -> ShowState:
    look = Look().with_values(values)
    return ShowState(look, look, cues)


def running(at: float = 0.0, now: float = 0.0) -> ShowState:
    return replace(show(), clock=CueClock("running", at, now))


def moved(state: ShowState, *changes: tuple[str, Any] | str, now: float = 0.0) -> ShowState:
    for change in changes:
        action, value = (change, None) if isinstance(change, str) else change
        state = state.after(Change(action, value, source="key"), now)
    return state


def line(state: ShowState, now: float) -> tuple[str, str, float]:
    look = state.look_at(now)
    return look.line, look.next_line, pytest.approx(look.blend)  # type: ignore[return-value]


NO_HOLD = Change("set", 0.0, parameter="hold")

# Prompts typed by hand


def test_a_quick_fade_is_over_in_half_its_time() -> None:
    state = show(None).after(Change("prompt", "a sea", seconds=0.0), 0.0)
    state = state.after(Change("prompt", "a fire", seconds=2.0), 0.0)
    assert line(state, 0.5) == ("a sea", "a fire", 0.5)
    assert line(state, 1.0) == ("a fire", "", 0.0)


def test_a_typed_prompt_crossfades_in_over_the_fade() -> None:
    state = show(None, fade=4.0).after(Change("prompt", "a sea", seconds=0.0), 0.0)
    state = state.after(Change("prompt", "a  fire\n"), 10.0)
    assert line(state, 10.0) == ("a sea", "a fire", 0.0)
    assert line(state, 11.5) == ("a sea", "a fire", 0.5)  # the prompt is there a second early, the picture follows it
    assert line(state, 13.0) == line(state, 14.0) == line(state, 1e6) == ("a fire", "", 0.0)


def test_the_first_prompt_has_nothing_to_fade_from() -> None:
    assert line(show(None).after(Change("prompt", "a sea"), 0.0), 0.0) == ("a sea", "", 0.0)


def test_a_prompt_typed_in_mid_crossfade_starts_from_the_nearer_line() -> None:
    state = show(None, fade=4.0).after(Change("prompt", "a sea", seconds=0.0), 0.0)
    state = state.after(Change("prompt", "a fire"), 10.0)
    assert line(state.after(Change("prompt", "ice"), 11.0), 11.0)[:2] == ("a sea", "ice")
    assert line(state.after(Change("prompt", "ice"), 13.0), 13.0)[:2] == ("a fire", "ice")


def test_seconds_override_the_fade_and_a_prompt_is_cut_to_its_limit() -> None:
    state = show(None).after(Change("prompt", "a sea", seconds=0.0), 0.0)
    state = state.after(Change("prompt", "x" * 2000, seconds=11.0), 0.0)
    assert line(state, 5.0) == ("a sea", "x" * TEXT_LIMIT, 0.5)


def test_a_lyric_is_there_at_once_with_the_next_on_standby() -> None:
    state = running(3.0).after(Change("lyric", ("now", "then")), 0.0)
    assert line(state, 0.0) == ("now", "then", 0.0)


def test_a_typed_prompt_holds_until_the_song_begins_its_next_cue() -> None:
    state = running().after(NO_HOLD, 0.0).after(Change("prompt", "typed", seconds=0.0), 3.0)
    assert line(state, 5.9)[0] == "typed"
    assert line(state, 6.0) == ("two", "", 0.0)
    assert line(state, 12.5)[0] == "four"


def test_a_typed_prompt_stays_for_its_hold_whatever_is_sung_meanwhile() -> None:
    state = running().after(Change("set", 5.0, parameter="hold"), 0.0)
    state = state.after(Change("prompt", "typed", seconds=0.0), 3.0)
    assert line(state, 7.9)[0] == "typed"
    assert line(state, 8.0)[0] == "two"


def test_a_prompt_typed_before_the_song_holds_until_its_first_cue() -> None:
    state = moved(show(), ("prompt", "typed")).begun(100.0)
    assert line(state, 101.9)[0] == "typed"
    assert line(state, 102.0)[0] == "one"


@pytest.mark.parametrize("action", ["cue_next", "cue_back", "cue_go"])
def test_a_cue_called_by_hand_takes_the_line_back_at_once(action: str) -> None:
    state = moved(running(6.0), ("prompt", "typed"), action)
    assert state.live is None and line(state, 0.0)[0] != "typed"


def test_a_pause_or_a_nudge_leaves_the_typed_prompt() -> None:
    state = running(6.0).after(Change("prompt", "typed", seconds=0.0), 0.0)
    assert line(moved(state, "cue_pause", ("cue_nudge", 0.2)), 0.0)[0] == "typed"


# The cue list


def test_the_song_begins_with_the_first_frame_and_its_first_words_are_there_before() -> None:
    state = show()
    assert line(state, 50.0)[0] == "one" and state.cue_at(50.0).index == 0  # type: ignore[union-attr]
    state = state.begun(50.0)
    assert state.clock.position(53.0) == 3.0 and state.begun(60.0) == state


def test_a_running_line_holds_blends_into_the_next_and_an_empty_one_holds() -> None:
    state = running()
    assert line(state, 4.5) == ("one", "two", 0.0)
    assert line(state, 5.3) == ("one", "two", 0.5)  # the last 35 % of four seconds
    assert line(state, 8.0) == ("two", "", 0.0)
    assert line(state, 11.0) == ("two", "", 0.0)
    assert line(state, 1e5) == ("four", "", 0.0)


def test_with_the_papers_shape_a_line_blends_all_along() -> None:
    state = replace(running(), look=Look().with_values({"blend_shape": "linear"}))
    assert line(state, 3.0) == ("one", "two", 0.25)


def test_with_a_lead_the_picture_is_ahead_of_the_song_and_the_screen_is_not() -> None:
    state = replace(running(), look=Look().with_values({"lead": 1.0}))
    assert line(state, 4.3) == ("one", "two", 0.5)
    assert line(state, 5.5) == ("two", "", 0.0)
    assert state.cue_at(5.5).index == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("at", "change", "index"),
    [(3.0, "cue_next", 2), (3.0, "cue_go", 2), (7.0, "cue_back", 1), (3.0, "cue_back", 1), (0.5, "cue_next", 1),
     (3.0, ("cue_go", 4), 4), (3.0, ("cue_go", 4.0), 4), (3.0, ("cue_go", "FOUR"), 4), (3.0, ("cue_go", "2"), 2)],
)  # fmt: skip
def test_moves_between_cues_go_to_the_beginning_of_the_cue(at: float, change: Any, index: int) -> None:
    state = moved(running(at), change)
    assert state.cue_at(0.0).index == index  # type: ignore[union-attr]
    assert state.clock.position(0.0) == SONG.cues[index - 1].at_s and state.clock.state == "running"


@pytest.mark.parametrize("change", ["cue_next", "cue_go"])
def test_a_move_behind_the_last_cue_changes_nothing(change: Any) -> None:
    state = running(13.0).after(Change("prompt", "typed", seconds=0.0), 0.0)
    assert moved(state, change) == state


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (5, "no cue 5: the cues of this song are 1 to 4"),
        (0, "no cue 0"),
        (-1, "no cue -1"),
        ("x", "no cue 'x' among the 4 of this song"),
        ("", "no cue ''"),
    ],
)
def test_a_cue_that_is_not_there_is_refused(asked: Any, told: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(told)):
        moved(running(3.0), ("cue_go", asked))


@pytest.mark.parametrize("action", [action for action in ACTIONS if action.startswith("cue_")])
def test_cue_moves_without_a_cue_list_change_nothing(action: str) -> None:
    state = show(None).after(Change("prompt", "typed", seconds=0.0), 0.0)
    value = {"number": 3.0, "index": None}.get(ACTIONS[action])
    assert moved(state, (action, value)) == state


def test_back_before_the_first_cue_does_not_begin_it() -> None:
    state = moved(running(1.5), "cue_back")
    assert state.clock.position(0.0) == 0.0 and state.cue_at(0.0).index == 0  # type: ignore[union-attr]


def test_go_starts_a_waiting_song_and_next_goes_straight_to_its_first_cue() -> None:
    assert moved(show(), "cue_go", now=9.0).clock == CueClock("running", 0.0, 9.0)
    assert moved(show(), "cue_next", now=9.0).clock == CueClock("running", 2.0, 9.0)


def test_a_paused_song_stands_still_and_goes_on_from_there() -> None:
    state = moved(running(3.0), "cue_pause", now=1.0)
    assert state.clock.position(50.0) == 4.0 and state.clock.state == "paused"
    assert moved(state, "cue_next", now=50.0).clock == CueClock("paused", 6.0, 50.0)
    for action in ("cue_pause", "cue_go"):
        again = moved(state, action, now=50.0)
        assert again.clock.position(52.0) == 6.0 and again.clock.state == "running"


def test_a_stopped_song_holds_its_last_line_until_go() -> None:
    state = moved(running(3.0), "cue_stop", now=1.0)
    assert line(state, 1e4) == ("one", "", 0.0) and state.clock.state == "stopped"
    state = moved(state, "cue_go", now=1e4)
    assert line(state, 1e4 + 2.5)[0] == "two"


def test_seek_and_nudge_move_the_clock_and_never_before_the_beginning() -> None:
    state = moved(running(3.0), ("cue_seek", 11.0))
    assert state.clock.position(0.5) == 11.5
    state = moved(state, ("cue_nudge", -0.25), now=0.5)
    assert state.clock.position(0.5) == 11.25
    assert moved(state, ("cue_nudge", -100), now=0.5).clock.position(1.5) == 1.0
    assert moved(state, ("cue_seek", -5), now=0.5).clock.position(0.5) == 0.0
    far = moved(state, ("cue_seek", 1e9), now=0.5)
    assert line(far, 1.0)[0] == "four"


def test_seeking_while_the_song_waits_says_where_it_will_begin() -> None:
    state = moved(show(), ("cue_seek", 6.5))
    assert state.clock.state == "waiting" and state.begun(100.0).clock.position(101.0) == 7.5
